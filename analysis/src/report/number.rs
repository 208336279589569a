//! Numbers as text, by fixed rules: a report, its Markdown and its CSV show the same digits.

/// A number as it is shown and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number(String);

impl Number {
    /// The digits: ASCII, a point, a leading minus; or `n/a`.
    pub(crate) fn digits(&self) -> &str {
        &self.0
    }

    /// For people: groups of three digits from five digits on, and a true minus.
    pub(crate) fn typeset(&self) -> String {
        let (sign, rest) = self.0.strip_prefix('-').map_or(("", self.0.as_str()), |rest| ("−", rest));
        let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
        if whole < 5 {
            return format!("{sign}{}", rest.replace("e-", "e−"));
        }
        let mut out = sign.to_owned();
        for (i, c) in rest.char_indices() {
            if i > 0 && i < whole && (whole - i) % 3 == 0 {
                out.push('\u{202f}');
            }
            out.push(c);
        }
        out
    }
}

/// A whole number.
pub(crate) fn count(n: u64) -> Number {
    Number(n.to_string())
}

/// With this many decimals.
pub(crate) fn fixed(value: f64, decimals: usize) -> Number {
    if !value.is_finite() {
        return Number("n/a".into());
    }
    let text = format!("{value:.decimals$}");
    // Rounding may leave `-0.00`.
    let zero = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    Number(if zero { text.trim_start_matches('-').to_owned() } else { text })
}

/// A ratio in a summary.
pub(crate) fn ratio(value: f64) -> Number {
    fixed(value, 2)
}

/// A ratio in a detailed table.
pub(crate) fn fine_ratio(value: f64) -> Number {
    fixed(value, 3)
}

/// Decimals that leave about three digits of a value, or of the smallest of several.
pub(crate) fn decimals(value: f64) -> usize {
    match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 => 2,
        _ => 3,
    }
}

/// About three digits.
pub(crate) fn scaled(value: f64) -> Number {
    fixed(value, decimals(value))
}

/// A number that a person declared, as short as it was written.
pub(crate) fn declared(value: f64) -> Number {
    Number(value.to_string())
}

/// Nanoseconds, as milliseconds.
pub(crate) fn millis(ns: f64) -> Number {
    scaled(ns / 1e6)
}

/// Two digits, also for the very small: p-values, margins.
pub(crate) fn small(value: f64) -> Number {
    match value.abs() {
        0.0 => Number("0".into()),
        v if v < 0.001 && v.is_finite() => Number(format!("{value:.1e}")),
        v if v < 0.1 => fixed(value, 4),
        v if v < 10.0 => fixed(value, 3),
        _ => fixed(value, 1),
    }
}

/// A share in percent.
pub(crate) fn percent(part: u64, whole: u64) -> Option<Number> {
    (whole > 0).then(|| percent_of(part as f64 / whole as f64))
}

/// A share in percent.
pub(crate) fn percent_of(share: f64) -> Number {
    let percent = share * 100.0;
    match percent {
        0.0 => Number("0".into()),
        p if p.abs() < 0.01 => small(percent),
        p if p.abs() < 10.0 => fixed(percent, 2),
        _ => fixed(percent, 1),
    }
}

/// A declared share in percent, or what it leaves: 1 − 0.02 is 98.
pub(crate) fn declared_percent(share: f64) -> Number {
    declared(libm::round(share * 1e6) / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_fixed_digits() {
        let texts: Vec<String> =
            [ratio(1.2351), fine_ratio(1.0), millis(3_421_000.0), millis(9.999e6), fixed(-0.001, 2), declared(0.05)]
                .into_iter()
                .map(|n| n.digits().to_owned())
                .collect();
        assert_eq!(texts, ["1.24", "1.000", "3.42", "10.0", "0.00", "0.05"]);
        assert_eq!(small(0.000_041).digits(), "4.1e-5");
        assert_eq!(percent(26, 100).unwrap().digits(), "26.0");
        assert_eq!(percent(1, 0), None);
        assert_eq!(ratio(f64::NAN).digits(), "n/a");
    }

    #[test]
    fn long_numbers_are_grouped_for_people_only() {
        assert_eq!(count(12_288).typeset(), "12\u{202f}288");
        assert_eq!(count(1234).typeset(), "1234");
        assert_eq!(fixed(-1_234_567.25, 1).typeset(), "−1\u{202f}234\u{202f}567.2");
        assert_eq!(small(0.000_041).typeset(), "4.1e−5");
    }
}
