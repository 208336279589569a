//! Tails of the binomial distribution through the incomplete beta function (DLMF 8.17.5).

use super::both_tails;

/// P(X ≤ k) for X ~ Bin(n, p) = I₁₋ₚ(n − k, k + 1). 1 for k ≥ n. `None` unless 0 ≤ p ≤ 1.
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    if k >= n {
        return Some(1.0);
    }
    both_tails((k + 1) as f64, (n - k) as f64, p, 1.0 - p).map(|(_, upper)| upper)
}

/// P(X ≥ k) for X ~ Bin(n, p) = Iₚ(k, n − k + 1). 1 for k = 0, 0 for k > n. `None` unless 0 ≤ p ≤
/// 1.
pub fn binomial_tail(k: u64, n: u64, p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    if k == 0 {
        return Some(1.0);
    }
    if k > n {
        return Some(0.0);
    }
    both_tails(k as f64, (n - k + 1) as f64, p, 1.0 - p).map(|(lower, _)| lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: Option<f64>, b: f64) -> bool {
        (a.unwrap() - b).abs() <= 1e-14 * b
    }

    #[test]
    fn four_fair_coins_show_at_most_one_head_five_times_in_sixteen() {
        assert!(close(binomial_cdf(1, 4, 0.5), 5.0 / 16.0));
        assert!(close(binomial_tail(2, 4, 0.5), 11.0 / 16.0));
        assert!(close(binomial_tail(4, 4, 0.5), 1.0 / 16.0));
        assert!(close(binomial_cdf(0, 4, 0.5), 1.0 / 16.0));
    }

    #[test]
    fn the_certain_cases_are_exact() {
        assert_eq!(binomial_cdf(4, 4, 0.5), Some(1.0));
        assert_eq!(binomial_tail(0, 4, 0.5), Some(1.0));
        assert_eq!(binomial_tail(5, 4, 0.5), Some(0.0));
        assert_eq!(binomial_cdf(0, 4, 0.0), Some(1.0));
        assert_eq!(binomial_cdf(3, 4, 1.0), Some(0.0));
        assert_eq!(binomial_tail(4, 4, 1.0), Some(1.0));
        assert_eq!(binomial_cdf(0, 4, 1.5), None);
        assert_eq!(binomial_tail(0, 4, f64::NAN), None);
    }
}
