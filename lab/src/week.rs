use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{
    Problem,
    calendar::{date_time, days, parts},
    text::shown,
};

const DAY: i64 = 86_400;

/// A week of ISO 8601, written `2026-W47`: it begins on Monday, and belongs to the year that
/// most of its days, and so its Thursday, are in. Weeks are ordered as they follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week {
    /// From 1 to 9999.
    year: i64,
    /// From 1.
    number: i64,
}

impl Week {
    /// The week, in UTC, of a date-time with an offset from it, like `2026-11-22T17:02:51Z`; none
    /// where the text is no such date-time, or is before the year 1.
    pub fn of(time: &str) -> Option<Self> {
        let moment = date_time(time).filter(|moment| moment.utc)?;
        Self::of_day(moment.seconds.div_euclid(DAY))
    }

    fn of_day(day: i64) -> Option<Self> {
        let thursday = monday_of(day) + 3;
        let year = year_of(thursday)?;
        Some(Week { year, number: (thursday - days(year, 1, 1)) / 7 + 1 })
    }

    /// What it is called within its year: `W47`.
    pub fn in_year(self) -> String {
        format!("W{:02}", self.number)
    }

    /// Its Monday and its Sunday, like `2026-11-16`.
    pub fn days(self) -> [String; 2] {
        let monday = monday_of(days(self.year, 1, 4)) + 7 * (self.number - 1);
        [date(monday), date(monday + 6)]
    }

    /// How many weeks began before it, since the Monday on which the year 1 did.
    pub fn ordinal(self) -> i64 {
        (monday_of(days(self.year, 1, 4)) - 1) / 7 + self.number - 1
    }

    /// The week before which so many began; none outside the years 1 to 9999.
    pub fn of_ordinal(weeks: i64) -> Option<Self> {
        let week = (0..=9_999 * 53).contains(&weeks).then(|| Self::of_day(7 * weeks + 1))??;
        (week.year <= 9_999).then_some(week)
    }

    /// The year that it belongs to.
    pub fn year(self) -> i64 {
        self.year
    }

    /// The week in which a bundle says that it began.
    ///
    /// # Errors
    /// `Broken` where that is no time in UTC.
    pub fn begun(started: &str) -> crate::Result<Self> {
        let what = || Problem::broken(format!("it began at `{}`, which is no time in UTC", shown(started, 40)));
        Week::of(started).filter(|_| started.ends_with('Z')).ok_or_else(what)
    }
}

/// A day as ISO 8601 writes it.
fn date(day: i64) -> String {
    let year = year_of(day).unwrap_or_default();
    let month = (1..=12).rev().find(|month| days(year, *month, 1) <= day).unwrap_or(1);
    format!("{year:04}-{month:02}-{:02}", day - days(year, month, 1) + 1)
}

/// How many weeks, and which part of one, lie between the Monday on which the year 1 began and a
/// date-time with an offset from UTC; none where the text is no such date-time.
pub fn weeks_until(time: &str) -> Option<f64> {
    let moment = date_time(time).filter(|moment| moment.utc)?;
    Some((moment.seconds - DAY) as f64 / (7 * DAY) as f64)
}

/// The Monday of a day's week. Day 1 is a Monday.
fn monday_of(day: i64) -> i64 {
    day - (day - 1).rem_euclid(7)
}

/// The year of a day; none before the year 1.
fn year_of(day: i64) -> Option<i64> {
    // No year is longer than 366 days, so this one is not later.
    let mut year = (day >= 1).then_some((day - 1) / 366 + 1)?;
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    Some(year)
}

/// The weeks of a year, 52 or 53: from the week of one fourth of January to that of the next.
fn weeks_in(year: i64) -> i64 {
    let first = |year| monday_of(days(year, 1, 4));
    (first(year + 1) - first(year)) / 7
}

/// What was given for a week is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoWeek {
    /// It is not written as one.
    Form(String),
    /// Its year has no week of that number.
    Number {
        /// As it was given.
        week: String,
        /// The last week of that year.
        last: Week,
    },
}

