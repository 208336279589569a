//! A run and its trials: everything that is not a request.

use serde::{Deserialize, Serialize};

use super::{Container, TelemetryFacts};
use crate::{Digest, Nanos, plan, workload::Limits};

/// `run.json`: what holds for the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// [`FORMAT`](super::FORMAT).
    pub format: u32,
    /// The run's short random name.
    pub run: String,
    /// Wall clock at its start, RFC 3339, UTC.
    pub started: String,
    /// Digest of `plan.json`.
    pub plan: Digest,
    /// SHA-256 of the audit seed, which is revealed by the grade bundle.
    pub audit_commitment: Digest,
}

/// `trial.json`: everything about a trial that is not a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// [`FORMAT`](super::FORMAT).
    pub format: u32,
    /// As planned.
    pub trial: plan::Trial,
    /// The host, which names its environment file.
    pub host: String,
    /// Wall clock at the trial's clock start, RFC 3339, UTC.
    pub started: String,
    /// What became of it.
    pub outcome: TrialOutcome,
    /// The server as started.
    pub server: ServerFacts,
    /// When each stage ended, from the trial's clock start (the server's start).
    pub stages: Stages,
    /// Deadlines and bounds in force.
    pub limits: Limits,
    /// Attempts before this one that failed because of this host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// How its GPUs were watched; none where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<TelemetryFacts>,
}

/// An attempt at a trial that this host ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Wall clock at its clock start, RFC 3339, UTC.
    pub started: String,
    /// How long it went on.
    pub lasted_ns: Nanos,
    /// What was seen.
    pub detail: String,
}

/// What became of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialOutcome {
    /// Every phase ran; each request has its own outcome.
    Completed,
    /// It ended early.
    Failed {
        /// Whose failure it is.
        class: Class,
        /// What was seen, with the last lines of the log where they help.
        detail: String,
    },
}

/// Whose failure a failure is. Only what a candidate caused can disqualify it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The machine or this program.
    Host,
    /// The image could not be had or is not what its digest says.
    Image,
    /// The server exited before it was ready.
    Start,
    /// The server was not ready in time.
    LoadTimeout,
    /// The server died or broke the protocol in the run.
    Protocol,
    /// A load phase passed its deadline.
    Deadline,
}

/// The server as it was started and as it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerFacts {
    /// `process`, `docker` or `endpoint`.
    pub executor: String,
    /// The command with its placeholders filled in.
    pub command: Vec<String>,
    /// Digest of the command's program file.
    pub program: Option<Digest>,
    /// Where it listened.
    pub port: u16,
    /// `exit 0`, `signal 9`; none while it still ran when it was stopped.
    pub exit: Option<String>,
    /// Whether SIGTERM was enough.
    pub stopped_by: Option<String>,
    /// Bytes it wrote to its log.
    pub log_bytes: u64,
    /// Bytes of them that are kept: the first and the last half of the limit.
    pub log_kept: u64,
    /// The container that it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Its GPUs, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<String>,
}

/// When each stage of a trial ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    /// The container was made, and is what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_ns: Option<Nanos>,
    /// Its server runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ns: Option<Nanos>,
    /// First 200 of `/health`.
    pub ready_ns: Option<Nanos>,
    /// Last warm-up answer.
    pub warm_ns: Option<Nanos>,
    /// Start and end of each load phase.
    pub phases: Vec<PhaseStage>,
    /// The server's end.
    pub stopped_ns: Option<Nanos>,
    /// Nothing is left of its container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_ns: Option<Nanos>,
}

/// Start and end of one load phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseStage {
    /// The load's name.
    pub load: String,
    /// When its clock started.
    pub start_ns: Nanos,
    /// When its last request ended.
    pub end_ns: Nanos,
    /// Processor time that the client's process took for it, connecting included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cpu_ns: Option<Nanos>,
    /// Segments that this host's network received out of order meanwhile. Where there were
    /// any, or where nobody knows, the kernel's receive times could be those of bytes that
    /// waited for earlier ones, and all times are those of the reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_order: Option<u64>,
    /// The most memory that it had had by then, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_peak_bytes: Option<u64>,
}
