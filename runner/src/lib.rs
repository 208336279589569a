//! Measures: starts servers, sends requests, writes down what was seen.
//!
//! It stores raw facts only. It knows no percentile, no threshold and no opinion: those
//! belong to `analysis`, which sees nothing but the sealed bundle.
//!
//! A module uses only those listed before it.

/// The wall clock, and the monotonic clock of a trial.
pub mod clock;
/// What requests are sent to.
pub mod target;
/// Waiting to within tens of microseconds.
mod pause;
/// A connection that says when its bytes came.
pub mod socket;
/// Evidence goes to disk while it comes.
pub mod journal;
/// What a load phase looks like while it goes on.
pub mod live;
/// One timed request over one connection.
pub mod client;
/// When requests are sent.
pub mod load;
/// What happens while it happens, for whoever wants to show it.
pub mod progress;
/// Health, tokenize and scoring requests, which are never timed.
pub mod control;
/// Servers that are processes of this host.
pub mod process;
/// A server under test, however it came to run.
pub mod server;
/// From journals to tables.
pub mod evidence;
/// One arm, one server lifetime.
pub mod trial;
/// What this host is.
pub mod host;
/// The request set, the schedule and the plan of a workload.
pub mod prepare;
/// The main path: a workload in, a sealed bundle out.
pub mod run;
/// A trusted reference scores outputs of a sealed bundle.
pub mod grade;
