//! How late the client itself was.

use lab::Nanos;
use stats::quantile::{Level, Sample};

use crate::study::{Response, Trial};

/// A baseline whose client was later than this cannot be compared with.
pub const MOST_LAG: Nanos = Nanos::from_millis(1);

/// The 99th percentile, by nearest rank, over a trial's timed requests that were sent; none
/// where one of them does not say.
fn p99(trial: &Trial, late: impl Fn(&Response) -> Option<u64>) -> Option<Nanos> {
    let sent = trial.responses.iter().filter(|r| r.was_sent());
    let lags: Vec<u64> = sent.map(late).collect::<Option<_>>()?;
    Sample::new(lags).map(|sample| Nanos(sample.quantile_ns(Level::P99)))
}

/// How late the client turned to requests, started − intended: nothing was needed of the
/// server by then. None in old bundles, which do not say.
pub fn client_lag_p99(trial: &Trial) -> Option<Nanos> {
    p99(trial, |r| Some(r.started_ns?.0.saturating_sub(r.intended_ns.0)))
}

/// How late requests were sent, sent − intended: the client's lag and the wait for a
/// connection.
pub fn send_lag_p99(trial: &Trial) -> Option<Nanos> {
    p99(trial, |r| Some(r.sent_ns.0.saturating_sub(r.intended_ns.0)))
}

/// The longest that bytes of a trial's timed requests had been at this host before they were
/// read. Time stamps are the kernel's, so it is part of no latency but the end's.
pub fn read_behind(trial: &Trial) -> Option<Nanos> {
    trial.responses.iter().map(|r| r.behind_ns).max()
}
