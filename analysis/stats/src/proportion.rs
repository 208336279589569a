//! Exact bounds of a proportion from a count.
//!
//! Clopper and Pearson (1934), by bisection on the binomial tails themselves rather than by an
//! inverse beta function, whose library versions fail in the extremes.

use crate::NoAnswer;
use crate::bisect::{last_float, last_integer};
use crate::no_answer::strictly_a_probability;
use crate::special::{binomial_cdf, binomial_tail};

/// A two-sided interval of a proportion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower limit; 0 when nothing was hit.
    pub low: f64,
    /// Upper limit; 1 when everything was hit.
    pub high: f64,
}

/// Clopper–Pearson interval for `hits` of `trials`: each side errs with at most (1 − confidence)/2.
pub fn clopper_pearson(hits: u64, trials: u64, confidence: f64) -> Result<Interval, NoAnswer> {
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    let one_sided_risk = 0.5 * (1.0 - confidence);
    Ok(Interval { low: low(hits, trials, one_sided_risk)?, high: high(hits, trials, one_sided_risk)? })
}

/// One-sided upper bound: the largest p at which `hits` or fewer still have probability
/// ≥ 1 − confidence.
pub fn upper_bound(hits: u64, trials: u64, confidence: f64) -> Result<f64, NoAnswer> {
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    high(hits, trials, 1.0 - confidence)
}

/// One-sided lower bound: the largest p at which `hits` or more have probability ≤ 1 − confidence.
pub fn lower_bound(hits: u64, trials: u64, confidence: f64) -> Result<f64, NoAnswer> {
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    low(hits, trials, 1.0 - confidence)
}

/// The fewest trials at which `hits` of them leave the one-sided upper bound below `limit`: how many
/// graded requests a pass would need, if no further one is hit.
///
/// The smallest n with P(Bin(n, limit) ≤ hits) < 1 − confidence; for no hits that is the first n
/// above ln(1 − confidence)/ln(1 − limit). At most 10⁹, else [`NoAnswer::Unresolved`].
pub fn trials_needed(hits: u64, limit: f64, confidence: f64) -> Result<u64, NoAnswer> {
    const MOST: u64 = 1_000_000_000;
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    strictly_a_probability(limit, "0 < limit < 1")?;
    let most_more = MOST.checked_sub(hits).ok_or(NoAnswer::Outside("at most 10⁹ hits"))?;
    let open = |more: u64| Some(binomial_cdf(hits, hits + more, limit)? >= 1.0 - confidence);
    let last_open = last_integer(most_more, open).ok_or(NoAnswer::Unresolved)?;
    if last_open == most_more { Err(NoAnswer::Unresolved) } else { Ok(hits + last_open + 1) }
}

fn low(hits: u64, trials: u64, risk: f64) -> Result<f64, NoAnswer> {
    countable(hits, trials)?;
    if hits == 0 {
        return Ok(0.0);
    }
    last_float(0.0, 1.0, |p| Some(binomial_tail(hits, trials, p)? <= risk)).ok_or(NoAnswer::Unresolved)
}

fn high(hits: u64, trials: u64, risk: f64) -> Result<f64, NoAnswer> {
    countable(hits, trials)?;
    if hits == trials {
        return Ok(1.0);
    }
    last_float(0.0, 1.0, |p| Some(binomial_cdf(hits, trials, p)? >= risk)).ok_or(NoAnswer::Unresolved)
}

fn countable(hits: u64, trials: u64) -> Result<(), NoAnswer> {
    match (hits, trials) {
        (_, 0) => Err(NoAnswer::TooFew { have: 0, need: 1 }),
        _ if hits > trials => Err(NoAnswer::Outside("hits ≤ trials")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-13
    }

    #[test]
    fn no_hit_in_ten_has_a_closed_form() {
        let interval = clopper_pearson(0, 10, 0.95).unwrap();
        assert_eq!(interval.low, 0.0);
        assert!(close(interval.high, 1.0 - libm::pow(0.025, 0.1)));
        assert!(close(upper_bound(0, 10, 0.95).unwrap(), 1.0 - libm::pow(0.05, 0.1)));
    }

    #[test]
    fn hits_and_misses_mirror_each_other() {
        let hits = clopper_pearson(3, 17, 0.95).unwrap();
        let misses = clopper_pearson(14, 17, 0.95).unwrap();
        assert!(close(hits.low, 1.0 - misses.high) && close(hits.high, 1.0 - misses.low));
        let all = clopper_pearson(17, 17, 0.95).unwrap();
        assert_eq!(all.high, 1.0);
        assert!(close(lower_bound(17, 17, 0.95).unwrap(), libm::pow(0.05, 1.0 / 17.0)));
    }

    #[test]
    fn the_interval_covers_at_least_as_often_as_it_says() {
        let n = 12;
        let intervals: Vec<_> = (0..=n).map(|k| clopper_pearson(k, n, 0.9).unwrap()).collect();
        for p in (1..100).map(|i| f64::from(i) / 100.0) {
            let mass =
                |k| binomial_cdf(k, n, p).unwrap() - if k == 0 { 0.0 } else { binomial_cdf(k - 1, n, p).unwrap() };
            let covered = |k: &u64| intervals[*k as usize].low <= p && p <= intervals[*k as usize].high;
            let coverage: f64 = (0..=n).filter(covered).map(mass).sum();
            assert!(coverage >= 0.9, "p = {p}: {coverage}");
        }
    }

    #[test]
    fn without_a_hit_the_trials_needed_have_a_closed_form() {
        for limit in [0.5, 0.1, 0.05, 0.01, 1e-3, 1e-6] {
            let by_hand = (libm::log(0.05) / libm::log1p(-limit)).floor() as u64 + 1;
            assert_eq!(trials_needed(0, limit, 0.95), Ok(by_hand), "{limit}");
        }
        assert_eq!(trials_needed(0, 0.01, 0.95), Ok(299)); // the "rule of three", 3/0.01
    }

    #[test]
    fn the_trials_needed_are_the_first_whose_bound_is_below_the_limit() {
        for hits in [0, 1, 2, 7, 40] {
            for limit in [0.013, 0.1, 0.6] {
                let n = trials_needed(hits, limit, 0.95).unwrap();
                assert!(upper_bound(hits, n, 0.95).unwrap() < limit, "{hits} {limit}");
                assert!(upper_bound(hits, n - 1, 0.95).unwrap() >= limit, "{hits} {limit}");
            }
        }
    }

    #[test]
    fn a_bound_that_only_touches_the_limit_is_not_below_it() {
        // P(Bin(2, ½) = 0) = ¼ = 1 − 0.75 exactly.
        assert_eq!(trials_needed(0, 0.5, 0.75), Ok(3));
    }

    #[test]
    fn what_no_number_of_trials_can_show_has_no_answer() {
        assert_eq!(trials_needed(0, 1e-10, 0.95), Err(NoAnswer::Unresolved));
        for limit in [0.0, 1.0, f64::NAN] {
            assert!(trials_needed(0, limit, 0.95).is_err());
        }
        assert!(trials_needed(0, 0.1, 1.0).is_err());
        assert!(trials_needed(u64::MAX, 0.1, 0.95).is_err());
    }

    #[test]
    fn impossible_counts_are_refused() {
        assert_eq!(upper_bound(0, 0, 0.95), Err(NoAnswer::TooFew { have: 0, need: 1 }));
        assert!(clopper_pearson(2, 1, 0.95).is_err());
        assert!(clopper_pearson(1, 2, 0.0).is_err());
    }
}
