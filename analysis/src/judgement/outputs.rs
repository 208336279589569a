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
    /// Launch-clustered upper 95 % bound of the mean of x; none with fewer than two launches.
    pub upper_x: Option<f64>,
    /// Requests with a margin above four caps.
    pub far_requests: u64,
    /// Exact upper 95 % bound of their share.
    pub upper_far: f64,
    /// ln E of the e-process.
    pub ln_e: f64,
    /// Requests until E first reached the threshold, in plan order.
    pub requests_to_threshold: Option<u64>,
    /// The tokens with the largest margins: evidence that a person can look up.
    pub worst: Vec<WorstToken>,
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
