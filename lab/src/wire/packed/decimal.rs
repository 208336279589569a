//! Single-precision numbers in decimal.

use std::io::Write;

/// The digits of numbers, one after the other: servers like to repeat themselves.
#[derive(Default)]
pub(super) struct Digits {
    last: Option<u32>,
    text: Vec<u8>,
}

impl Digits {
    pub(super) fn of(&mut self, single: f32) -> &[u8] {
        if self.last != Some(single.to_bits()) {
            decimal(single, &mut self.text);
            self.last = Some(single.to_bits());
        }
        &self.text
    }
}

/// The single-precision number that these digits are the shortest double-precision form of.
pub(super) fn single(digits: &[u8], text: &mut Vec<u8>) -> Option<f32> {
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
pub(super) fn decimal(single: f32, text: &mut Vec<u8>) {
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
