//! A request set: prompts in order, one JSON object a line, with a digest; and the
//! sources that one is made from.
//!
//! Every source is a function of its settings, its bytes and the [`Slot`]s that the
//! workload wants filled. It returns one request per slot, ids from 0, no prompt twice,
//! always the same ones; and a longer list of slots gives a longer set that begins with
//! the shorter one, as long as both hold whole rounds.

mod exact;
mod file;
mod jsonl;
mod layout;
mod length;
mod nonce;
mod prose;
mod sharegpt;
mod text;
mod v1;

use serde::{Deserialize, Serialize};

pub use file::{File, file};
pub use jsonl::{from_jsonl, to_jsonl};
pub use length::{Length, MOST_TOKENS, Part};
pub use prose::prose;
pub use sharegpt::{Sharegpt, Turns, sharegpt};
pub use text::{Prefix, Text, text};
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
