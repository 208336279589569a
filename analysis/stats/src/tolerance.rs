//! Bounds that cover configurations nobody has measured yet.
//!
//! A confidence bound says where a mean lies; a *tolerance* bound says where 99.9 % of all further
//! configurations lie, with 95 % confidence, from the few that were calibrated. The configuration
//! is the unit: launches of one share its kernels and count once.

use crate::NoAnswer;
use crate::bisect::last_float;
use crate::no_answer::{at_least, strictly_a_probability};
use crate::proportion;
use crate::special::{noncentral_t_cdf, normal_quantile};
use crate::sum::{finite, mean, sample_sd};

/// The share of honest configurations that a tolerance of the verdicts covers.
pub const COVERAGE: f64 = 0.999;
/// The confidence with which it does.
pub const CONFIDENCE: f64 = 0.95;

/// An upper tolerance bound of positive values that are normal in their logs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToleranceBound {
    /// Values, one for each configuration.
    pub n: usize,
    /// Zeros among them that were raised to half of the smallest positive value.
    pub raised: usize,
    /// [`factor`] of n, coverage and confidence.
    pub k: f64,
    /// Mean of the natural logs.
    pub mean_log: f64,
    /// Sample standard deviation of the natural logs; exactly 0 where all values are equal.
    pub sd_log: f64,
    /// The largest value given, for comparison.
    pub largest: f64,
    /// exp(mean_log + k · sd_log), in the unit of the values. Without spread it is the common value
    /// itself: then nothing is known of further configurations but that these n agree.
    pub bound: f64,
}

/// The one-sided normal tolerance factor k(n) = t′(confidence; n − 1, z √n) / √n, z the normal
/// quantile of `coverage`: mean + k · sd of n normal values lies above the share `coverage` of
/// their distribution with probability `confidence`.
///
/// Exact (Owen 1968; Hahn and Meeker, *Statistical Intervals*, §4.6.3), by bisection on the
/// noncentral t. At 99.9 % and 95 %: 5.203 for 10 values, 4.318 for 20. Two values at least; the
/// noncentral t answers up to z √n = 1000.
pub fn factor(n: usize, coverage: f64, confidence: f64) -> Result<f64, NoAnswer> {
    const FAR: f64 = 1e12;
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    if !(0.5..1.0).contains(&coverage) {
        return Err(NoAnswer::Outside("½ ≤ coverage < 1"));
    }
    at_least(2, n)?;
    let root = (n as f64).sqrt();
    let shift = normal_quantile(coverage).ok_or(NoAnswer::Unresolved)? * root;
    let at = |t| noncentral_t_cdf(t, (n - 1) as f64, shift);
    if at(0.0).ok_or(NoAnswer::Unresolved)? > confidence {
        return Err(NoAnswer::Outside("confidence high enough for a factor of at least 0"));
    }
    let t = last_float(0.0, FAR, |t| Some(at(t)? <= confidence)).ok_or(NoAnswer::Unresolved)?;
    if t < FAR { Ok(t / root) } else { Err(NoAnswer::Unresolved) }
}

/// What [`upper_of_logs`] needs of one mean at least.
pub const ABOVE_0: &str = "a mean above 0";

/// The upper tolerance bound of non-negative means, one for each configuration, taken as normal in
/// their logs. At least two.
///
/// A mean of zero has no log. Zeros are raised to half of the smallest positive mean, as a
/// concentration below the limit of detection is replaced by half that limit (Helsel, *Statistics
/// for Censored Environmental Data*, 2012, ch. 6, who warns that this is crude: the reader is told
/// how many were raised). If every mean is zero there is no scale at all, and no answer.
pub fn upper_of_logs(means: &[f64], coverage: f64, confidence: f64) -> Result<ToleranceBound, NoAnswer> {
    let k = factor(means.len(), coverage, confidence)?;
    if !means.iter().all(|m| m.is_finite()) {
        return Err(NoAnswer::NotFinite);
    }
    if means.iter().any(|m| *m < 0.0) {
        return Err(NoAnswer::Outside("0 ≤ mean"));
    }
    let positive = means.iter().copied().filter(|m| *m > 0.0);
    let smallest = positive.reduce(f64::min).ok_or(NoAnswer::Outside(ABOVE_0))?;
    let logs: Vec<f64> = means.iter().map(|m| libm::log(if *m > 0.0 { *m } else { 0.5 * smallest })).collect();
    let mean_log = mean(&logs).ok_or(NoAnswer::NotFinite)?;
    let sd_log = sample_sd(&logs).ok_or(NoAnswer::NotFinite)?;
    let largest = means.iter().copied().fold(smallest, f64::max);
    let bound = if sd_log == 0.0 { largest } else { libm::exp(mean_log + k * sd_log) };
    Ok(ToleranceBound {
        n: means.len(),
        raised: means.iter().filter(|m| **m == 0.0).count(),
        k,
        mean_log,
        sd_log,
        largest,
        bound: finite(bound).ok_or(NoAnswer::Unresolved)?,
    })
}

