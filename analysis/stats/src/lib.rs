//! The decision arithmetic of the lab: how per-round ratios, latencies and margins become
//! intervals, p-values and bounds. The prose twin is `VERDICTS.md`, the rule book.
//!
//! Walls: no I/O, no clock, no randomness, no threads; sums run in a fixed order; every
//! transcendental is `libm`'s, so a result has the same bits on every IEEE 754 machine
//! (`clippy.toml` forbids the standard library's). Nothing returns NaN or infinity: a question
//! without an answer gets `None` (a function of numbers) or a [`NoAnswer`] (a decision), never a
//! placeholder.
//!
//! ```
//! // Six rounds, candidate over baseline, as logs of the ratio.
//! let logs = [0.051, 0.043, 0.060, 0.038, 0.055, 0.047];
//! let t = stats::paired::paired_t(&logs, 0.95)?;
//! assert!(t.low_ratio() > 1.04 && t.high_ratio() < 1.06);
//! assert_eq!(stats::paired::sign_flip_p(&logs)?, 2.0 / 64.0);
//! # Ok::<(), stats::NoAnswer>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

// Downward: a module uses only those above it.
mod bisect; // the last float, or the last integer, at which a condition still holds
mod no_answer; // why a question has no answer
pub mod sum; // compensated sum, mean, standard deviation

pub mod special; // gamma, beta, normal, Student, noncentral t, binomial

pub mod clustered; // bound of a mean over launches
pub mod divisive; // where a series of runs changes
pub mod eprocess; // betting against "the mean is at most δ"
pub mod letters; // which of several are not shown to differ
pub mod multiple; // Holm, Benjamini–Hochberg, e-BH
pub mod paired; // speed: paired t, sign flips, detectable effect, "same speed"
pub mod proportion; // Clopper–Pearson
pub mod quantile; // percentiles of integer nanoseconds and their intervals
pub mod score; // the public scores and gates of Cacheon V1
pub mod stages; // suspect in one stage, altered in two
pub mod tolerance; // what further configurations stay below
pub mod welch; // two independent runs

pub mod calibration; // c, δ and δ_h from honest configurations
pub mod equivalence; // evidence above a tolerance, bounds below it

pub use no_answer::NoAnswer;
