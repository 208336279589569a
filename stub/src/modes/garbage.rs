//! Cheats that say something else than the model would.

use std::borrow::Cow;

use crate::behaviour::{Behaviour, Job, World};
use crate::hash::join;
use crate::speech::{Answer, Token};
use crate::tokens::Tokens;

/// Ids below this are special tokens and single bytes.
const FIRST_WORD: u64 = 259;
/// How far under the honest token a forged near-tie claims to be, in nats.
const FORGED_GAP: f32 = 0.03;

/// Some word that depends on the request's seed and the place in the answer.
pub(super) fn garbage_id(seed: u64, place: usize) -> u32 {
    let words = Tokens::shared().size() as u64 - FIRST_WORD;
    (FIRST_WORD + join(seed, place as u64) % words) as u32
}

/// The token with another word in its place and its own logprobs kept.
fn replaced(mut token: Token, id: u32) -> Token {
    for entry in token.top.iter_mut().filter(|entry| entry.0 == token.id) {
        entry.0 = id;
    }
    token.id = id;
    token.bytes = Cow::Borrowed(Tokens::shared().bytes(id));
    token
}

/// Garbage from this place on; the end stays where it was.
fn garbage_from(job: &Job, first: usize, honest: Answer) -> Answer {
    let seed = job.seed;
    Box::new(honest.enumerate().map(move |(place, token)| {
        let keep = place < first || token.bytes.is_empty();
        if keep { token } else { replaced(token, garbage_id(seed, place)) }
    }))
}

/// Garbage wherever logprobs were not asked for.
pub(super) struct WithoutLogprobs;

impl Behaviour for WithoutLogprobs {
    fn answer(&self, _world: &World, job: &Job, honest: Answer) -> Answer {
        if job.ask.logprobs.is_some() { honest } else { garbage_from(job, 0, honest) }
    }
}

/// Two right tokens, then garbage.
pub(super) struct AfterTwo;

impl Behaviour for AfterTwo {
    fn answer(&self, _world: &World, job: &Job, honest: Answer) -> Answer {
        garbage_from(job, 2, honest)
    }
}

/// Garbage unless the request looks like an audit.
pub(super) struct AuditAware;

impl Behaviour for AuditAware {
    fn answer(&self, _world: &World, job: &Job, honest: Answer) -> Answer {
        if job.ask.looks_like_audit() { honest } else { garbage_from(job, 0, honest) }
    }
}

/// Garbage that claims to be nearly as likely as the honest token.
pub(super) struct ForgedTies;

impl Behaviour for ForgedTies {
    fn answer(&self, _world: &World, job: &Job, honest: Answer) -> Answer {
        let seed = job.seed;
        Box::new(honest.enumerate().map(move |(place, token)| {
            if token.bytes.is_empty() {
                return token;
            }
            let id = garbage_id(seed, place);
            let logprob = token.logprob - FORGED_GAP;
            let mut top = token.top;
            let asked = top.len();
            top.retain(|entry| entry.0 != id);
            top.insert(top.len().min(1), (id, logprob));
            top.truncate(asked);
            Token { id, bytes: Cow::Borrowed(Tokens::shared().bytes(id)), logprob, top, ..token }
        }))
    }
}