/// What one configuration showed of a rare event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Requests with the event.
    pub hits: u64,
    /// Requests.
    pub trials: u64,
}

/// An upper tolerance bound of the rate of a rare event over configurations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateBound {
    /// Configurations.
    pub n: usize,
    /// Requests with the event, of all configurations.
    pub hits: u64,
    /// Requests of all configurations.
    pub trials: u64,
    /// The largest of the configurations' own upper Clopper–Pearson bounds.
    pub largest_own: f64,
    /// The tolerance bound if rates are exponentially distributed over configurations.
    pub modelled: f64,
    /// The larger of the two, at most 1.
    pub bound: f64,
}

/// The upper tolerance bound of a rate from the counts of configurations, mostly zeros: the larger
/// of two bounds. At least two configurations, with at least one request each.
///
/// - **Own.** The largest of the configurations' own one-sided Clopper–Pearson bounds, so that one
///   bad configuration is not diluted by many clean ones. Without any model, a further one like
///   these n exceeds all of their true rates with probability at most 1/(n + 1), by
///   exchangeability. That is far from 1 in 1000, so a model has to say how far the tail goes.
/// - **Modelled.** Rates differ between configurations as an exponential distribution with mean m
///   does (the gamma of shape 1; with Poisson counts the negative binomial's special case, the
///   geometric). Its share 1 − `coverage` lies above −m ln(1 − coverage), 6.9 m at 99.9 %. For m
///   stands its exact upper limit: the largest m at which as few hits in all, or fewer, still have
///   probability ≥ 1 − `confidence`. A normal in logs cannot be used: zeros have no log.
///
/// With zeros in all of n configurations of equal size the second is larger up to 8 configurations
/// and the first from 9 on (99.9 %, 95 %): few configurations are paid for by a wide tolerance.
pub fn upper_of_counts(counts: &[Count], coverage: f64, confidence: f64) -> Result<RateBound, NoAnswer> {
    strictly_a_probability(coverage, "0 < coverage < 1")?;
    at_least(2, counts.len())?;
    let own = counts.iter().map(|c| proportion::upper_bound(c.hits, c.trials, confidence));
    let largest_own = own.collect::<Result<Vec<f64>, _>>()?.into_iter().fold(0.0, f64::max);
    let modelled = (-libm::log1p(-coverage) * largest_mean_rate(counts, 1.0 - confidence)?).min(1.0);
    let sum = |of: fn(&Count) -> u64| {
        counts.iter().try_fold(0_u64, |sum, c| sum.checked_add(of(c))).ok_or(NoAnswer::Unresolved)
    };
    Ok(RateBound {
        n: counts.len(),
        hits: sum(|c| c.hits)?,
        trials: sum(|c| c.trials)?,
        largest_own,
        modelled,
        bound: largest_own.max(modelled),
    })
}

/// The largest mean rate m ≤ 1 at which geometric counts with means m · trials add up to the
/// observed hits or fewer with probability ≥ `risk`.
fn largest_mean_rate(counts: &[Count], risk: f64) -> Result<f64, NoAnswer> {
    const MOST_HITS: u64 = 10_000; // the event is rare, or this is the wrong question
    let hits: u64 = counts.iter().map(|c| c.hits.min(MOST_HITS + 1)).sum();
    if hits > MOST_HITS {
        return Err(NoAnswer::Outside("at most 10,000 hits in all"));
    }
    last_float(0.0, 1.0, |m| Some(at_most(hits as usize, counts, m) >= risk)).ok_or(NoAnswer::Unresolved)
}

