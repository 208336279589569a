//! Judges sealed bundles: from rows to verdicts, and from verdicts to reports.
//!
//! Walls: no network, no container, no clock, no randomness; a verdict is a function of a
//! set of bundles and of [`METHOD`], and its bytes are the same on every machine. The rule
//! book in prose is `METHOD.md`.
//!
//! A module uses only those listed before it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

// Made-up runs are written for the examples, as a user of this crate.
#[cfg(test)]
extern crate self as analysis;

/// What `bench judge` says.
pub mod judgement;
/// The same work on many things at once.
mod parallel;
/// What a run was made with.
pub mod stack;
/// Sealed bundles, opened for judging.
pub mod study;
/// Whether a bundle is what it says it is.
pub mod verify;

/// Tolerances from controls.
mod calibration;
/// Pictures.
mod chart;
/// Two runs, or two arms, against each other.
pub mod compare;
/// Speed against the neighbouring baselines.
pub mod comparison;
/// What a workload declares, in the names and values of its file.
mod declared;
/// Where free-running texts part.
mod divergence;
/// A study's rows as files for other tools.
mod export;
/// From an opened study to a report's input.
mod gather;
/// The same measure, run after run.
pub mod history;
/// What a server is, as one digest.
mod identity;
/// What lies in a folder of results.
pub mod index;
/// The largest load that meets the service levels.
pub mod ladder;
/// Who is ahead, and of whom that is shown.
pub mod leaderboard;
/// What each arm did under each load.
pub mod loads;
/// How far outputs are from the reference.
pub mod margins;
/// Latencies, rates, service levels, and how late the client was.
pub mod metrics;
/// The hosts of a run against each other.
pub mod nodes;
/// What a further stage can change.
mod prospects;
/// HTML, Markdown, CSV and the terminal's table.
pub mod report;
/// Whether a run is what it says it was, and comes out again.
pub mod reproduction;
/// The public scores of Cacheon V1.
pub mod score;
/// Do the streams hold together?
pub mod structure;
/// From the evidence to three words.
pub mod verdict;
/// What is not counted.
pub mod voids;
/// The runs of a week.
pub mod week;

/// From a verdict to the tokens and requests that caused it.
mod explain;

/// Bundles made of scripted behaviours.
#[cfg(test)]
pub(crate) mod test_support;

pub use explain::explain;
pub use export::export;
pub use gather::report_of;
pub use judgement::Judgement;
pub use prospects::{Prospect, prospects};
pub use stats::paired::MIN_ROUNDS;
pub use study::Study;
pub use verdict::judge;
pub use verify::{Verified, open_verified, verify, verify_set};

/// The version of the method: a change that can alter a number raises it, and `METHOD.md`
/// says what changed.
pub const METHOD: &str = "0.5.1";
