//! Times of a trace as integers.

use super::table::Unit;
use crate::{Problem, Result};

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
        (None, _) => date_time(text).ok_or_else(|| {
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

/// `2023-11-16 18:15:46.68`, with `T` or a space, with or without an offset.
fn date_time(text: &str) -> Option<Time> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let (clock, fraction) = time.split_at(time.find('.').unwrap_or(time.len()));
    let [hour, minute, second] = parts(clock, ':', [2, 2, 2])?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let ahead = match offset {
        "" | "Z" | "z" => 0,
        _ => {
            let [hours, minutes] = parts(&offset[1..], ':', [2, 2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * 60 * if offset.starts_with('-') { -1 } else { 1 }
        }
    };
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - ahead;
    let part = if fraction.is_empty() { 0 } else { decimal(&format!("0{fraction}"), 9)? };
    let clock = if offset.is_empty() { Clock::Local } else { Clock::Utc };
    Some(Time { nanos: i128::from(seconds) * 1_000_000_000 + part, clock })
}

/// Numbers of exactly so many digits.
fn parts<const N: usize>(text: &str, between: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut pieces = text.split(between);
    for (number, width) in found.iter_mut().zip(widths) {
        let piece = pieces.next().filter(|p| p.len() == width && p.bytes().all(|b| b.is_ascii_digit()))?;
        *number = piece.parse().ok()?;
    }
    pieces.next().is_none().then_some(found)
}

/// Days of the Gregorian calendar before a date, counted from an arbitrary day.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400;
    before * 365 + leap_days + (1..month).map(|m| days_in(year, m)).sum::<i64>() + day
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
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
