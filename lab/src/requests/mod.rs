//! A request set: prompts in order, one JSON object a line, with a digest; and the
//! sources that one is made from.
//!
//! Every source is a function of its settings, its bytes and the `Slot`s that the
//! workload wants filled. It returns one request per slot, ids from 0, no prompt twice,
//! always the same ones; and a longer list of slots gives a longer set that begins with
//! the shorter one, as long as both hold whole rounds.

mod exact;
mod file;
#[cfg(test)]
mod fixtures;
mod jsonl;
mod layout;
mod length;
mod nonce;
mod prose;
mod sharegpt;
mod text;
mod v1;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Digest, Problem, Result};

pub use file::{File, file};
pub use jsonl::{from_jsonl, to_jsonl};
pub use length::{Length, MOST_TOKENS, Part};
pub use prose::prose;
pub use sharegpt::{Sharegpt, Turns, sharegpt};
pub use text::{Prefix, Text, text, text_tokens};
pub use v1::{V1, v1};

/// What is wrong with a source's settings: the field, what is wrong, and what to do.
pub type Wrong = (&'static str, String, &'static str);

/// One prompt of a request set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Position in the set, from 0.
    pub id: u32,
    /// The conversation, ending with the user's turn.
    pub messages: Vec<Message>,
    /// Most output tokens of this request; the workload's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The session that it is a turn of; consecutive requests of one session are its turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u32>,
}

/// A place in a request set, and what the workload wants to stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The slot whose lengths it has: its own id, or that of the timed request which a
    /// warm-up request imitates.
    pub like: u32,
    /// Whether a load (or its warm-up) begins here, so that no session reaches across.
    pub opens: bool,
    /// Input and output tokens, where a trace declares them.
    pub lengths: Option<(u32, u32)>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: Role,
    /// What was said.
    pub content: String,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The instructions before a conversation.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

fn refused(source: &str, (field, what, next): Wrong) -> Problem {
    Problem::input(what).at(format!("requests.{source}.{field}")).next(next)
}

/// Whether bytes are those that the workload names; `field` is its name of them.
pub fn pinned(found: Digest, declared: Digest, path: &Path, field: &str) -> Result<()> {
    if found == declared {
        return Ok(());
    }
    Err(Problem::input(format!("its digest is {found}, the workload names {declared}"))
        .at(path.display().to_string())
        .next(format!("fetch the right one, or write this digest into {field}")))
}

/// Recorded prompts have lengths of their own.
fn has_no_lengths(source: &str, slots: &[Slot]) -> Result<()> {
    if slots.iter().all(|s| s.lengths.is_none()) {
        return Ok(());
    }
    Err(Problem::input("a trace declares lengths, but these prompts have their own")
        .at(format!("requests.{source}"))
        .next("use requests.text or requests.v1, whose prompts get the trace's lengths"))
}
