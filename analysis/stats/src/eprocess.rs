//! Evidence that a mean exceeds δ, which may be read after every request without penalty.
//!
//! For x₁, x₂, … in [0, 1] and stakes λ_g ≥ 0, Eₙ = (1/G) Σ_g Π_{i≤n} (1 + λ_g (xᵢ − δ)) is the
//! wealth of a gambler who bets on large x. If each conditional mean is at most δ, E is a
//! nonnegative supermartingale from 1, so P(ever E ≥ c) ≤ 1/c (Ville). Waudby-Smith and Ramdas,
//! "Estimating means of bounded random variables by betting", JRSS-B 86 (2024), §4. The bound is
//! conditional on δ.
//!
//! **Grid.** λ_g = 0.95/δ · 2^−(G−g), g = 1 … G. At the top stake a zero costs all but 5 % of the
//! wealth; each halving suits a rarer, larger excess.
//!
//! Everything is kept as ln E: products neither overflow nor vanish.

use crate::NoAnswer;
use crate::bisect::last_integer;
use crate::sum::{Total, total};

/// Grid points used by the verdicts: stakes over a factor of 2¹⁵.
pub const GRID: usize = 16;

/// The largest stake is this share of 1/δ, the stake at which a zero would ruin.
pub const LARGEST_SHARE: f64 = 0.95;

/// The course of ln E.
#[derive(Debug, Clone, PartialEq)]
pub struct EProcess {
    /// ln E after each observation, in order.
    pub running_ln: Vec<f64>,
}

/// The stakes for δ, ascending, the last one 0.95/δ.
pub fn stakes(delta: f64, grid: usize) -> Result<Vec<f64>, NoAnswer> {
    const MOST_GRID: usize = 64;
    if !(delta > 1e-9 && delta < 1.0) {
        return Err(NoAnswer::Outside("10⁻⁹ < δ < 1"));
    }
    if grid == 0 || grid > MOST_GRID {
        return Err(NoAnswer::Outside("1 ≤ grid ≤ 64"));
    }
    let mut stakes = vec![LARGEST_SHARE / delta; grid];
    for g in (0..grid - 1).rev() {
        stakes[g] = 0.5 * stakes[g + 1];
    }
    Ok(stakes)
}

/// The process over observations in [0, 1], in the order given, on a grid of `grid` stakes.
pub fn bet(observations: &[f64], delta: f64, grid: usize) -> Result<EProcess, NoAnswer> {
    let stakes = stakes(delta, grid)?;
    if !observations.iter().all(|x| (0.0..=1.0).contains(x)) {
        return Err(NoAnswer::Outside("0 ≤ x ≤ 1"));
    }
    let mut wealth = vec![Total::default(); grid];
    let mut running_ln = Vec::with_capacity(observations.len());
    for x in observations {
        for (wealth, stake) in wealth.iter_mut().zip(&stakes) {
            wealth.add(libm::log1p(stake * (x - delta)));
        }
        let ln: Option<Vec<f64>> = wealth.iter().map(Total::value).collect();
        running_ln.push(ln.and_then(|ln| ln_mean(&ln)).ok_or(NoAnswer::Unresolved)?);
    }
    Ok(EProcess { running_ln })
}

/// The fewest observations of mean `mean` > δ after which ln E can be `threshold_ln` > 0: what a power
/// of detection is held against.
///
/// By concavity of the logarithm no course of n observations with this mean has a larger E than
/// the constant one, whose ln E is that of the mean over stakes of (1 + λ (mean − δ))ⁿ. Spread
/// costs more. At most 10⁹, else [`NoAnswer::Unresolved`].
pub fn fewest_needed(mean: f64, delta: f64, grid: usize, threshold_ln: f64) -> Result<u64, NoAnswer> {
    const MOST: u64 = 1_000_000_000;
    let stakes = stakes(delta, grid)?;
    if !(mean > delta && mean <= 1.0) {
        return Err(NoAnswer::Outside("δ < mean ≤ 1"));
    }
    if !(threshold_ln > 0.0 && threshold_ln.is_finite()) {
        return Err(NoAnswer::Outside("0 < ln threshold"));
    }
    let growth: Vec<f64> = stakes.iter().map(|stake| libm::log1p(stake * (mean - delta))).collect();
    let below = |n: u64| {
        let wealth: Vec<f64> = growth.iter().map(|ln| ln * n as f64).collect();
        Some(ln_mean(&wealth)? < threshold_ln)
    };
    let last_below = last_integer(MOST, below).ok_or(NoAnswer::Unresolved)?;
    if last_below == MOST { Err(NoAnswer::Unresolved) } else { Ok(last_below + 1) }
}