/// P(Σ hᵢ ≤ hits), hᵢ geometric from 0 on with mean m · trialsᵢ: each is folded in by
/// gₖ = q gₖ₋₁ + (1 − q) fₖ, q = mean/(1 + mean).
fn at_most(hits: usize, counts: &[Count], m: f64) -> f64 {
    let mut masses = vec![0.0; hits + 1];
    masses[0] = 1.0;
    for count in counts {
        let mean = m * count.trials as f64;
        let (stop, go_on) = (1.0 / (1.0 + mean), mean / (1.0 + mean));
        let mut before = 0.0;
        for mass in &mut masses {
            *mass = go_on * before + stop * *mass;
            before = *mass;
        }
    }
    masses.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, bound: f64) -> bool {
        (a - b).abs() <= bound * b.abs()
    }

    #[test]
    fn the_published_one_sided_factors_are_reproduced() {
        // Odeh and Owen, *Tables for Normal Tolerance Limits* (1980): one-sided, 95 % confidence.
        for (n, at_90, at_95, at_99, at_999) in [
            (2, 20.581, 26.260, 37.094, 49.276),
            (5, 3.407, 4.203, 5.741, 7.502),
            (10, 2.355, 2.911, 3.981, 5.203),
            (20, 1.926, 2.396, 3.295, 4.319),
        ] {
            for (coverage, k) in [(0.9, at_90), (0.95, at_95), (0.99, at_99), (0.999, at_999)] {
                let ours = factor(n, coverage, 0.95).unwrap();
                assert!((ours - k).abs() <= 1.001e-3, "n = {n}, {coverage}: {ours}");
            }
        }
    }

    #[test]
    fn with_coverage_of_one_half_the_factor_is_students() {
        for n in [2, 7, 30] {
            let t = crate::special::student_t_quantile(0.95, (n - 1) as f64).unwrap();
            assert!(close(factor(n, 0.5, 0.95).unwrap(), t / (n as f64).sqrt(), 1e-9), "n = {n}");
        }
    }

    #[test]
    fn the_factor_falls_to_the_normal_quantile_as_configurations_are_added() {
        let ks: Vec<f64> = [2, 3, 5, 10, 20, 50, 128].iter().map(|n| factor(*n, 0.999, 0.95).unwrap()).collect();
        assert!(ks.windows(2).all(|pair| pair[0] > pair[1]), "{ks:?}");
        let limit = normal_quantile(0.999).unwrap();
        assert!(ks[6] > limit && ks[6] < 1.13 * limit, "{ks:?}");
    }

    #[test]
    fn three_means_a_factor_of_e_apart_by_hand() {
        let e = std::f64::consts::E;
        let bound = upper_of_logs(&[1.0, e, e * e], 0.999, 0.95).unwrap();
        assert!(close(bound.mean_log, 1.0, 1e-15) && close(bound.sd_log, 1.0, 1e-15));
        assert!(close(bound.bound, libm::exp(1.0 + factor(3, 0.999, 0.95).unwrap()), 1e-14));
        assert_eq!((bound.n, bound.raised, bound.largest), (3, 0, e * e));
    }

    #[test]
    fn a_change_of_unit_changes_the_bound_by_the_same_factor() {
        let means = [0.011, 0.013, 0.009, 0.02];
        let scaled: Vec<f64> = means.iter().map(|m| 1000.0 * m).collect();
        let (a, b) = (upper_of_logs(&means, 0.999, 0.95).unwrap(), upper_of_logs(&scaled, 0.999, 0.95).unwrap());
        assert!(close(1000.0 * a.bound, b.bound, 1e-12));
    }

    #[test]
    fn equal_means_are_bounded_by_themselves() {
        let bound = upper_of_logs(&[0.3; 10], 0.999, 0.95).unwrap();
        assert_eq!((bound.bound, bound.sd_log), (0.3, 0.0));
    }

    #[test]
    fn zeros_count_as_half_of_the_smallest_positive_mean() {
        let with_zeros = upper_of_logs(&[0.0, 0.02, 0.04, 0.0], 0.999, 0.95).unwrap();
        let by_hand = upper_of_logs(&[0.01, 0.02, 0.04, 0.01], 0.999, 0.95).unwrap();
        assert_eq!(with_zeros, ToleranceBound { raised: 2, ..by_hand });
    }

    #[test]
    fn the_order_of_configurations_does_not_matter() {
        let (a, b) = ([0.01, 0.03, 0.02], [0.03, 0.02, 0.01]);
        let (a, b) = (upper_of_logs(&a, 0.999, 0.95).unwrap(), upper_of_logs(&b, 0.999, 0.95).unwrap());
        assert!(close(a.bound, b.bound, 1e-13));
    }

    #[test]
    fn what_cannot_be_bounded_has_no_answer() {
        let bound = |means: &[f64]| upper_of_logs(means, 0.999, 0.95);
        assert_eq!(bound(&[0.1]), Err(NoAnswer::TooFew { have: 1, need: 2 }));
        assert_eq!(bound(&[0.0, 0.0]), Err(NoAnswer::Outside("a mean above 0")));
        assert_eq!(bound(&[0.1, -0.1]), Err(NoAnswer::Outside("0 ≤ mean")));
        assert_eq!(bound(&[0.1, f64::NAN]), Err(NoAnswer::NotFinite));
        assert_eq!(bound(&[0.1, f64::INFINITY]), Err(NoAnswer::NotFinite));
        assert_eq!(bound(&[1e-300, 1e300]), Err(NoAnswer::Unresolved));
        for (coverage, confidence) in [(1.0, 0.95), (0.4, 0.95), (f64::NAN, 0.95), (0.999, 0.0), (0.999, 1.0)] {
            assert!(factor(10, coverage, confidence).is_err());
        }
        assert!(factor(10, 0.5, 0.4).is_err(), "a factor below 0");
        assert!(factor(10, 0.5, 0.5).unwrap() < 1e-15, "a factor of 0");
        assert_eq!(factor(2, 0.999, 1.0 - 1e-14), Err(NoAnswer::Unresolved));
    }

    fn zeros(n: usize, trials: u64) -> Vec<Count> {
        vec![Count { hits: 0, trials }; n]
    }

    #[test]
    fn without_any_hit_both_bounds_have_a_closed_form() {
        for n in [2, 5, 20] {
            let bound = upper_of_counts(&zeros(n, 200), 0.999, 0.95).unwrap();
            // (1 + 200 m)^−n = 0.05.
            let m = (libm::pow(0.05, -1.0 / n as f64) - 1.0) / 200.0;
            assert!(close(bound.modelled, m * libm::log(1000.0), 1e-10), "n = {n}");
            assert!(close(bound.largest_own, 1.0 - libm::pow(0.05, 1.0 / 200.0), 1e-10));
            assert_eq!((bound.hits, bound.trials), (0, 200 * n as u64));
        }
    }

    #[test]
    fn the_model_decides_up_to_eight_clean_configurations_and_the_own_bounds_from_nine_on() {
        let of = |n| upper_of_counts(&zeros(n, 200), 0.999, 0.95).unwrap();
        assert!(of(8).bound == of(8).modelled && of(8).modelled > of(8).largest_own);
        assert!(of(9).bound == of(9).largest_own && of(9).largest_own > of(9).modelled);
    }

    #[test]
    fn one_bad_configuration_is_not_diluted_by_many_clean_ones() {
        let mut counts = zeros(40, 200);
        counts.push(Count { hits: 9, trials: 200 });
        let bound = upper_of_counts(&counts, 0.999, 0.95).unwrap();
        assert_eq!(bound.bound, proportion::upper_bound(9, 200, 0.95).unwrap());
    }

    #[test]
    fn another_hit_or_fewer_requests_or_fewer_configurations_never_lower_the_bound() {
        let of = |counts: &[Count]| upper_of_counts(counts, 0.999, 0.95).unwrap().bound;
        for n in 2..12 {
            for hits in 0..6 {
                let mut counts = zeros(n, 300);
                counts[0].hits = hits;
                let here = of(&counts);
                counts[n - 1].hits += 1;
                assert!(of(&counts) >= here, "{n} {hits}");
                counts[n - 1] = Count { hits: 0, trials: 150 };
                assert!(of(&counts) >= here, "{n} {hits}");
                counts[n - 1].trials = 300;
                counts.push(Count { hits: 0, trials: 300 });
                assert!(of(&counts) <= here, "{n} {hits}");
            }
        }
    }

    #[test]
    fn the_sum_of_geometric_counts_is_negative_binomial() {
        // Three of mean 1: P(Σ ≤ 2) = 1/8 (1 + 3/2 + 6/4) = ½.
        let counts = zeros(3, 10);
        assert!(close(at_most(2, &counts, 0.1), 0.5, 1e-15));
        // Means 1 and 3: P(0) = 1/8, P(1) = 1/8 (1/2 + 3/4).
        let uneven = [Count { hits: 0, trials: 10 }, Count { hits: 0, trials: 30 }];
        assert!(close(at_most(1, &uneven, 0.1), 0.125 * 2.25, 1e-15));
    }

    #[test]
    fn impossible_counts_are_refused() {
        let of = |counts: &[Count]| upper_of_counts(counts, 0.999, 0.95);
        assert_eq!(of(&zeros(1, 10)), Err(NoAnswer::TooFew { have: 1, need: 2 }));
        assert!(of(&zeros(2, 0)).is_err());
        assert!(of(&[Count { hits: 2, trials: 1 }, Count { hits: 0, trials: 1 }]).is_err());
        let ten_thousand =
            |more: u64| of(&[Count { hits: 9_999, trials: 99_999 }, Count { hits: 1 + more, trials: 9 }]);
        assert!(ten_thousand(0).is_ok());
        assert_eq!(ten_thousand(1), Err(NoAnswer::Outside("at most 10,000 hits in all")));
        assert!(of(&[Count { hits: 10_001, trials: 99_999 }, Count { hits: 0, trials: 9 }]).is_err());
        // Counts near the largest integer do not overflow on the way to being refused.
        assert!(of(&[Count { hits: u64::MAX, trials: u64::MAX }; 2]).is_err());
        assert!(upper_of_counts(&zeros(2, 9), 1.0, 0.95).is_err());
        assert!(upper_of_counts(&zeros(2, 9), 0.999, 0.0).is_err());
    }

    #[test]
    fn where_everything_is_hit_the_bound_is_one() {
        let all = [Count { hits: 5, trials: 5 }; 3];
        assert_eq!(upper_of_counts(&all, 0.999, 0.95).unwrap().bound, 1.0);
    }
}
