//! What was seen, in the shapes in which a bundle stores it. `results/README.md`
//! specifies every field.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Digest, Nanos, plan,
    wire::{Derived, End},
    workload::Limits,
};

/// Version of `trial.json` and of the tables beside it. 1: first.
pub const FORMAT: u32 = 1;

/// The name of the warm-up among phases.
pub const WARMUP: &str = "warmup";

/// The one outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A whole response of the kind that was asked for.
    Complete,
    /// A status other than 200.
    HttpError,
    /// Not what was asked for: framing, events, JSON, encoding.
    Malformed,
    /// The server closed the connection before the end.
    Closed,
    /// The server reset the connection.
    Reset,
    /// The deadline passed.
    Deadline,
    /// The response outgrew its limit.
    TooLarge,
    /// No connection.
    NoConnection,
    /// Never sent: the server died or the phase's deadline passed before its turn.
    NotSent,
}

/// One request's bytes and times, before anything is made of them. Offsets count from
/// the trial's clock start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Id in the request set.
    pub request: u32,
    /// The load's name, or [`WARMUP`].
    pub phase: String,
    /// When the schedule wanted it sent.
    pub intended_ns: Nanos,
    /// Immediately before the first byte was handed to the socket.
    pub sent_ns: Nanos,
    /// How reading ended.
    pub end: End,
    /// When reading ended.
    pub end_ns: Nanos,
    /// Each read of the socket: offset right after it returned, and bytes.
    pub reads: Vec<(Nanos, usize)>,
    /// The response, byte for byte.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

impl Exchange {
    /// What the bytes come to.
    pub fn derive(&self) -> Derived {
        let lengths: Vec<usize> = self.reads.iter().map(|(_, len)| *len).collect();
        crate::wire::derive(&self.bytes, &lengths, self.end)
    }

    /// The rows that go into `requests.csv` and `chunks.csv.zst`.
    pub fn rows(&self, derived: &Derived) -> (RequestRow, Vec<ChunkRow>) {
        let stamp = |read: u32| self.reads.get(read as usize).map_or(self.end_ns, |(at, _)| *at);
        let request = RequestRow {
            request: self.request,
            phase: self.phase.clone(),
            intended_ns: self.intended_ns,
            sent_ns: self.sent_ns,
            head_ns: derived.head_read.map(stamp),
            end_ns: self.end_ns,
            outcome: derived.outcome,
            detail: crate::text::cut(&derived.detail, 2_000).to_owned(),
            status: derived.status,
            reads: self.reads.len() as u32,
            bytes: self.bytes.len() as u64,
            chunks: derived.chunks.len() as u32,
            ids: derived.chunks.iter().map(|c| c.ids.len() as u32).sum(),
            finish: derived
                .chunks
                .iter()
                .rev()
                .find(|c| !c.finish.is_empty())
                .map(|c| crate::text::cut(&c.finish, 100).to_owned())
                .unwrap_or_default(),
            done: derived.done,
            claimed_prompt: derived.claimed.prompt,
            claimed_output: derived.claimed.output,
        };
        let chunks = derived.chunks.iter().map(|chunk| ChunkRow {
            request: self.request,
            event: chunk.event,
            read: chunk.read,
            offset_ns: stamp(chunk.read),
            ids: List(chunk.ids.clone()),
            text: chunk.text.clone(),
            entries: chunk.entries,
            empty_entries: chunk.empty_entries,
            logprobs: List(chunk.logprobs.clone()),
            finish: chunk.finish.clone(),
        });
        (request, chunks.collect())
    }
}

/// One event that carries output or an end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    /// Position among the response's events, from 0.
    pub event: u32,
    /// The read that completed it, from 0.
    pub read: u32,
    /// Token ids, where the server gives them.
    pub ids: Vec<u32>,
    /// Content, reasoning and tool calls together.
    pub text: String,
    /// Entries in its list of logprobs.
    pub entries: u32,
    /// Those of them that name an empty token.
    pub empty_entries: u32,
    /// The emitted tokens' logprobs, as the server claims them.
    pub logprobs: Vec<f64>,
    /// `finish_reason`, or empty.
    pub finish: String,
}

/// A row of `requests.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRow {
    /// Id in the request set.
    pub request: u32,
    /// The load's name, or [`WARMUP`].
    pub phase: String,
    /// When the schedule wanted it sent.
    pub intended_ns: Nanos,
    /// When it was sent.
    pub sent_ns: Nanos,
    /// When the response's head was complete.
    pub head_ns: Option<Nanos>,
    /// When reading ended.
    pub end_ns: Nanos,
    /// What became of it.
    pub outcome: Outcome,
    /// What was wrong; may quote the server.
    pub detail: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// Reads of the socket.
    pub reads: u32,
    /// Bytes read.
    pub bytes: u64,
    /// Rows in the chunk table.
    pub chunks: u32,
    /// Token ids received.
    pub ids: u32,
    /// The last `finish_reason`.
    pub finish: String,
    /// Whether `[DONE]` came.
    pub done: bool,
    /// Prompt tokens, as the server claims.
    pub claimed_prompt: Option<u64>,
    /// Output tokens, as the server claims.
    pub claimed_output: Option<u64>,
}

