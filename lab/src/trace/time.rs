//! Times of a trace as integers.

use super::table::Unit;
use crate::{Problem, Result, calendar};

/// A point in time, in nanoseconds from where its clock begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    nanos: i128,
    clock: Clock,
}

/// Times of different clocks cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// A plain number.
    Number,
    /// A date-time without an offset from UTC.
    Local,
    /// A date-time with one.
    Utc,
}

impl Time {
    /// Nanoseconds from `first`, below 0 if it is earlier.
    pub(super) fn since(&self, first: &Time) -> Result<i128> {
        if self.clock != first.clock {
            return Err(Problem::input("its time is not written as that of the first row is")
                .next("write all times as numbers, all with an offset from UTC like `Z`, or all without"));
        }
        Ok(self.nanos - first.nanos)
    }
}

impl From<calendar::Moment> for Time {
    fn from(moment: calendar::Moment) -> Self {
        let clock = if moment.utc { Clock::Utc } else { Clock::Local };
        Time { nanos: i128::from(moment.seconds) * 1_000_000_000 + i128::from(moment.nanos), clock }
    }
}

/// Reads a number of that unit, or a date-time.
pub(super) fn parse(text: &str, unit: Unit) -> Result<Time> {
    let scale = match unit {
        Unit::Milliseconds => 6,
        Unit::Seconds | Unit::Unknown => 9,
    };
    match (decimal(text, scale), unit) {
        (Some(_), Unit::Unknown) => {
            Err(Problem::input(format!("`{}` may be milliseconds or seconds", crate::text::shown(text, 40)))
                .next("name the column timestamp_ms or timestamp_s"))
        }
        (Some(nanos), _) => Ok(Time { nanos, clock: Clock::Number }),
        (None, _) => calendar::date_time(text).map(Time::from).ok_or_else(|| {
            Problem::input(format!("`{}` is not a time", crate::text::shown(text, 40)))
                .next("write a number without an exponent, or a date-time like 2023-11-16 18:15:46.68 or 2023-11-16T18:15:46Z")
        }),
    }
}

/// `12` or `12.34` times ten to the `scale`, what is finer cut off.
fn decimal(text: &str, scale: usize) -> Option<i128> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 20 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(scale)];
    format!("{whole}{kept:0<scale$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<i128> {
        parse(text, Unit::Seconds).ok().map(|t| t.nanos)
    }

    fn apart(later: &str, earlier: &str) -> i128 {
        nanos(later).unwrap() - nanos(earlier).unwrap()
    }

    #[test]
    fn numbers_are_exact_and_finer_digits_are_cut_off() {
        assert_eq!(nanos("0.1"), Some(100_000_000));
        assert_eq!(nanos("12345678901.123456789"), Some(12_345_678_901_123_456_789));
        assert_eq!(nanos("1.9999999999"), Some(1_999_999_999));
        assert_eq!(parse("7", Unit::Milliseconds).unwrap().nanos, 7_000_000);
        assert_eq!(parse("7.0000019", Unit::Milliseconds).unwrap().nanos, 7_000_001);
    }

    #[test]
    fn date_times_lie_as_far_apart_as_the_calendar_says() {
        let second = 1_000_000_000;
        let day = 86_400 * second;
        // 1970-01-01 to 2000-01-01 are 10,957 days; to 2024-02-29 are 19,782.
        assert_eq!(apart("2000-01-01 00:00:00", "1970-01-01 00:00:00"), 10_957 * day);
        assert_eq!(apart("2024-02-29T00:00:00Z", "1970-01-01T00:00:00Z"), 19_782 * day);
        assert_eq!(apart("2024-03-01 00:00:00", "2024-02-28 00:00:00"), 2 * day);
        assert_eq!(apart("2100-03-01 00:00:00", "2100-02-28 00:00:00"), day);
        assert_eq!(apart("2024-01-01 00:00:00.000000001", "2023-12-31 23:59:59.9"), second / 10 + 1);
        assert_eq!(apart("2024-01-01T00:00:00-05:30", "2024-01-01T00:00:00Z"), 19_800 * second);
    }

    #[test]
    fn what_no_calendar_or_clock_shows_is_refused() {
        for text in [
            "2023-02-29 00:00:00",
            "2023-13-01 00:00:00",
            "2023-00-01 00:00:00",
            "2023-01-00 00:00:00",
            "2023-01-01 24:00:00",
            "2023-01-01 00:60:00",
            "2023-01-01 00:00:60",
            "2023-01-01 00:00",
            "2023-01-01 00:00:00.",
            "2023-1-1 00:00:00",
            "2023-01-01T00:00:00+2",
            "2023-01-01T00:00:00Zulu",
            "2023-01-01é00:00:00",
            "+1",
            "1.2.3",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}
