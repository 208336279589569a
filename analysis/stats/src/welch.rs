//! Two independent runs: nothing pairs a round of one with a round of the other.
//!
//! A value here is one round's natural log, of a latency or of a speed-up over the run's own
//! baseline; the difference of means is then the log of a ratio, or of a ratio of ratios.

use crate::NoAnswer;
use crate::no_answer::{at_least, strictly_a_probability};
use crate::paired::{self, Sameness};
use crate::special::{student_t_quantile, student_t_tail};
use crate::sum::{finite, mean, sample_sd};

/// Welch's t test of "both means are equal" with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// Values of the first and of the second run.
    pub n: (usize, usize),
    /// d = mean of the first − mean of the second.
    pub difference: f64,
    /// d − t((1 + confidence)/2; df) · e, e = √(s₁²/n₁ + s₂²/n₂).
    pub low: f64,
    /// d + the same.
    pub high: f64,
    /// Two-sided confidence of the interval.
    pub confidence: f64,
    /// Degrees of freedom, e⁴ / (s₁⁴/(n₁²(n₁ − 1)) + s₂⁴/(n₂²(n₂ − 1))), not rounded.
    pub df: f64,
    /// The statistic d / e.
    pub t: f64,
    /// Two-sided P(|T| ≥ |t|).
    pub p: f64,
}

impl Welch {
    /// Whether both runs have enough rounds for a claim.
    pub fn powered(&self) -> bool {
        paired::powered(self.n.0.min(self.n.1))
    }
}

/// Unequal variances (Welch 1947; degrees of freedom: Satterthwaite 1946). Needs two values of each
/// run and some spread in one of them. Limits beyond ±300 are refused, so that every ratio is a
/// finite positive number.
pub fn welch(first: &[f64], second: &[f64], confidence: f64) -> Result<Welch, NoAnswer> {
    strictly_a_probability(confidence, "0 < confidence < 1")?;
    let n = (first.len(), second.len());
    at_least(2, n.0.min(n.1))?;
    let part = |values: &[f64]| {
        let sd = sample_sd(values).ok_or(NoAnswer::NotFinite)?;
        Ok((mean(values).ok_or(NoAnswer::NotFinite)?, sd * sd / values.len() as f64))
    };
    let ((mean_1, v_1), (mean_2, v_2)) = (part(first)?, part(second)?);
    if v_1 + v_2 == 0.0 {
        return Err(NoAnswer::NoSpread);
    }
    let difference = mean_1 - mean_2;
    let error = (v_1 + v_2).sqrt();
    // Shares of the variance: their squares cannot vanish together.
    let (share_1, share_2) = (v_1 / (v_1 + v_2), v_2 / (v_1 + v_2));
    let df = 1.0 / (share_1 * share_1 / (n.0 - 1) as f64 + share_2 * share_2 / (n.1 - 1) as f64);
    let reach = student_t_quantile(0.5 * (1.0 + confidence), df).ok_or(NoAnswer::Unresolved)? * error;
    if difference.abs() + reach > 300.0 {
        return Err(NoAnswer::Outside("ratios and their limits within e^±300"));
    }
    let t = finite(difference / error).ok_or(NoAnswer::NotFinite)?;
    let p = 2.0 * student_t_tail(t.abs(), df).ok_or(NoAnswer::Unresolved)?;
    Ok(Welch { n, difference, low: difference - reach, high: difference + reach, confidence, df, t, p })
}

