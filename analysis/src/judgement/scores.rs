//! The public scores of Cacheon V1, for comparison with published rounds: information, beside the
//! equal-work speed-up, which is what counts.

use serde::Serialize;

use super::Reason;

/// One public score of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// `v1-launch`, `v1-aligned-tps`, `v1-e2e`.
    pub mode: &'static str,
    /// The median over rounds; none where `why` says so.
    pub score: Option<f64>,
    /// The score of each round: one evaluation of V1.
    pub rounds: Vec<(u32, f64)>,
    /// What V1 would have counted as tokens: `logprobs`, their entries, also empty ones; or
    /// `tokens`, ours, where the workload asked for no logprobs.
    pub entries: &'static str,
    /// Why there is no score.
    pub why: Option<Reason>,
}

/// What V1 asked of outputs before it scored them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// Stable short name, e.g. `text-similarity`.
    pub code: &'static str,
    /// When it held, and what it asked.
    pub asks: &'static str,
    /// Rounds in which it could be asked.
    pub rounds: u64,
    /// Rounds that passed it.
    pub passed: u64,
    /// The median over those rounds of the number that it looked at.
    pub value: Option<f64>,
    /// Why it could not be asked; none where it could.
    pub why: Option<Reason>,
}
