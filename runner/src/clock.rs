//! The only module that asks for the time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lab::Nanos;

/// The clock of one trial: nanoseconds since the server's start, monotonic.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// Starts at zero, now.
    pub fn start() -> Self {
        Clock(Instant::now())
    }

    /// Where the system's monotonic clock stood at zero, for another process.
    pub fn origin(self) -> Nanos {
        Nanos(monotonic().0.saturating_sub(self.now().0))
    }

    /// The same clock in another process of this host.
    pub fn of_origin(origin: Nanos) -> Self {
        let since = Nanos(monotonic().0.saturating_sub(origin.0));
        let now = Instant::now();
        Clock(now.checked_sub(since.into()).unwrap_or(now))
    }

    /// The offset of this very moment.
    pub fn now(self) -> Nanos {
        self.0.elapsed().into()
    }

    /// The offset of a moment of the system's clock that has just passed, true to 25 µs;
    /// none where this thread was interrupted whenever it asked.
    pub fn of_wall(self, moment: Duration) -> Option<Nanos> {
        (0..4).find_map(|_| {
            let before = self.now();
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            let apart = self.now().0 - before.0;
            let since = Nanos::from(wall.saturating_sub(moment));
            (apart < 50_000).then(|| Nanos((before.0 + apart / 2).saturating_sub(since.0)))
        })
    }

    /// The moment of an offset, for a deadline.
    pub fn at(self, offset: Nanos) -> tokio::time::Instant {
        (self.0 + Duration::from(offset)).into()
    }
}

/// What `Instant` counts in too.
fn monotonic() -> Nanos {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).map_or(Nanos(0), |at| Duration::from(at).into())
}

/// Nanoseconds since 1970, UTC: good for what happens on several hosts, never for a measurement.
pub fn unix() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(Nanos(0), Nanos::from)
}

/// The date and time, RFC 3339, UTC, whole seconds.
pub fn utc_now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    utc(seconds)
}

fn utc(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The Gregorian date of a day counted from 1970-01-01 (Hinnant, "chrono-compatible
/// low-level date algorithms", civil_from_days).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{Clock, utc};

    #[test]
    fn a_clock_is_the_same_in_another_process() {
        let clock = Clock::start();
        let other = Clock::of_origin(clock.origin());
        let (before, there, after) = (clock.now(), other.now(), clock.now());
        let slack = 1_000_000;
        assert!(before.0 <= there.0 + slack && there.0 <= after.0 + slack, "{before} {there} {after}");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_350_633, "2026-11-22T12:30:33Z"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }
}
