//! The regularised incomplete beta function: binomial and Student probabilities are values of it.

use super::gamma::{deviance, stirling_error};

/// Shapes beyond this are refused: no sample is that large.
const LARGEST_SHAPE: f64 = 1e12;

/// I_x(a, b) = ∫₀ˣ tᵃ⁻¹(1−t)ᵇ⁻¹ dt / B(a, b), for 0 < a, b ≤ 10¹² and 0 ≤ x ≤ 1.
///
/// The continued fraction of DiDonato and Morris, "Algorithm 708" (1992), eq. 9, on the side where
/// it converges fast, its front factor by Loader's method. `None` outside the domain, or if the
/// fraction has not settled.
pub fn beta_inc(a: f64, b: f64, x: f64) -> Option<f64> {
    both_tails(a, b, x, 1.0 - x).map(|(lower, _)| lower)
}

/// (I_x(a, b), 1 − I_x(a, b)), with y = 1 − x given by the caller, who may know it more exactly.
/// The smaller of the two is relatively accurate.
pub(crate) fn both_tails(a: f64, b: f64, x: f64, y: f64) -> Option<(f64, f64)> {
    let shape = |v: f64| v > 0.0 && v <= LARGEST_SHAPE;
    if !(shape(a) && shape(b) && x >= 0.0 && y >= 0.0 && x <= 1.0 && y <= 1.0) {
        return None;
    }
    if x == 0.0 {
        return Some((0.0, 1.0));
    }
    if y == 0.0 {
        return Some((1.0, 0.0));
    }
    let front = front_factor(a, b, x, y);
    if x <= (a + 1.0) / (a + b + 2.0) {
        let lower = (front / fraction(a, b, x, y)?).min(1.0);
        Some((lower, 1.0 - lower))
    } else {
        let upper = (front / fraction(b, a, y, x)?).min(1.0);
        Some((1.0 - upper, upper))
    }
}

/// xᵃ yᵇ / B(a, b).
fn front_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let errors = stirling_error(a) + stirling_error(b) - stirling_error(n);
    let exponent = errors + deviance(a, n * x) + deviance(b, n * y);
    (a / n * b / std::f64::consts::TAU).sqrt() * libm::exp(-exponent)
}

/// The continued fraction β₀ + α₁/(β₁ + α₂/(β₂ + …)) under the front factor, by the modified Lentz
/// method. `None` if it has not settled.
fn fraction(a: f64, b: f64, x: f64, y: f64) -> Option<f64> {
    const MOST_STEPS: u32 = 100_000;
    let mut value = a * (a * y - b * x + 1.0) / (a + 1.0);
    let (mut c, mut d) = (value, 0.0);
    for m in 1..MOST_STEPS {
        let m = f64::from(m);
        let odd = a + 2.0 * m - 1.0;
        let alpha = (a + m - 1.0) / odd * ((a + b + m - 1.0) / odd) * m * (b - m) * x * x;
        let beta = m * (odd + (b - m) * x) / odd + (a + m) * (a * y - b * x + 1.0 + m * (1.0 + y)) / (odd + 2.0);
        d = 1.0 / (beta + alpha * d);
        c = beta + alpha / c;
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-14 * b.abs()
    }

    #[test]
    fn with_both_shapes_one_it_is_the_identity() {
        for x in [0.0, 1e-12, 0.25, 0.5, 0.875, 1.0] {
            assert!(close(beta_inc(1.0, 1.0, x).unwrap(), x));
        }
    }

    #[test]
    fn with_one_shape_one_it_is_a_power() {
        assert!(close(beta_inc(3.0, 1.0, 0.5).unwrap(), 0.125));
        assert!(close(beta_inc(1.0, 3.0, 0.5).unwrap(), 0.875));
    }

    #[test]
    fn equal_shapes_halve_at_the_middle() {
        for a in [0.1, 0.5, 7.0, 1e3, 1e6] {
            assert!((beta_inc(a, a, 0.5).unwrap() - 0.5).abs() < 1e-12, "a = {a}");
        }
    }

    #[test]
    fn outside_the_domain_there_is_no_value() {
        for (a, b, x) in [
            (0.0, 1.0, 0.5),
            (1.0, -1.0, 0.5),
            (1.0, 1.0, -0.1),
            (1.0, 1.0, 1.1),
            (f64::INFINITY, 1.0, 0.5),
            (1.0, f64::NAN, 0.5),
            (1.0, 1.0, f64::NAN),
        ] {
            assert_eq!(beta_inc(a, b, x), None);
        }
    }
}
