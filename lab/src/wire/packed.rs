//! Shorter bytes for what servers say at length, and back to the byte: a logprob in decimal is
//! often a single-precision number (seventeen digits for four bytes), and `"bytes"` are often
//! those of the `"token"` before them.

mod considered;
mod decimal;
mod list;

use memchr::{memchr, memchr2};

use decimal::{Digits, single};

/// Stands for a decimal number; its four bytes follow, the highest first.
const NUMBER: u8 = 1;
/// Stands for `"bytes":[…]` of the last token.
const BYTES: u8 = 2;

const LOGPROB: &[u8] = b"\"logprob\":";
const TOKEN: &[u8] = b"\"token\":";
const LIST: &[u8] = b"\"bytes\":[";

/// Packs bytes; none where that is not shorter.
pub(super) fn pack(plain: &[u8]) -> Option<Vec<u8>> {
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
            let Some(token) = list::last(&plain[..quote]) else { continue };
            text.clear();
            list::write(&token, &mut text);
            if !rest.starts_with(&text) {
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

/// What [`pack`] packed, at most so many bytes; none where it packed no such bytes.
pub(super) fn unpack(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    read(packed, most, false).map(|whole| whole.bytes)
}

/// The same bytes without the entries of lists that say nothing of what was said: the bytes of
/// tokens, and the tokens that a server considered, where they are listed as most servers do. None
/// where [`unpack`] has to say, too.
pub(super) fn abridge(packed: &[u8], most: usize) -> Option<Abridged> {
    read(packed, most, true)
}

/// Bytes of which parts are left out, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Abridged {
    pub(super) bytes: Vec<u8>,
    pub(super) gaps: Vec<Gap>,
}

/// A part that was left out: what stands between the brackets of one list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    /// Where it would stand among the bytes that were not.
    pub(super) at: usize,
    /// How many bytes it is.
    pub(super) len: usize,
}

impl Abridged {
    /// How many bytes there are, with what is left out.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.gaps.iter().map(|gap| gap.len).sum::<usize>()
    }

    fn leave_out(&mut self, len: usize) {
        if len > 0 {
            self.gaps.push(Gap { at: self.bytes.len(), len });
        }
    }

    /// What came after the last gap.
    fn since_gap(&self) -> &[u8] {
        &self.bytes[self.gaps.last().map_or(0, |gap| gap.at)..]
    }
}

fn read(packed: &[u8], most: usize, abridge: bool) -> Option<Abridged> {
    let bytes = Vec::with_capacity(most.min(packed.len().saturating_mul(if abridge { 1 } else { 4 })));
    let (mut made, mut left_out) = (Abridged { bytes, gaps: Vec::new() }, 0);
    let (mut rest, mut digits, mut list) = (packed, Digits::default(), Vec::new());
    while let Some(at) = memchr2(NUMBER, BYTES, rest) {
        let listed = if abridge { considered::find(&rest[..at]) } else { None };
        if let Some((begin, entries)) =
            listed.and_then(|begin| Some((begin, considered::entries(&rest[begin..], &mut digits)?)))
        {
            made.bytes.extend_from_slice(&rest[..begin]);
            made.leave_out(entries.plain);
            left_out += entries.plain;
            rest = &rest[begin + entries.packed..];
        } else if rest[at] == NUMBER {
            let single = f32::from_be_bytes(*rest.get(at + 1..)?.first_chunk()?);
            made.bytes.extend_from_slice(&rest[..at]);
            made.bytes.extend_from_slice(digits.of(single));
            rest = &rest[at + 5..];
        } else {
            made.bytes.extend_from_slice(&rest[..at]);
            // A token that is left out is not seen: then this ends.
            let token = list::last(made.since_gap())?;
            if abridge {
                let inner = list::length(&token) - LIST.len() - 1;
                made.bytes.extend_from_slice(LIST);
                made.leave_out(inner);
                left_out += inner;
                made.bytes.push(b']');
            } else {
                list.clear();
                list::write(&token, &mut list);
                made.bytes.extend_from_slice(&list);
            }
            rest = &rest[at + 1..];
        }
        if made.bytes.len() + left_out > most {
            return None;
        }
    }
    made.bytes.extend_from_slice(rest);
    (made.bytes.len() + left_out <= most).then_some(made)
}

#[cfg(test)]
mod tests;