impl fmt::Display for NoWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoWeek::Form(text) => {
                write!(f, "`{}` is no week: write it as ISO 8601 does, like 2026-W47", crate::text::shown(text, 40))
            }
            NoWeek::Number { week, last } => write!(f, "there is no week {week}: the last one of its year is {last}"),
        }
    }
}

impl std::error::Error for NoWeek {}

impl FromStr for Week {
    type Err = NoWeek;

    fn from_str(text: &str) -> Result<Self, NoWeek> {
        let form = || NoWeek::Form(text.to_owned());
        let (year, number) = text.split_once("-W").ok_or_else(form)?;
        let [year] = parts(year, '-', [4]).filter(|[year]| *year > 0).ok_or_else(form)?;
        let [number] = parts(number, '-', [2]).ok_or_else(form)?;
        let last = Week { year, number: weeks_in(year) };
        if (1..=last.number).contains(&number) {
            return Ok(Week { year, number });
        }
        Err(NoWeek::Number { week: text.to_owned(), last })
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.year, self.number)
    }
}

impl Serialize for Week {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Week {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_has_a_monday_and_a_sunday() {
        // As Python's date.fromisocalendar says.
        let days = |week: &str| week.parse::<Week>().unwrap().days().join(" ");
        assert_eq!(days("2026-W47"), "2026-11-16 2026-11-22");
        assert_eq!(days("2020-W53"), "2020-12-28 2021-01-03");
        assert_eq!(days("2024-W09"), "2024-02-26 2024-03-03");
        assert_eq!(days("2025-W01"), "2024-12-30 2025-01-05");
    }

    /// The first Monday of each ISO year from 2000 on and its weeks, as Python 3 says:
    /// `first = date.fromisocalendar; print(m := first(y, 1, 1), (first(y + 1, 1, 1) - m).days // 7)`
    const YEARS: [&str; 41] = [
        "2000-01-03 52",
        "2001-01-01 52",
        "2001-12-31 52",
        "2002-12-30 52",
        "2003-12-29 53",
        "2005-01-03 52",
        "2006-01-02 52",
        "2007-01-01 52",
        "2007-12-31 52",
        "2008-12-29 53",
        "2010-01-04 52",
        "2011-01-03 52",
        "2012-01-02 52",
        "2012-12-31 52",
        "2013-12-30 52",
        "2014-12-29 53",
        "2016-01-04 52",
        "2017-01-02 52",
        "2018-01-01 52",
        "2018-12-31 52",
        "2019-12-30 53",
        "2021-01-04 52",
        "2022-01-03 52",
        "2023-01-02 52",
        "2024-01-01 52",
        "2024-12-30 52",
        "2025-12-29 53",
        "2027-01-04 52",
        "2028-01-03 52",
        "2029-01-01 52",
        "2029-12-31 52",
        "2030-12-30 52",
        "2031-12-29 53",
        "2033-01-03 52",
        "2034-01-02 52",
        "2035-01-01 52",
        "2035-12-31 52",
        "2036-12-29 53",
        "2038-01-04 52",
        "2039-01-03 52",
        "2040-01-02 52",
    ];

    /// The day after a date, by counting on one's fingers.
    fn next([year, month, day]: [u32; 3]) -> [u32; 3] {
        let leap = year % 4 == 0; // from 2000 to 2099
        let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
        match (day == length, month == 12) {
            (false, _) => [year, month, day + 1],
            (true, false) => [year, month + 1, 1],
            (true, true) => [year + 1, 1, 1],
        }
    }

    #[test]
    fn every_day_of_forty_years_is_in_the_week_that_python_says() {
        let mut date = [2000, 1, 3];
        let mut days = 0;
        for (year, line) in (2000..).zip(YEARS) {
            let (monday, weeks) = line.split_once(' ').unwrap();
            let written = |[y, m, d]: [u32; 3]| format!("{y:04}-{m:02}-{d:02}");
            assert_eq!(written(date), monday);
            for number in 1..=weeks.parse().unwrap() {
                for _ in 0..7 {
                    let week = Week::of(&format!("{}T12:00:00Z", written(date)));
                    assert_eq!(week, Some(Week { year, number }), "{}", written(date));
                    date = next(date);
                    days += 1;
                }
            }
            assert_eq!(weeks_in(year).to_string(), weeks);
        }
        assert_eq!(days, 14_973); // (date.fromisocalendar(2041, 1, 1) - date.fromisocalendar(2000, 1, 1)).days
    }

