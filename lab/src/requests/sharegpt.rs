//! Conversations of people with assistants, in ShareGPT's format.

mod conversations;

use std::{collections::HashSet, path::PathBuf};

use serde::Deserialize;

use self::conversations::Conversation;
use super::{Message, Request, Role, Slot, Wrong, layout, length::MOST_TOKENS, nonce};
use crate::{Digest, Problem, Result, seed::Stream, tokenizer::Tokenizer};

/// Questions and answers of fewer tokens are left out.
const LEAST: u64 = 4;

/// `[requests.sharegpt]`: recorded conversations, filtered as vLLM's benchmark filters
/// them, in an order drawn by seed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
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
///
/// Conversations are taken in an order drawn by seed. Of each, the first question that is
/// answered, and with [`Turns::All`] those that follow. A turn is taken if the question and
/// the answer have at least 4 tokens each, all messages up to the question at most
/// `max_input`, and with the answer at most `max_total`; the first turn that is not ends
/// the conversation. `max_tokens` is the length of the recorded answer. Of conversations
/// that begin with the same question only one is taken.
pub fn sharegpt(spec: &Sharegpt, bytes: &[u8], tokenizer: &Tokenizer, slots: &[Slot]) -> Result<Vec<Request>> {
    spec.check().map_err(|wrong| super::refused("sharegpt", wrong))?;
    super::pinned(Digest::of(bytes), spec.digest, &spec.path, "requests.sharegpt.digest")?;
    super::has_no_lengths("sharegpt", slots)?;
    let place = spec.path.display().to_string();
    let mut conversations = conversations::read(bytes).map_err(|p| p.at(&place))?;
    let all = conversations.len();
    let seed = spec.seed.to_be_bytes();
    Stream::new(&seed, "sharegpt order").shuffle(&mut conversations);
    let mut asked = HashSet::new();
    let mut fitting = conversations.iter().map(|c| spec.fitting(c, tokenizer)).filter(|turns| {
        let new = |first: &Turn| asked.insert(first.messages.iter().map(|m| m.content.clone()).collect::<Vec<_>>());
        turns.first().is_some_and(new)
    });
    let mut sources: Vec<Vec<Turn>> = Vec::new();
    let places = layout::places(slots, spec.nonce, |i| {
        if i == sources.len() {
            sources.push(fitting.next()?);
        }
        Some(sources[i].len())
    });
    let places = places.map_err(|filled| {
        let what =
            format!("{} of {all} conversations fit, which fill {filled} places of {}", sources.len(), slots.len());
        let next = match spec.nonce {
            true => "allow longer conversations with max-input and max-total",
            false => "ask for fewer requests, or write nonce = true to repeat conversations under new first lines",
        };
        Problem::input(what).at(&place).next(next)
    })?;
    let mut sessions = 0;
    let made = places.iter().enumerate().map(|(i, at)| {
        let turn = &sources[at.source][at.turn];
        let mut messages = turn.messages.clone();
        if spec.nonce {
            nonce::mark(&mut messages, &seed, at.begins);
        }
        sessions += u32::from(at.begins == i);
        let session = (spec.turns == Turns::All).then(|| sessions - 1);
        Request { id: i as u32, messages, max_tokens: Some(turn.answer), session }
    });
    Ok(made.collect())
}

/// A question with all that was said before it, and the tokens of its answer.
struct Turn {
    messages: Vec<Message>,
    answer: u32,
}

impl Sharegpt {
    /// The turns of a conversation that are taken.
    fn fitting(&self, conversation: &Conversation, tokenizer: &Tokenizer) -> Vec<Turn> {
        let count = |text: &str| tokenizer.encode(text).len() as u64;
        let mut said: Vec<Message> = conversation.system.iter().map(|s| message(Role::System, s)).collect();
        let mut before = said.iter().map(|m| count(&m.content)).sum::<u64>();
        let mut turns = Vec::new();
        let most = if self.turns == Turns::One { 1 } else { usize::MAX };
        for (question, answer) in conversation.pairs.iter().take(most) {
            let (asked, answered) = (count(question), count(answer));
            let (input, total) = (before + asked, before + asked + answered);
            let long = input > u64::from(self.max_input) || total > u64::from(self.max_total);
            if asked < LEAST || answered < LEAST || long {
                break;
            }
            said.push(message(Role::User, question));
            turns.push(Turn { messages: said.clone(), answer: answered as u32 });
            said.push(message(Role::Assistant, answer));
            before = total;
        }
        turns
    }
}

fn message(role: Role, content: &str) -> Message {
    Message { role, content: content.to_owned() }
}

#[cfg(test)]
#[path = "sharegpt_tests.rs"]
mod tests;
