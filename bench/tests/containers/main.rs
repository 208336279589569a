//! Strangers' servers in containers, on a real engine: what the record says of them is held
//! against what the engine's own client and the kernel say.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod absent;
mod archives;
mod confined;
mod failures;
mod fresh;
mod gpus;
mod images;
mod isolated;
mod left_behind;
mod mismatch;
mod own_engine;
mod reading;
mod running;
