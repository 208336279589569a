//! The workload file: one declarative TOML file that names models, a baseline,
//! candidates, requests, loads, rounds and limits. `workloads/README.md` documents every
//! field.
//!
//! `parse` turns what a person wrote (the private module `written`) into a checked
//! `Workload`; only that travels further in.

mod arm;
mod check;
mod container;
mod decide;
mod equivalence;
mod load;
mod matrix;
mod pin;
mod sampling;
mod stage;
mod url;
mod written;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Bytes, Digest, Nanos, requests};
pub use arm::{Arm, Server};
pub use check::{of_endpoint, parse, read};
pub use container::{Binds, Container, GpuAccess, Profile, Source};
pub use decide::{ALPHA, BLIND_CONTROL, Control, Look, Score, ScoreMode};
pub use equivalence::{Equivalence, Tolerance};
pub use load::{Arrivals, Axis, Load, Rung, Shape, Think, TraceFile};
pub use matrix::Group;
pub use pin::{Tagged, pin, tags};
pub use sampling::Sampling;
pub use stage::{After, Stage};
pub use url::Url;

/// The name of the baseline among arms.
pub const BASELINE: &str = "baseline";

/// A workload takes at most so many requests from its set.
pub const MOST_REQUESTS: u32 = 1 << 26;

/// A workload has at most so many candidates: `METHOD.md`, section *Equivalence*.
pub const MOST_CANDIDATES: usize = 1_000;

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
    /// When speed is claimed; none is once, after all rounds.
    pub looks: Vec<Look>,
    /// What each trial sends before its first phase.
    pub warmup: Warmup,
    /// How requests are sent, the same to every arm.
    pub client: Client,
    /// Deadlines and bounds.
    pub limits: Limits,
    /// The latencies that goodput asks for.
    pub slo: Option<Slo>,
    /// How outputs are graded; none means that no verdict on outputs is sought.
    pub equivalence: Option<Equivalence>,
    /// Price of the machine.
    pub cost: Option<Cost>,
    /// How candidates are ranked.
    pub score: Score,
    /// What containers may do.
    pub container: Container,
    /// The stage that it is run as; none is the first.
    pub stage: Option<Stage>,
    /// The public value, in words, that did not exist before the run and completes its audit seed.
    pub awaits: Option<String>,
}

impl Workload {
    /// The arm of that name, the baseline included.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        if name == BASELINE { Some(&self.baseline) } else { self.candidates.get(name) }
    }

    /// Every arm with its name, the baseline last.
    pub fn arms(&self) -> impl Iterator<Item = (&str, &Arm)> {
        self.candidates.iter().map(|(name, arm)| (name.as_str(), arm)).chain([(BASELINE, &self.baseline)])
    }

    /// The declared server that scores outputs; none where the baseline's does, or nothing does.
    pub fn reference(&self) -> Option<&Arm> {
        self.equivalence.as_ref()?.reference.as_ref()
    }

    /// Ids of the measure bundles whose controls set the tolerance; none where nothing does.
    pub fn calibration(&self) -> &[Digest] {
        self.equivalence.as_ref().map_or(&[], |e| &e.calibration)
    }

    /// The requests that one round takes from the set: warm-up, then each load's.
    pub fn requests_per_round(&self) -> u32 {
        self.warmup_requests() + self.timed_requests()
    }

    /// The requests of one warm-up.
    pub fn warmup_requests(&self) -> u32 {
        match self.warmup {
            Warmup::Requests(count) => count,
            Warmup::Replay => self.timed_requests(),
        }
    }

    fn timed_requests(&self) -> u32 {
        self.loads.iter().map(|l| l.requests).sum()
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

/// Where prompts come from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Requests {
    /// A request set in a file.
    File(requests::File),
    /// Instructions of our own wording, see [`requests::prose`].
    Prose {
        /// Seed of every choice.
        seed: u64,
        /// Words of a prompt, about.
        words: u32,
    },
    /// Synthetic text of exact lengths in tokens.
    Text(requests::Text),
    /// Recorded conversations.
    Sharegpt(requests::Sharegpt),
    /// The shape of Cacheon's V1 evaluation.
    V1(requests::V1),
}

/// What each trial sends before its first phase. No prompt of it is ever timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmup {
    /// So many requests, with lengths taken evenly from the loads, as many at once as the
    /// widest closed load has.
    Requests(u32),
    /// Before each phase its own shape once: the same schedule and lengths, other prompts.
    Replay,
}

/// How requests are sent, the same to every arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// Connections are kept for further requests; else each request has its own.
    pub keep: bool,
    /// Connections opened before an open load's phase begins; a closed load opens one for
    /// each of its clients.
    pub connections: u32,
    /// Time between two openings before a phase begins.
    pub stagger: Nanos,
    /// Threads that send and read.
    pub threads: u32,
    /// The cores that they are pinned to, one after another; none leaves it to the system.
    pub cores: Vec<u32>,
}

impl Default for Client {
    fn default() -> Self {
        Client { keep: false, connections: 0, stagger: Nanos(200_000), threads: 1, cores: Vec::new() }
    }
}

/// Latencies that goodput asks of every request, see `METHOD.md`; from the intended send.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slo {
    /// Most time to first output.
    pub ttft: Option<Nanos>,
    /// Most time per output token after the first.
    pub tpot: Option<Nanos>,
    /// Most end-to-end latency.
    pub e2el: Option<Nanos>,
    /// The share of requests that has to meet all of them, where a ladder is searched.
    #[serde(default = "ninety_nine")]
    pub share: f64,
}

fn ninety_nine() -> f64 {
    0.99
}

/// No workload lets a response be longer, and no exchange of a bundle is.
pub const LARGEST_RESPONSE: Bytes = Bytes(256 << 20);

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
    /// Having one image.
    pub pull: Nanos,
    /// Bytes of an image: of its packed layers, and again unpacked.
    pub image: Bytes,
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
            pull: Nanos::from_secs(1_800),
            image: Bytes(64 << 30),
        }
    }
}

/// What the machine costs.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Price of one GPU for one hour.
    pub gpu_hour: f64,
}

#[cfg(test)]
mod tests;
