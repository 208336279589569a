//! The reference's view of sampled outputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{List, ServerFacts};

/// `grade.json` of a grade bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// [`FORMAT`](super::FORMAT).
    pub format: u32,
    /// The revealed audit seed, 64 hexadecimal digits.
    pub audit_seed: String,
    /// The public value that the plan awaited, which completes the seed; none where it awaited none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
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

impl PromptRow {
    /// The columns of `prompts.csv.zst`.
    pub const HEADER: &[&str] = &["model", "request", "ids"];
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

impl GradedRow {
    /// The columns of `graded.csv`.
    pub const HEADER: &[&str] = &["trial", "request", "source", "tokens", "failure"];
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

impl ReferenceRow {
    /// The columns of `reference/<trial>.csv.zst`.
    pub const HEADER: &[&str] = &["request", "position", "id", "logprob", "rank", "best_id", "best_logprob"];
}
