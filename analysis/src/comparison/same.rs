//! "Same speed": an equivalence test against a margin that was declared, and never one that
//! grows with the noise.

use stats::paired;

use super::Overall;
use crate::judgement::{SameSpeed, Sameness, SelfSpeed};

/// Two one-sided t tests of an arm's overall speed-up at the level of its claim; none where it
/// has no effect.
pub fn same_speed(overall: &Overall, within: f64) -> Option<SameSpeed> {
    let logs: Vec<f64> = overall.logs.iter().map(|(_, log)| *log).collect();
    let tost = paired::tost(&logs, within, overall.claim.alpha).ok()?;
    let word = if overall.claim.waits_for.is_some() { Sameness::Inconclusive } else { tost.sameness.into() };
    Some(SameSpeed {
        word,
        within,
        low: tost.interval.low_ratio(),
        high: tost.interval.high_ratio(),
        confidence: tost.interval.confidence,
        p: tost.p,
    })
}

/// The same server against itself: whether the interval of its effect excludes 1, which it
/// should do as rarely as the level says.
pub fn against_itself(of: &'static str, overall: Overall, within: f64) -> SelfSpeed {
    let same = same_speed(&overall, within);
    let rejects = overall.effect.filter(|e| e.powered).map(|e| e.low > 1.0 || e.high < 1.0);
    SelfSpeed { of, effect: overall.effect, note: overall.note, rejects, same }
}
