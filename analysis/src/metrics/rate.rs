//! Amounts over the time of the load phase.

use lab::Nanos;

use crate::study::Trial;

/// From the start of a load phase to its end; none where it has no length.
pub fn phase_time(trial: &Trial, load: &str) -> Option<Nanos> {
    let phase = trial.record.stages.phases.iter().find(|p| p.load == load)?;
    phase.end_ns.0.checked_sub(phase.start_ns.0).filter(|ns| *ns > 0).map(Nanos)
}

/// `amount` per second; none for nothing.
pub(super) fn per_second(amount: u64, time: Nanos) -> Option<f64> {
    (time.0 > 0 && amount > 0).then(|| amount as f64 * 1e9 / time.0 as f64)
}

/// Output tokens of a trial's complete requests of a load.
pub(crate) fn tokens(trial: &Trial, load: &str) -> u64 {
    trial.of_load(load).filter(|r| r.complete()).map(|r| u64::from(r.tokens())).sum()
}

/// A trial's complete requests of a load.
pub(crate) fn complete(trial: &Trial, load: &str) -> u64 {
    trial.of_load(load).filter(|r| r.complete()).count() as u64
}

/// Output tokens of a trial's complete requests per second of the load phase.
pub fn output_throughput(trial: &Trial, load: &str) -> Option<f64> {
    per_second(tokens(trial, load), phase_time(trial, load)?)
}

/// A trial's complete requests per second of the load phase.
pub fn request_throughput(trial: &Trial, load: &str) -> Option<f64> {
    per_second(complete(trial, load), phase_time(trial, load)?)
}
