//! Percentiles of integer nanoseconds, when they may be printed, and their intervals.
//!
//! **Definition.** Nearest rank (inverted ECDF, Hyndman and Fan's type 1): the p-quantile of n
//! sorted values is the ⌈n p⌉-th. It is always a value that was observed, and needs no floating
//! point. Percentiles are never averaged.
//!
//! **Two minimal sizes.** An upper limit exists from the n at which even the largest value exceeds
//! the quantile often enough ([`needed_for_upper_limit`]: 36, 72, 368 for p90, p95, p99). A
//! percentile is *printed* only from MLPerf LoadGen's early-stopping minimum on
//! ([`needed_to_print`]: 64, 130, 662), where the second largest does.

use crate::NoAnswer;
use crate::bisect::last_integer;
use crate::no_answer::strictly_a_probability;
use crate::special::{binomial_cdf, binomial_tail};

/// A quantile level in parts per ten thousand, so that ranks are computed in integers:
/// 100 · 0.07 is 7.000000000000001 in binary, and its ceiling would be the wrong rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u16);

impl Level {
    const WHOLE: u16 = 10_000;
    /// The median.
    pub const P50: Self = Self(5_000);
    /// The 90th percentile.
    pub const P90: Self = Self(9_000);
    /// The 95th percentile.
    pub const P95: Self = Self(9_500);
    /// The 99th percentile.
    pub const P99: Self = Self(9_900);
    /// The 99.9th percentile.
    pub const P99_9: Self = Self(9_990);

    /// `parts` of ten thousand, 1 to 9999.
    pub fn per_ten_thousand(parts: u16) -> Option<Self> {
        (parts > 0 && parts < Self::WHOLE).then_some(Self(parts))
    }

    /// The level as a fraction.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::WHOLE)
    }

    /// ⌈n p⌉, the rank from 1 of this quantile among n sorted values.
    pub fn rank(self, n: u64) -> u64 {
        // At most n, so the narrowing is exact.
        (u128::from(n) * u128::from(self.0)).div_ceil(u128::from(Self::WHOLE)) as u64
    }
}

/// The smallest n from which a percentile is printed: 662 for p99, 130 for p95, 64 for p90, 11 for
/// p50.
///
/// The rule of MLPerf LoadGen's early stopping (`early_stopping.cc`; t = 1, tolerance 0, confidence
/// 0.99): the smallest n with P(Bin(n, 1 − p) ≤ 1) ≤ 0.01, so that the second largest value exceeds
/// the quantile with 99 % confidence. Below the median we use the mirrored level: the rarer side
/// counts.
pub fn needed_to_print(level: Level) -> u64 {
    const RISK: f64 = 0.01;
    let common = f64::max(level.fraction(), 1.0 - level.fraction());
    let mut n = 1_u64;
    let mut all_but_one_common = 1.0; // common^(n − 1)
    while all_but_one_common * (common + n as f64 * (1.0 - common)) > RISK {
        n += 1;
        all_but_one_common *= common;
    }
    n
}

/// The smallest n at which a one-sided upper order-statistic limit exists: pⁿ ≤ 1 − confidence.
/// At 97.5 %: 368 for p99, 72 for p95, 36 for p90.
pub fn needed_for_upper_limit(level: Level, confidence: f64) -> Result<u64, NoAnswer> {
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    let mut n = 0;
    let mut all_below = 1.0;
    while all_below > 1.0 - confidence {
        n += 1;
        all_below *= level.fraction();
    }
    Ok(n)
}

/// Ranks (from 1) of the order statistics that bound a quantile of n values; `None` where n is too
/// small for that side. Each side errs with at most (1 − confidence)/2; ties only make it safer.
///
/// With B ~ Bin(n, p) values below the quantile: the lower rank is the largest l with P(B ≤ l − 1)
/// ≤ risk, the upper the smallest u with P(B ≥ u) ≤ risk. This is the inversion of Clopper and
/// Pearson's tests; David and Nagaraja, *Order Statistics*, §7.1.
pub fn limit_ranks(n: u64, level: Level, confidence: f64) -> Result<(Option<u64>, Option<u64>), NoAnswer> {
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    let (p, risk) = (level.fraction(), 0.5 * (1.0 - confidence));
    let lower = last_integer(n, |l| Some(binomial_cdf(l - 1, n, p)? <= risk)).ok_or(NoAnswer::Unresolved)?;
    // Counted from the top, so that the condition again holds first and fails later.
    let from_top = last_integer(n, |j| Some(binomial_tail(n + 1 - j, n, p)? <= risk)).ok_or(NoAnswer::Unresolved)?;
    let exists = |count: u64, rank: u64| (count > 0).then_some(rank);
    Ok((exists(lower, lower), exists(from_top, n + 1 - from_top)))
}

