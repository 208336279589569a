//! Upper bound of a mean when values of one launch resemble each other.
//!
//! The launch is the unit: requests inside one share its kernel choices and its noise, so each
//! launch counts once, as its mean, however many requests it served.

use crate::NoAnswer;
use crate::no_answer::{at_least, strictly_a_probability};
use crate::special::student_t_quantile;
use crate::sum::{mean, sample_sd};

/// A one-sided upper bound of a mean over launches, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpperBound {
    /// Launches, the n of the t distribution's n − 1 degrees of freedom.
    pub launches: usize,
    /// Mean of the launch means.
    pub mean: f64,
    /// Sample standard deviation of the launch means.
    pub sd: f64,
    /// mean + t(confidence; n − 1) · sd / √n.
    pub upper: f64,
    /// The one-sided confidence.
    pub confidence: f64,
}

/// The mean of every launch, in order. A launch without values is [`NoAnswer::TooFew`].
pub fn launch_means(launches: &[impl AsRef<[f64]>]) -> Result<Vec<f64>, NoAnswer> {
    let of = |values: &[f64]| {
        at_least(1, values.len())?;
        mean(values).ok_or(NoAnswer::NotFinite)
    };
    launches.iter().map(|values| of(values.as_ref())).collect()
}

/// One-sided upper t bound of the mean over launch means (at least two).
///
/// Unlike the paired t, no spread is an answer: launches of a batch-invariant server are identical
/// to the bit, and then the bound is their common mean.
pub fn upper_bound(launch_means: &[f64], confidence: f64) -> Result<UpperBound, NoAnswer> {
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    let launches = launch_means.len();
    at_least(2, launches)?;
    let mean = mean(launch_means).ok_or(NoAnswer::NotFinite)?;
    let sd = sample_sd(launch_means).ok_or(NoAnswer::NotFinite)?;
    let n = launches as f64;
    let t = student_t_quantile(confidence, n - 1.0).ok_or(NoAnswer::Unresolved)?;
    let upper = crate::sum::finite(mean + t * sd / n.sqrt()).ok_or(NoAnswer::NotFinite)?;
    Ok(UpperBound { launches, mean, sd, upper, confidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_launches_by_hand() {
        // Mean 2.5, sd √(5/3), t(.95; 3) = 2.35336.
        let bound = upper_bound(&[1.0, 2.0, 3.0, 4.0], 0.95).unwrap();
        assert_eq!((bound.launches, bound.mean), (4, 2.5));
        let by_hand = 2.5 + 2.353_363_434_801_823 * (5.0_f64 / 3.0).sqrt() / 2.0;
        assert!((bound.upper - by_hand).abs() < 1e-12);
    }

    #[test]
    fn a_launch_counts_once_however_many_requests_it_served() {
        let means = launch_means(&[vec![1.0; 1000], vec![3.0]]).unwrap();
        assert_eq!(means, [1.0, 3.0]);
        assert_eq!(upper_bound(&means, 0.95).unwrap().mean, 2.0);
    }

    #[test]
    fn identical_launches_are_bounded_by_their_mean() {
        assert_eq!(upper_bound(&[0.0; 5], 0.95).unwrap().upper, 0.0);
    }

    #[test]
    fn more_confidence_means_a_higher_bound() {
        let at = |confidence| upper_bound(&[1.0, 2.0, 4.0], confidence).unwrap().upper;
        assert!(at(0.99) > at(0.95) && at(0.95) > at(0.5));
    }

    #[test]
    fn one_launch_bounds_nothing() {
        assert_eq!(upper_bound(&[1.0], 0.95), Err(NoAnswer::TooFew { have: 1, need: 2 }));
        assert_eq!(upper_bound(&[1.0, f64::NAN], 0.95), Err(NoAnswer::NotFinite));
        assert!(upper_bound(&[1.0, 2.0], 1.0).is_err());
        assert!(launch_means(&[vec![1.0], vec![]]).is_err());
    }
}
