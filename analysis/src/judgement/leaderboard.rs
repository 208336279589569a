//! Who is ahead, and of whom that is shown.

use serde::Serialize;

use super::{Effect, Reason};

/// The candidates that are equivalent, in order (METHOD, section Leaderboard).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leaderboard {
    /// `paired`: by the lower limit of the overall speed-up. `v1-launch`, `v1-aligned-tps`,
    /// `v1-e2e`: by that score.
    pub mode: &'static str,
    /// Why this order settles nothing; none where it may.
    pub void: Option<Reason>,
    /// By how much of the leader's score a challenger has to exceed it, as the workload declares.
    pub margin: f64,
    /// In order.
    pub entries: Vec<Entry>,
    /// Every two entries, the one that stands higher first.
    pub pairs: Vec<Pair>,
    /// Who is not in it, and why.
    pub unranked: Vec<Unranked>,
    /// What a reader should know: images that are the same or share layers, drift.
    pub notes: Vec<Reason>,
}

/// One candidate of the leaderboard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// 1 and as many more as candidates are shown to be faster than this one: ties share a place.
    pub place: u64,
    /// Its name.
    pub name: String,
    /// Who shares a letter is not shown to differ in speed, who shares none is; empty where there
    /// are too many to be told in letters.
    pub letters: String,
    /// Under `paired` the overall speed-up − 1, otherwise the mode's score.
    pub score: f64,
    /// The overall speed-up over the baseline.
    pub overall: Effect,
}

/// Two candidates of the leaderboard, round by round.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The one that stands higher.
    pub ahead: String,
    /// The other.
    pub behind: String,
    /// Rounds that both have.
    pub rounds: u64,
    /// Speed of the first over that of the second; none where there are too few rounds.
    pub ratio: Option<PairRatio>,
    /// Rule *faster with confidence*: the one whose limit of the ratio is above 1.
    pub faster_with_confidence: Option<String>,
    /// Rule of V1: the one whose score exceeds the other's by the margin.
    pub exceeds_by_margin: Option<String>,
}

/// A ratio of two candidates' speeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairRatio {
    /// Geometric mean over rounds.
    pub ratio: f64,
    /// Lower limit, at the level of Holm's procedure over all pairs.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
    /// The interval's confidence.
    pub confidence: f64,
    /// Two-sided p of the paired t test.
    pub p: f64,
    /// p adjusted over all pairs by Holm.
    pub adjusted_p: f64,
}

/// A candidate that is not in the leaderboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unranked {
    /// Its name.
    pub name: String,
    /// Why not.
    pub why: Reason,
}
