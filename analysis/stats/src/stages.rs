//! Evidence in stages: nobody is disqualified by one measurement.
//!
//! A **stage** is one bundle: a launch of its own, prompts drawn anew, an e-process from 1. The
//! rule: *suspect* once E reaches 10³; *altered* only if E, begun anew at 1 with the **next** stage,
//! reaches 10³ once more.
//!
//! **Why the highest E of a stage counts and not the last.** Ville's inequality bounds the chance
//! that E *ever* reaches c by 1/c. Stopping at the first crossing is a bet that is not continued:
//! E at that moment is an e-value, whatever E would have done later. A maximum taken in hindsight is
//! not one (its mean can be infinite), so only "has it crossed?" is asked, of a threshold fixed
//! before.
//!
//! **Why the product of the highest E is never asked.** For two maxima M₁, M₂ with P(M ≥ c) = 1/c the
//! product reaches 10⁶ with probability 10⁻⁶ (1 + ln 10⁶), fifteen times too often. Both reaching
//! 10³ has probability 10⁻⁶: the first at most 10⁻³; the second at most 10⁻³ *given the first*,
//! because its prompts and launch are drawn after it. The product at the two crossings is then at
//! least 10⁶, and as a product of stopped, successive e-processes it is an e-value.
//!
//! **Stages that decide nothing** hand their last E on: the next stage goes on from there, won or
//! lost. A further stage may therefore be asked for because the evidence is thin, as often as one
//! likes, and the bounds stay 10⁻³ and 10⁻⁶. If each stage stood for itself, K stages after the
//! first would give a false alarm K − 1 times as often.
//!
//! All of it is conditional on δ and δ_h, as every e-process here is ([`crate::eprocess`]).

use crate::eprocess::EProcess;

/// ln 10³: what one crossing needs.
pub const CROSSING_LN_E: f64 = 6.907_755_278_982_137;

/// The e-process of one stage, reduced to what the rule asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageE {
    /// The largest ln E after any observation; at least 0, for E begins at 1.
    pub highest_ln: f64,
    /// ln E after the last observation.
    pub final_ln: f64,
}

impl From<&EProcess> for StageE {
    fn from(process: &EProcess) -> Self {
        let highest_ln = process.running_ln.iter().copied().fold(0.0, f64::max);
        Self { highest_ln, final_ln: process.final_ln() }
    }
}

/// Where the evidence of all stages together stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// E never reached 10³.
    Clear,
    /// It did, and no later stage has confirmed it.
    Suspect,
    /// It did, and begun anew with later stages it did so again.
    Altered,
}

/// The standing after successive stages, in the order in which they were measured.
///
/// If every conditional mean is at most δ: P(ever suspect or altered) ≤ 10⁻³, P(ever altered) ≤
/// 10⁻⁶, for any number of stages and any rule for stopping to add them.
pub fn confirmed(stages: &[StageE]) -> Standing {
    standing(stages, CROSSING_LN_E)
}

