//! Speed: candidate against baseline, round by round.
//!
//! A value here is one round's x = ln(candidate/baseline), already against the mean log of the two
//! neighbouring baselines. The round is the unit; requests inside it are never pooled. With x̄ and
//! s the mean and sample sd of n rounds, exp(x̄) is the geometric-mean ratio and everything rests
//! on x̄ ± t s/√n.

use crate::NoAnswer;
use crate::bisect::last_float;
use crate::no_answer::{at_least, strictly_a_probability};
use crate::special::{noncentral_t_cdf, student_t_quantile, student_t_tail};
use crate::sum::{finite, mean, sample_sd};

/// Fewest rounds for any speed claim; below it a comparison is *not powered*.
pub const MIN_ROUNDS: usize = 6;

/// Whether `rounds` suffice for a speed claim.
pub fn powered(rounds: usize) -> bool {
    rounds >= MIN_ROUNDS
}

/// A paired t test of "the ratio is 1" with its interval. Logs are natural and signed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// Rounds.
    pub n: usize,
    /// Mean log ratio x̄.
    pub mean_log: f64,
    /// Sample standard deviation s of the log ratios, n − 1 in the denominator.
    pub sd_log: f64,
    /// x̄ − t((1 + confidence)/2; n − 1) · s/√n.
    pub low_log: f64,
    /// x̄ + t((1 + confidence)/2; n − 1) · s/√n.
    pub high_log: f64,
    /// Two-sided confidence of the interval.
    pub confidence: f64,
    /// The statistic x̄ / (s/√n).
    pub t: f64,
    /// Two-sided P(|T| ≥ |t|), n − 1 degrees of freedom.
    pub p: f64,
}

impl PairedT {
    /// Geometric-mean ratio, exp(mean_log).
    pub fn ratio(&self) -> f64 {
        libm::exp(self.mean_log)
    }

    /// Lower limit of the ratio.
    pub fn low_ratio(&self) -> f64 {
        libm::exp(self.low_log)
    }

    /// Upper limit of the ratio.
    pub fn high_ratio(&self) -> f64 {
        libm::exp(self.high_log)
    }
}

/// Paired t on per-round log ratios (Student 1908).
///
/// Needs two rounds and some spread; whether the result supports a claim is [`powered`]'s business.
/// Logs beyond ±300 are refused, so that every ratio is a finite positive number.
pub fn paired_t(log_ratios: &[f64], confidence: f64) -> Result<PairedT, NoAnswer> {
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    let n = log_ratios.len();
    at_least(2, n)?;
    let mean_log = mean(log_ratios).ok_or(NoAnswer::NotFinite)?;
    let sd_log = sample_sd(log_ratios).ok_or(NoAnswer::NotFinite)?;
    if sd_log == 0.0 {
        return Err(NoAnswer::NoSpread);
    }
    let df = (n - 1) as f64;
    let error = sd_log / (n as f64).sqrt();
    let t = mean_log / error;
    let reach = student_t_quantile(0.5 * (1.0 + confidence), df).ok_or(NoAnswer::Unresolved)? * error;
    if mean_log.abs() + reach > 300.0 {
        return Err(NoAnswer::Outside("ratios and their limits within e^±300"));
    }
    Ok(PairedT {
        n,
        mean_log,
        sd_log,
        low_log: mean_log - reach,
        high_log: mean_log + reach,
        confidence,
        t,
        p: 2.0 * student_t_tail(t.abs(), df).ok_or(NoAnswer::Unresolved)?,
    })
}

/// Most rounds whose sign patterns are enumerated: 2²³ sums.
pub const MOST_FLIPPED: usize = 24;

