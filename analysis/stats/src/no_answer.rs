//! Why a question has no answer.

use std::fmt;

/// Why a decision procedure has no answer for its input. Never encoded as NaN or infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// Fewer values than the procedure needs. Prints as the reports do: `n/a (n < 662)`.
    TooFew {
        /// Values given.
        have: u64,
        /// Values needed.
        need: u64,
    },
    /// An input is NaN or infinite, or the arithmetic overflowed.
    NotFinite,
    /// All values are equal, so a t statistic would divide by zero: identical rounds are a fault
    /// of the measurement, not infinite evidence.
    NoSpread,
    /// A parameter is outside its domain; the text names it and the domain.
    Outside(&'static str),
    /// The parameters are legal but so extreme that the arithmetic does not settle.
    Unresolved,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { need, .. } => write!(f, "n/a (n < {need})"),
            Self::NotFinite => write!(f, "n/a (a value is not finite)"),
            Self::NoSpread => write!(f, "n/a (all values are equal)"),
            Self::Outside(domain) => write!(f, "n/a (outside the domain: {domain})"),
            Self::Unresolved => write!(f, "n/a (too extreme to compute)"),
        }
    }
}

impl std::error::Error for NoAnswer {}

/// Refuses a confidence, power or error rate that is not strictly between 0 and 1.
pub(crate) fn strictly_a_probability(p: f64, domain: &'static str) -> Result<(), NoAnswer> {
    if p > 0.0 && p < 1.0 { Ok(()) } else { Err(NoAnswer::Outside(domain)) }
}

/// Refuses fewer than `need` values.
pub(crate) fn at_least(need: usize, have: usize) -> Result<(), NoAnswer> {
    if have >= need { Ok(()) } else { Err(NoAnswer::TooFew { have: have as u64, need: need as u64 }) }
}
