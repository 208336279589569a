//! What the author declares before anything is measured, so that nobody can choose it
//! afterwards: looks at the speed, controls, and how candidates are ranked.

use serde::{Deserialize, Serialize};

use super::{check::Check, written};
use crate::Result;

/// The blind control among candidates: the baseline, served and judged as one of them.
pub const BLIND_CONTROL: &str = "blind-control";

/// All looks together may be wrong so often.
pub const ALPHA: f64 = 0.05;

/// A declared moment at which speed is claimed, and the error rate spent on it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// After so many rounds.
    pub rounds: u32,
    /// Its interval has confidence 1 − alpha.
    pub alpha: f64,
}

/// What is known of an arm of a calibration run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Honest: the model's outputs by another honest configuration.
    Positive,
    /// Altered on purpose.
    Negative,
}

/// How candidates are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Score {
    /// What the leaderboard goes by.
    pub mode: ScoreMode,
    /// A challenger has to exceed the leader's score by this share of it.
    pub margin: f64,
    /// Speeds that differ by less are the same, where an equivalence test shows it.
    pub same_within: f64,
}

impl Default for Score {
    fn default() -> Self {
        Score { mode: ScoreMode::Paired, margin: 0.01, same_within: 0.05 }
    }
}

/// What a score is computed from, see `METHOD.md`, section *Scores*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreMode {
    /// The equal-work speed-up with its interval, of candidates that are equivalent.
    Paired,
    /// Cacheon V1 from 8 May 2026.
    V1Launch,
    /// Cacheon V1 from 22 May 2026.
    V1AlignedTps,
    /// Cacheon V1 from 30 May 2026.
    V1E2e,
}

impl ScoreMode {
    /// Its name in the workload file.
    pub fn name(self) -> &'static str {
        match self {
            ScoreMode::Paired => "paired",
            ScoreMode::V1Launch => "v1-launch",
            ScoreMode::V1AlignedTps => "v1-aligned-tps",
            ScoreMode::V1E2e => "v1-e2e",
        }
    }
}

impl Check<'_> {
    /// Looks in ascending order; a run has as many rounds as its first one asks for.
    pub(super) fn rounds(&self, rounds: &written::Rounds) -> Result<u32> {
        let count = rounds.count.or(rounds.looks.first().map(|look| look.rounds)).unwrap_or(10);
        self.in_range("rounds.count", count, 1..=1_000)?;
        let wrong = |what: String, next: &str| Err(self.wrong("rounds.looks", &what, next));
        let Some(first) = rounds.looks.first() else { return Ok(count) };
        if first.rounds != count {
            let what = format!("the first look is after {} rounds, a run has {count}", first.rounds);
            return wrong(what, "leave rounds.count out, or write the first look's rounds");
        }
        if !rounds.looks.is_sorted_by(|a, b| a.rounds < b.rounds) {
            return wrong("they are not in ascending order of rounds".into(), "sort them");
        }
        if rounds.looks.iter().any(|look| !(look.alpha > 0.0 && look.alpha < 1.0)) {
            return wrong("an alpha is not between 0 and 1".into(), "write one like 0.02");
        }
        // In millionths, so that .02 + .02 + .01 is .05.
        let spent: u64 = rounds.looks.iter().map(|look| millionths(look.alpha)).sum();
        if spent > millionths(ALPHA) {
            let what = format!("they spend {} in all", spent as f64 / 1e6);
            return wrong(what, "let their alphas add up to 0.05 at most, like 0.02, 0.02 and 0.01");
        }
        Ok(count)
    }

    pub(super) fn score(&self, score: &Score) -> Result<()> {
        if !(0.0..1.0).contains(&score.margin) {
            return Err(self.wrong(
                "score.margin",
                &format!("{} is no such share", score.margin),
                "write one like 0.01",
            ));
        }
        if !(score.same_within > 0.0 && score.same_within < 1.0) {
            let what = format!("{} is no such share", score.same_within);
            return Err(self.wrong("score.same_within", &what, "write one like 0.05"));
        }
        Ok(())
    }
}

fn millionths(share: f64) -> u64 {
    libm::round(share * 1e6) as u64
}
