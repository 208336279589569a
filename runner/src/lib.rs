//! Measures: starts servers, sends requests, writes down what was seen.
//!
//! It stores raw facts only. It knows no percentile, no threshold and no opinion: those
//! belong to `analysis`, which sees nothing but the sealed bundle.
//!
//! A module uses only those listed before it.

/// Images in files.
pub mod archive;
/// The wall clock, and the monotonic clock of a trial.
pub mod clock;
/// What this host is.
pub mod host;
/// Cores and memory nodes, and who runs where.
pub mod cores;
/// GPUs of this host: facts, leases, access, telemetry.
pub mod gpu;
/// Waiting to within tens of microseconds.
mod pause;
/// What a load phase looks like while it goes on.
pub mod live;
/// What happens while it happens, for whoever wants to show it.
pub mod progress;
/// What a server writes, in bounds.
mod log;
/// What requests are sent to.
pub mod target;
/// A connection that says when its bytes came.
pub mod socket;
/// Evidence goes to disk while it comes.
pub mod journal;
/// One timed request over one connection.
pub mod client;
/// When requests are sent.
pub mod load;
/// Health, tokenize and scoring requests, which are never timed.
pub mod control;
/// From journals to tables.
pub mod evidence;
/// A server under test, however it came to run.
pub mod server;
/// The measured part of a trial.
pub mod measure;
/// Servers that are processes of this host.
pub mod process;
/// Servers that are containers.
pub mod docker;
/// The client of a container, without privileges and inside of its network.
pub mod driver;
/// What this host can measure, and what would spoil it.
pub mod doctor;
/// The request set, the schedule and the plan of a workload.
pub mod prepare;
/// One arm, one server lifetime.
pub mod trial;
/// The main path: a workload in, a sealed bundle out.
pub mod run;
/// A trusted reference scores outputs of a sealed bundle.
pub mod grade;
