//! Text of an exact number of tokens.

use serde::Deserialize;

use super::{Length, Request, Slot, Wrong, length::MOST_TOKENS};
use crate::{Problem, Result, tokenizer::Tokenizer};

/// `[requests.text]`: synthetic text whose user turn encodes to exactly so many tokens
/// of a model's tokenizer. A server's chat template adds its own tokens on top.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Text {
    /// The model whose tokenizer counts.
    pub model: String,
    /// Seed of every choice.
    pub seed: u64,
    /// Tokens of each user turn, without the shared prefix.
    pub input: Length,
    /// `max_tokens` of each request, and the tokens of each scripted answer between turns.
    pub output: Option<Length>,
    /// A beginning that requests share.
    pub prefix: Option<Prefix>,
    /// User turns of a session.
    #[serde(default = "one")]
    pub turns: u32,
}

/// A beginning that the requests of a group share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prefix {
    /// Number of groups.
    pub groups: u32,
    /// Tokens of the shared text.
    pub tokens: u32,
}

fn one() -> u32 {
    1
}

impl Text {
    /// What is out of range: the field, what is wrong, what to do.
    pub fn check(&self) -> std::result::Result<(), Wrong> {
        self.input.check("input")?;
        self.output.as_ref().map_or(Ok(()), |o| o.check("output"))?;
        if let Some(p) = self.prefix {
            let range = "write a number in that range, or leave the prefix out";
            if !(1..=1 << 20).contains(&p.groups) {
                return Err(("prefix.groups", format!("{} is not between 1 and {}", p.groups, 1 << 20), range));
            }
            if !(1..=MOST_TOKENS).contains(&p.tokens) {
                return Err(("prefix.tokens", format!("{} is not between 1 and {MOST_TOKENS}", p.tokens), range));
            }
        }
        match (self.turns, &self.output) {
            (1, _) => Ok(()),
            (2..=1_000, Some(_)) => Ok(()),
            (2..=1_000, None) => Err((
                "turns",
                "the answers between the turns have no length".into(),
                "add output, the tokens of each scripted answer",
            )),
            (n, _) => {
                Err(("turns", format!("{n} is not between 1 and 1000"), "write 1 for requests without a session"))
            }
        }
    }
}

/// One request per slot, as `spec` says.
pub fn text(_spec: &Text, _tokenizer: &Tokenizer, _slots: &[Slot]) -> Result<Vec<Request>> {
    Err(Problem::input("not made yet"))
}
