//! Adjusted p-values and e-values for a family of tests, in the order of the input.
//!
//! A hypothesis is rejected at level α where its adjusted p is at most α, or its adjusted ln E at
//! least −ln α.

use crate::NoAnswer;
use crate::no_answer::strictly_a_probability;

/// Holm (1979): controls the chance of *any* false rejection, under any dependence.
///
/// With p₍₁₎ ≤ … ≤ p₍ₘ₎, adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎).
pub fn holm(p: &[f64]) -> Result<Vec<f64>, NoAnswer> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut highest = 0.0_f64;
    for (before, &i) in order.iter().enumerate() {
        highest = highest.max((p.len() - before) as f64 * p[i]).min(1.0);
        adjusted[i] = highest;
    }
    Ok(adjusted)
}

/// Benjamini–Hochberg (1995): controls the expected share of false rejections, for independent or
/// positively dependent tests.
///
/// With p₍₁₎ ≤ … ≤ p₍ₘ₎, adjusted p₍ᵢ₎ = min over j ≥ i of min(1, m p₍ⱼ₎ / j).
pub fn benjamini_hochberg(p: &[f64]) -> Result<Vec<f64>, NoAnswer> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut lowest = 1.0_f64;
    for (before, &i) in order.iter().enumerate().rev() {
        lowest = lowest.min(p.len() as f64 * p[i] / (before + 1) as f64);
        adjusted[i] = lowest;
    }
    Ok(adjusted)
}

/// The level at which Holm's procedure holds each p, so that 1 − level is the confidence at which its
/// interval excludes "no difference" exactly where Holm rejects at `alpha`.
///
/// With p₍₁₎ ≤ … ≤ p₍ₘ₎ it is α/(m − i + 1) for p₍ᵢ₎ up to the first that is not rejected, and that
/// one's level for all after it.
pub fn holm_levels(p: &[f64], alpha: f64) -> Result<Vec<f64>, NoAnswer> {
    strictly_a_probability(alpha, "0 < alpha < 1")?;
    let order = ascending(p)?;
    let mut levels = vec![alpha; p.len()];
    let mut stopped = None;
    for (before, &i) in order.iter().enumerate() {
        levels[i] = stopped.unwrap_or(alpha / (p.len() - before) as f64);
        stopped = stopped.or((p[i] > levels[i]).then_some(levels[i]));
    }
    Ok(levels)
}

/// e-BH on ln E (Wang and Ramdas, "False discovery rate control with e-values", JRSS-B 84, 2022):
/// controls the expected share of false rejections under any dependence.
///
/// With E₍₁₎ ≥ … ≥ E₍ₘ₎, adjusted ln E₍ᵢ₎ = max over j ≥ i of ln E₍ⱼ₎ + ln j − ln m. A hypothesis is
/// rejected at level α where its adjusted ln E is at least −ln α. Never larger than ln E itself.
pub fn e_benjamini_hochberg(ln_e: &[f64]) -> Result<Vec<f64>, NoAnswer> {
    if !ln_e.iter().all(|ln| ln.is_finite()) {
        return Err(NoAnswer::NotFinite);
    }
    let mut order: Vec<usize> = (0..ln_e.len()).collect();
    order.sort_by(|&i, &j| ln_e[j].total_cmp(&ln_e[i]));
    let ln_m = libm::log(ln_e.len().max(1) as f64);
    let mut adjusted = vec![0.0; ln_e.len()];
    let mut highest = f64::MIN;
    for (before, &i) in order.iter().enumerate().rev() {
        highest = highest.max(ln_e[i] + (libm::log((before + 1) as f64) - ln_m));
        adjusted[i] = highest;
    }
    Ok(adjusted)
}

