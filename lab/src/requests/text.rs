//! Text of an exact number of tokens.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use serde::Deserialize;

use super::{
    Length, Message, Request, Role, Slot, Wrong,
    exact::{Before, Writer},
    length::MOST_TOKENS,
};
use crate::{Digest, Problem, Result, seed::Stream, tokenizer::Tokenizer};

/// Texts that are tried for one prompt before the set is said to be too large for its lengths.
const ATTEMPTS: u32 = 2_000;

/// `[requests.text]`: synthetic text whose user turn encodes to exactly so many tokens
/// of a model's tokenizer. A server's chat template adds its own tokens on top.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
///
/// A slot's lengths come from a stream that `like` names, its words from one that its own
/// place names. Lengths of a trace stand in for `input` and `output`. Requests that
/// imitate others share prefixes of their own, so that no byte of a timed prompt is sent
/// before its time.
pub fn text(spec: &Text, tokenizer: &Tokenizer, slots: &[Slot]) -> Result<Vec<Request>> {
    spec.check().map_err(|wrong| super::refused("text", wrong))?;
    let mut maker = Maker { spec, writer: Writer::new(tokenizer), prefixes: HashMap::new(), seen: HashMap::new() };
    let mut requests: Vec<Request> = Vec::with_capacity(slots.len());
    let (mut turn, mut session, mut script) = (0, 0, String::new());
    for (id, slot) in (0..).zip(slots) {
        if turn == spec.turns || (slot.opens && turn > 0) {
            (turn, session) = (0, session + 1);
        }
        let (input, output) = maker.lengths(slot);
        let mut messages = Vec::new();
        let content = if turn == 0 {
            maker.first(id, slot, input)?
        } else {
            messages.clone_from(&requests[id as usize - 1].messages);
            messages.push(Message { role: Role::Assistant, content: std::mem::take(&mut script) });
            maker.exactly(&format!("text turn {id}"), &Before::default(), input)?
        };
        messages.push(Message { role: Role::User, content });
        turn += 1;
        if turn < spec.turns {
            let tokens = output.ok_or_else(|| Problem::input("a session needs lengths of its answers"))?;
            script = maker.exactly(&format!("text answer {id}"), &Before::default(), tokens)?;
        }
        let session = (spec.turns > 1).then_some(session);
        requests.push(Request { id, messages, max_tokens: output, session });
    }
    Ok(requests)
}

struct Maker<'a> {
    spec: &'a Text,
    writer: Writer<'a>,
    /// By whether a timed request has it, and by group.
    prefixes: HashMap<(bool, u64), Rc<Before>>,
    /// First turns by their input tokens.
    seen: HashMap<u32, HashSet<Digest>>,
}

impl Maker<'_> {
    fn stream(&self, purpose: &str) -> Stream {
        Stream::new(&self.spec.seed.to_be_bytes(), purpose)
    }

    /// Input and output tokens.
    fn lengths(&self, slot: &Slot) -> (u32, Option<u32>) {
        let mut stream = self.stream(&format!("text lengths {}", slot.like));
        match slot.lengths {
            Some((input, output)) => (input, Some(output)),
            None => {
                let input = self.spec.input.draw(&mut stream);
                (input, self.spec.output.as_ref().map(|o| o.draw(&mut stream)))
            }
        }
    }

    /// A session's first user turn: unlike every other one.
    fn first(&mut self, id: u32, slot: &Slot, tokens: u32) -> Result<String> {
        let before = match self.spec.prefix {
            Some(prefix) => {
                let group = self.stream(&format!("text group {id}")).below(u64::from(prefix.groups));
                self.prefix(slot.like == id, group, prefix.tokens)?
            }
            None => Rc::default(),
        };
        for attempt in 0..ATTEMPTS {
            let text = before.text.clone() + &self.exactly(&format!("text {id} {attempt}"), &before, tokens)?;
            if self.seen.entry(tokens).or_default().insert(Digest::of(&text)) {
                return Ok(text);
            }
        }
        let found = self.seen[&tokens].len();
        let what = format!("only {found} distinct prompts of {} were found", counted(tokens));
        Err(Problem::input(what).at("requests.text.input").next("ask for longer inputs or fewer requests"))
    }

    fn prefix(&mut self, timed: bool, group: u64, tokens: u32) -> Result<Rc<Before>> {
        if let Some(known) = self.prefixes.get(&(timed, group)) {
            return Ok(known.clone());
        }
        let family = if timed { "timed" } else { "warm-up" };
        let mut stream = self.stream(&format!("text prefix {family} {group}"));
        let before = Rc::new(self.writer.beginning(&mut stream, tokens).ok_or_else(|| self.none_of(tokens))?);
        self.prefixes.insert((timed, group), before.clone());
        Ok(before)
    }

    fn exactly(&mut self, purpose: &str, before: &Before, tokens: u32) -> Result<String> {
        let mut stream = self.stream(purpose);
        let text =
            (1..=MOST_TOKENS).contains(&tokens).then(|| self.writer.write(&mut stream, before, tokens)).flatten();
        text.ok_or_else(|| self.none_of(tokens))
    }

    fn none_of(&self, tokens: u32) -> Problem {
        let what = format!("no text of exactly {} was found for the model {}", counted(tokens), self.spec.model);
        Problem::input(what).at("requests.text").next("ask for another length")
    }
}

fn counted(tokens: u32) -> String {
    if tokens == 1 { "1 token".into() } else { format!("{tokens} tokens") }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
