//! Adjusted p-values for a family of tests, in the order of the input.
//!
//! A hypothesis is rejected at level α where its adjusted p is at most α.

use crate::NoAnswer;

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
    fn what_is_not_a_probability_is_refused() {
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(holm(&[0.5, bad]).is_err());
            assert!(benjamini_hochberg(&[0.5, bad]).is_err());
        }
    }
}
