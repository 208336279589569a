//! What stands behind one candidate's verdict, down to tokens and requests that a person can
//! look up. Texts are as the servers sent them: hostile, and cut.

use serde::Serialize;

use super::{Reason, Verdict};

/// Version of the JSON that `bench judge --explain --json` prints. 1: first.
pub const EXPLANATION_FORMAT: u32 = 1;

/// A verdict with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// [`EXPLANATION_FORMAT`].
    pub format: u32,
    /// The method's version.
    pub method: &'static str,
    /// The candidate.
    pub candidate: String,
    /// The verdict on its outputs.
    pub verdict: Verdict,
    /// Whether the tolerance is only declared.
    pub provisional: bool,
    /// Its reasons, the decisive one first, each with what it rests on.
    pub reasons: Vec<Explained>,
}

/// One reason with its evidence. A reason that speaks of counts, or of nothing graded, has none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The reason.
    pub reason: Reason,
    /// Tokens with the largest margins, largest first.
    pub tokens: Vec<ExplainedToken>,
    /// Requests that violate the check.
    pub requests: Vec<ExplainedRequest>,
    /// Launches that failed: trial and what was seen; hostile.
    pub launches: Vec<(String, String)>,
}

/// One output token beside the reference's first choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedToken {
    /// Where it stands.
    pub place: Place,
    /// Position among the output tokens, from 0.
    pub position: u32,
    /// The output right before it.
    pub before: String,
    /// What the server emitted.
    pub emitted: TokenSeen,
    /// Its rank under the reference, from 1; 0 where the reference does not say.
    pub rank: u32,
    /// What the reference would have emitted.
    pub best: TokenSeen,
    /// logp(best) − logp(emitted), in nats.
    pub margin_nats: f64,
}

/// A token as the reference sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenSeen {
    /// Its id.
    pub id: u32,
    /// Its text; the name of a special token.
    pub text: String,
    /// Its logprob under the reference, in nats.
    pub logprob: f64,
}

/// One request that violates a structural check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedRequest {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, in words.
    pub what: String,
    /// What became of it, e.g. `complete`.
    pub outcome: &'static str,
    /// `finish_reason`, or empty.
    pub finish: String,
    /// The output.
    pub text: String,
    /// Output tokens as we count them.
    pub tokens: u32,
    /// Most that were asked for.
    pub most_tokens: u32,
    /// What our count rests on: `ids` or `text`.
    pub counted_from: &'static str,
    /// Token ids that the server sent.
    pub ids: u32,
    /// Output tokens that it claims.
    pub claimed_output: Option<u64>,
    /// Prompt tokens that it claims.
    pub claimed_prompt: Option<u64>,
    /// Prompt tokens as the reference renders the prompt; none without a grade.
    pub prompt_tokens: Option<u64>,
    /// Entries in its lists of logprobs.
    pub logprob_entries: u32,
    /// The shortest answer of the neighbouring baselines to the same request.
    pub baseline: Option<BaselineAnswer>,
}

/// What a neighbouring baseline answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BaselineAnswer {
    /// Output tokens as we count them.
    pub tokens: u32,
    /// The output.
    pub text: String,
}

/// Where a request stands in the bundles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The bundle's folder.
    pub bundle: String,
    /// The file in it.
    pub file: String,
    /// The trial's folder.
    pub trial: String,
    /// Id in the request set.
    pub request: u32,
    /// The last words of its prompt.
    pub prompt_end: String,
}