impl EProcess {
    /// ln E after the last observation; 0 (E = 1) before the first.
    pub fn final_ln(&self) -> f64 {
        self.running_ln.last().copied().unwrap_or(0.0)
    }

    /// Index from 0 of the first observation after which ln E ≥ `threshold_ln`, even if it fell
    /// again.
    pub fn first_crossing(&self, threshold_ln: f64) -> Option<usize> {
        self.running_ln.iter().position(|ln| *ln >= threshold_ln)
    }

    /// The process (E + E′)/2 over the same observations, itself an e-process: a bounded mean and a
    /// rare event of the same requests, judged as one. Refused for different lengths.
    pub fn averaged(&self, other: &Self) -> Result<Self, NoAnswer> {
        if self.running_ln.len() != other.running_ln.len() {
            return Err(NoAnswer::Outside("both processes see the same observations"));
        }
        let pairs = self.running_ln.iter().zip(&other.running_ln);
        let running_ln: Option<_> = pairs.map(|(a, b)| ln_mean(&[*a, *b])).collect();
        Ok(Self { running_ln: running_ln.ok_or(NoAnswer::Unresolved)? })
    }
}

/// ln of the mean of exp(lnᵢ), the largest taken out first. `None` for no or non-finite values.
fn ln_mean(ln: &[f64]) -> Option<f64> {
    let largest = ln.iter().copied().reduce(f64::max)?;
    let sum = total(ln.iter().map(|l| libm::exp(l - largest)))?;
    crate::sum::finite(largest + libm::log(sum / ln.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bet_by_hand() {
        // δ = ½, one stake 1.9: a one multiplies by 1.95, a zero by 0.05.
        let course = bet(&[1.0, 0.0], 0.5, 1).unwrap().running_ln;
        assert!((course[0] - libm::log(1.95)).abs() < 1e-15);
        assert!((course[1] - libm::log(1.95 * 0.05)).abs() < 1e-15);
    }

    #[test]
    fn two_stakes_are_averaged_as_wealth_not_as_logs() {
        // Stakes 0.95 and 1.9: (1.475 + 1.95)/2 after a one.
        let e = bet(&[1.0], 0.5, 2).unwrap().final_ln();
        assert!((e - libm::log(1.7125)).abs() < 1e-15);
    }

    #[test]
    fn under_a_fair_coin_the_expected_wealth_is_exactly_one() {
        let (n, delta) = (10, 0.25);
        let mut expected = 0.0;
        for flips in 0_u32..1 << n {
            let x: Vec<f64> = (0..n).map(|i| f64::from(flips >> i & 1)).collect();
            let chance: f64 = x.iter().map(|x| if *x == 1.0 { delta } else { 1.0 - delta }).product();
            expected += chance * libm::exp(bet(&x, delta, GRID).unwrap().final_ln());
        }
        assert!((expected - 1.0).abs() < 1e-12, "{expected}");
    }

    #[test]
    fn at_delta_nothing_is_won_below_it_everything_is_lost_slowly() {
        let at = bet(&[0.01; 500], 0.01, GRID).unwrap();
        assert!(at.running_ln.iter().all(|ln| *ln == 0.0));
        let below = bet(&[0.009; 500], 0.01, GRID).unwrap();
        assert!(below.running_ln[0] < 0.0);
        assert!(below.running_ln.windows(2).all(|pair| pair[1] < pair[0]));
        let above = bet(&[0.011; 500], 0.01, GRID).unwrap();
        assert!(above.running_ln.windows(2).all(|pair| pair[1] > pair[0]));
    }

    #[test]
    fn a_long_run_neither_overflows_nor_vanishes() {
        let won = bet(&[1.0; 10_000], 1e-6, GRID).unwrap().final_ln();
        assert!(won > 130_000.0 && won.is_finite(), "{won}");
        let lost = bet(&[0.0; 10_000], 0.5, GRID).unwrap().final_ln();
        assert!(lost < 0.0 && lost.is_finite(), "{lost}");
    }

    #[test]
    fn the_first_crossing_is_remembered_after_a_fall() {
        let process = bet(&[1.0, 1.0, 0.0, 0.0], 0.5, 1).unwrap();
        assert_eq!(process.first_crossing(libm::log(3.8)), Some(1));
        assert_eq!(process.first_crossing(process.running_ln[1]), Some(1));
        assert_eq!(process.first_crossing(libm::log(3.81)), None);
        assert!(process.final_ln() < 0.0);
    }

    #[test]
    fn two_processes_average_as_wealth() {
        let rich = EProcess { running_ln: vec![libm::log(9.0), 2_000.0] };
        let poor = EProcess { running_ln: vec![libm::log(1.0), 0.0] };
        let both = rich.averaged(&poor).unwrap();
        assert!((both.running_ln[0] - libm::log(5.0)).abs() < 1e-15);
        assert!((both.running_ln[1] - (2_000.0 - std::f64::consts::LN_2)).abs() < 1e-12);
        assert!(rich.averaged(&EProcess { running_ln: vec![] }).is_err());
    }

    #[test]
    fn the_fewest_needed_is_where_a_constant_course_crosses() {
        for (mean, delta) in [(0.02, 0.01), (0.011, 0.01), (1.0, 0.3), (0.5, 0.4)] {
            let n = fewest_needed(mean, delta, GRID, 6.9).unwrap() as usize;
            let course = bet(&vec![mean; n], delta, GRID).unwrap();
            assert_eq!(course.first_crossing(6.9), Some(n - 1), "{mean} {delta}");
        }
    }

    #[test]
    fn a_threshold_that_is_met_exactly_is_reached() {
        assert_eq!(fewest_needed(1.0, 0.5, 1, libm::log1p(0.95)), Ok(1)); // 1 + 1.9 · ½
    }

    #[test]
    fn spread_around_the_same_mean_only_costs() {
        let n = fewest_needed(0.5, 0.3, GRID, 6.9).unwrap() as usize;
        let coins: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
        assert_eq!(bet(&coins, 0.3, GRID).unwrap().first_crossing(6.9), None);
    }

    #[test]
    fn no_number_of_honest_observations_is_enough() {
        assert_eq!(fewest_needed(0.3, 0.3, GRID, 6.9), Err(NoAnswer::Outside("δ < mean ≤ 1")));
        assert!(fewest_needed(1.1, 0.3, GRID, 6.9).is_err());
        assert!(fewest_needed(0.4, 0.3, GRID, 0.0).is_err());
        assert!(fewest_needed(0.4, 0.3, GRID, f64::INFINITY).is_err());
        assert_eq!(fewest_needed(0.3 + 1e-15, 0.3, GRID, 6.9), Err(NoAnswer::Unresolved));
    }

    #[test]
    fn a_steady_excess_wins_at_the_rate_of_the_relative_entropy() {
        // 300 far requests of 1000 against δ = 0.1: no bettor on one stake can win more than
        // n KL(0.3 ‖ 0.1), and a grid of 16 stakes half of the next one apart costs at most ln 16
        // and what the best of them misses.
        let x: Vec<f64> = (0..1000).map(|i| f64::from(u8::from(i % 10 < 3))).collect();
        let won = bet(&x, 0.1, GRID).unwrap().final_ln();
        let entropy = 1000.0 * (0.3 * libm::log(0.3 / 0.1) + 0.7 * libm::log(0.7 / 0.9));
        assert!(won < entropy && won > 0.9 * entropy - libm::log(16.0), "{won} of {entropy}");
    }

    #[test]
    fn the_stakes_double_up_to_the_largest_share() {
        assert_eq!(stakes(0.5, 3).unwrap(), [0.475, 0.95, 1.9]);
        assert!(stakes(0.0, 3).is_err() && stakes(1.0, 3).is_err() && stakes(f64::NAN, 3).is_err());
        assert!(stakes(0.5, 0).is_err() && stakes(0.5, 65).is_err());
        assert!(stakes(1e-9, 3).is_err() && stakes(1.1e-9, 3).is_ok() && stakes(0.5, 64).is_ok());
    }

    #[test]
    fn observations_outside_the_unit_interval_are_refused() {
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(bet(&[0.5, bad], 0.5, GRID).is_err());
        }
        assert_eq!(bet(&[], 0.5, GRID).unwrap().final_ln(), 0.0);
    }
}
