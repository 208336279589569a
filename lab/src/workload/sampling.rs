//! What is asked of the model beside prompts.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::check::Check;
use crate::Result;

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

impl Check<'_> {
    pub(super) fn sampling(&self, s: &Sampling) -> Result<()> {
        self.in_range("sampling.max_tokens", s.max_tokens, 1..=1 << 20)?;
        if let Some(least) = s.min_tokens {
            self.in_range("sampling.min_tokens", least, 0..=s.max_tokens)?;
        }
        if !(0.0..=2.0).contains(&s.temperature) {
            return Err(self.wrong(
                "sampling.temperature",
                &format!("{} is not between 0 and 2", s.temperature),
                "write 0 for greedy decoding",
            ));
        }
        if s.top_p.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
            return Err(self.wrong("sampling.top_p", "it is not above 0 and at most 1", "write 1 to draw from all"));
        }
        if s.top_k.is_some_and(|k| k < -1) {
            return Err(self.wrong("sampling.top_k", "it is below -1", "write -1 or 0 to draw from all"));
        }
        for (name, value) in &s.extra {
            let field = format!("sampling.extra.{name}");
            if OURS.contains(&name.as_str()) {
                return Err(self.wrong(&field, "this field of the request's body is set by bench itself", "remove it"));
            }
            if value.to_string().contains("$__toml_private_datetime") {
                return Err(self.wrong(&field, "JSON has no dates", "write it as a string"));
            }
        }
        Ok(())
    }
}

/// Fields of a request's body that have their own place in the workload file, or are what
/// makes it a timed request.
const OURS: [&str; 20] = [
    "model",
    "messages",
    "prompt",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "min_tokens",
    "temperature",
    "top_p",
    "top_k",
    "seed",
    "stop",
    "ignore_eos",
    "return_token_ids",
    "logprobs",
    "top_logprobs",
    "echo",
    "best_of",
];
