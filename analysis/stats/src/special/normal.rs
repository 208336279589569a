//! The standard normal distribution.

use crate::bisect::last_float;

/// Φ(x) = ½ erfc(−x/√2), relative accuracy also in the lower tail. `None` only for NaN.
pub fn normal_cdf(x: f64) -> Option<f64> {
    (!x.is_nan()).then(|| 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2))
}

/// The z with Φ(z) = p, for 0 < p < 1, by bisection on Φ: the tails on the tail itself, the middle
/// on Φ − ½, so that no digits are lost at either end.
pub fn normal_quantile(p: f64) -> Option<f64> {
    const FAR: f64 = 40.0; // beyond it the tail is not a float any more
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    let beyond = |z: f64| 0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2);
    let within = |z: f64| 0.5 * libm::erf(z * std::f64::consts::FRAC_1_SQRT_2);
    if p == 0.5 {
        return Some(0.0);
    }
    let centre = (p - 0.5).abs();
    let z = if centre <= 0.25 {
        last_float(0.0, FAR, |z| Some(within(z) <= centre))?
    } else {
        last_float(0.0, FAR, |z| Some(beyond(z) >= p.min(1.0 - p)))?
    };
    Some(z.copysign(p - 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nineteen_in_twenty_lie_within_one_point_nine_six() {
        assert!((normal_quantile(0.975).unwrap() - 1.959_963_984_540_054).abs() < 1e-15);
        assert!((normal_quantile(0.025).unwrap() + 1.959_963_984_540_054).abs() < 1e-15);
        assert_eq!(normal_quantile(0.5), Some(0.0));
    }

    #[test]
    fn the_far_ends_of_the_curve_are_zero_and_one() {
        assert_eq!(normal_cdf(f64::NEG_INFINITY), Some(0.0));
        assert_eq!(normal_cdf(f64::INFINITY), Some(1.0));
        assert_eq!(normal_cdf(f64::NAN), None);
    }

    #[test]
    fn certainty_has_no_quantile() {
        for p in [0.0, 1.0, -0.1, 1.1, f64::NAN] {
            assert_eq!(normal_quantile(p), None);
        }
    }
}
