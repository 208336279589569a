//! Measures: starts servers, sends requests, writes down what was seen.
//!
//! It stores raw facts only. It knows no percentile, no threshold and no opinion: those
//! belong to `analysis`, which sees nothing but the sealed bundle.
//!
//! A module uses only those listed before it.

/// Images in files.
pub mod archive;
/// What Slurm says to a process that it started.
pub mod batch;
/// One timed request over one connection.
pub mod client;
/// The wall clock, and the monotonic clock of a trial.
pub mod clock;
/// Health, tokenize and scoring requests, which are never timed.
pub mod control;
/// Cores and memory nodes, and who runs where.
pub mod cores;
/// Servers that are containers.
pub mod docker;
/// What this host can measure, and what would spoil it.
pub mod doctor;
/// The client of a container, without privileges and inside of its network.
pub mod driver;
/// From journals to tables.
pub mod evidence;
/// GPUs of this host: facts, leases, access, telemetry.
pub mod gpu;
/// A trusted reference scores outputs of a sealed bundle.
pub mod grade;
/// What this host is.
pub mod host;
/// Evidence goes to disk while it comes.
pub mod journal;
/// What a load phase looks like while it goes on.
pub mod live;
/// When requests are sent.
pub mod load;
/// What a server writes, in bounds.
mod log;
/// What becomes of runs, in the log of their folder of results.
pub mod logged;
/// The measured part of a trial.
pub mod measure;
/// Waiting to within tens of microseconds.
mod pause;
/// What this program was built with and beside.
mod pins;
/// The request set, the schedule and the plan of a workload.
pub mod prepare;
/// Servers that are processes of this host.
pub mod process;
/// What happens while it happens, for whoever wants to show it.
pub mod progress;
/// A host made ready for trials, and the trials that it measures.
pub mod ready;
/// The main path: a workload in, a sealed bundle out.
pub mod run;
/// A server under test, however it came to run.
pub mod server;
/// The plan of a run on many nodes.
pub mod slurm;
/// A connection that says when its bytes came.
pub mod socket;
/// A further stage of a sealed run.
pub mod stage;
/// What this host has of what a run was made with.
pub mod stock;
/// What requests are sent to.
pub mod target;
/// One arm, one server lifetime.
pub mod trial;
