//! Shorter bytes for what servers say at length, and back to the byte: a logprob in decimal is
//! often a single-precision number (seventeen digits for four bytes), and `"bytes"` are often
//! those of the `"token"` before them.

use std::io::Write;

use memchr::{memchr, memchr2, memrchr};

/// Stands for a decimal number; its four bytes follow, the highest first.
const NUMBER: u8 = 1;
/// Stands for `"bytes":[…]` of the last token.
const BYTES: u8 = 2;

const LOGPROB: &[u8] = b"\"logprob\":";
const TOKEN: &[u8] = b"\"token\":";
const LIST: &[u8] = b"\"bytes\":[";

/// Packs bytes; none where that is not shorter.
pub(crate) fn pack(plain: &[u8]) -> Option<Vec<u8>> {
    if memchr2(NUMBER, BYTES, plain).is_some() {
        return None;
    }
    let (mut packed, mut from, mut text) = (Vec::with_capacity(plain.len()), 0, Vec::new());
    // Every place where one of the two may begin is a quote after a `{` or a `,`.
    let mut at = 0;
    while let Some(quote) = memchr(b'"', &plain[at..]).map(|i| at + i) {
        at = quote + 1;
        let rest = &plain[quote..];
        if rest.starts_with(LOGPROB) {
            let digits = &rest[LOGPROB.len()..];
            let digits = &digits[..digits.iter().position(|b| matches!(b, b',' | b'}')).unwrap_or(0).min(MOST_DIGITS)];
            let Some(single) = single(digits, &mut text) else { continue };
            packed.extend_from_slice(&plain[from..quote + LOGPROB.len()]);
            packed.push(NUMBER);
            packed.extend_from_slice(&single.to_be_bytes());
            from = quote + LOGPROB.len() + digits.len();
        } else if rest.starts_with(LIST) {
            text.clear();
            if !list(&plain[..quote], &mut text) || !rest.starts_with(&text) {
                continue;
            }
            packed.extend_from_slice(&plain[from..quote]);
            packed.push(BYTES);
            from = quote + text.len();
        } else {
            continue;
        }
        at = from;
    }
    packed.extend_from_slice(&plain[from..]);
    (packed.len() < plain.len() && unpack(&packed, plain.len()).is_some_and(|back| back == plain)).then_some(packed)
}

/// No number is longer.
const MOST_DIGITS: usize = 32;

/// What [`pack`] packed, of which there were `most` bytes; none where it packed no such bytes.
pub(crate) fn unpack(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(most.min(packed.len().saturating_mul(4)));
    let (mut rest, mut last, mut text, mut made) = (packed, None, Vec::new(), Vec::new());
    while let Some(at) = memchr2(NUMBER, BYTES, rest) {
        plain.extend_from_slice(&rest[..at]);
        if rest[at] == NUMBER {
            let single = f32::from_be_bytes(*rest.get(at + 1..)?.first_chunk()?);
            if last != Some(single.to_bits()) {
                decimal(single, &mut text);
                last = Some(single.to_bits());
            }
            plain.extend_from_slice(&text);
            rest = &rest[at + 5..];
        } else {
            made.clear();
            if !list(&plain, &mut made) {
                return None;
            }
            plain.extend_from_slice(&made);
            rest = &rest[at + 1..];
        }
        if plain.len() > most {
            return None;
        }
    }
    plain.extend_from_slice(rest);
    (plain.len() <= most).then_some(plain)
}

/// The single-precision number that these digits are the shortest double-precision form of.
fn single(digits: &[u8], text: &mut Vec<u8>) -> Option<f32> {
    let number: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let single = number as f32;
    if !single.is_finite() {
        return None;
    }
    decimal(single, text);
    (text == digits).then_some(single)
}

/// A number as Rust writes it, but for exponents, which have two digits at least: the shortest
/// digits that are this number in double precision, and halfway between two the greater. Bundles
/// are read with it, so it never changes.
fn decimal(single: f32, text: &mut Vec<u8>) {
    text.clear();
    let double = f64::from(single);
    if (1e-4..1e15).contains(&double.abs()) {
        // The quicker way, which halfway between two takes the even one.
        let mut buffer = ryu::Buffer::new();
        let digits = buffer.format_finite(double);
        let places = digits.len() - 1 - digits.find('.').unwrap_or(digits.len() - 1);
        if fraction_bits(single) != places + 1 {
            return text.extend_from_slice(digits.as_bytes());
        }
    }
    write!(text, "{double:?}").expect("memory takes everything");
    if text.len() > 3 && text[text.len() - 3..].starts_with(b"e-") {
        text.insert(text.len() - 1, b'0');
    }
}

