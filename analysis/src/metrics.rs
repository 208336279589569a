//! Latencies and throughput of one arm. Formulas: `METHOD.md`, section *Metrics*.

use lab::{Nanos, records::Outcome};
use stats::quantile::{Level, Sample};

use crate::study::{Cell, Response, Study, Trial};

/// A latency of one request, or of its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Time to first output.
    Ttft,
    /// Time per output token after the first.
    Tpot,
    /// Gaps between chunks that carry output.
    Itl,
    /// End-to-end latency.
    E2el,
}

impl Metric {
    /// All, in the order of reports.
    pub const ALL: [Metric; 4] = [Metric::Ttft, Metric::Tpot, Metric::Itl, Metric::E2el];

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Ttft => "ttft",
            Metric::Tpot => "tpot",
            Metric::Itl => "itl",
            Metric::E2el => "e2el",
        }
    }

    /// The values of one response; several only for gaps.
    pub fn of(self, response: &Response) -> Vec<Nanos> {
        match self {
            Metric::Ttft => response.ttft().into_iter().collect(),
            Metric::Tpot => response.tpot().into_iter().collect(),
            Metric::Itl => response.gaps().collect(),
            Metric::E2el => vec![response.e2el()],
        }
    }
}

impl Study {
    /// A metric's values over all complete timed requests of an arm in a cell, sorted. For
    /// charts and tails; a decision never pools requests of several launches.
    pub fn samples(&self, arm: &str, cell: &Cell, metric: Metric) -> Vec<Nanos> {
        let trials = self.completed(arm).filter(|t| t.plan.model == cell.model && t.plan.gpus == cell.gpus);
        let mut values: Vec<Nanos> = trials.flat_map(|t| trial_samples(t, &cell.load, metric)).collect();
        values.sort_unstable();
        values
    }
}

fn trial_samples(trial: &Trial, load: &str, metric: Metric) -> Vec<Nanos> {
    trial.of_load(load).filter(|r| r.complete()).flat_map(|r| metric.of(r)).collect()
}

/// The median of a metric over a trial's complete requests of a load.
pub fn median(trial: &Trial, load: &str, metric: Metric) -> Option<Nanos> {
    let values = trial_samples(trial, load, metric).into_iter().map(|n| n.0).collect();
    Sample::new(values).map(|sample| Nanos(sample.quantile_ns(Level::P50)))
}

/// Output tokens of a trial's complete requests per second of the load phase.
pub fn output_throughput(trial: &Trial, load: &str) -> Option<f64> {
    let tokens: u64 = trial.of_load(load).filter(|r| r.complete()).map(|r| u64::from(r.tokens())).sum();
    let phase = trial.record.stages.phases.iter().find(|p| p.load == load)?;
    let ns = phase.end_ns.0.saturating_sub(phase.start_ns.0);
    (ns > 0 && tokens > 0).then(|| tokens as f64 * 1e9 / ns as f64)
}

/// The 99th percentile, by nearest rank, of how late a trial's requests were sent.
pub fn send_lag_p99(trial: &Trial) -> Option<Nanos> {
    let sent = trial.responses.iter().filter(|r| !matches!(r.outcome, Outcome::NotSent | Outcome::TimeUp));
    let lags = sent.map(|r| r.sent_ns.0.saturating_sub(r.intended_ns.0)).collect();
    Sample::new(lags).map(|sample| Nanos(sample.quantile_ns(Level::P99)))
}
