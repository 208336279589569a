//! The distributions behind every interval. Arguments outside the domain give `None`.
//!
//! Accuracy is checked in `tests/oracles.rs` against 40-digit values; the bounds there are the
//! promise.

// Downward: a module uses only those above it.
mod gamma; // ln Γ, and Loader's cancellation-free exponents
mod normal; // Φ and its inverse

mod beta; // regularised incomplete beta, both tails
mod binomial; // P(X ≤ k), P(X ≥ k)

mod noncentral;
mod student; // Student t: both tails, inverse // noncentral t, for power

pub use beta::beta_inc;
pub use binomial::{binomial_cdf, binomial_tail};
pub use gamma::ln_gamma;
pub use noncentral::noncentral_t_cdf;
pub use normal::{normal_cdf, normal_quantile};
pub use student::{student_t_cdf, student_t_quantile, student_t_tail};

pub(crate) use beta::both_tails;
