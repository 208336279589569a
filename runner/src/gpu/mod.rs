//! GPUs of this host: what they are, whose they are for a while, how a container is given
//! them, and what they did meanwhile.
//!
//! A module uses only those listed before it.

/// The driver's management library, and nothing else knows it.
pub mod nvml;

/// GPUs for one run alone.
pub mod lease;

/// From leased GPUs to what a container is given.
pub mod access;

/// What breaks of them while a trial runs.
mod faults;

/// What leased GPUs do while a trial runs.
pub mod telemetry;

/// The GPUs of a run.
mod held;

pub use access::{Grant, grant};
pub use held::Held;
pub use lease::{Lease, Leased, lease, shared_folder};
pub use nvml::Library;
pub use telemetry::Telemetry;
