//! Bisection: the last value at which a condition, once lost, stays lost.
//!
//! Non-negative floats sort like their bit patterns, so halving the bit pattern ends on the exact
//! float after at most 64 evaluations, with no tolerance to choose and no starting guess.

/// The largest float in `[low, high]` at which `holds`, taken to be true at `low`, is still true.
/// Both ends are non-negative. `None` where `holds` cannot answer.
pub(crate) fn last_float(low: f64, high: f64, holds: impl Fn(f64) -> Option<bool>) -> Option<f64> {
    if holds(high)? {
        return Some(high);
    }
    let (mut yes, mut no) = (low.to_bits(), high.to_bits());
    while no - yes > 1 {
        let middle = yes + (no - yes) / 2;
        if holds(f64::from_bits(middle))? {
            yes = middle;
        } else {
            no = middle;
        }
    }
    Some(f64::from_bits(yes))
}

/// The largest integer in `0..=high` at which `holds`, taken to be true at 0, is still true.
pub(crate) fn last_integer(high: u64, holds: impl Fn(u64) -> Option<bool>) -> Option<u64> {
    let (mut yes, mut end) = (0, high + 1);
    while end - yes > 1 {
        let middle = yes + (end - yes) / 2;
        if holds(middle)? {
            yes = middle;
        } else {
            end = middle;
        }
    }
    Some(yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_float_whose_square_is_at_most_two_is_the_root_of_two() {
        let root = last_float(0.0, 2.0, |x| Some(x * x <= 2.0)).unwrap();
        assert!(root * root <= 2.0 && root.next_up() * root.next_up() > 2.0);
    }

    #[test]
    fn a_condition_that_never_fails_gives_the_upper_end() {
        assert_eq!(last_float(0.0, 7.0, |_| Some(true)), Some(7.0));
        assert_eq!(last_integer(7, |_| Some(true)), Some(7));
    }

    #[test]
    fn a_condition_that_fails_at_once_gives_the_lower_end() {
        assert_eq!(last_float(0.0, 7.0, |x| Some(x <= 0.0)), Some(0.0));
        assert_eq!(last_integer(7, |k| Some(k == 0)), Some(0));
        assert_eq!(last_integer(0, |k| Some(k == 0)), Some(0));
    }

    #[test]
    fn an_unanswerable_condition_has_no_bisection() {
        assert_eq!(last_float(0.0, 7.0, |_| None), None);
    }
}
