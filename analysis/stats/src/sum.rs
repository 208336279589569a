//! Sums in a fixed order with the rounding error carried along.
//!
//! Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54
//! (1974): the error is about one rounding of the result, whatever the number of terms. The order
//! is the order of the slice; sort first where the order of arrival must not matter.

/// A running compensated sum.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Total {
    rounded: f64,
    lost: f64,
}

impl Total {
    pub(crate) fn add(&mut self, x: f64) {
        let next = self.rounded + x;
        self.lost += if self.rounded.abs() >= x.abs() { (self.rounded - next) + x } else { (x - next) + self.rounded };
        self.rounded = next;
    }

    /// `None` once a term was not finite or the sum overflowed.
    pub(crate) fn value(&self) -> Option<f64> {
        finite(self.rounded + self.lost)
    }
}

/// The number, unless it is NaN or infinite.
pub(crate) fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

/// Σ x, 0 for no values. `None` if a value is not finite or the sum overflows.
pub fn sum(values: &[f64]) -> Option<f64> {
    total(values.iter().copied())
}

/// Arithmetic mean, Σ x / n. `None` for no values, or where [`sum`] has no answer.
pub fn mean(values: &[f64]) -> Option<f64> {
    let total = sum(values)?;
    (!values.is_empty()).then(|| total / values.len() as f64)
}

/// Sample standard deviation, √(Σ (x − mean)² / (n − 1)), in two passes, in the unit of the values.
///
/// Equal values give exactly 0, so that "no spread" is a fact and not a rounding remainder.
/// `None` below two values, or where [`sum`] has no answer.
pub fn sample_sd(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    if values.len() < 2 {
        return None;
    }
    if values.iter().all(|x| *x == values[0]) {
        return Some(0.0);
    }
    let squares = total(values.iter().map(|x| (x - mean) * (x - mean)))?;
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Compensated sum of terms in the order they come.
pub(crate) fn total(terms: impl Iterator<Item = f64>) -> Option<f64> {
    let mut total = Total::default();
    terms.for_each(|x| total.add(x));
    total.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_term_survives_between_two_large_ones() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), Some(2.0));
    }

    #[test]
    fn a_million_tenths_make_a_hundred_thousand() {
        assert_eq!(sum(&vec![0.1; 1_000_000]), Some(100_000.0));
    }

    #[test]
    fn the_textbook_eight_have_mean_five_and_variance_thirty_two_sevenths() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), Some(5.0));
        assert_eq!(sample_sd(&values), Some((32.0_f64 / 7.0).sqrt()));
    }

    #[test]
    fn a_large_offset_does_not_disturb_the_spread() {
        let values = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0];
        assert_eq!(sample_sd(&values), Some(30.0_f64.sqrt()));
    }

    #[test]
    fn the_spread_is_that_of_the_differences_even_where_their_squares_are_lost() {
        assert_eq!(sample_sd(&[3e16, 3e16 + 4.0, 3e16 + 8.0]), Some(4.0));
    }

    #[test]
    fn equal_values_have_exactly_no_spread() {
        assert_eq!(sample_sd(&[0.1, 0.1, 0.1]), Some(0.0));
    }

    #[test]
    fn what_cannot_be_summed_has_no_answer() {
        assert_eq!(sum(&[]), Some(0.0));
        assert_eq!(mean(&[]), None);
        assert_eq!(sample_sd(&[1.0]), None);
        assert_eq!(sum(&[1.0, f64::NAN]), None);
        assert_eq!(mean(&[f64::INFINITY]), None);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), None);
        assert_eq!(sample_sd(&[f64::MAX, -f64::MAX]), None);
    }
}
