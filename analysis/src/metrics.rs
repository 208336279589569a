//! What one trial did under one load: latencies, rates, service levels, and how late the
//! client was. Formulas: `METHOD.md`, section *Metrics*.

mod lag;
mod overhead;
mod rate;
mod slo;
mod steady;
mod telemetry;

use lab::{
    Nanos,
    workload::{Load, Shape},
};
use stats::quantile::{Level, Sample};

use crate::study::{Response, Trial};

pub use lag::{MOST_LAG, client_lag_p99, read_behind, send_lag_p99};
pub use overhead::{Overhead, overhead};
pub(crate) use rate::{complete, tokens};
pub use rate::{output_throughput, phase_time, request_throughput};
pub use slo::{Service, goodput, service};
pub use steady::{Steady, steady};
pub use telemetry::{energy_mj, throttled_share};

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
    /// TTFT from the actual send.
    ServedTtft,
    /// E2EL from the actual send.
    ServedE2el,
}

impl Metric {
    /// Those of every load, in the order of reports.
    pub const ALL: [Metric; 4] = [Metric::Ttft, Metric::Tpot, Metric::Itl, Metric::E2el];

    /// Those of a load: where requests arrive whether or not others have ended, what a user
    /// waits and what the server takes are two things.
    pub fn of_load(load: &Load) -> Vec<Metric> {
        let served: &[Metric] = match load.shape {
            Shape::Closed { .. } => &[],
            Shape::Open { .. } | Shape::Trace { .. } => &[Metric::ServedTtft, Metric::ServedE2el],
        };
        [&Metric::ALL, served].concat()
    }

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Ttft => "ttft",
            Metric::Tpot => "tpot",
            Metric::Itl => "itl",
            Metric::E2el => "e2el",
            Metric::ServedTtft => "ttft-service",
            Metric::ServedE2el => "e2el-service",
        }
    }

    /// The values of one response; several only for gaps.
    pub fn of(self, response: &Response) -> Vec<Nanos> {
        match self {
            Metric::Ttft => response.ttft().into_iter().collect(),
            Metric::Tpot => response.tpot().into_iter().collect(),
            Metric::Itl => response.gaps().collect(),
            Metric::E2el => vec![response.e2el()],
            Metric::ServedTtft => response.served_ttft().into_iter().collect(),
            Metric::ServedE2el => vec![response.served_e2el()],
        }
    }
}

/// A metric's values over a trial's complete requests of a load.
pub fn values(trial: &Trial, load: &str, metric: Metric) -> Vec<u64> {
    trial.of_load(load).filter(|r| r.complete()).flat_map(|r| metric.of(r)).map(|n| n.0).collect()
}

/// The median of a metric over a trial's complete requests of a load.
pub fn median(trial: &Trial, load: &str, metric: Metric) -> Option<Nanos> {
    Sample::new(values(trial, load, metric)).map(|sample| Nanos(sample.quantile_ns(Level::P50)))
}

/// An answer with fewer than this share of the tokens of the baselines' shortest did less
/// work: never a speed-up.
pub const SHORTER: (u64, u64) = (9, 10);

/// Whether `tokens` are fewer than nine tenths of what the baseline needed.
pub(crate) fn stops_early(tokens: u32, baseline: u32) -> bool {
    u64::from(tokens) * SHORTER.1 < u64::from(baseline) * SHORTER.0
}

#[cfg(test)]
mod tests;
