//! From the logs of rounds to one effect with its interval.

use std::collections::BTreeMap;

use stats::paired;

use super::Claim;
use crate::judgement::{Effect, MetricEffect};

/// Two-sided confidence of an interval that is no part of a claim.
pub(crate) const CONFIDENCE: f64 = 0.95;
/// Power at which the detectable effect is given.
const POWER: f64 = 0.8;

/// The natural logs of one comparison's two values.
pub(crate) struct Logs {
    pub(crate) reference: f64,
    pub(crate) subject: f64,
}

pub(crate) fn log(x: f64) -> Option<f64> {
    (x > 0.0 && x.is_finite()).then(|| libm::log(x))
}

/// The effect over the claim's rounds, with each of these rounds' log speed-up; several blocks
/// of a round count as their mean log.
pub(crate) fn effect_of(
    metric: &'static str,
    unit: &'static str,
    more_is_better: bool,
    found: Vec<(u32, Logs)>,
    claim: &Claim,
) -> (MetricEffect, Vec<(u32, f64)>) {
    let mut rounds = BTreeMap::<u32, Vec<f64>>::new();
    for (round, logs) in &found {
        let faster = logs.reference - logs.subject;
        rounds.entry(*round).or_default().push(if more_is_better { -faster } else { faster });
    }
    let logs = rounds.into_iter().filter_map(|(round, logs)| Some((round, stats::sum::mean(&logs)?)));
    let (logs, further): (Vec<_>, Vec<_>) = logs.partition(|(round, _)| claim.covers(*round));
    let claimed = || found.iter().filter(|(round, _)| claim.covers(*round));
    let geometric_mean = |logs: Vec<f64>| stats::sum::mean(&logs).map_or(0.0, libm::exp);
    let ratios = |logs: &[(u32, f64)]| logs.iter().map(|(round, log)| (*round, libm::exp(*log))).collect();
    let shown = MetricEffect {
        metric,
        unit,
        baseline: geometric_mean(claimed().map(|(_, l)| l.reference).collect()),
        candidate: geometric_mean(claimed().map(|(_, l)| l.subject).collect()),
        effect: effect(&logs.iter().map(|(_, log)| *log).collect::<Vec<_>>(), claim),
        rounds: ratios(&logs),
        further: ratios(&further),
    };
    (shown, logs)
}

/// The paired t interval of per-round log speed-ups at the claim's level; none below two rounds
/// or without spread.
pub(crate) fn effect(logs: &[f64], claim: &Claim) -> Option<Effect> {
    let confidence = claim.confidence();
    let t = paired::paired_t(logs, confidence).ok()?;
    let detectable = paired::detectable_log(t.n, t.sd_log, 1.0 - confidence, POWER).ok();
    Some(Effect {
        rounds: t.n as u64,
        powered: paired::powered(t.n) && claim.waits_for.is_none(),
        speedup: t.ratio(),
        low: t.low_ratio(),
        high: t.high_ratio(),
        confidence,
        p: t.p,
        adjusted_p: None,
        sign_flip_p: paired::sign_flip_p(logs).ok(),
        detectable: detectable.and_then(shown),
    })
}

/// The ratio of a log below 300; what is beyond is no number for anybody.
fn shown(log: f64) -> Option<f64> {
    (log < 300.0).then(|| libm::exp(log))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six rounds 10 % faster, then two that are twice as fast.
    fn found() -> Vec<(u32, Logs)> {
        let log = |round: u32| if round > 6 { 0.7 } else { 0.1 + 0.001 * f64::from(round) };
        (1..=8).map(|round| (round, Logs { reference: log(round), subject: 0.0 })).collect()
    }

    #[test]
    fn further_rounds_are_shown_and_move_nothing() {
        let claim = Claim { rounds: 6, alpha: 0.02, look: Some(1), waits_for: None };
        let (shown, logs) = effect_of("e2el", "ns", false, found(), &claim);
        let six = found().into_iter().take(6).collect();
        let (alone, _) = effect_of("e2el", "ns", false, six, &claim);
        assert_eq!(MetricEffect { further: Vec::new(), ..shown.clone() }, alone);
        assert_eq!(shown.further.iter().map(|(round, _)| *round).collect::<Vec<_>>(), [7, 8]);
        assert_eq!((logs.len(), shown.rounds.len()), (6, 6));
        let effect = shown.effect.unwrap();
        // t(.99; 5) = 3.364930, sd of 1 to 6 thousandths √3.5 thousandths.
        let reach = 3.364_930 * libm::sqrt(3.5) * 0.001 / libm::sqrt(6.0);
        assert!((effect.low - libm::exp(0.1035 - reach)).abs() < 1e-9, "{effect:?}");
        assert!(effect.powered && effect.confidence == 0.98 && effect.rounds == 6);
    }

    #[test]
    fn only_a_positive_finite_number_has_a_log() {
        assert_eq!([1.0, 0.0, -1.0, f64::INFINITY, f64::NAN].map(log), [Some(0.0), None, None, None, None]);
    }

    #[test]
    fn where_more_is_better_the_larger_value_is_the_faster() {
        let claim = Claim { rounds: 8, alpha: 0.05, look: None, waits_for: None };
        let speedup = |more| effect_of("x", "x", more, found(), &claim).0.effect.unwrap().speedup;
        assert!(speedup(false) > 1.1 && (speedup(true) * speedup(false) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_detectable_effect_is_that_of_the_rule_book_and_none_beyond_e_to_the_300() {
        let claim = Claim { rounds: 10, alpha: 0.05, look: None, waits_for: None };
        // Ten values of sd 0.04 about 0: 4.1 %.
        let around = |sd: f64| (0..10).map(|i| if i % 2 == 0 { sd } else { -sd } * 0.9_f64.sqrt()).collect::<Vec<_>>();
        let detectable = effect(&around(0.04), &claim).unwrap().detectable.unwrap();
        assert_eq!(format!("{:.1}", 100.0 * (detectable - 1.0)), "4.1");
        assert_eq!((shown(300.0), shown(0.0)), (None, Some(1.0)));
        assert_eq!(shown(300.0_f64.next_down()), Some(libm::exp(300.0_f64.next_down())));
    }

    #[test]
    fn before_the_first_look_an_effect_is_shown_and_not_powered() {
        let claim = Claim { rounds: 8, alpha: 0.02, look: None, waits_for: Some(12) };
        let (shown, _) = effect_of("e2el", "ns", false, found(), &claim);
        assert!(!shown.effect.unwrap().powered);
    }
}
