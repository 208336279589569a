//! Student's t distribution, degrees of freedom real and positive.

use super::both_tails;
use crate::bisect::last_float;

/// t²/(t² + df) and its complement df/(t² + df), each without cancellation or overflow.
pub(super) fn shares(t: f64, df: f64) -> (f64, f64) {
    let r = t.abs() / df.sqrt();
    if r <= 1.0 {
        (r * r / (1.0 + r * r), 1.0 / (1.0 + r * r))
    } else {
        let q = 1.0 / r;
        (1.0 / (1.0 + q * q), q * q / (1.0 + q * q))
    }
}

/// (P(|T| < |t|), P(|T| > |t|)): I at t²/(t² + df) with shapes ½ and df/2 (DLMF 8.17, AS 26.7.1), which
/// says whether t and df can be.
fn within_and_beyond(t: f64, df: f64) -> Option<(f64, f64)> {
    let (x, y) = shares(t, df);
    both_tails(0.5, 0.5 * df, x, y)
}

/// P(T ≤ t). `None` for NaN or df ≤ 0.
pub fn student_t_cdf(t: f64, df: f64) -> Option<f64> {
    student_t_tail(-t, df)
}

/// P(T ≥ t), relatively accurate in the upper tail. `None` for NaN or df ≤ 0.
pub fn student_t_tail(t: f64, df: f64) -> Option<f64> {
    let (within, beyond) = within_and_beyond(t, df)?;
    Some(if t >= 0.0 { 0.5 * beyond } else { 0.5 + 0.5 * within })
}

/// The t with P(T ≤ t) = p, for 0 < p < 1, by bisection on the tail (on the middle for
/// ¼ ≤ p ≤ ¾). `None` outside the domain, or where t would exceed 10¹⁵⁰.
pub fn student_t_quantile(p: f64, df: f64) -> Option<f64> {
    const FAR: f64 = 1e150;
    if !(p > 0.0 && p < 1.0 && df > 0.0 && df.is_finite()) {
        return None;
    }
    if p == 0.5 {
        return Some(0.0);
    }
    let centre = (p - 0.5).abs();
    let t = if centre <= 0.25 {
        last_float(0.0, FAR, |t| Some(0.5 * within_and_beyond(t, df)?.0 <= centre))?
    } else {
        let outside = p.min(1.0 - p);
        last_float(0.0, FAR, |t| Some(0.5 * within_and_beyond(t, df)?.1 >= outside))?
    };
    (t < FAR).then_some(t.copysign(p - 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: Option<f64>, b: f64) -> bool {
        (a.unwrap() - b).abs() <= 1e-13 * b.abs()
    }

    #[test]
    fn one_degree_of_freedom_is_cauchy() {
        assert!(close(student_t_cdf(1.0, 1.0), 0.75));
        assert!(close(student_t_cdf(-1.0, 1.0), 0.25));
        assert!(close(student_t_quantile(0.75, 1.0), 1.0));
        assert!(close(student_t_quantile(0.25, 1.0), -1.0));
    }

    #[test]
    fn two_degrees_of_freedom_have_a_closed_form() {
        // P(T ≤ t) = ½ + t / (2 √(2 + t²)).
        for t in [-3.0, -0.5, 0.25, 1.0, 4.0] {
            assert!(close(student_t_cdf(t, 2.0), 0.5 + t / (2.0 * (2.0 + t * t).sqrt())));
        }
    }

    #[test]
    fn near_the_middle_no_digits_are_lost_and_far_out_there_is_no_quantile() {
        // With two degrees of freedom t = 2 √2 c/√(1 − 4c²), c = p − ½.
        let c: f64 = (0.5 + 1e-9) - 0.5;
        assert!(close(student_t_quantile(0.5 + 1e-9, 2.0), 8.0_f64.sqrt() * c / (1.0 - 4.0 * c * c).sqrt()));
        // P(T > 10¹⁵⁰) is about 10⁻¹⁵ with a tenth of a degree.
        assert!(student_t_quantile(1e-10, 0.1).is_some());
        assert_eq!(student_t_quantile(1e-20, 0.1), None);
    }

    #[test]
    fn the_printed_tables_are_reproduced() {
        for (df, t) in [(4.0, 2.776), (5.0, 2.571), (9.0, 2.262), (19.0, 2.093), (120.0, 1.980)] {
            assert!((student_t_quantile(0.975, df).unwrap() - t).abs() < 5e-4, "df = {df}");
        }
    }

    #[test]
    fn the_middle_is_zero_and_the_ends_are_zero_and_one() {
        assert_eq!(student_t_quantile(0.5, 7.0), Some(0.0));
        assert_eq!(student_t_cdf(0.0, 7.0), Some(0.5));
        assert_eq!(student_t_tail(f64::INFINITY, 7.0), Some(0.0));
        assert_eq!(student_t_cdf(f64::INFINITY, 7.0), Some(1.0));
    }

    #[test]
    fn outside_the_domain_there_is_no_value() {
        assert_eq!(student_t_cdf(f64::NAN, 3.0), None);
        for df in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert_eq!([0.0, 1.0, -1.0, f64::INFINITY].map(|t| student_t_cdf(t, df)), [None; 4]);
            assert_eq!([0.3, 0.5, 0.9].map(|p| student_t_quantile(p, df)), [None; 3]);
        }
        for p in [0.0, 1.0, -0.1, 1.1, f64::NAN] {
            assert_eq!(student_t_quantile(p, 3.0), None);
        }
    }
}