/// Indices by ascending p, equal ones in input order.
fn ascending(p: &[f64]) -> Result<Vec<usize>, NoAnswer> {
    if !p.iter().all(|p| (0.0..=1.0).contains(p)) {
        return Err(NoAnswer::Outside("0 ≤ p ≤ 1"));
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15)
    }

    #[test]
    fn four_tests_by_hand() {
        let p = [0.01, 0.04, 0.03, 0.005];
        // Sorted .005 .01 .03 .04: times 4 3 2 1 = .02 .03 .06 .04, the last raised to .06.
        assert!(same(&holm(&p).unwrap(), &[0.03, 0.06, 0.06, 0.02]));
        // Times 4/1 4/2 4/3 4/4 = .02 .02 .04 .04.
        assert!(same(&benjamini_hochberg(&p).unwrap(), &[0.02, 0.04, 0.04, 0.02]));
    }

    #[test]
    fn one_test_is_its_own_family() {
        assert_eq!(holm(&[0.03]).unwrap(), [0.03]);
        assert_eq!(benjamini_hochberg(&[0.03]).unwrap(), [0.03]);
        assert!(holm(&[]).unwrap().is_empty());
        assert!(benjamini_hochberg(&[]).unwrap().is_empty());
    }

    #[test]
    fn an_adjusted_p_is_never_smaller_than_the_raw_one_nor_above_one() {
        let p = [0.9, 0.2, 0.2, 1.0, 0.0, 0.6];
        for adjusted in [holm(&p).unwrap(), benjamini_hochberg(&p).unwrap()] {
            assert!(adjusted.iter().zip(&p).all(|(a, p)| a >= p && *a <= 1.0));
        }
    }

    #[test]
    fn four_bets_by_hand() {
        // Sorted 100 30 8 2, times 1/4 2/4 3/4 4/4 = 25 15 6 2: at α = 1/20 the first alone.
        let adjusted = e_benjamini_hochberg(&[30.0, 2.0, 100.0, 8.0].map(libm::log)).unwrap();
        assert!(adjusted.iter().zip([15.0, 2.0, 25.0, 6.0]).all(|(a, e)| (libm::exp(*a) - e).abs() < 1e-12));
        // Sorted 100 90 8 2, times the same = 25 45 6 2: the second lifts the first.
        let adjusted = e_benjamini_hochberg(&[90.0, 2.0, 100.0, 8.0].map(libm::log)).unwrap();
        assert!(adjusted.iter().zip([45.0, 2.0, 45.0, 6.0]).all(|(a, e)| (libm::exp(*a) - e).abs() < 1e-12));
    }

    #[test]
    fn one_bet_is_its_own_family_and_large_families_cost_evidence() {
        assert_eq!(e_benjamini_hochberg(&[3.5]).unwrap(), [3.5]);
        assert!(e_benjamini_hochberg(&[]).unwrap().is_empty());
        let ten = e_benjamini_hochberg(&[20.0, -1.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
        assert!((ten[0] - (20.0 - libm::log(10.0))).abs() < 1e-14);
        // Beyond what an exponential can hold.
        assert!(e_benjamini_hochberg(&[130_000.0, -130_000.0]).unwrap().iter().all(|ln| ln.is_finite()));
        assert_eq!(e_benjamini_hochberg(&[0.0, f64::INFINITY]), Err(NoAnswer::NotFinite));
    }

    #[test]
    fn the_levels_of_holm_by_hand() {
        // Sorted .005 .01 .03 .04 against .05/4 .05/3 .05/2 .05/1: the third fails, the fourth with it.
        let levels = holm_levels(&[0.01, 0.04, 0.03, 0.005], 0.05).unwrap();
        assert!(same(&levels, &[0.05 / 3.0, 0.025, 0.025, 0.0125]));
        assert!(holm_levels(&[0.5], 0.0).is_err() && holm_levels(&[1.5], 0.05).is_err());
    }

    #[test]
    fn a_p_that_equals_its_level_is_rejected_and_the_next_has_a_level_of_its_own() {
        // Against .05/2 and .05/1.
        assert_eq!(holm_levels(&[0.025, 0.04], 0.05).unwrap(), [0.025, 0.05]);
        assert_eq!(holm(&[0.025, 0.04]).unwrap(), [0.05, 0.05]);
    }

    #[test]
    fn p_is_within_its_level_exactly_where_holm_rejects() {
        for seed in 0..200_u32 {
            let p: Vec<f64> = (0..7).map(|i| f64::from((seed * 31 + i * 57) % 101) / 1500.0).collect();
            let (adjusted, levels) = (holm(&p).unwrap(), holm_levels(&p, 0.05).unwrap());
            for i in 0..p.len() {
                assert_eq!(adjusted[i] <= 0.05, p[i] <= levels[i], "{p:?}");
            }
        }
    }

    #[test]
    fn what_is_not_a_probability_is_refused() {
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(holm(&[0.5, bad]).is_err());
            assert!(benjamini_hochberg(&[0.5, bad]).is_err());
        }
    }
}
