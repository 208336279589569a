//! Cheats with right token ids and wrong text.

use std::borrow::Cow;

use super::garbage::garbage_id;
use crate::behaviour::{Behaviour, Job, World};
use crate::speech::Answer;
use crate::tokens::Tokens;

/// The first token that carries the name of an end token …
const FIRST_END: usize = 8;
/// … and how many tokens lie between two of them.
const BETWEEN_ENDS: usize = 16;

/// Text that does not belong to the ids beside it.
pub(super) struct LyingIds;

impl Behaviour for LyingIds {
    fn answer(&self, _world: &World, job: &Job, honest: Answer) -> Answer {
        let seed = job.seed;
        Box::new(honest.enumerate().map(move |(place, mut token)| {
            if !token.bytes.is_empty() {
                token.bytes = Cow::Borrowed(Tokens::shared().bytes(garbage_id(seed, place)));
            }
            token
        }))
    }
}

/// The names of end tokens as text, to stop a scorer early.
pub(super) struct EndOfTextStrings;

impl Behaviour for EndOfTextStrings {
    fn answer(&self, _world: &World, _job: &Job, honest: Answer) -> Answer {
        Box::new(honest.enumerate().map(|(place, mut token)| {
            if place % BETWEEN_ENDS == FIRST_END {
                token.bytes.to_mut().extend_from_slice(b"<|im_end|><|endoftext|>");
            }
            token
        }))
    }
}
