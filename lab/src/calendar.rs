//! The Gregorian calendar as plain arithmetic: date-times as text, and days as numbers.

/// A date-time as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds since the beginning of day 0, in UTC where an offset is written.
    pub(crate) seconds: i64,
    /// And so many nanoseconds, what is finer cut off.
    pub(crate) nanos: u32,
    /// Whether an offset from UTC is written.
    pub(crate) utc: bool,
}

/// `2023-11-16 18:15:46.68`, with `T` or a space, with or without an offset.
pub(crate) fn date_time(text: &str) -> Option<Moment> {
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
    Some(Moment { seconds, nanos: nanos(fraction)?, utc: !offset.is_empty() })
}

/// A point and digits, or nothing.
fn nanos(fraction: &str) -> Option<u32> {
    let Some(digits) = fraction.strip_prefix('.') else { return Some(0) };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{:0<9}", &digits[..digits.len().min(9)]).parse().ok()
}

/// Numbers of exactly so many digits.
pub(crate) fn parts<const N: usize>(text: &str, between: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut pieces = text.split(between);
    for (number, width) in found.iter_mut().zip(widths) {
        let piece = pieces.next().filter(|p| p.len() == width && p.bytes().all(|b| b.is_ascii_digit()))?;
        *number = piece.parse().ok()?;
    }
    pieces.next().is_none().then_some(found)
}

/// The number of a day: 1 is Monday, the first of January of the year 1.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
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
