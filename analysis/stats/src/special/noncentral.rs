//! The noncentral t distribution: a t statistic whose mean is not zero, hence power.

use super::gamma::poisson_mass;
use super::student::shares;
use super::{both_tails, normal_cdf};
use crate::sum::total;

/// P(T ≤ t) where T = (Z + δ) / √(χ²_df / df).
///
/// Lenth, "Algorithm AS 243" (1989): for t ≥ 0, with λ = δ²/2 and y = t²/(t² + df), Φ(−δ) + ½ Σ
/// ±pois(k; λ) I_y(k + ½, df/2) over k = 0, ½, 1, 1½, …, where the halves carry the sign of δ.
/// Summed over the part of the Poisson weights that can matter, not from k = 0, so a large δ does
/// not underflow. Absolute accuracy 10⁻¹². `None` for a non-finite t or δ, for df ≤ 0, or for |δ| >
/// 1000.
pub fn noncentral_t_cdf(t: f64, df: f64, delta: f64) -> Option<f64> {
    const LARGEST_DELTA: f64 = 1000.0;
    // Of df the beta function says whether it can be.
    if !(t.is_finite() && delta.abs() <= LARGEST_DELTA) {
        return None;
    }
    if t < 0.0 {
        return Some(1.0 - noncentral_t_cdf(-t, df, -delta)?);
    }
    let (y, rest) = shares(t, df);
    let mean = 0.5 * delta * delta;
    let reach = 9.0 * mean.sqrt() + 40.0; // Poisson mass beyond it is below 10⁻¹⁷
    let first = (mean - reach).max(0.0).floor();
    let mut terms = Vec::new();
    let mut k = first;
    while k <= mean + reach {
        for (k, sign) in [(k, 1.0), (k + 0.5, delta.signum())] {
            let (below, _) = both_tails(k + 0.5, 0.5 * df, y, rest)?;
            terms.push(sign * poisson_mass(k, mean) * below);
        }
        k += 1.0;
    }
    let series = total(terms.into_iter())?;
    Some((normal_cdf(-delta)? + 0.5 * series).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::super::student_t_cdf;
    use super::*;

    #[test]
    fn without_a_shift_it_is_student() {
        for t in [-3.0, -0.5, 0.0, 0.7, 2.5] {
            let central = student_t_cdf(t, 6.0).unwrap();
            assert!((noncentral_t_cdf(t, 6.0, 0.0).unwrap() - central).abs() < 1e-14);
        }
    }

    #[test]
    fn at_zero_only_the_numerator_counts() {
        for delta in [-2.0, 0.5, 3.0] {
            let phi = normal_cdf(-delta).unwrap();
            assert!((noncentral_t_cdf(0.0, 6.0, delta).unwrap() - phi).abs() < 1e-15);
        }
    }

    #[test]
    fn the_tolerance_factors_of_the_rule_book_cover_999_in_1000_with_95_percent_confidence() {
        // k √n is the 95 % point of noncentral t with n − 1 degrees and shift z.999 √n.
        let z = super::super::normal_quantile(0.999).unwrap();
        for (n, low, high) in [(20.0_f64, 4.315, 4.325), (10.0, 5.195, 5.205)] {
            let confidence = |k: f64| noncentral_t_cdf(k * n.sqrt(), n - 1.0, z * n.sqrt()).unwrap();
            assert!(confidence(low) < 0.95 && confidence(high) > 0.95, "n = {n}");
        }
    }

    #[test]
    fn outside_the_domain_there_is_no_value() {
        assert_eq!(noncentral_t_cdf(f64::NAN, 5.0, 1.0), None);
        assert_eq!(noncentral_t_cdf(f64::INFINITY, 5.0, 1.0), None);
        for df in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert_eq!([0.0, 1.0, -1.0].map(|t| noncentral_t_cdf(t, df, 1.0)), [None; 3]);
        }
        assert_eq!(noncentral_t_cdf(1.0, 5.0, 1001.0), None);
        assert_eq!(noncentral_t_cdf(1.0, 5.0, f64::NAN), None);
    }
}
