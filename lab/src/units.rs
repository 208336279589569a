use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize};

/// A duration, or an offset from a trial's clock start, in nanoseconds.
///
/// Written by people as `20ms`, stored as an integer, shown in the scale that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Nanos(seconds * 1_000_000_000)
    }

    /// Whole milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Nanos(milliseconds * 1_000_000)
    }

    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Seconds, for display and rates.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Self {
        Duration::from_nanos(nanos.0)
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} ns", self.0),
            1_000..1_000_000 => write!(f, "{:.1} µs", n / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} ms", n / 1e6),
            1_000_000_000..120_000_000_000 => write!(f, "{:.1} s", n / 1e9),
            _ => write!(f, "{:.0} min", n / 60e9),
        }
    }
}

const TIME_UNITS: [(&str, u64); 6] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl FromStr for Nanos {
    type Err = String;

    /// Reads `20ms`, `1.5s`, `5m`: a decimal number and one of ns, us, ms, s, m, h.
    fn from_str(text: &str) -> Result<Self, String> {
        scaled(text, &TIME_UNITS).map(Nanos).ok_or_else(|| {
            format!("`{text}` is not a duration; write a number and a unit, like \"20ms\", \"1.5s\" or \"5m\"")
        })
    }
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        from_text_or_integer(d)?.map_or_else(|text| text.parse().map_err(serde::de::Error::custom), |n| Ok(Nanos(n)))
    }
}

/// A size in bytes. Written by people as `16MiB`, stored as an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// The size as a length in memory.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

const SIZE_UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

impl fmt::Display for Bytes {
    /// In the largest unit that leaves no remainder, as people write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
        let (unit, size) =
            whole.into_iter().find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size)).unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl FromStr for Bytes {
    type Err = String;

    /// Reads `64KiB`, `16MiB`, `1.5GiB`, `100B`.
    fn from_str(text: &str) -> Result<Self, String> {
        scaled(text, &SIZE_UNITS)
            .map(Bytes)
            .ok_or_else(|| format!("`{text}` is not a size; write a number and a unit, like \"64KiB\" or \"16MiB\""))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        from_text_or_integer(d)?.map_or_else(|text| text.parse().map_err(serde::de::Error::custom), |n| Ok(Bytes(n)))
    }
}

/// `Ok(integer)` where a program wrote it, `Err(text)` where a person did.
fn from_text_or_integer<'de, D: Deserializer<'de>>(d: D) -> Result<Result<u64, String>, D::Error> {
    struct Either;
    impl serde::de::Visitor<'_> for Either {
        type Value = Result<u64, String>;
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a quoted number with its unit, like \"20ms\" or \"16MiB\"")
        }
        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Err(text.to_owned()))
        }
        fn visit_u64<E>(self, n: u64) -> Result<Self::Value, E> {
            Ok(Ok(n))
        }
        fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Self::Value, E> {
            Err(E::custom(format!("`{n}` has no unit; write it in quotes with one, like \"20ms\" or \"16MiB\"")))
        }
    }
    d.deserialize_any(Either)
}

/// The number before one of `units`, times its factor, exactly; `None` if it is not one
/// or does not come out whole.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = (text[..digits].trim(), &text[digits..]);
    let factor = units.iter().find(|(name, _)| *name == unit)?.1;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let decimal = |s: &str| s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse::<u64>().unwrap_or(0));
    if whole.is_empty() || fraction.len() > 9 || (number.contains('.') && fraction.is_empty()) || whole.len() > 18 {
        return None;
    }
    let scale = 10u64.pow(u32::try_from(fraction.len()).ok()?);
    let parts = u128::from(decimal(fraction)?) * u128::from(factor);
    if parts % u128::from(scale) != 0 {
        return None;
    }
    u64::try_from(u128::from(decimal(whole)?) * u128::from(factor) + parts / u128::from(scale)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        for (text, nanos) in [
            ("20ms", 20_000_000),
            ("1.5s", 1_500_000_000),
            ("5m", 300_000_000_000),
            ("0ns", 0),
            ("2 h", 7_200_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn durations_without_a_unit_or_below_a_nanosecond_are_refused() {
        for text in ["20", "ms", "", "1.5", "-1s", "1,5s", "0.5ns", "1.s", "20 parsec", "99999999999999999999s"] {
            assert!(text.parse::<Nanos>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_exactly() {
        assert_eq!("1.5GiB".parse(), Ok(Bytes(1_610_612_736)));
        assert!("16MB".parse::<Bytes>().is_err(), "decimal megabytes are refused rather than guessed");
    }

    #[test]
    fn durations_are_shown_in_the_scale_that_fits() {
        assert_eq!(Nanos(999).to_string(), "999 ns");
        assert_eq!(Nanos(1_234_567).to_string(), "1.2 ms");
        assert_eq!(Nanos::from_secs(59).to_string(), "59.0 s");
        assert_eq!(Nanos::from_secs(600).to_string(), "10 min");
    }
}