/// Exact two-sided sign-flip p: the share of the 2ⁿ sign patterns whose |Σ ±x| is at least the
/// observed |Σ x|, the observed pattern included (Fisher 1935, §21). Needs no normality, only
/// symmetry.
///
/// Ties count, so their detection must not hang on rounding: each x is first rounded to a whole
/// number of 10⁻¹² (a log ratio of 10⁻¹² is a nanosecond in a quarter of an hour), and all further
/// sums are exact integers. At most [`MOST_FLIPPED`] rounds, |x| ≤ 10⁴. The smallest possible p is
/// 2/2ⁿ.
pub fn sign_flip_p(log_ratios: &[f64]) -> Result<f64, NoAnswer> {
    let n = log_ratios.len();
    at_least(1, n)?;
    if n > MOST_FLIPPED {
        return Err(NoAnswer::Outside("sign flips of at most 24 rounds"));
    }
    let mut signed = log_ratios.iter().map(|x| grains(*x)).collect::<Result<Vec<i64>, _>>()?;
    let observed = signed.iter().sum::<i64>().abs();
    // A pattern and its negative have the same |Σ|: the last sign stays, half the patterns remain.
    // Gray code: pattern k differs from its predecessor in one sign, the one at k's lowest set bit.
    let half = 1_u32 << (n - 1);
    let mut sum = signed.iter().sum::<i64>();
    let mut at_least_as_far = 1_u32;
    for k in 1..half {
        let flipped = &mut signed[k.trailing_zeros() as usize];
        *flipped = -*flipped;
        sum += 2 * *flipped;
        at_least_as_far += u32::from(sum.abs() >= observed);
    }
    Ok(f64::from(at_least_as_far) / f64::from(half))
}

/// A log ratio as a whole number of 10⁻¹².
fn grains(x: f64) -> Result<i64, NoAnswer> {
    const PER_UNIT: f64 = 1e12;
    const LARGEST: f64 = 1e4; // 24 of them stay far inside i64
    if !x.is_finite() {
        return Err(NoAnswer::NotFinite);
    }
    if x.abs() > LARGEST {
        return Err(NoAnswer::Outside("|log ratio| ≤ 10⁴"));
    }
    Ok((x * PER_UNIT).round() as i64)
}

/// Power of the two-sided paired t test at level `alpha` when the true mean is `shift` standard
/// deviations: P(|T′| > t(1 − alpha/2; n − 1)), T′ noncentral t with shift √n.
pub fn power(n: usize, shift: f64, alpha: f64) -> Result<f64, NoAnswer> {
    strictly_a_probability(alpha, "0 < alpha < 1")?;
    at_least(2, n)?;
    let critical = critical_t(n, alpha)?;
    rejection_rate(critical, n, shift * (n as f64).sqrt()).ok_or(NoAnswer::Unresolved)
}

/// The smallest mean log ratio, as a positive number, that the two-sided paired t test at level
/// `alpha` finds with probability `power` in n rounds of standard deviation `sd_log`. Bisection on
/// [`power`].
///
/// A slowdown is found from exp(−x) on, a speed-up from exp(x) on; reports print exp(x) − 1
/// ([`relative`]). At 80 % power and 4 % sd that is 7.0, 4.1, 2.7 % for 5, 10, 20 rounds.
pub fn detectable_log(n: usize, sd_log: f64, alpha: f64, power: f64) -> Result<f64, NoAnswer> {
    strictly_a_probability(alpha, "0 < alpha < 1")?;
    if !(power > alpha && power < 1.0) {
        return Err(NoAnswer::Outside("alpha < power < 1"));
    }
    if !(sd_log > 0.0 && sd_log.is_finite()) {
        return Err(NoAnswer::Outside("0 < sd"));
    }
    at_least(2, n)?;
    const FAR: f64 = 1000.0; // standard errors; the noncentral t's own domain
    let critical = critical_t(n, alpha)?;
    let misses = |shift: f64| Some(rejection_rate(critical, n, shift)? < power);
    let shift = last_float(0.0, FAR, misses).ok_or(NoAnswer::Unresolved)?;
    if shift == FAR {
        return Err(NoAnswer::Unresolved);
    }
    finite(shift * sd_log / (n as f64).sqrt()).ok_or(NoAnswer::NotFinite)
}

/// exp(log) − 1: a log ratio as the relative change that reports print (0.07 is 7 %).
pub fn relative(log: f64) -> f64 {
    libm::expm1(log)
}

fn critical_t(n: usize, alpha: f64) -> Result<f64, NoAnswer> {
    student_t_quantile(1.0 - 0.5 * alpha, (n - 1) as f64).ok_or(NoAnswer::Unresolved)
}

/// P(|T′| > critical), T′ noncentral t with n − 1 degrees of freedom.
fn rejection_rate(critical: f64, n: usize, shift: f64) -> Option<f64> {
    let cdf = |t| noncentral_t_cdf(t, (n - 1) as f64, shift);
    Some(1.0 - cdf(critical)? + cdf(-critical)?)
}

