//! Conversations of people with assistants, in ShareGPT's format.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Request, Slot, Wrong, length::MOST_TOKENS};
use crate::{Digest, Problem, Result, tokenizer::Tokenizer};

/// `[requests.sharegpt]`: recorded conversations, filtered as vLLM's benchmark filters
/// them, in an order drawn by seed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sharegpt {
    /// The JSON file, relative to the workload file.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// The model whose tokenizer counts.
    pub model: String,
    /// Seed of the order.
    pub seed: u64,
    /// One request of each conversation, or all its turns as a session.
    #[serde(default)]
    pub turns: Turns,
    /// Most tokens of a request's messages.
    #[serde(default = "max_input")]
    pub max_input: u32,
    /// Most tokens of a request's messages and its recorded answer.
    #[serde(default = "max_total")]
    pub max_total: u32,
    /// Repeat the conversations, each time under another first line.
    #[serde(default)]
    pub nonce: bool,
}

/// How much of a conversation is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turns {
    /// The first question.
    #[default]
    One,
    /// Every question in turn, each after the recorded answers to those before it.
    All,
}

fn max_input() -> u32 {
    1_024
}

fn max_total() -> u32 {
    2_048
}

impl Sharegpt {
    /// What is out of range: the field, what is wrong, what to do.
    pub fn check(&self) -> std::result::Result<(), Wrong> {
        for (field, value) in [("max-input", self.max_input), ("max-total", self.max_total)] {
            if !(8..=MOST_TOKENS).contains(&value) {
                let what = format!("{value} is not between 8 and {MOST_TOKENS}");
                return Err((field, what, "write a number of tokens in that range"));
            }
        }
        Ok(())
    }
}

/// One request per slot, from the bytes of the file that `spec` names.
pub fn sharegpt(_spec: &Sharegpt, _bytes: &[u8], _tokenizer: &Tokenizer, _slots: &[Slot]) -> Result<Vec<Request>> {
    Err(Problem::input("not made yet"))
}
