//! The plan of a run on many nodes: Slurm is given a task for each block of the plan, and this
//! program, started by Slurm on a node, measures it there.
//!
//! The run's folder is on storage that all nodes share. A task never writes into it: each attempt
//! at a block has a folder of its own beside it, which is finished by its last file. Only
//! whoever submitted takes finished attempts into the run and seals it, so that nothing that a
//! dead node still writes can reach a bundle.

/// The folder beside a run: what was submitted, and the attempts at its blocks.
mod tasks;

/// What is asked of Slurm besides.
mod options;

/// The script that Slurm starts.
mod script;

/// Slurm's own commands, and nothing else knows them.
mod commands;

/// One block on this node.
mod exec;

/// From finished attempts to the run's folder.
mod collect;

/// What tasks cost beside their servers.
mod overhead;

/// The main path: submitted, watched, collected, sealed.
mod submit;

/// How a run stands.
pub mod status;

pub use commands::{Cancelled, cancel};
pub use exec::Task;
pub use options::Options;
pub use overhead::Overhead;
pub use status::status;
pub use submit::{How, Submitted, grade, run};
pub use tasks::Outcome;