/// Bits after the point of a normal number, which are its decimal places too: the last is a 5.
/// So a number lies halfway between two shorter forms if it has one place more than they.
fn fraction_bits(single: f32) -> usize {
    let (exponent, mantissa) = ((single.to_bits() >> 23) & 0xff, (single.to_bits() & 0x7f_ffff) | 0x80_0000);
    (127 + 23 - mantissa.trailing_zeros()).saturating_sub(exponent) as usize
}

/// `"bytes":[…]` of the last token in `before`; whether there is one.
fn list(before: &[u8], text: &mut Vec<u8>) -> bool {
    // A token's text is short; looking further back would cost hostile bytes their square.
    let near = &before[before.len().saturating_sub(NEAR)..];
    let Some(token) = last_token(near) else { return false };
    let Some((length, is_escaped)) = string(token) else { return false };
    let escaped;
    let bytes = match &token[1..length - 1] {
        plain if !is_escaped => plain,
        _ => {
            escaped = serde_json::from_slice::<String>(&token[..length]).unwrap_or_default();
            escaped.as_bytes()
        }
    };
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
    true
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENTRY: &str = r#"{"token":" The","logprob":-0.0019151709275320172,"bytes":[32,84,104,101],"top_logprobs":[{"token":"\u00e9\"","logprob":-9.999999747378752e-05,"bytes":[195,169,34]},{"token":"","logprob":-1.5,"bytes":[]}]}"#;

    #[test]
    fn numbers_and_bytes_of_tokens_are_packed_and_come_back() {
        let packed = pack(ENTRY.as_bytes()).unwrap();
        assert_eq!(packed.iter().filter(|b| **b == NUMBER).count(), 3, "{packed:?}");
        assert_eq!(packed.iter().filter(|b| **b == BYTES).count(), 3);
        assert!(packed.len() + 60 < ENTRY.len());
        assert_eq!(unpack(&packed, ENTRY.len()).unwrap(), ENTRY.as_bytes());
    }

    #[test]
    fn what_is_written_otherwise_is_kept_as_it_stands() {
        for text in [
            r#"{"token":"a","logprob":-0.10,"bytes":[97]}"#,
            r#"{"token":"a","logprob":-0.1,"bytes":[98]}"#,
            r#"{"token":"a","logprob":-1e-5,"bytes":[97],"x":1}"#,
            r#"{"token":"a","logprob":null,"bytes":[97, 98]}"#,
            r#"{"token":"a","logprob":-0.5"#,
            r#""token":"\"logprob":"bytes":["#,
        ] {
            let back = pack(text.as_bytes()).map(|packed| unpack(&packed, text.len()).unwrap());
            assert!(back.is_none_or(|back| back == text.as_bytes()), "{text}");
        }
        assert_eq!(pack(b"\x01"), None);
        assert_eq!(pack(b"nothing to gain"), None);
    }

    #[test]
    fn packed_bytes_that_nobody_packed_are_refused() {
        for packed in [&b"\x01\0\0"[..], b"\x02", b"\"token\":\x02", b"\"token\":\"a\x02"] {
            assert_eq!(unpack(packed, 1 << 20), None, "{packed:?}");
        }
        let bomb = [&b"\"token\":\"aaaa\""[..], &[BYTES; 1 << 10]].concat();
        assert_eq!(unpack(&bomb, 100), None);
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(parts in prop::collection::vec(0usize..12, 0..60), number in any::<f32>(), noise in any::<Vec<u8>>()) {
            let number = format!("{:?}", f64::from(number));
            let pieces: [&[u8]; 12] = [LOGPROB, TOKEN, LIST, b"\"", b"\\", b"a", b"97", b",", b"]", b"}", number.as_bytes(), &noise];
            let plain: Vec<u8> = parts.iter().flat_map(|i| pieces[*i]).copied().collect();
            if let Some(packed) = pack(&plain) {
                prop_assert_eq!(unpack(&packed, plain.len()), Some(plain));
            }
        }

        #[test]
        fn a_number_is_written_as_rust_writes_it_but_for_the_exponent(bits in any::<u32>()) {
            let single = f32::from_bits(bits);
            prop_assume!(single.is_finite());
            let mut text = Vec::new();
            decimal(single, &mut text);
            let rust = format!("{:?}", f64::from(single));
            let digits = |text: &str| text.replace("e-0", "e-");
            prop_assert_eq!(digits(std::str::from_utf8(&text).unwrap()), rust);
        }

        #[test]
        fn unpacking_never_panics(packed in any::<Vec<u8>>()) {
            unpack(&packed, 1 << 12);
        }
    }
}
