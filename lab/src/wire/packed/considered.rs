//! Lists of tokens that a server says it considered: often most of an answer, and nothing that
//! chunks are made of. Of those that look as most do, only the lengths are told.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{BYTES, NUMBER, decimal::Digits, list};
use crate::wire::json;

const NAME: &[u8] = b"\"top_logprobs\":[";

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NAME));

/// Where the first entry of a list begins.
pub(super) fn find(text: &[u8]) -> Option<usize> {
    if text.len() < NAME.len() {
        return None;
    }
    FINDER.find(text).map(|at| at + NAME.len())
}

/// The entries of one list.
pub(super) struct Entries {
    /// Their bytes while they are packed.
    pub(super) packed: usize,
    /// Their bytes.
    pub(super) plain: usize,
}

/// The entries at the front, if each is JSON and just a token, its logprob and perhaps its bytes;
/// their list's bracket follows them.
pub(super) fn entries(packed: &[u8], digits: &mut Digits) -> Option<Entries> {
    let (mut at, mut plain) = (0, 0);
    loop {
        let entry = entry(&packed[at..], digits)?;
        (at, plain) = (at + entry.packed, plain + entry.plain);
        match *packed.get(at)? {
            b',' => (at, plain) = (at + 1, plain + 1),
            b']' => return Some(Entries { packed: at, plain }),
            _ => return None,
        }
    }
}

/// A longer token or number is left where it is: unpacking would not find the one from its bytes.
const MOST_TOKEN: usize = 200;
const MOST_DIGITS: usize = 32;

fn entry(packed: &[u8], digits: &mut Digits) -> Option<Entries> {
    let (end, bytes) = token(packed, past(packed, 0, b"{\"token\":")?)?;
    let mut at = past(packed, end, b",\"logprob\":")?;
    let mut plain = at;
    if *packed.get(at)? == NUMBER {
        let single = f32::from_be_bytes(*packed.get(at + 1..)?.first_chunk()?);
        plain += digits.of(single).len();
        at = single.is_finite().then_some(at + 5)?;
    } else {
        let end = json::number(packed, at).filter(|end| end - at <= MOST_DIGITS)?;
        (at, plain) = (end, plain + end - at);
    }
    if packed.get(at..)?.starts_with(&[b',', BYTES]) {
        (at, plain) = (at + 2, plain + 1 + bytes);
    } else if let Some(value) = past(packed, at, b",\"bytes\":") {
        let end = json::value(packed, value)?;
        utf8(&packed[value..end])?;
        (at, plain) = (end, plain + end - at);
    }
    Some(Entries { packed: past(packed, at, b"}")?, plain: plain + 1 })
}

/// Where the token at `at` ends, and how long the list of its bytes is.
fn token(packed: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = packed.get(at + 1..)?;
    // Most tokens are ASCII and have nothing escaped.
    let end = rest.iter().take(MOST_TOKEN).position(|byte| !matches!(byte, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~'))?;
    if packed[at] == b'"' && rest[end] == b'"' {
        return Some((at + end + 2, list::length(&rest[..end])));
    }
    let end = json::string(packed, at)?;
    let token = utf8(&packed[at..end]).filter(|token| token.len() <= MOST_TOKEN)?;
    Some((end, list::length(&list::bytes(token, true))))
}

fn utf8(text: &[u8]) -> Option<&[u8]> {
    std::str::from_utf8(text).ok().map(str::as_bytes)
}

/// Past `wanted`, which has to stand at `at`.
fn past(text: &[u8], at: usize, wanted: &[u8]) -> Option<usize> {
    text.get(at..)?.starts_with(wanted).then_some(at + wanted.len())
}
