//! GPUs without a GPU: a library that the tests build stands in for the driver's.
#![allow(clippy::unwrap_used)]

#[path = "../nvml/mod.rs"]
mod nvml;

mod doctor;
mod facts;
mod faults;
mod lease;
mod telemetry;