    #[test]
    fn the_ends_of_the_calendar_are_as_python_says() {
        let week = |time: &str| Week::of(time).map(|week| week.to_string());
        assert_eq!(week("0001-01-01T00:00:00Z").unwrap(), "0001-W01");
        assert_eq!(week("9999-12-31T23:59:59Z").unwrap(), "9999-W52");
        assert_eq!(week("1900-01-01T00:00:00Z").unwrap(), "1900-W01");
        assert_eq!(week("0000-12-31T00:00:00Z"), None);
        assert_eq!(week("0001-01-01T00:00:00+00:01"), None);
    }

    #[test]
    fn a_week_ends_when_sunday_ends_in_utc() {
        let week = |time: &str| Week::of(time).unwrap().to_string();
        assert_eq!(week("2026-11-22T23:59:59.999999999Z"), "2026-W47");
        assert_eq!(week("2026-11-23T00:00:00Z"), "2026-W48");
        assert_eq!(week("2026-11-23T00:30:00+01:00"), "2026-W47");
        assert_eq!(week("2026-11-22T23:30:00-01:00"), "2026-W48");
        for text in ["", "2026-11-22", "2026-11-22T10:00:00", "2026-02-29T10:00:00Z", "=1+1", "2026-11-22T10:00:00ZZ"] {
            assert_eq!(Week::of(text), None, "{text}");
        }
    }

    #[test]
    fn weeks_are_counted_and_a_moment_lies_in_the_week_that_it_is_of() {
        let week = |text: &str| text.parse::<Week>().unwrap();
        assert_eq!(week("0001-W01").ordinal(), 0);
        // (date(2026, 11, 16).toordinal() - 1) // 7
        assert_eq!(week("2026-W47").ordinal(), 105_705);
        assert_eq!(week("2027-W01").ordinal() - week("2026-W53").ordinal(), 1);
        for text in ["0001-W01", "2020-W53", "2021-W01", "2026-W47"] {
            assert_eq!(Week::of_ordinal(week(text).ordinal()), Some(week(text)));
        }
        assert_eq!((Week::of_ordinal(-1), Week::of_ordinal(i64::MAX)), (None, None));
        assert_eq!(weeks_until("2026-11-16T00:00:00Z"), Some(105_705.0));
        assert_eq!(weeks_until("2026-11-19T12:00:00Z"), Some(105_705.5));
        assert_eq!(weeks_until("2026-11-16"), None);
    }

    #[test]
    fn weeks_are_read_as_they_are_written_and_follow_each_other() {
        let all: Vec<Week> = ["2025-W52", "2026-W01", "2026-W09", "2026-W10", "2026-W53", "2027-W01"]
            .map(|text| {
                let week: Week = text.parse().unwrap();
                assert_eq!(week.to_string(), text);
                week
            })
            .into();
        assert!(all.is_sorted());
    }

    #[test]
    fn what_is_no_week_is_told_the_form() {
        let said = |text: &str| text.parse::<Week>().unwrap_err().to_string();
        for text in
            ["", "2026", "47", "2026-47", "2026-w47", "26-W47", "2026-W7", "2026-W470", "2026-W4\u{664}", "0000-W01"]
        {
            assert_eq!(said(text), format!("`{text}` is no week: write it as ISO 8601 does, like 2026-W47"));
        }
        assert_eq!(said("2025-W53"), "there is no week 2025-W53: the last one of its year is 2025-W52");
        assert_eq!(said("2026-W00"), "there is no week 2026-W00: the last one of its year is 2026-W53");
        assert!(said("\u{1b}[2J").contains("\\u{1b}[2J"));
    }
}
