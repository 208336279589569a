//! Measures: starts servers, sends requests, writes down what was seen.
//!
//! It stores raw facts only. It knows no percentile, no threshold and no opinion: those
//! belong to `analysis`, which sees nothing but the sealed bundle.
//!
//! A module uses only those listed before it.

/// One timed request over one socket.
pub mod client;
/// The wall clock, and the monotonic clock of a trial.
pub mod clock;
/// Health, tokenize and scoring requests, which are never timed.
pub mod control;
/// A trusted reference scores outputs of a sealed bundle.
pub mod grade;
/// What this host is.
pub mod host;
/// When requests are sent.
pub mod load;
/// Servers that are processes of this host.
pub mod process;
/// What happens while it happens, for whoever wants to show it.
pub mod progress;
/// The main path: a workload in, a sealed bundle out.
pub mod run;
/// One arm, one server lifetime.
pub mod trial;
