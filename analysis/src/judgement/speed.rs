//! Speed, candidate against baseline.

use serde::{Deserialize, Serialize};

/// One cell's comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellSpeed {
    /// The model.
    pub model: String,
    /// GPUs.
    pub gpus: u32,
    /// The load.
    pub load: String,
    /// Whether it is part of the overall speed-up: the steps of a ladder are not, where there
    /// are other loads.
    pub counts: bool,
    /// The declared primary metric: equal-work E2EL.
    pub primary: MetricEffect,
    /// Latencies and rates beside it.
    pub beside: Vec<MetricEffect>,
}

/// One metric of one cell, candidate against baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricEffect {
    /// `e2el-equal-work`, `ttft`, `tpot`, `itl`, `e2el`, `ttft-service`, `e2el-service`,
    /// `output-throughput`, `output-throughput-steady`, `request-throughput`, `goodput`.
    pub metric: &'static str,
    /// What the numbers below are: `ns`, `tokens/s` or `requests/s`.
    pub unit: &'static str,
    /// Geometric mean over rounds of the baselines' values; 0 where there is no round.
    pub baseline: f64,
    /// Geometric mean over rounds of the candidate's values; 0 where there is no round.
    pub candidate: f64,
    /// As a speed-up: above 1 the candidate is better, whatever the metric.
    pub effect: Option<Effect>,
    /// The candidate's value divided by that of its baselines, each round of the claim, as
    /// speed-up.
    pub rounds: Vec<(u32, f64)>,
    /// The same of further rounds, which are no part of the claim.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<(u32, f64)>,
}

/// A speed-up with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Rounds it comes from.
    pub rounds: u64,
    /// At least [`stats`]'s minimum of rounds, and a declared look is reached where looks are
    /// declared; otherwise no claim is made.
    pub powered: bool,
    /// Geometric mean.
    pub speedup: f64,
    /// Lower limit of the interval.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
    /// The interval's confidence: 0.95, or what the declared look leaves.
    pub confidence: f64,
    /// Two-sided p of the paired t test.
    pub p: f64,
    /// p adjusted for the others of its family (METHOD, section Speed): by Holm for a candidate's
    /// overall speed-up, by Benjamini–Hochberg for all other comparisons of candidates; none of
    /// the baseline against itself.
    pub adjusted_p: Option<f64>,
    /// Exact two-sided sign-flip p.
    pub sign_flip_p: Option<f64>,
    /// Minimum detectable effect at 80 % power, as a ratio above 1.
    pub detectable: Option<f64>,
}
