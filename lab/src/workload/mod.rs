//! The workload file: one declarative TOML file that names models, a baseline,
//! candidates, requests, loads, rounds and limits. `workloads/README.md` documents every
//! field.
//!
//! `parse` turns what a person wrote (the private module `written`) into a checked
//! `Workload`; only that travels further in.

mod check;
mod written;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Bytes, Digest, Nanos, image::Image};
pub use check::{parse, read};

/// The name of the baseline among arms.
pub const BASELINE: &str = "baseline";

/// A workload takes at most so many requests from its set.
pub const MOST_REQUESTS: u32 = 1 << 26;

/// A checked workload: every reference resolves, every number is in range.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The file's bytes, which a bundle keeps.
    pub source: String,
    /// SHA-256 of those bytes.
    pub digest: Digest,
    /// Short name, used in folder names.
    pub name: String,
    /// What it measures, for the report.
    pub description: String,
    /// Models by name.
    pub models: BTreeMap<String, Model>,
    /// The server that everything is compared with.
    pub baseline: Arm,
    /// The servers under test, by name.
    pub candidates: BTreeMap<String, Arm>,
    /// Where prompts come from.
    pub requests: Requests,
    /// What is asked of the model.
    pub sampling: Sampling,
    /// Load phases, which one server lifetime runs one after another.
    pub loads: Vec<Load>,
    /// The cells to run: candidates under each model and number of GPUs.
    pub groups: Vec<Group>,
    /// How often each comparison is repeated.
    pub rounds: u32,
    /// Seed of every order in the plan.
    pub seed: u64,
    /// Warm-up requests of each trial.
    pub warmup: u32,
    /// Deadlines and bounds.
    pub limits: Limits,
    /// How outputs are graded; none means that no verdict on outputs is sought.
    pub equivalence: Option<Equivalence>,
    /// Price of the machine.
    pub cost: Option<Cost>,
}

impl Workload {
    /// The arm of that name, the baseline included.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        if name == BASELINE { Some(&self.baseline) } else { self.candidates.get(name) }
    }

    /// The requests that one round takes from the set: warm-up, then each load's.
    pub fn requests_per_round(&self) -> u32 {
        self.warmup + self.loads.iter().map(|l| l.requests).sum::<u32>()
    }

    /// The requests that the whole workload takes from the set; a checked workload keeps
    /// them below [`MOST_REQUESTS`].
    pub fn requests_in_all(&self) -> u32 {
        self.rounds * self.requests_per_round()
    }
}

/// A model's folder on this host.
#[derive(Debug, Clone)]
pub struct Model {
    /// The folder, relative paths resolved from the workload file's own folder.
    pub path: PathBuf,
    /// The name in requests.
    pub served_name: String,
    /// The folder's tree digest, where the workload pins it.
    pub digest: Option<Digest>,
}

/// One server: what to start, and with what environment.
#[derive(Debug, Clone)]
pub struct Arm {
    /// For the report.
    pub description: String,
    /// A command of this host or an image.
    pub server: Server,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
}

/// How a server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// A process of this host, for trusted arms. `{port}`, `{model}` (the folder),
    /// `{served_name}` and `{bench}` (this program) are filled in.
    Command(Vec<String>),
    /// A container.
    Image {
        /// By digest.
        image: Image,
        /// Arguments after its entry point.
        args: Vec<String>,
    },
}

/// Where prompts come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Requests {
    /// A request set in a file.
    File {
        /// JSONL, relative to the workload file.
        path: PathBuf,
        /// SHA-256 of the file.
        digest: Digest,
    },
    /// Instructions of our own wording, see [`crate::requests::prose`].
    Prose {
        /// Seed of every choice.
        seed: u64,
        /// Words of a prompt, about.
        words: u32,
    },
}

/// What is asked of the model, the same of every arm.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Most output tokens of a request.
    pub max_tokens: u32,
    /// 0 is greedy.
    #[serde(default)]
    pub temperature: f64,
    /// Go on after the end token.
    #[serde(default)]
    pub ignore_eos: bool,
    /// Ask for `return_token_ids`, the only reliable token count.
    #[serde(default = "yes")]
    pub token_ids: bool,
    /// Ask for this many top logprobs in the timed stream.
    pub logprobs: Option<u32>,
}

fn yes() -> bool {
    true
}

/// One load phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Unique in the workload.
    pub name: String,
    /// Requests of the phase.
    pub requests: u32,
    /// When requests are sent.
    pub shape: Shape,
}

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// A fixed number of clients, each sending its next request when the last has ended.
    Closed {
        /// The number of clients.
        concurrency: u32,
    },
}

/// One model on one number of GPUs, and the candidates that run there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The model's name.
    pub model: String,
    /// GPUs of a server.
    pub gpus: u32,
    /// Candidates, sorted.
    pub candidates: Vec<String>,
    /// Loads by name, in the file's order.
    pub loads: Vec<String>,
}

/// Deadlines and bounds: every wait has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// From start to the first 200 of `/health`.
    pub ready: Nanos,
    /// From a request's send to its end.
    pub request: Nanos,
    /// A whole load phase.
    pub phase: Nanos,
    /// From SIGTERM to SIGKILL.
    pub stop: Nanos,
    /// Bytes of one response.
    pub response: Bytes,
    /// Bytes of a server's log that are kept.
    pub log: Bytes,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            ready: Nanos::from_secs(600),
            request: Nanos::from_secs(120),
            phase: Nanos::from_secs(3_600),
            stop: Nanos::from_secs(10),
            response: Bytes(16 << 20),
            log: Bytes(1 << 20),
        }
    }
}

/// How outputs are graded.
#[derive(Debug, Clone)]
pub struct Equivalence {
    /// The trusted server that scores outputs; the baseline's where none is declared.
    pub reference: Option<Arm>,
    /// Graded requests of each trial.
    pub sample: u32,
    /// The declared tolerance, for verdicts without calibration.
    pub tolerance: Option<Tolerance>,
}

/// A numerics budget that the workload's author declares. Verdicts from it are
/// *provisional*: no calibration stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// c: margins are capped here, in nats.
    pub cap_nats: f64,
    /// δ: the tolerated mean of capped margins, as a share of the cap.
    pub mean: f64,
    /// δ_h: the tolerated share of requests with a margin above four caps.
    pub far: f64,
}

/// What the machine costs.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Price of one GPU for one hour.
    pub gpu_hour: f64,
}