/// A row of `chunks.csv.zst`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkRow {
    /// Id in the request set.
    pub request: u32,
    /// Position among the response's events.
    pub event: u32,
    /// The read that completed it.
    pub read: u32,
    /// When that read returned.
    pub offset_ns: Nanos,
    /// Token ids, where the server gives them.
    pub ids: List<u32>,
    /// The text.
    pub text: String,
    /// Entries in its list of logprobs.
    pub entries: u32,
    /// Those that name an empty token.
    pub empty_entries: u32,
    /// The server's logprobs of the emitted tokens.
    pub logprobs: List<f64>,
    /// `finish_reason`, or empty.
    pub finish: String,
}

/// A row of a grade bundle's `reference/<trial>.csv.zst`: one output token as the
/// reference sees it, given the prompt and the tokens before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceRow {
    /// Id in the request set.
    pub request: u32,
    /// Position among the output tokens, from 0.
    pub position: u32,
    /// The emitted token.
    pub id: u32,
    /// Its logprob, in nats.
    pub logprob: f64,
    /// Its rank, from 1.
    pub rank: u32,
    /// The reference's most likely token.
    pub best_id: u32,
    /// The logprob of that one.
    pub best_logprob: f64,
}

/// Several values in one CSV field, separated by spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T: std::fmt::Display> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let parts: Vec<String> = self.0.iter().map(T::to_string).collect();
        s.serialize_str(&parts.join(" "))
    }
}

impl<'de, T: std::str::FromStr> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let parse = |part: &str| {
            part.parse().map_err(|_| serde::de::Error::custom(format!("`{}` in a list", crate::text::shown(part, 40))))
        };
        text.split(' ').filter(|part| !part.is_empty()).map(parse).collect::<Result<_, _>>().map(List)
    }
}

/// `trial.json`: everything about a trial that is not a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// [`FORMAT`].
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
    /// `process`.
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
}

/// When each stage of a trial ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    /// First 200 of `/health`.
    pub ready_ns: Option<Nanos>,
    /// Last warm-up answer.
    pub warm_ns: Option<Nanos>,
    /// Start and end of each load phase.
    pub phases: Vec<PhaseStage>,
    /// The server's end.
    pub stopped_ns: Option<Nanos>,
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
}

/// `run.json`: what holds for the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// [`FORMAT`].
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

/// `grade.json` of a grade bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// [`FORMAT`].
    pub format: u32,
    /// The revealed audit seed, 64 hexadecimal digits.
    pub audit_seed: String,
    /// Graded requests of each trial, as asked for.
    pub sample: u32,
    /// The reference as started, for each model.
    pub references: BTreeMap<String, ServerFacts>,
    /// The host, which names its environment file.
    pub host: String,
    /// Wall clock at its start, RFC 3339, UTC.
    pub started: String,
}

/// A row of `prompts.csv.zst` of a grade bundle: a prompt as the reference renders it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptRow {
    /// The model's name.
    pub model: String,
    /// Id in the request set.
    pub request: u32,
    /// The token ids after the chat template.
    pub ids: List<u32>,
}

/// A row of `graded.csv` of a grade bundle: one sampled output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradedRow {
    /// The trial's folder.
    pub trial: String,
    /// Id in the request set.
    pub request: u32,
    /// What was graded.
    pub source: Source,
    /// Output tokens graded.
    pub tokens: u32,
    /// Why nothing was graded; empty where it was.
    pub failure: String,
}

/// What the graded token ids are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The ids that the server sent.
    Ids,
    /// Our tokenizer's reading of its text: an honest server may have emitted other ids.
    Text,
    /// Nothing.
    None,
}

impl RequestRow {
    /// The columns of `requests.csv`.
    pub const HEADER: &[&str] = &[
        "request",
        "phase",
        "intended_ns",
        "sent_ns",
        "head_ns",
        "end_ns",
        "outcome",
        "detail",
        "status",
        "reads",
        "bytes",
        "chunks",
        "ids",
        "finish",
        "done",
        "claimed_prompt",
        "claimed_output",
    ];
}

impl ChunkRow {
    /// The columns of `chunks.csv.zst`.
    pub const HEADER: &[&str] =
        &["request", "event", "read", "offset_ns", "ids", "text", "entries", "empty_entries", "logprobs", "finish"];
}

impl ReferenceRow {
    /// The columns of `reference/<trial>.csv.zst`.
    pub const HEADER: &[&str] = &["request", "position", "id", "logprob", "rank", "best_id", "best_logprob"];
}

impl PromptRow {
    /// The columns of `prompts.csv.zst`.
    pub const HEADER: &[&str] = &["model", "request", "ids"];
}

impl GradedRow {
    /// The columns of `graded.csv`.
    pub const HEADER: &[&str] = &["trial", "request", "source", "tokens", "failure"];
}