/// "Same speed" of two independent runs: two one-sided Welch tests at level `alpha` against a
/// declared margin, as [`paired::tost`] does for rounds of one run.
pub fn tost(first: &[f64], second: &[f64], margin: f64, alpha: f64) -> Result<(Sameness, Welch), NoAnswer> {
    let (margin_log, confidence) = paired::declared(margin, alpha)?;
    let interval = welch(first, second, confidence)?;
    let limits = (interval.low, interval.high);
    Ok((paired::sameness(limits, margin_log, interval.powered()), interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_by_two_by_hand() {
        // Means 2 and 5, both variances 2, n = 2: e = √2, df = 2, t = −3/√2, and with 2 degrees of
        // freedom p = 1 − |t|/√(2 + t²).
        let w = welch(&[1.0, 3.0], &[4.0, 6.0], 0.95).unwrap();
        assert_eq!((w.n, w.difference), ((2, 2), -3.0));
        assert!((w.df - 2.0).abs() < 1e-14 && (w.t + 4.5_f64.sqrt()).abs() < 1e-14);
        assert!((w.p - (1.0 - (4.5_f64 / 6.5).sqrt())).abs() < 1e-14);
        // t(.975; 2) = 4.302652729749.
        let reach = 4.302_652_729_749 * 2.0_f64.sqrt();
        assert!((w.low - (-3.0 - reach)).abs() < 1e-11 && (w.high - (-3.0 + reach)).abs() < 1e-11);
    }

    #[test]
    fn a_run_without_spread_adds_none() {
        // One sample against a constant: df is that of the other sample alone.
        let w = welch(&[0.1, 0.2, 0.4], &[0.3; 9], 0.95).unwrap();
        assert!((w.df - 2.0).abs() < 1e-14, "{w:?}");
        assert_eq!(welch(&[0.1; 3], &[0.3; 3], 0.95), Err(NoAnswer::NoSpread));
    }

    #[test]
    fn swapping_the_runs_turns_the_sign_and_nothing_else() {
        let (a, b) = ([0.1, 0.14, 0.08, 0.11], [0.2, 0.29, 0.17, 0.21, 0.2]);
        let (there, back) = (welch(&a, &b, 0.9).unwrap(), welch(&b, &a, 0.9).unwrap());
        assert_eq!((there.difference, there.low, there.p), (-back.difference, -back.high, back.p));
    }

    #[test]
    fn what_has_no_answer_is_refused() {
        assert_eq!(welch(&[0.1], &[0.2, 0.3], 0.95), Err(NoAnswer::TooFew { have: 1, need: 2 }));
        assert_eq!(welch(&[0.1, f64::NAN], &[0.2, 0.3], 0.95), Err(NoAnswer::NotFinite));
        assert!(welch(&[0.0, 900.0], &[0.2, 0.3], 0.95).is_err());
        assert!(welch(&[0.1, 0.2], &[0.2, 0.3], 0.0).is_err());
        for margin in [0.0, f64::NAN, f64::INFINITY] {
            let refused = tost(&[0.1, 0.2], &[0.2, 0.3], margin, 0.05);
            assert_eq!(refused, Err(NoAnswer::Outside("0 < margin")));
        }
        for alpha in [0.0, 0.5, f64::NAN] {
            let refused = tost(&[0.1, 0.2], &[0.2, 0.3], 0.05, alpha);
            assert_eq!(refused, Err(NoAnswer::Outside("0 < alpha < ½")));
        }
    }

    #[test]
    fn limits_reach_as_far_as_e_to_the_300_and_no_further() {
        let around = |mean: f64| [mean - 0.25, mean, mean + 0.25];
        let at = |mean: f64| welch(&around(mean), &around(0.0), 0.95);
        // The difference that reaches it exactly is one of the floats about 300 less the reach.
        let (reach, ulp) = (at(0.0).unwrap().high, 300.0_f64.next_up() - 300.0);
        let limits: Vec<f64> =
            (-8..=8).filter_map(|k| Some(at(300.0 - reach + f64::from(k) * ulp).ok()?.high)).collect();
        assert!(limits.contains(&300.0) && limits.iter().all(|high| *high <= 300.0) && limits.len() < 17, "{limits:?}");
        // 200 ± 3: neither is multiplied by the other.
        assert!(welch(&[199.0, 200.0, 201.5], &[0.0, 0.1], 0.95).is_ok());
    }

    #[test]
    fn the_same_speed_needs_the_margin_and_six_rounds_of_both() {
        let steady = [0.0, 0.001, -0.001, 0.002, -0.002, 0.001];
        let shifted = |by: f64| steady.map(|x| x + by);
        let is = |a: &[f64], b: &[f64]| tost(a, b, 0.05, 0.05).unwrap().0;
        assert_eq!(is(&steady, &shifted(0.01)), Sameness::Same);
        assert_eq!(is(&steady, &shifted(0.2)), Sameness::Different);
        assert_eq!(is(&steady, &shifted(0.048)), Sameness::Inconclusive);
        assert_eq!(is(&steady, &shifted(0.2)[..5]), Sameness::Inconclusive);
    }
}
