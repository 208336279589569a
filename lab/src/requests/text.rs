//! Text of an exact number of tokens.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::Deserialize;

use super::{
    Length, Message, Request, Role, Slot, Wrong,
    exact::{self, Before, Order, Writer},
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
    fn stream(&self, purpose: &str) -> Stream {
        Stream::new(&self.seed.to_be_bytes(), purpose)
    }

    /// Input and output tokens.
    fn lengths(&self, slot: &Slot) -> (u32, Option<u32>) {
        let mut stream = self.stream(&format!("text lengths {}", slot.like));
        match slot.lengths {
            Some((input, output)) => (input, Some(output)),
            None => {
                let input = self.input.draw(&mut stream);
                (input, self.output.as_ref().map(|o| o.draw(&mut stream)))
            }
        }
    }

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
    let drafts = maker.drafts(slots)?;
    let mut orders = Vec::new();
    for draft in &drafts {
        orders.push(maker.order(draft, 0));
        orders.extend(draft.answered.map(|tokens| maker.answer(draft, tokens)));
    }
    let mut texts = exact::write_all(&maker.writer, orders).into_iter();
    let mut requests: Vec<Request> = Vec::with_capacity(slots.len());
    let mut answer = None;
    for draft in drafts {
        let mut messages = Vec::new();
        let mut content = texts.next().flatten().ok_or_else(|| maker.none_of(draft.input))?;
        if draft.turn == 0 {
            content = maker.unlike_all_others(&draft, content)?;
        } else {
            messages.clone_from(&requests[draft.id as usize - 1].messages);
            messages.extend(answer.take().map(|content| Message { role: Role::Assistant, content }));
        }
        messages.push(Message { role: Role::User, content });
        if let Some(tokens) = draft.answered {
            answer = Some(texts.next().flatten().ok_or_else(|| maker.none_of(tokens))?);
        }
        let session = (spec.turns > 1).then_some(draft.session);
        requests.push(Request { id: draft.id, messages, max_tokens: draft.output, session });
    }
    Ok(requests)
}

/// Tokens of all user turns of such a set, with the beginnings that first turns share: what its
/// texts hold at least, known before any of them is written.
pub fn text_tokens(spec: &Text, slots: &[Slot]) -> u64 {
    let (mut turn, mut tokens) = (0, 0u64);
    for slot in slots {
        if turn == spec.turns || slot.opens {
            turn = 0;
        }
        let shared = spec.prefix.filter(|_| turn == 0).map_or(0, |prefix| prefix.tokens);
        tokens += u64::from(spec.lengths(slot).0) + u64::from(shared);
        turn += 1;
    }
    tokens
}

/// A request before its words.
struct Draft {
    id: u32,
    session: u32,
    turn: u32,
    input: u32,
    output: Option<u32>,
    /// Tokens of the scripted answer before the next turn.
    answered: Option<u32>,
    before: Arc<Before>,
}

struct Maker<'a> {
    spec: &'a Text,
    writer: Writer<'a>,
    /// By whether a timed request has it, and by group.
    prefixes: HashMap<(bool, u64), Arc<Before>>,
    /// First turns by their input tokens.
    seen: HashMap<u32, HashSet<Digest>>,
}

impl Maker<'_> {
    fn stream(&self, purpose: &str) -> Stream {
        self.spec.stream(purpose)
    }

    fn drafts(&mut self, slots: &[Slot]) -> Result<Vec<Draft>> {
        let (mut turn, mut session) = (0, 0);
        let mut drafts = Vec::with_capacity(slots.len());
        for (id, slot) in (0..).zip(slots) {
            if turn == self.spec.turns || (slot.opens && turn > 0) {
                (turn, session) = (0, session + 1);
            }
            let (input, output) = self.spec.lengths(slot);
            let before = if turn == 0 { self.prefix(id, slot)? } else { Arc::default() };
            let answered = output.filter(|_| turn + 1 < self.spec.turns);
            drafts.push(Draft { id, session, turn, input, output, answered, before });
            turn += 1;
        }
        Ok(drafts)
    }

    /// The beginning that a session's group shares.
    fn prefix(&mut self, id: u32, slot: &Slot) -> Result<Arc<Before>> {
        let Some(Prefix { groups, tokens }) = self.spec.prefix else { return Ok(Arc::default()) };
        let timed = slot.like == id;
        let group = self.stream(&format!("text group {id}")).below(u64::from(groups));
        if let Some(known) = self.prefixes.get(&(timed, group)) {
            return Ok(known.clone());
        }
        let family = if timed { "timed" } else { "warm-up" };
        let mut stream = self.stream(&format!("text prefix {family} {group}"));
        let before = self.writer.beginning(&mut stream, tokens).ok_or_else(|| self.none_of(tokens))?;
        Ok(self.prefixes.entry((timed, group)).or_insert(Arc::new(before)).clone())
    }

    /// A draft's own words.
    fn order(&self, draft: &Draft, attempt: u32) -> Order {
        let stream = self.stream(&format!("text {} {attempt}", draft.id));
        Order { stream, before: draft.before.clone(), tokens: draft.input }
    }

    /// The scripted answer to it.
    fn answer(&self, draft: &Draft, tokens: u32) -> Order {
        Order { stream: self.stream(&format!("text answer {}", draft.id)), before: Arc::default(), tokens }
    }

    /// A session's first user turn, written again until it is unlike every other one.
    fn unlike_all_others(&mut self, draft: &Draft, mut text: String) -> Result<String> {
        for attempt in 1..=ATTEMPTS {
            let whole = format!("{}{text}", draft.before.text);
            if self.seen.entry(draft.input).or_default().insert(Digest::of(&whole)) {
                return Ok(whole);
            }
            let Order { mut stream, before, tokens } = self.order(draft, attempt);
            text = self.writer.write(&mut stream, &before, tokens).ok_or_else(|| self.none_of(tokens))?;
        }
        let found = self.seen[&draft.input].len();
        Err(Problem::input(format!("no more than {found} distinct prompts of {} were found", counted(draft.input)))
            .at("requests.text.input")
            .next("ask for longer inputs or fewer requests"))
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