fn standing(stages: &[StageE], crossing_ln: f64) -> Standing {
    let mut standing = Standing::Clear;
    let mut carried_ln = 0.0;
    for stage in stages {
        if carried_ln + stage.highest_ln < crossing_ln {
            carried_ln += stage.final_ln;
            continue;
        }
        if standing == Standing::Suspect {
            return Standing::Altered;
        }
        standing = Standing::Suspect;
        carried_ln = 0.0;
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eprocess::bet;

    fn stage(highest: f64, last: f64) -> StageE {
        StageE { highest_ln: libm::log(highest), final_ln: libm::log(last) }
    }

    #[test]
    fn one_stage_alone_is_never_more_than_suspect() {
        assert_eq!(confirmed(&[]), Standing::Clear);
        assert_eq!(confirmed(&[stage(999.0, 999.0)]), Standing::Clear);
        assert_eq!(confirmed(&[stage(1e3, 2.0)]), Standing::Suspect);
        assert_eq!(confirmed(&[stage(1e300, 1e300)]), Standing::Suspect);
    }

    #[test]
    fn a_second_stage_has_to_reach_a_thousand_by_itself() {
        let strong = stage(1e9, 1e9);
        assert_eq!(confirmed(&[strong, stage(999.0, 999.0)]), Standing::Suspect);
        assert_eq!(confirmed(&[strong, stage(1e3, 0.1)]), Standing::Altered);
        assert_eq!(confirmed(&[stage(1e3, 0.1), strong]), Standing::Altered);
    }

    #[test]
    fn an_honest_second_stage_leaves_a_suspect_a_suspect() {
        assert_eq!(confirmed(&[stage(2e3, 2e3), stage(1.0, 1e-9)]), Standing::Suspect);
    }

    #[test]
    fn what_an_undecided_stage_won_or_lost_goes_on_into_the_next() {
        let (won, lost) = (stage(100.0, 100.0), stage(100.0, 0.01));
        assert_eq!(confirmed(&[won, stage(10.0, 1.0)]), Standing::Suspect);
        assert_eq!(confirmed(&[lost, stage(10.0, 1.0)]), Standing::Clear);
        assert_eq!(confirmed(&[lost, stage(1e4, 1.0)]), Standing::Clear);
        assert_eq!(confirmed(&[lost, stage(1e5, 1.0)]), Standing::Suspect);
        let suspect = stage(1e3, 1e3);
        assert_eq!(confirmed(&[suspect, won, stage(10.0, 1.0)]), Standing::Altered);
        assert_eq!(confirmed(&[suspect, lost, stage(1e4, 1.0)]), Standing::Suspect);
    }

    #[test]
    fn what_a_crossing_stage_won_beyond_its_threshold_is_not_carried() {
        assert_eq!(confirmed(&[stage(1e12, 1e12), stage(900.0, 1.0), stage(900.0, 1.0)]), Standing::Suspect);
    }

    #[test]
    fn a_course_is_reduced_to_its_top_and_its_end() {
        let course = bet(&[1.0, 1.0, 0.0], 0.5, 1).unwrap();
        let stage = StageE::from(&course);
        assert_eq!((stage.highest_ln, stage.final_ln), (course.running_ln[1], course.running_ln[2]));
        let falling = StageE::from(&bet(&[0.0], 0.5, 1).unwrap());
        assert_eq!(falling.highest_ln, 0.0);
        assert!(falling.final_ln < 0.0);
        assert_eq!(StageE::from(&EProcess { running_ln: vec![] }), stage_of_nothing());
    }

    fn stage_of_nothing() -> StageE {
        StageE { highest_ln: 0.0, final_ln: 0.0 }
    }

    /// P(suspect or altered), P(altered), over all sequences of `stages` with their chances.
    fn chances(each: &[(f64, StageE)], stages: u32, crossing: f64) -> (f64, f64) {
        let (mut suspect, mut altered) = (0.0, 0.0);
        for code in 0..each.len().pow(stages) {
            let chosen = (0..stages).map(|s| each[code / each.len().pow(s) % each.len()]);
            let (chances, stages): (Vec<f64>, Vec<StageE>) = chosen.unzip();
            let chance: f64 = chances.iter().product();
            match standing(&stages, libm::log(crossing)) {
                Standing::Clear => {}
                Standing::Suspect => suspect += chance,
                Standing::Altered => altered += chance,
            }
        }
        (suspect + altered, altered)
    }

    #[test]
    fn over_every_course_of_an_honest_candidate_at_delta_the_bounds_hold() {
        // Every sequence of five requests, far with chance δ: exact probabilities.
        for delta in [0.05, 0.1, 0.25] {
            let each: Vec<(f64, StageE)> = (0_u32..32)
                .map(|bits| {
                    let x: Vec<f64> = (0..5).map(|i| f64::from(bits >> i & 1)).collect();
                    let chance = x.iter().map(|x| if *x == 1.0 { delta } else { 1.0 - delta }).product();
                    (chance, StageE::from(&bet(&x, delta, 16).unwrap()))
                })
                .collect();
            for crossing in [1.5, 2.0, 4.0] {
                for stages in 1..=3 {
                    let (suspect, altered) = chances(&each, stages, crossing);
                    let case = format!("δ {delta}, {crossing}, {stages} stages: {suspect} {altered}");
                    assert!(suspect <= 1.0 / crossing && altered <= 1.0 / (crossing * crossing), "{case}");
                    assert!(suspect > 0.0 && (stages == 1) == (altered == 0.0), "{case}");
                }
            }
        }
    }

    #[test]
    fn double_or_nothing_attains_both_bounds_in_two_stages_and_never_passes_them() {
        // Three doublings a stage, E = 8 with chance 1/8; else E has been 1, 2 or 4, and is ruined.
        let ruined = |highest: f64| StageE { highest_ln: libm::log(highest), final_ln: f64::MIN };
        let each = [
            (0.5, ruined(1.0)),
            (0.25, ruined(2.0)),
            (0.125, ruined(4.0)),
            (0.125, StageE { highest_ln: libm::log(8.0), final_ln: libm::log(8.0) }),
        ];
        assert_eq!(chances(&each, 1, 8.0), (0.125, 0.0));
        assert_eq!(chances(&each, 2, 8.0), (0.125, 1.0 / 64.0));
        assert_eq!(chances(&each, 6, 8.0), (0.125, 1.0 / 64.0));
    }

    #[test]
    fn a_thousand_is_ten_to_the_three() {
        assert_eq!(CROSSING_LN_E, libm::log(1e3));
    }
}
