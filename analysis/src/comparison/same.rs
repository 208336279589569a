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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::{Claim, effect};

    /// Six rounds around a log, at the level of a claim that waits for its first look or does not.
    fn around(middle: f64, waits_for: Option<u32>) -> Overall {
        let claim = Claim { rounds: 6, alpha: 0.05, look: None, waits_for };
        let logs: Vec<(u32, f64)> = (1..=6).map(|round| (round, middle + 0.002 * f64::from(round % 2))).collect();
        let values: Vec<f64> = logs.iter().map(|(_, log)| *log).collect();
        Overall { effect: effect(&values, &claim), note: None, logs, claim }
    }

    #[test]
    fn the_same_speed_is_told_from_the_claims_look_on() {
        let word = |middle, waits_for| same_speed(&around(middle, waits_for), 0.05).unwrap().word;
        assert_eq!([word(0.0, None), word(0.5, None)], [Sameness::Same, Sameness::Different]);
        assert_eq!([word(0.0, Some(12)), word(0.5, Some(12))], [Sameness::Inconclusive; 2]);
        let same = same_speed(&around(0.0, None), 0.05).unwrap();
        assert!(same.low < libm::exp(0.001) && libm::exp(0.001) < same.high && same.p < 0.001, "{same:?}");
        assert_eq!((same.within, same.confidence), (0.05, 0.9));
        assert!(same_speed(&Overall { logs: Vec::new(), ..around(0.0, None) }, 0.05).is_none());
    }

    #[test]
    fn a_server_is_found_to_differ_from_itself_where_the_interval_excludes_one() {
        let rejects = |low, high, powered| {
            let overall = around(0.0, None);
            let effect = overall.effect.map(|e| crate::judgement::Effect { low, high, powered, ..e });
            against_itself("control", Overall { effect, ..overall }, 0.05).rejects
        };
        assert_eq!(rejects(0.9, 1.1, true), Some(false));
        assert_eq!((rejects(1.01, 1.1, true), rejects(0.9, 0.99, true)), (Some(true), Some(true)));
        assert_eq!((rejects(1.0, 1.1, true), rejects(0.9, 1.0, true)), (Some(false), Some(false)));
        assert_eq!(rejects(1.01, 1.1, false), None);
        let told = against_itself("control", around(0.0, None), 0.05);
        assert_eq!((told.of, told.same.unwrap().word), ("control", Sameness::Same));
    }
}
