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
mod load;
mod pin;
mod stage;
mod url;
mod written;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Bytes, Digest, Nanos, requests};
pub use check::{of_endpoint, parse, read};
pub use container::{Binds, Container, GpuAccess, Profile, Source};
pub use decide::{ALPHA, BLIND_CONTROL, Control, Look, Score, ScoreMode};
pub use pin::{Tagged, pin, tags};
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

/// One server: what to start, and with what environment.
#[derive(Debug, Clone)]
pub struct Arm {
    /// For the report.
    pub description: String,
    /// A command of this host or an image.
    pub server: Server,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// The variable of our own environment that holds the API key. The key is sent, and
    /// stored nowhere.
    pub api_key_env: Option<String>,
    /// What is known of it, in a calibration run.
    pub control: Option<Control>,
    /// The configuration that it is a launch of, in a calibration run; its own name where
    /// none is given.
    pub configuration: Option<String>,
}

/// How a server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// A process of this host, for trusted arms. `{port}`, `{model}` (the folder),
    /// `{served_name}` and `{bench}` (this program) are filled in.
    Command(Vec<String>),
    /// A container. `{port}`, `{model}` (`/models`) and `{served_name}` are filled in.
    Image {
        /// By digest.
        source: Source,
        /// Arguments after its entry point.
        args: Vec<String>,
        /// Folders of the host that it sees beside those of all containers.
        binds: Binds,
    },
    /// A server that runs already and that nobody here starts or stops: its base URL.
    Endpoint(Url),
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

/// What is asked of the model, the same of every arm.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Most output tokens of a request that says nothing itself.
    pub max_tokens: u32,
    /// No end before so many output tokens.
    pub min_tokens: Option<u32>,
    /// 0 is greedy.
    #[serde(default)]
    pub temperature: f64,
    /// Share of the probability that is drawn from.
    pub top_p: Option<f64>,
    /// Number of tokens that are drawn from.
    pub top_k: Option<i64>,
    /// The server's seed.
    pub seed: Option<i64>,
    /// Texts that end an answer.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Go on after the end token.
    #[serde(default)]
    pub ignore_eos: bool,
    /// Ask for `return_token_ids`, the only reliable token count.
    #[serde(default = "yes")]
    pub token_ids: bool,
    /// Ask for this many top logprobs in the timed stream.
    pub logprobs: Option<u32>,
    /// Further fields of the request's body, as they stand.
    #[serde(default)]
    pub extra: BTreeMap<String, serde_json::Value>,
}

fn yes() -> bool {
    true
}

/// One load phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Unique in the workload.
    pub name: String,
    /// Requests of the phase.
    pub requests: u32,
    /// When requests are sent.
    pub shape: Shape,
    /// Nothing is sent after so much time of the phase.
    pub time: Option<Nanos>,
    /// The pause before each further turn of a session.
    pub think: Option<Think>,
    /// The ladder that it is a step of.
    pub rung: Option<Rung>,
    /// The trace's file.
    pub trace: Option<TraceFile>,
}

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// A fixed number of clients, each sending its next request when the last has ended.
    Closed {
        /// The number of clients.
        concurrency: u32,
        /// The clients begin evenly over this time.
        #[serde(default, skip_serializing_if = "Nanos::is_zero")]
        ramp_ns: Nanos,
    },
    /// Requests, or the first turns of sessions, arrive whether or not others have ended.
    Open {
        /// The mean time between arrivals.
        gap_ns: Nanos,
        /// How arrivals are spread.
        arrivals: Arrivals,
    },
    /// Arrivals as they were recorded.
    Trace {
        /// Of the trace's file.
        digest: Digest,
        /// Recorded time over replayed time, in thousandths.
        speed_thousandths: u32,
    },
}

/// How open arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Arrivals {
    /// Every gap is the mean gap.
    Constant,
    /// Exponential gaps.
    Poisson,
    /// Gamma gaps: the shape is the burstiness; below 1 arrivals cluster, 1 is Poisson.
    Gamma {
        /// In thousandths.
        burstiness_thousandths: u32,
    },
}

/// The pause before each further turn of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Think {
    /// Always the same.
    Constant(Nanos),
    /// Exponential with this mean.
    Exponential(Nanos),
}

/// A step of a ladder: a declared geometric series of rates or concurrencies.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// The ladder's name.
    pub ladder: String,
    /// From 1.
    pub step: u32,
    /// What the series is of.
    pub of: Axis,
    /// Requests per second, or the number of clients.
    pub value: f64,
}

/// What a ladder is a series of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Requests per second of an open load.
    Rate,
    /// Clients of a closed load.
    Concurrency,
}

/// The file of a recorded trace, see [`crate::trace`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFile {
    /// Relative paths are resolved from the workload file's folder.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub digest: Digest,
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

/// How outputs are graded.
#[derive(Debug, Clone)]
pub struct Equivalence {
    /// The trusted server that scores outputs; the baseline's where none is declared.
    pub reference: Option<Arm>,
    /// Graded requests of each trial.
    pub sample: u32,
    /// The declared tolerance, for verdicts without calibration.
    pub tolerance: Option<Tolerance>,
    /// Ids of the measure bundles whose controls set the tolerance instead.
    pub calibration: Vec<Digest>,
    /// Rounds of the stage that a run adds by itself where a candidate is suspect.
    pub confirm: Option<u32>,
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
