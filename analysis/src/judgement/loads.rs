//! What each arm did under each load, and the largest load that it bears.

use lab::Nanos;
use serde::Serialize;

use super::Effect;

/// Latencies that every request has to meet, from the intended send.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slo {
    /// Most time to first output.
    pub ttft_ns: Option<Nanos>,
    /// Most time per output token after the first.
    pub tpot_ns: Option<Nanos>,
    /// Most end-to-end latency.
    pub e2el_ns: Option<Nanos>,
    /// The share of requests that has to meet all of them, where a ladder is searched.
    pub share: f64,
}

/// What one arm did under one load, over its counted trials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadFacts {
    /// `baseline` or a candidate's name.
    pub arm: String,
    /// The model.
    pub model: String,
    /// GPUs.
    pub gpus: u32,
    /// The load.
    pub load: String,
    /// How it sends, in words.
    pub shape: String,
    /// How much it offers; none of a trace, whose load changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered: Option<Offered>,
    /// Trials that are counted.
    pub launches: u64,
    /// Requests that were due.
    pub due: u64,
    /// Those of them that are complete.
    pub complete: u64,
    /// Requests that never were due: the declared time was over before their turn.
    pub time_up: u64,
    /// Complete requests over the time of the phases.
    pub requests_per_s: Option<f64>,
    /// Output tokens of complete requests over the time of the phases.
    pub tokens_per_s: Option<f64>,
    /// The same in the steady windows; none where one of the phases has none.
    pub steady_tokens_per_s: Option<f64>,
    /// The share of the phases' time that lies in their steady windows.
    pub steady_share: Option<f64>,
    /// Price of a million output tokens of complete requests, in the currency of `[cost]`; none
    /// without a price, GPUs or tokens.
    pub cost_per_million_tokens: Option<f64>,
    /// Energy of the GPUs over output tokens of complete requests, in joules; none where it is
    /// not known of every phase.
    pub joules_per_token: Option<f64>,
    /// Against the service levels, where the workload states some.
    pub service: Option<Service>,
    /// Percentiles of the complete requests' latencies.
    pub latencies: Vec<Percentiles>,
}

/// How much a load offers, whatever becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Offered {
    /// Clients, or arrivals (of sessions, where requests are turns) per second.
    pub value: f64,
    /// `clients` or `arrivals/s`.
    pub unit: &'static str,
}

/// Requests against the service levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Service {
    /// Requests that were due, without those below.
    pub due: u64,
    /// Those of them that were complete and met every level.
    pub met: u64,
    /// Requests in time whose answer stopped early beside the baselines': neither met nor missed.
    pub shorter: u64,
    /// met / due.
    pub attainment: Option<f64>,
    /// met over the time of the phases.
    pub goodput_per_s: Option<f64>,
}

/// Percentiles of one latency; each only where enough values stand behind it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Percentiles {
    /// `ttft`, `tpot`, `itl`, `e2el`, `ttft-service`, `e2el-service`.
    pub metric: &'static str,
    /// How many values.
    pub values: u64,
    /// The median.
    pub p50_ns: Option<u64>,
    /// The 90th percentile.
    pub p90_ns: Option<u64>,
    /// The 95th percentile.
    pub p95_ns: Option<u64>,
    /// The 99th percentile.
    pub p99_ns: Option<u64>,
}

/// A ladder on one model and number of GPUs: how large a load each arm bears.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ladder {
    /// Its name.
    pub ladder: String,
    /// The model.
    pub model: String,
    /// GPUs.
    pub gpus: u32,
    /// What its values are: `arrivals/s` (of sessions, where requests are turns) or `clients`.
    pub unit: &'static str,
    /// The share of requests that has to meet the service levels.
    pub share: f64,
    /// The baseline first, then the candidates by name.
    pub arms: Vec<Climb>,
}

/// One arm on a ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Climb {
    /// `baseline` or a candidate's name.
    pub arm: String,
    /// Each step over all counted trials, from the lowest.
    pub steps: Vec<Step>,
    /// The largest load of each round, sorted.
    pub rounds: Vec<(u32, Capacity)>,
    /// Over rounds; none where there is no round.
    pub capacity: Option<Overall>,
    /// candidate / baseline; none for the baseline, or where a round has no ratio.
    pub ratio: Option<Effect>,
    /// The ratio of each round in which no limit is beyond the ladder.
    pub ratios: Vec<(u32, f64)>,
}

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The load's name.
    pub load: String,
    /// Requests per second, or clients.
    pub value: f64,
    /// Requests against the service levels.
    pub due: u64,
    /// Those that met them.
    pub met: u64,
    /// met / due.
    pub attainment: Option<f64>,
}

/// The largest load that meets the service levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capacity {
    /// Not even the lowest step meets them.
    Below(f64),
    /// Between two steps.
    At(f64),
    /// The highest step meets them too.
    Above(f64),
}

/// The largest load over rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    /// Every round has one: their geometric mean, and its 95 % interval from two rounds on.
    Between {
        /// Geometric mean.
        mean: f64,
        /// Limits of the interval.
        interval: Option<(f64, f64)>,
        /// Rounds.
        rounds: u64,
    },
    /// In some rounds it lies beyond an end of the ladder.
    Beyond {
        /// The lowest step.
        lowest: f64,
        /// Rounds in which it lies below that.
        below: u64,
        /// The highest step.
        highest: f64,
        /// Rounds in which it lies above that.
        above: u64,
        /// Rounds.
        rounds: u64,
    },
}
