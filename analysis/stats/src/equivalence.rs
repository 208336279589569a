//! The test of one server's outputs: evidence that it exceeds its tolerance, and bounds that show it
//! does not. Both see a request as two numbers, from its margins under a trusted reference.

use crate::NoAnswer;
use crate::calibration::{capped_mean, is_far};
use crate::clustered::{launch_means, upper_bound};
use crate::eprocess::{EProcess, GRID, bet};
use crate::no_answer::at_least;
use crate::proportion;
use crate::sum::mean;

/// What an honest server stays below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// δ, of the mean of x.
    pub mean: f64,
    /// δ_h, of the share of far requests.
    pub far: f64,
}

/// What the test sees of one graded request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The mean of its capped margins as shares of the cap, in [0, 1].
    pub x: f64,
    /// Whether any margin is far above the cap.
    pub far: bool,
}

impl Seen {
    /// From margins in nats under a cap; none without a margin.
    pub fn of(margins: &[f64], cap: f64) -> Option<Self> {
        Some(Seen { x: capped_mean(margins, cap)?, far: is_far(margins, cap) })
    }
}

/// ½ (E of x against δ + E of far against δ_h), begun at 1, over the requests of one stage in the
/// plan's order.
pub fn evidence(seen: &[Seen], limits: Limits) -> Result<EProcess, NoAnswer> {
    let x: Vec<f64> = seen.iter().map(|s| s.x).collect();
    let far: Vec<f64> = seen.iter().map(|s| f64::from(u8::from(s.far))).collect();
    bet(&x, limits.mean, GRID)?.averaged(&bet(&far, limits.far, GRID)?)
}

/// Upper bounds of a server's mean and of its share of far requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Requests.
    pub requests: u64,
    /// The mean of the launch means of x.
    pub mean_x: f64,
    /// Its t bound over launches; none with fewer than two.
    pub upper_x: Option<f64>,
    /// Far requests.
    pub far_requests: u64,
    /// The Clopper–Pearson bound of their share.
    pub upper_far: f64,
}

/// The bounds from the launches of all stages, each one-sided at `confidence`.
pub fn bounds(launches: &[Vec<Seen>], confidence: f64) -> Result<Bounds, NoAnswer> {
    at_least(1, launches.len())?;
    let x: Vec<Vec<f64>> = launches.iter().map(|launch| launch.iter().map(|s| s.x).collect()).collect();
    let means = launch_means(&x)?;
    let requests = launches.iter().map(|launch| launch.len() as u64).sum();
    let far_requests = launches.iter().flatten().filter(|s| s.far).count() as u64;
    Ok(Bounds {
        requests,
        mean_x: mean(&means).ok_or(NoAnswer::NotFinite)?,
        upper_x: upper_bound(&means, confidence).ok().map(|bound| bound.upper),
        far_requests,
        upper_far: proportion::upper_bound(far_requests, requests, confidence)?,
    })
}

impl Bounds {
    /// Whether both lie below their limits.
    pub fn pass(&self, limits: Limits) -> bool {
        self.upper_x.is_some_and(|upper| upper < limits.mean) && self.upper_far < limits.far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { mean: 0.25, far: 0.5 };

    fn near(x: f64) -> Seen {
        Seen { x, far: false }
    }

    #[test]
    fn a_request_is_seen_as_its_capped_mean_and_whether_it_is_far() {
        assert_eq!(Seen::of(&[0.0, 0.5, 9.0, 0.5], 1.0), Some(Seen { x: 0.5, far: true }));
        assert_eq!(Seen::of(&[1.0, 4.0], 1.0), Some(near(1.0)));
        assert_eq!(Seen::of(&[], 1.0), None);
    }

    #[test]
    fn evidence_is_the_mean_of_both_wealths() {
        // At δ and at δ_h nothing is won; a far request of x = δ doubles on stakes up to 0.95/δ_h.
        let far = evidence(&[Seen { x: 0.25, far: true }], LIMITS).unwrap();
        let alone = bet(&[1.0], 0.5, GRID).unwrap().final_ln();
        assert!((far.final_ln() - libm::log(0.5 * (1.0 + libm::exp(alone)))).abs() < 1e-15);
        let large = evidence(&[near(0.5)], LIMITS).unwrap().final_ln();
        let (x, none) = (bet(&[0.5], 0.25, GRID).unwrap().final_ln(), bet(&[0.0], 0.5, GRID).unwrap().final_ln());
        assert!((large - libm::log(0.5 * (libm::exp(x) + libm::exp(none)))).abs() < 1e-15);
    }

    #[test]
    fn the_bounds_of_two_launches_by_hand() {
        // Launch means 0.1 and 0.3; t(.95; 1) = 6.3138; one far of three.
        let launches = [vec![near(0.0), Seen { x: 0.2, far: true }], vec![near(0.3)]];
        let bounds = bounds(&launches, 0.95).unwrap();
        assert_eq!((bounds.requests, bounds.far_requests), (3, 1));
        assert!((bounds.mean_x - 0.2).abs() < 1e-15);
        assert!((bounds.upper_x.unwrap() - (0.2 + 6.313_751_514_675_04 * 0.1)).abs() < 1e-12);
        assert_eq!(bounds.upper_far, proportion::upper_bound(1, 3, 0.95).unwrap());
    }

    #[test]
    fn a_pass_needs_two_launches_and_both_bounds_below_their_limits() {
        let of = |x: f64, launches: usize, each: usize| bounds(&vec![vec![near(x); each]; launches], 0.95).unwrap();
        assert!(of(0.1, 2, 3).pass(LIMITS));
        assert!(!of(0.1, 1, 6).pass(LIMITS), "one launch");
        assert!(!of(0.25, 2, 3).pass(LIMITS), "the mean is not below δ but at it");
        assert!(!of(0.1, 2, 2).pass(LIMITS), "0 of 4 may still be more than half: 1 − 0.05^¼");
        let at = Limits { far: of(0.1, 2, 3).upper_far, ..LIMITS };
        assert!(!of(0.1, 2, 3).pass(at), "the share's bound is not below δ_h but at it");
    }

    #[test]
    fn nothing_graded_has_no_bounds() {
        assert!(bounds(&[], 0.95).is_err());
        assert!(bounds(&[vec![near(0.1)], vec![]], 0.95).is_err());
        assert!(bounds(&[vec![near(f64::NAN)]], 0.95).is_err());
    }
}