/// Durations in nanoseconds, sorted, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample(Vec<u64>);

/// A quantile with its order-statistic interval; all three are observed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantileInterval {
    /// Lower limit, where the sample is large enough to have one.
    pub low_ns: Option<u64>,
    /// The quantile itself.
    pub estimate_ns: u64,
    /// Upper limit, where the sample is large enough to have one.
    pub high_ns: Option<u64>,
}

/// A step of the empirical distribution: `at_most` of the n values are ≤ `value_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// An observed value.
    pub value_ns: u64,
    /// How many values are at most this one.
    pub at_most: u64,
}

impl Sample {
    /// Sorts the values. `None` if there are none.
    pub fn new(mut values_ns: Vec<u64>) -> Option<Self> {
        values_ns.sort_unstable();
        (!values_ns.is_empty()).then_some(Self(values_ns))
    }

    /// The values, ascending.
    pub fn sorted_ns(&self) -> &[u64] {
        &self.0
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The quantile by nearest rank, however small the sample: for plots and for further
    /// arithmetic.
    pub fn quantile_ns(&self, level: Level) -> u64 {
        self.at(level.rank(self.count()))
    }

    /// The quantile for print: refused below [`needed_to_print`].
    pub fn percentile_ns(&self, level: Level) -> Result<u64, NoAnswer> {
        let (have, need) = (self.count(), needed_to_print(level));
        if have < need { Err(NoAnswer::TooFew { have, need }) } else { Ok(self.quantile_ns(level)) }
    }

    /// The quantile between its limits ([`limit_ranks`]), for one arm of one launch: requests of
    /// several launches are not independent, and their pooled interval is too narrow.
    pub fn interval(&self, level: Level, confidence: f64) -> Result<QuantileInterval, NoAnswer> {
        let (low, high) = limit_ranks(self.count(), level, confidence)?;
        Ok(QuantileInterval {
            low_ns: low.map(|rank| self.at(rank)),
            estimate_ns: self.quantile_ns(level),
            high_ns: high.map(|rank| self.at(rank)),
        })
    }

    /// At most `parts` steps whose staircase lies nowhere above the empirical distribution and
    /// less than 1/`parts` below it: the k/`parts`-quantiles, each at the height that the
    /// distribution has there. `None` for 0 parts.
    pub fn ecdf(&self, parts: u64) -> Option<Vec<Step>> {
        if parts == 0 {
            return None;
        }
        let rank = |k| (u128::from(self.count()) * u128::from(k)).div_ceil(u128::from(parts)) as u64;
        let mut steps: Vec<Step> = (1..=parts).map(|k| self.step(self.at(rank(k)))).collect();
        steps.dedup();
        Some(steps)
    }

    fn step(&self, value_ns: u64) -> Step {
        Step { value_ns, at_most: self.0.partition_point(|v| *v <= value_ns) as u64 }
    }

    /// The value of a rank from 1.
    fn at(&self, rank: u64) -> u64 {
        self.0[rank as usize - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_to(n: u64) -> Sample {
        Sample::new((1..=n).rev().collect()).unwrap()
    }

    #[test]
    fn a_quantile_is_the_smallest_value_with_enough_at_or_below_it() {
        let ten = one_to(10);
        assert_eq!(ten.quantile_ns(Level::P50), 5);
        assert_eq!(ten.quantile_ns(Level::P90), 9);
        assert_eq!(ten.quantile_ns(Level::P95), 10);
        assert_eq!(one_to(11).quantile_ns(Level::P50), 6);
        assert_eq!(one_to(1).quantile_ns(Level::P99_9), 1);
        let seven_percent = Level::per_ten_thousand(700).unwrap();
        assert_eq!(one_to(100).quantile_ns(seven_percent), 7);
    }

    #[test]
    fn ranks_do_not_overflow() {
        assert_eq!(Level::P50.rank(u64::MAX), u64::MAX / 2 + 1);
    }

    #[test]
    fn the_printing_minimum_is_that_of_loadgen() {
        assert_eq!(needed_to_print(Level::P99), 662);
        assert_eq!(needed_to_print(Level::P95), 130);
        assert_eq!(needed_to_print(Level::P90), 64);
        assert_eq!(needed_to_print(Level::P50), 11);
        assert_eq!(needed_to_print(Level::per_ten_thousand(1_000).unwrap()), 64);
    }

    #[test]
    fn the_printing_minimum_is_the_first_size_within_one_percent_risk() {
        for level in [Level::P50, Level::P90, Level::P95, Level::P99, Level::P99_9] {
            let n = needed_to_print(level);
            let risk = |n| binomial_cdf(1, n, 1.0 - level.fraction()).unwrap();
            assert!(risk(n) <= 0.01 && risk(n - 1) > 0.01, "{level:?}");
        }
    }

    #[test]
    fn an_upper_limit_exists_from_the_sizes_of_the_rule_book_on() {
        for (level, need) in [(Level::P99, 368), (Level::P95, 72), (Level::P90, 36), (Level::P50, 6)] {
            assert_eq!(needed_for_upper_limit(level, 0.975), Ok(need));
            let upper = |n| limit_ranks(n, level, 0.95).unwrap().1;
            assert_eq!((upper(need - 1), upper(need)), (None, Some(need)));
        }
    }

    #[test]
    fn a_risk_met_exactly_suffices() {
        assert_eq!(needed_for_upper_limit(Level::P50, 0.75), Ok(2)); // (1/2)^2 = 1 - 0.75
    }

    #[test]
    fn a_percentile_of_too_few_is_refused_in_the_words_of_the_report() {
        let refusal = one_to(661).percentile_ns(Level::P99).unwrap_err();
        assert_eq!(refusal, NoAnswer::TooFew { have: 661, need: 662 });
        assert_eq!(refusal.to_string(), "n/a (n < 662)");
        assert_eq!(one_to(662).percentile_ns(Level::P99), Ok(656));
    }

    #[test]
    fn the_median_of_ten_lies_between_the_second_and_the_ninth() {
        // P(Bin(10, ½) ≤ 1) = 11/1024 ≤ .025 < 56/1024 = P(Bin(10, ½) ≤ 2).
        assert_eq!(limit_ranks(10, Level::P50, 0.95), Ok((Some(2), Some(9))));
        let interval = one_to(10).interval(Level::P50, 0.95).unwrap();
        assert_eq!((interval.low_ns, interval.estimate_ns, interval.high_ns), (Some(2), 5, Some(9)));
    }

    #[test]
    fn too_small_a_sample_has_no_limits() {
        assert_eq!(limit_ranks(5, Level::P50, 0.95), Ok((None, None)));
        assert_eq!(limit_ranks(0, Level::P50, 0.95), Ok((None, None)));
        assert!(limit_ranks(5, Level::P50, 1.0).is_err());
    }

    #[test]
    fn ties_make_one_step() {
        let steps = Sample::new(vec![5, 5, 5, 9]).unwrap().ecdf(10).unwrap();
        assert_eq!(steps, [Step { value_ns: 5, at_most: 3 }, Step { value_ns: 9, at_most: 4 }]);
    }

    /// Shares of `sample` and of a staircase at or below `x`, as integers over n.
    fn at_or_below(sample: &Sample, steps: &[Step], x: u64) -> (u64, u64) {
        let counted = sample.sorted_ns().iter().filter(|v| **v <= x).count() as u64;
        (counted, steps.iter().filter(|s| s.value_ns <= x).map(|s| s.at_most).max().unwrap_or(0))
    }

    #[test]
    fn a_staircase_of_k_parts_is_nowhere_a_kth_away_from_the_distribution() {
        let mut state = 1_u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for n in (1..90).chain([129, 640, 1_000]) {
            // Few different values, and many.
            let spread = if n % 2 == 0 { 9 } else { 1 << 20 };
            let sample = Sample::new((0..n).map(|_| random(spread)).collect()).unwrap();
            for parts in [1, 2, 7, 64] {
                let steps = sample.ecdf(parts).unwrap();
                assert!(steps.len() as u64 <= parts && steps.last().unwrap().at_most == n);
                // Both are constant between the sample's values.
                for x in sample.sorted_ns().iter().flat_map(|v| [v.saturating_sub(1), *v]) {
                    let (truth, drawn) = at_or_below(&sample, &steps, x);
                    assert!(drawn <= truth && (truth - drawn) * parts < n, "{n} values, {parts} parts, at {x}");
                }
            }
        }
        assert_eq!(one_to(3).ecdf(0), None);
    }

    #[test]
    fn the_quarters_of_ten_are_their_quantiles() {
        let steps = one_to(10).ecdf(4).unwrap();
        assert_eq!(steps, [3, 5, 8, 10].map(|n| Step { value_ns: n, at_most: n }));
    }

    #[test]
    fn there_is_no_quantile_of_nothing_nor_at_the_ends() {
        assert_eq!(Sample::new(vec![]), None);
        assert_eq!(Level::per_ten_thousand(0), None);
        assert_eq!(Level::per_ten_thousand(10_000), None);
    }
}
