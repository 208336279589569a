//! Whether two speeds are the same.

use serde::Serialize;

use super::{Effect, Reason};

/// What an equivalence test against a declared margin says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// Shown to differ by less than the margin.
    Same,
    /// Shown to differ by more than the margin.
    Different,
    /// Neither is shown.
    Inconclusive,
}

impl From<stats::paired::Sameness> for Sameness {
    fn from(answer: stats::paired::Sameness) -> Self {
        match answer {
            stats::paired::Sameness::Same => Sameness::Same,
            stats::paired::Sameness::Different => Sameness::Different,
            stats::paired::Sameness::Inconclusive => Sameness::Inconclusive,
        }
    }
}

/// An equivalence test of two speeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SameSpeed {
    /// The answer.
    pub word: Sameness,
    /// The declared margin: ratios between 1/(1 + this) and 1 + this are the same.
    pub within: f64,
    /// Lower limit of the interval on which the answer rests.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
    /// Its confidence, 1 − 2 · the level of the claim.
    pub confidence: f64,
    /// The larger of the two one-sided p of "the difference is at least the margin".
    pub p: f64,
}

/// The baseline against itself, overall.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SelfSpeed {
    /// `closing-opening`: the closing against the opening baseline of each block (A/A).
    /// `blind-control`: the baseline in a candidate's place against its neighbours.
    pub of: &'static str,
    /// As a speed-up of the closing baseline, or of the control.
    pub effect: Option<Effect>,
    /// Why there is none, or no claim.
    pub note: Option<Reason>,
    /// Whether the interval excludes 1, which is a false rejection; none where nothing is claimed.
    pub rejects: Option<bool>,
    /// Whether it is the same within the declared margin.
    pub same: Option<SameSpeed>,
}
