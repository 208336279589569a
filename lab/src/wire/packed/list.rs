//! The bytes of a token, as a list after it.

use std::borrow::Cow;

use memchr::memrchr;

use super::{LIST, TOKEN};

/// The bytes of the last token in `before`; none where there is none.
pub(super) fn last(before: &[u8]) -> Option<Cow<'_, [u8]>> {
    // A token's text is short; looking further back would cost hostile bytes their square.
    let token = last_token(&before[before.len().saturating_sub(NEAR)..])?;
    let (length, is_escaped) = string(token)?;
    Some(bytes(&token[..length], is_escaped))
}

/// Writes `"bytes":[…]` of these bytes.
pub(super) fn write(bytes: &[u8], text: &mut Vec<u8>) {
    text.extend_from_slice(LIST);
    for byte in bytes {
        let (digits, length) = &DECIMAL[usize::from(*byte)];
        text.extend_from_slice(&digits[..*length]);
        text.push(b',');
    }
    if bytes.is_empty() {
        text.push(b']');
    } else {
        *text.last_mut().expect("a comma") = b']';
    }
}

/// How long that is for these bytes.
pub(super) fn length(bytes: &[u8]) -> usize {
    let digits: usize = bytes.iter().map(|byte| DECIMAL[usize::from(*byte)].1).sum();
    LIST.len() + digits + bytes.len().max(1)
}

/// What is in a JSON string.
pub(super) fn bytes(token: &[u8], is_escaped: bool) -> Cow<'_, [u8]> {
    match &token[1..token.len() - 1] {
        plain if !is_escaped => Cow::Borrowed(plain),
        _ => Cow::Owned(serde_json::from_slice::<String>(token).unwrap_or_default().into_bytes()),
    }
}

/// Each byte in decimal, and how many digits that are.
const DECIMAL: [([u8; 3], usize); 256] = {
    let (mut all, mut byte) = ([([0; 3], 0); 256], 0);
    while byte < 256 {
        let (hundreds, tens, ones) =
            (b'0' + (byte / 100) as u8, b'0' + (byte / 10 % 10) as u8, b'0' + (byte % 10) as u8);
        all[byte] = match byte {
            0..10 => ([ones, 0, 0], 1),
            10..100 => ([tens, ones, 0], 2),
            _ => ([hundreds, tens, ones], 3),
        };
        byte += 1;
    }
    all
};

/// What follows the last [`TOKEN`].
fn last_token(near: &[u8]) -> Option<&[u8]> {
    let mut end = near.len();
    loop {
        end = memrchr(b':', &near[..end])?;
        if near[..=end].ends_with(TOKEN) {
            return Some(&near[end + 1..]);
        }
    }
}

/// A token and its logprob take no more.
const NEAR: usize = 256;

/// The length of the JSON string at the front, quotes included, and whether anything in it is
/// escaped.
fn string(text: &[u8]) -> Option<(usize, bool)> {
    let mut at = usize::from(*text.first()? == b'"').checked_sub(1)? + 1;
    let mut escaped = false;
    loop {
        match *text.get(at)? {
            b'"' => return Some((at + 1, escaped)),
            b'\\' => (at, escaped) = (at + 2, true),
            _ => at += 1,
        }
    }
}
