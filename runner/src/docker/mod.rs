//! Strangers' servers: containers of a Docker engine. The only module that knows Docker.

/// The engine itself.
pub mod engine;
