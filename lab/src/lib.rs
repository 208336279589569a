//! The words and the file formats of the lab.
//!
//! Nothing here is asynchronous, opens a connection or asks for the time: a value comes
//! in, a value or a file goes out. The runner writes these formats, the analysis reads
//! them, and neither knows the other.
//!
//! A module uses only those listed before it.

/// Which outputs are graded.
pub mod audit;
/// The sealed folder: layout, writing, reading, digests.
pub mod bundle;
/// Dates as numbers of days.
mod calendar;
/// SHA-256 of bytes, files and folders.
pub mod digest;
/// The host a trial ran on.
pub mod environment;
/// Images named by digest.
pub mod image;
/// What happened to the runs of a folder of results, line by line.
pub mod log;
/// From a workload to its request set.
pub mod materialise;
/// Files that a stranger made, opened with care.
pub mod plain;
/// Every trial, in order.
pub mod plan;
/// What a person can fix: a place, a value, a next step, and an exit code.
pub mod problem;
/// What was seen: trials, requests, chunks, reads.
pub mod records;
/// The prompts, in order.
pub mod requests;
/// When each request is due.
pub mod schedule;
/// Named sources of randomness.
pub mod seed;
/// Who vouches for a bundle: ed25519 in a DSSE envelope.
pub mod signature;
/// What a stranger's server sent, made safe to show.
pub mod text;
/// The model's own tokenizer.
pub mod tokenizer;
/// Recorded arrivals: when requests came, and how long they were.
pub mod trace;
/// Durations as integer nanoseconds, and sizes as bytes.
pub mod units;
/// Weeks as ISO 8601 numbers them.
pub mod week;
/// HTTP/1.1 and server-sent events: from bytes as read to chunks.
pub mod wire;
/// The workload file: as written, and as meant.
pub mod workload;

pub use digest::Digest;
pub use problem::{Kind, Problem, Result};
pub use units::{Bytes, Nanos};
pub use week::Week;
