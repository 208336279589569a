//! The tolerance of an equivalence test, from launches that are known to be honest.
//!
//! Everything rests on margins: m = logp(best) − logp(emitted) under a trusted reference, in
//! nats, at least 0 (Token-DiFR, arXiv 2511.20621). One request is a list of margins, one
//! launch a list of requests, one configuration a list of launches. A kernel choice persists
//! over launches, so that the **configuration** is the unit, however often it was launched.

use crate::NoAnswer;
use crate::clustered::launch_means;
use crate::no_answer::at_least;
use crate::quantile::Level;
use crate::sum::mean;
use crate::tolerance::{CONFIDENCE, COVERAGE, Count, RateBound, ToleranceBound, upper_of_counts, upper_of_logs};

/// A margin above this many caps is *far*.
pub const FAR_CAPS: f64 = 4.0;
/// The share of honest margins that the cap leaves as they are, in parts of ten thousand.
pub const CAPPED_ABOVE: u16 = 9_999;
/// No cap is below this, in nats: servers print logprobs with so many digits.
pub const LEAST_CAP: f64 = 0.01;
/// Fewer distinct honest configurations calibrate nothing.
pub const MIN_CONFIGURATIONS: usize = 5;
/// What [`calibrate`] asks of both tolerances.
pub const BELOW_1: &str = "tolerances below 1";

/// Margins of one configuration: launches of requests of tokens.
pub type Configuration = Vec<Vec<Vec<f64>>>;

/// What honest configurations come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// c, in nats: the nearest-rank 99.99 % quantile of all margins, at least [`LEAST_CAP`].
    pub cap: f64,
    /// Margins that it comes from.
    pub tokens: u64,
    /// Each configuration's mean of launch means of x, in the order given.
    pub means: Vec<f64>,
    /// δ: the tolerance bound of these means.
    pub mean: ToleranceBound,
    /// δ_h: the tolerance bound of the share of far requests.
    pub far: RateBound,
}

/// x of one request: the mean of its capped margins as shares of the cap, in [0, 1]; none
/// without a margin.
pub fn capped_mean(margins: &[f64], cap: f64) -> Option<f64> {
    let capped: Vec<f64> = margins.iter().map(|m| m.min(cap) / cap).collect();
    mean(&capped).map(|x| x.min(1.0))
}

/// Whether any margin of a request is above [`FAR_CAPS`] caps.
pub fn is_far(margins: &[f64], cap: f64) -> bool {
    margins.iter().any(|m| *m > FAR_CAPS * cap)
}

/// c, δ and δ_h from distinct honest configurations, at least [`MIN_CONFIGURATIONS`] of them.
///
/// δ and δ_h cover the share [`COVERAGE`] of honest configurations with confidence
/// [`CONFIDENCE`]. Both have to be below 1, or the calibration says nothing.
pub fn calibrate(configurations: &[Configuration]) -> Result<Calibrated, NoAnswer> {
    at_least(MIN_CONFIGURATIONS, configurations.len())?;
    let (cap, tokens) = cap(configurations)?;
    let means = configurations.iter().map(|c| configuration_mean(c, cap)).collect::<Result<Vec<f64>, _>>()?;
    let far: Vec<Count> = configurations.iter().map(|c| far_count(c, cap)).collect();
    let mean = upper_of_logs(&means, COVERAGE, CONFIDENCE)?;
    let far = upper_of_counts(&far, COVERAGE, CONFIDENCE)?;
    if mean.bound >= 1.0 || far.bound >= 1.0 {
        return Err(NoAnswer::Outside(BELOW_1));
    }
    Ok(Calibrated { cap, tokens, means, mean, far })
}

/// The mean over launches of their mean x.
pub fn configuration_mean(configuration: &Configuration, cap: f64) -> Result<f64, NoAnswer> {
    let x: Vec<Vec<f64>> = configuration
        .iter()
        .map(|launch| launch.iter().filter_map(|request| capped_mean(request, cap)).collect())
        .collect();
    mean(&launch_means(&x)?).ok_or(NoAnswer::TooFew { have: 0, need: 1 })
}

/// Far requests of all launches, and requests.
pub fn far_count(configuration: &Configuration, cap: f64) -> Count {
    let requests = || configuration.iter().flatten();
    Count { hits: requests().filter(|r| is_far(r, cap)).count() as u64, trials: requests().count() as u64 }
}

