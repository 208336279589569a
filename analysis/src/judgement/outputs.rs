//! Of the verdict on outputs: margins under the reference, and structural checks.

use serde::Serialize;

/// The teacher-forced margins of one arm (METHOD, section Equivalence).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Equivalence {
    /// Graded requests.
    pub requests: u64,
    /// Graded output tokens.
    pub tokens: u64,
    /// Graded server launches (trials).
    pub launches: u64,
    /// Graded from ids that the server sent (otherwise from our reading of its text).
    pub from_ids: u64,
    /// Mean margin of all tokens, in nats, not capped.
    pub mean_margin_nats: f64,
    /// Largest margin, in nats.
    pub max_margin_nats: f64,
    /// Tokens that are not the reference's first choice.
    pub not_first: u64,
    /// Mean of the requests' x.
    pub mean_x: f64,
    /// Launch-clustered upper bound of the mean of x; none with fewer than two launches.
    pub upper_x: Option<f64>,
    /// Mean x of each graded launch, in the plan's order.
    pub launch_means: Vec<f64>,
    /// Mean over launches of their tokens' mean capped margin, a share of the cap: long answers
    /// count for more.
    pub mean_x_by_tokens: f64,
    /// Its upper bound over launches.
    pub upper_x_by_tokens: Option<f64>,
    /// Requests with a margin above four caps.
    pub far_requests: u64,
    /// Exact upper bound of their share.
    pub upper_far: f64,
    /// One-sided confidence of both bounds: 95 % in one stage.
    pub confidence: f64,
    /// ln of the product of all stages' E.
    pub ln_e: f64,
    /// Graded requests until E first reached 10³, in the plan's order.
    pub requests_to_suspect: Option<u64>,
    /// The evidence of each stage.
    pub stages: Vec<StageEvidence>,
    /// The tokens with the largest margins: evidence that a person can look up.
    pub worst: Vec<WorstToken>,
}

/// The e-process of one stage, which begins at 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageEvidence {
    /// From 1.
    pub stage: u32,
    /// Graded requests.
    pub requests: u64,
    /// Those of them that were graded from ids.
    pub from_ids: u64,
    /// Launches.
    pub launches: u64,
    /// The largest ln E, at least 0.
    pub highest_ln_e: f64,
    /// ln E after the last request.
    pub ln_e: f64,
    /// Requests until E first reached 10³.
    pub requests_to_suspect: Option<u64>,
}

/// An arm's texts beside the opening baseline's, where nobody forced a prefix: information.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// Requests that both completed.
    pub requests: u64,
    /// Those of them with the same text.
    pub identical: u64,
    /// The median, over the others, of the characters before the first that differs.
    pub median_shared_characters: Option<u64>,
    /// Some that part, the earliest first, one of a trial.
    pub examples: Vec<Parting>,
}

/// Where an answer and the opening baseline's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parting {
    /// The trial's folder.
    pub trial: String,
    /// Id in the request set.
    pub request: u32,
    /// Characters before the first that differs.
    pub shared_characters: u64,
    /// The last of them; hostile, as all that follow.
    pub shared: String,
    /// How the answer goes on.
    pub own: String,
    /// How the baseline's goes on.
    pub baseline: String,
}

/// One output token far from the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorstToken {
    /// The trial's folder.
    pub trial: String,
    /// Id in the request set.
    pub request: u32,
    /// Position among the output tokens, from 0.
    pub position: u32,
    /// What the server emitted, as text; hostile.
    pub emitted: String,
    /// What the reference would have emitted.
    pub best: String,
    /// logp(best) − logp(emitted), in nats.
    pub margin_nats: f64,
}

/// A structural check over an arm's timed requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable short name, e.g. `ids-match-text`.
    pub code: &'static str,
    /// What it asks, in words.
    pub asks: &'static str,
    /// What a violation means.
    pub consequence: Consequence,
    /// Requests it could be asked of.
    pub asked: u64,
    /// Requests that violate it.
    pub violations: u64,
    /// Whether they are enough for the consequence.
    pub holds: bool,
    /// The first few violations, `trial/request: what`; hostile text is cut.
    pub examples: Vec<String>,
}

/// What a violated structural check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// No honest server does this.
    Altered,
    /// No *equivalent* while it stands.
    NotEquivalent,
    /// For the reader.
    Information,
}
