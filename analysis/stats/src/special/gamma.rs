//! ln Γ, and the exponents of Poisson and beta masses without cancellation.
//!
//! Loader, "Fast and accurate computation of binomial probabilities" (2000): writing a mass as
//! exp(−error terms − deviance) keeps full accuracy where differences of ln Γ would lose it.

use crate::sum::finite;

/// ln Γ(x), x > 0, accurate to about one unit in the last place (FreeBSD's algorithm, in `libm`).
/// `None` for x ≤ 0, NaN or overflow.
pub fn ln_gamma(x: f64) -> Option<f64> {
    if x > 0.0 { finite(libm::lgamma(x)) } else { None }
}

/// ½ ln 2π.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// What Stirling's formula misses: ln Γ(x + 1) − [½ ln 2πx + x ln x − x], for x > 0.
pub(super) fn stirling_error(x: f64) -> f64 {
    if x <= 15.0 {
        return libm::lgamma(x + 1.0) - (x + 0.5) * libm::log(x) + x - HALF_LN_TWO_PI;
    }
    let r = 1.0 / (x * x);
    let series = 1.0 / 1680.0 - r / 1188.0;
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * series))) / x
}

/// x ln(x/m) + m − x ≥ 0, for x > 0 and m > 0; near x = m by its series in (x − m)/(x + m).
pub(super) fn deviance(x: f64, m: f64) -> f64 {
    let difference = x - m;
    if difference.abs() >= 0.1 * (x + m) {
        return x * (libm::log(x / m)) - difference;
    }
    let v = difference / (x + m);
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    for odd in (3_u32..40).step_by(2) {
        // |v| < 0.1: eight terms reach the last digit
        power *= v * v;
        let next = sum + power / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// e^−m m^k / Γ(k + 1) for real k ≥ 0 and m ≥ 0: the Poisson mass, continued to real k.
pub(super) fn poisson_mass(k: f64, m: f64) -> f64 {
    if k == 0.0 {
        return libm::exp(-m);
    }
    if m == 0.0 {
        return 0.0;
    }
    let exponent = stirling_error(k) + deviance(k, m);
    libm::exp(-exponent) / (std::f64::consts::TAU * k).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-14 * b.abs().max(1.0)
    }

    #[test]
    fn gamma_of_five_is_twenty_four_and_of_a_half_is_root_pi() {
        assert!(close(ln_gamma(5.0).unwrap(), libm::log(24.0)));
        assert!(close(ln_gamma(0.5).unwrap(), 0.5 * libm::log(std::f64::consts::PI)));
        assert_eq!(ln_gamma(0.0), None);
        assert_eq!(ln_gamma(-1.5), None);
        assert_eq!(ln_gamma(f64::NAN), None);
        assert_eq!(ln_gamma(f64::INFINITY), None);
    }

    #[test]
    fn both_branches_of_the_stirling_error_agree_where_they_meet() {
        let (below, above) = (stirling_error(15.0), stirling_error(15.0_f64.next_up()));
        assert!((below - above).abs() < 2e-14, "{below} {above}");
    }

    #[test]
    fn both_branches_of_the_deviance_agree_where_they_meet() {
        let m = 100.0 * 0.9 / 1.1;
        let direct = 100.0 * libm::log(100.0 / m) + m - 100.0;
        assert!((deviance(100.0, m + 1e-9) - direct).abs() < 1e-9);
        assert_eq!(deviance(3.0, 3.0), 0.0);
    }

    #[test]
    fn poisson_masses_sum_to_one() {
        for mean in [0.0, 0.3, 4.0, 50.0] {
            let total: f64 = (0..200).map(|k| poisson_mass(f64::from(k), mean)).sum();
            assert!(close(total, 1.0), "mean {mean}: {total}");
        }
    }
}