fn cap(configurations: &[Configuration]) -> Result<(f64, u64), NoAnswer> {
    let mut margins: Vec<f64> = configurations.iter().flatten().flatten().flatten().copied().collect();
    if !margins.iter().all(|m| m.is_finite() && *m >= 0.0) {
        return Err(NoAnswer::Outside("0 ≤ margin"));
    }
    margins.sort_by(f64::total_cmp);
    let tokens = margins.len() as u64;
    let level = Level::per_ten_thousand(CAPPED_ABOVE).ok_or(NoAnswer::Unresolved)?;
    let rank = level.rank(tokens) as usize;
    let at_rank = rank.checked_sub(1).and_then(|i| margins.get(i)).ok_or(NoAnswer::TooFew { have: 0, need: 1 })?;
    Ok((at_rank.max(LEAST_CAP), tokens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equivalence::{Limits, Seen, evidence};

    /// Two launches of ten requests of ten tokens, each of one margin.
    fn steady(margin: f64) -> Configuration {
        vec![vec![vec![margin; 10]; 10]; 2]
    }

    #[test]
    fn the_cap_is_the_largest_of_ten_thousand_margins_or_fewer() {
        let mut configurations = vec![steady(0.1); 5];
        configurations[3][1][4][7] = 0.4;
        let calibrated = calibrate(&configurations).unwrap();
        assert_eq!((calibrated.cap, calibrated.tokens), (0.4, 1_000));
    }

    #[test]
    fn of_twenty_thousand_margins_two_are_above_the_cap() {
        let mut configurations = vec![vec![vec![vec![0.1; 100]; 20]; 2]; 5];
        for (request, margin) in [0.7, 0.6, 0.5].into_iter().enumerate() {
            configurations[0][0][request][0] = margin;
        }
        let calibrated = calibrate(&configurations).unwrap();
        assert_eq!((calibrated.cap, calibrated.tokens), (0.5, 20_000));
    }

    #[test]
    fn exact_outputs_have_the_least_cap_and_no_scale_for_a_tolerance() {
        assert_eq!(cap(&[steady(0.0)]).unwrap().0, LEAST_CAP);
        assert!(calibrate(&vec![steady(0.0); 5]).is_err());
    }

    #[test]
    fn each_configuration_counts_once_however_often_it_was_launched() {
        // A margin of 1 among a hundred of each request is the cap.
        let mostly = |margin: f64| -> Configuration {
            let request: Vec<f64> = std::iter::repeat_n(margin, 99).chain([1.0]).collect();
            vec![vec![request; 4]; 2]
        };
        let few = [0.010, 0.011, 0.012, 0.010, 0.011].map(mostly);
        let mut many = few.clone();
        for _ in 0..30 {
            let again = many[1][0].clone();
            many[1].push(again);
        }
        let (few, many) = (calibrate(&few).unwrap(), calibrate(&many).unwrap());
        assert_eq!((few.cap, many.cap), (1.0, 1.0));
        assert!((few.means[2] - (0.99 * 0.012 + 0.01)).abs() < 1e-15);
        assert_eq!((few.means, few.mean), (many.means, many.mean));
    }

    #[test]
    fn a_launch_counts_once_however_many_requests_it_served() {
        let uneven: Configuration = vec![vec![vec![0.2]; 9], vec![vec![0.4]]];
        assert!((configuration_mean(&uneven, 0.4).unwrap() - 0.75).abs() < 1e-15);
    }

    #[test]
    fn x_is_the_mean_capped_margin_and_far_is_above_four_caps() {
        assert_eq!(capped_mean(&[0.0, 0.25, 0.5, 9.0], 0.5), Some(0.625));
        assert_eq!(capped_mean(&[], 0.5), None);
        assert!(!is_far(&[2.0], 0.5) && is_far(&[2.1], 0.5));
    }

    #[test]
    fn far_requests_are_counted_not_far_tokens() {
        let count = far_count(&vec![vec![vec![9.0, 9.0], vec![0.0]], vec![vec![0.1]]], 0.5);
        assert_eq!(count, Count { hits: 1, trials: 3 });
    }

    #[test]
    fn a_candidate_that_is_an_exact_tie_with_configurations_without_spread_is_never_suspect() {
        let request: Vec<f64> = std::iter::repeat_n(0.011, 99).chain([1.0]).collect();
        let calibrated = calibrate(&vec![vec![vec![request.clone(); 20]; 2]; 5]).unwrap();
        assert_eq!(calibrated.mean.bound, calibrated.means[0], "no spread: δ is what all of them have");
        let limits = Limits { mean: calibrated.mean.bound, far: calibrated.far.bound };
        let seen = vec![Seen::of(&request, calibrated.cap).unwrap(); 2_000];
        assert!(evidence(&seen, limits).unwrap().running_ln.iter().all(|ln| *ln < 1e-9));
    }

    #[test]
    fn four_configurations_calibrate_nothing_and_neither_do_wild_ones() {
        let means = [0.1, 0.11, 0.12, 0.13];
        assert_eq!(calibrate(&means.map(steady)), Err(NoAnswer::TooFew { have: 4, need: 5 }));
        let wild = [0.0001, 0.4, 0.001, 0.3, 0.5].map(steady);
        assert!(matches!(calibrate(&wild), Err(NoAnswer::Outside(_))));
        let nothing: Configuration = vec![vec![]];
        assert!(calibrate(&vec![nothing; 5]).is_err());
        for bad in [f64::NAN, f64::INFINITY, -0.1] {
            let refused = Err(NoAnswer::Outside("0 ≤ margin"));
            assert_eq!(calibrate(&[0.1, bad, 0.1, 0.2, 0.1].map(steady)), refused, "{bad}");
        }
    }
}