/// What an equivalence test of two speeds says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sameness {
    /// The interval lies strictly inside the margin.
    Same,
    /// The interval lies strictly outside it: the difference is shown to exceed the margin.
    Different,
    /// Neither is shown, or there are fewer than [`MIN_ROUNDS`] rounds.
    Inconclusive,
}

/// Two one-sided t tests against a declared margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tost {
    /// The answer.
    pub sameness: Sameness,
    /// The interval at confidence 1 − 2·alpha on which the answer rests.
    pub interval: PairedT,
    /// ln(1 + margin): sameness means a ratio between 1/(1 + margin) and 1 + margin.
    pub margin_log: f64,
    /// The larger of the two one-sided p of "the difference is at least the margin".
    pub p: f64,
}

/// "Same speed" by two one-sided t tests (Schuirmann 1987) at level `alpha` on log ratios.
///
/// `margin` is declared before the data (0.05 for 5 %); on logs it is symmetric, ±ln(1 + margin).
/// Same if the 1 − 2·alpha interval lies strictly inside it, different if strictly outside;
/// otherwise, and below [`MIN_ROUNDS`], inconclusive. A difference from 1 that stays within reach
/// of the margin is inconclusive too.
pub fn tost(log_ratios: &[f64], margin: f64, alpha: f64) -> Result<Tost, NoAnswer> {
    let (margin_log, confidence) = declared(margin, alpha)?;
    let interval = paired_t(log_ratios, confidence)?;
    let sameness = sameness((interval.low_log, interval.high_log), margin_log, powered(interval.n));
    // The binding test is that of the nearer edge of the margin.
    let error = interval.sd_log / (interval.n as f64).sqrt();
    let slack = (margin_log - interval.mean_log.abs()) / error;
    let p = student_t_tail(slack, (interval.n - 1) as f64).ok_or(NoAnswer::Unresolved)?;
    Ok(Tost { sameness, interval, margin_log, p })
}

/// What "same speed" asks of an interval of logs: the margin, ln(1 + margin), and the interval's
/// confidence, 1 − 2·alpha.
pub(crate) fn declared(margin: f64, alpha: f64) -> Result<(f64, f64), NoAnswer> {
    if !(margin > 0.0 && margin.is_finite()) {
        return Err(NoAnswer::Outside("0 < margin"));
    }
    if !(alpha > 0.0 && alpha < 0.5) {
        return Err(NoAnswer::Outside("0 < alpha < ½"));
    }
    Ok((libm::log1p(margin), 1.0 - 2.0 * alpha))
}

/// Where an interval of logs lies against ±`margin_log`.
pub(crate) fn sameness((low, high): (f64, f64), margin_log: f64, powered: bool) -> Sameness {
    let inside = -margin_log < low && high < margin_log;
    let outside = high < -margin_log || margin_log < low;
    match (powered, inside, outside) {
        (true, true, _) => Sameness::Same,
        (true, _, true) => Sameness::Different,
        _ => Sameness::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_by_hand() {
        // Mean .03, sd .01, so t = 3 √3; with 2 degrees of freedom p = 1 − t/√(2 + t²).
        let t = paired_t(&[0.02, 0.03, 0.04], 0.95).unwrap();
        assert_eq!(t.n, 3);
        assert!((t.mean_log - 0.03).abs() < 1e-17 && (t.sd_log - 0.01).abs() < 1e-16);
        assert!((t.t - 27.0_f64.sqrt()).abs() < 1e-13);
        assert!((t.p - (1.0 - (27.0_f64 / 29.0).sqrt())).abs() < 1e-14);
        // t(.975; 2) = 4.302652729749.
        let reach = 4.302_652_729_749 * 0.01 / 3.0_f64.sqrt();
        assert!((t.low_log - (0.03 - reach)).abs() < 1e-12);
        assert!((t.high_log - (0.03 + reach)).abs() < 1e-12);
        assert_eq!(t.ratio(), libm::exp(t.mean_log));
        assert!(t.low_ratio() < t.ratio() && t.ratio() < t.high_ratio());
    }

    #[test]
    fn a_slowdown_keeps_its_sign() {
        let t = paired_t(&[-0.02, -0.03, -0.04], 0.95).unwrap();
        assert!(t.mean_log < 0.0 && t.t < 0.0 && t.ratio() < 1.0 && t.p < 0.05);
    }

    #[test]
    fn six_rounds_make_a_claim_and_five_do_not() {
        assert!(powered(6) && !powered(5));
    }

    #[test]
    fn the_interval_excludes_one_exactly_when_p_is_below_alpha() {
        for shift in [0.0, 0.005, 0.01, 0.02, 0.03] {
            let logs: Vec<f64> = [-0.02, 0.01, 0.03, -0.01, 0.0, 0.02].map(|x| x + shift).into();
            let t = paired_t(&logs, 0.9).unwrap();
            assert_eq!(t.low_log > 0.0, t.p < 0.1, "shift {shift}");
        }
    }

    #[test]
    fn rounds_without_spread_or_number_are_refused() {
        assert_eq!(paired_t(&[0.1; 6], 0.95), Err(NoAnswer::NoSpread));
        assert_eq!(paired_t(&[0.1], 0.95), Err(NoAnswer::TooFew { have: 1, need: 2 }));
        assert_eq!(paired_t(&[0.1, f64::NAN], 0.95), Err(NoAnswer::NotFinite));
        assert!(paired_t(&[0.1, 0.2], 1.0).is_err());
        assert!(paired_t(&[0.0, 900.0], 0.95).is_err());
    }

    #[test]
    fn limits_reach_as_far_as_e_to_the_300_and_no_further() {
        let around = |mean: f64| [mean - 0.25, mean, mean + 0.25];
        let reach = paired_t(&around(0.0), 0.95).unwrap().high_log;
        // The mean that reaches it exactly is one of the floats about 300 less the reach.
        let ulp = 300.0_f64.next_up() - 300.0;
        let reached = |sign: f64| {
            let means = (-8..=8).map(|k| sign * (300.0 - reach + f64::from(k) * ulp));
            means.filter_map(|mean| paired_t(&around(mean), 0.95).ok()).collect::<Vec<_>>()
        };
        assert!(reached(1.0).iter().any(|t| t.high_log == 300.0) && reached(1.0).iter().all(|t| t.high_log <= 300.0));
        assert!(reached(-1.0).iter().any(|t| t.low_log == -300.0) && reached(-1.0).iter().all(|t| t.low_log >= -300.0));
        assert!(reached(1.0).len() < 17 && reached(-1.0).len() < 17);
        // 200 ± 4: neither is multiplied by the other.
        assert!(paired_t(&[199.0, 200.0, 201.5], 0.95).is_ok());
    }

    #[test]
    fn six_rounds_of_one_sign_have_the_smallest_p_there_is() {
        assert_eq!(sign_flip_p(&[0.01, 0.02, 0.03, 0.04, 0.05, 0.06]), Ok(2.0 / 64.0));
        assert_eq!(sign_flip_p(&[-0.01, -0.02, -0.03, -0.04, -0.05, -0.06]), Ok(2.0 / 64.0));
    }

    #[test]
    fn a_tie_counts_even_where_floats_would_miss_it() {
        // |.1 + .2 − .3| is 5.6e-17 in floats; exactly, it is 0 and every pattern is as far out.
        assert_eq!(sign_flip_p(&[0.1, 0.2, -0.3]), Ok(1.0));
        // +++ 3, and each of the six patterns with one sign alone 1: of eight, two reach 3.
        assert_eq!(sign_flip_p(&[1.0, 1.0, 1.0]), Ok(0.25));
        // Observed 1: every pattern reaches it.
        assert_eq!(sign_flip_p(&[1.0, 1.0, -1.0]), Ok(1.0));
        // |±1 ±2 ±3| with observed 4: only 6, 6, 4, 4 of 6 4 2 0 0 2 4 6.
        assert_eq!(sign_flip_p(&[-1.0, 2.0, 3.0]), Ok(0.5));
    }

    #[test]
    fn twenty_four_rounds_are_enumerated_and_twenty_five_are_refused() {
        assert_eq!(sign_flip_p(&[0.01; 24]), Ok(2.0 / f64::from(1 << 24)));
        assert!(sign_flip_p(&[0.01; 25]).is_err());
        assert!(sign_flip_p(&[]).is_err());
        assert!(sign_flip_p(&[0.1, f64::INFINITY]).is_err());
        assert!(sign_flip_p(&[2e4]).is_err() && sign_flip_p(&[-1e4]) == Ok(1.0));
    }

    #[test]
    fn the_detectable_effects_of_the_rule_book() {
        for (rounds, percent) in [(5, "7.0"), (10, "4.1"), (20, "2.7")] {
            let log = detectable_log(rounds, 0.04, 0.05, 0.8).unwrap();
            assert_eq!(format!("{:.1}", 100.0 * relative(log)), percent);
        }
    }

    #[test]
    fn the_detectable_effect_is_found_with_just_the_asked_power() {
        let log = detectable_log(10, 0.04, 0.05, 0.8).unwrap();
        assert!((power(10, log / 0.04, 0.05).unwrap() - 0.8).abs() < 1e-12);
        assert!((power(10, -log / 0.04, 0.05).unwrap() - 0.8).abs() < 1e-12);
        assert!((power(10, 0.0, 0.05).unwrap() - 0.05).abs() < 1e-12);
    }

    #[test]
    fn an_impossible_power_is_refused() {
        assert!(detectable_log(1, 0.04, 0.05, 0.8).is_err());
        assert!(detectable_log(10, 0.0, 0.05, 0.8).is_err());
        assert!(detectable_log(10, 0.04, 0.05, 0.05).is_err());
        assert!(detectable_log(10, 0.04, 0.05, 1.0).is_err());
        assert!(power(10, f64::NAN, 0.05).is_err());
    }

    const STEADY: [f64; 6] = [-0.01, 0.0, 0.01, -0.005, 0.005, 0.002];

    fn shifted_by(shift: f64) -> Vec<f64> {
        STEADY.map(|x| x + shift).into()
    }

    fn sameness(logs: &[f64]) -> Sameness {
        tost(logs, 0.05, 0.05).unwrap().sameness
    }

    #[test]
    fn inside_the_margin_is_same_beyond_it_is_different_across_it_is_inconclusive() {
        assert_eq!(sameness(&shifted_by(0.0)), Sameness::Same);
        assert_eq!(sameness(&shifted_by(0.03)), Sameness::Same);
        assert_eq!(sameness(&shifted_by(0.05)), Sameness::Inconclusive);
        assert_eq!(sameness(&shifted_by(-0.05)), Sameness::Inconclusive);
        assert_eq!(sameness(&shifted_by(0.1)), Sameness::Different);
        assert_eq!(sameness(&shifted_by(-0.1)), Sameness::Different);
    }

    #[test]
    fn noise_never_makes_two_speeds_the_same() {
        let noisy: Vec<f64> = STEADY.iter().map(|x| 20.0 * x).collect();
        assert_eq!(sameness(&noisy), Sameness::Inconclusive);
    }

    #[test]
    fn five_rounds_claim_nothing_however_clear() {
        assert_eq!(sameness(&shifted_by(0.0)[..5]), Sameness::Inconclusive);
        assert_eq!(sameness(&shifted_by(1.0)[..5]), Sameness::Inconclusive);
    }

    #[test]
    fn same_means_p_below_alpha() {
        for shift in [-0.1, -0.04, -0.02, 0.0, 0.02, 0.04, 0.1] {
            let tost = tost(&shifted_by(shift), 0.05, 0.05).unwrap();
            assert_eq!(tost.sameness == Sameness::Same, tost.p < 0.05, "shift {shift}");
        }
    }

    #[test]
    fn an_interval_that_touches_the_margin_is_neither_inside_nor_outside() {
        let sameness = |low, high| super::sameness((low, high), 0.5, true);
        assert_eq!([sameness(-0.4, 0.4), sameness(0.6, 0.9)], [Sameness::Same, Sameness::Different]);
        let touching = [(-0.5, 0.4), (-0.4, 0.5), (0.5, 0.9), (-0.9, -0.5)];
        assert_eq!(touching.map(|(low, high)| sameness(low, high)), [Sameness::Inconclusive; 4]);
    }

    #[test]
    fn a_margin_and_a_level_below_one_half_must_be_declared() {
        for margin in [0.0, f64::NAN, f64::INFINITY] {
            assert_eq!(tost(&STEADY, margin, 0.05), Err(NoAnswer::Outside("0 < margin")));
        }
        for alpha in [0.0, 0.5, f64::NAN] {
            assert_eq!(tost(&STEADY, 0.05, alpha), Err(NoAnswer::Outside("0 < alpha < ½")));
        }
    }
}
