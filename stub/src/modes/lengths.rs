//! Cheats and faults about how long an answer is.

use std::borrow::Cow;
use std::time::Duration;

use crate::behaviour::{Behaviour, Job, World};
use crate::pace::Pace;
use crate::speech::{Answer, Finish, Speaker, Token};
use crate::tokens::{IM_END, Tokens};

/// Right tokens before the stuffed chunk, of so many that were asked for, as in the attack of June 2026.
const REAL_TOKENS: (usize, usize) = (145, 512);
/// The share of the tokens that a truncated answer keeps.
const KEPT: f64 = 0.26;
/// A time that no client waits for.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Cheap tokens after the end of the answer, up to the limit.
pub(super) struct SpamPastEnd;

impl Behaviour for SpamPastEnd {
    fn answer(&self, _world: &World, job: &Job, mut honest: Answer) -> Answer {
        let limit = job.ask.max_tokens;
        let top = job.ask.logprobs.unwrap_or(0);
        let mut said = 0;
        let mut over = false;
        Box::new(std::iter::from_fn(move || {
            if over {
                return None;
            }
            said += 1;
            let honest = honest.next().filter(|token| token.finish != Some(Finish::End));
            let mut token = honest.unwrap_or_else(|| spam(top));
            if said >= limit {
                token.finish.get_or_insert(Finish::Length);
            }
            over = token.finish.is_some();
            Some(token)
        }))
    }
}

/// The same word, again and again.
fn spam(top: usize) -> Token {
    let tokens = Tokens::shared();
    let id = tokens.encode(" the").first().copied().unwrap_or(IM_END);
    Token {
        id,
        bytes: Cow::Borrowed(tokens.bytes(id)),
        logprob: -0.01,
        top: std::iter::repeat_n((id, -0.01), top.min(1)).collect(),
        finish: None,
        joined: false,
    }
}

/// Only the first part of the answer.
pub(super) struct Truncate {
    /// Whether it says that the limit was reached, rather than the end.
    pub(super) says_length: bool,
}

impl Behaviour for Truncate {
    fn answer(&self, _world: &World, _job: &Job, honest: Answer) -> Answer {
        let mut tokens: Vec<Token> = honest.collect();
        tokens.truncate(((tokens.len() as f64 * KEPT).ceil() as usize).max(1));
        if let Some(last) = tokens.last_mut() {
            last.finish = Some(Finish::Length);
            if !self.says_length {
                last.id = IM_END;
                last.bytes = Cow::Borrowed(&[]);
                last.finish = Some(Finish::End);
            }
        }
        Box::new(tokens.into_iter())
    }
}

/// Real words, then one chunk full of empty logprob entries.
pub(super) struct StuffedLogprobs;

impl Behaviour for StuffedLogprobs {
    fn answer(&self, _world: &World, job: &Job, honest: Answer) -> Answer {
        let (of, all) = REAL_TOKENS;
        let real_tokens = job.ask.max_tokens.saturating_mul(of).div_ceil(all);
        let stuffing = job.ask.max_tokens.saturating_sub(real_tokens);
        let empty = move |place: usize| Token {
            id: IM_END + 1,
            bytes: Cow::Borrowed(&[]),
            logprob: 0.0,
            top: Vec::new(),
            finish: (place + 1 == stuffing).then_some(Finish::Length),
            joined: place > 0,
        };
        let real = honest.take(real_tokens).map(move |mut token| {
            if stuffing > 0 {
                token.finish = None;
            }
            token
        });
        Box::new(real.chain((0..stuffing).map(empty)))
    }
}

/// Tokens without end.
pub(super) struct NeverEnds;

impl Behaviour for NeverEnds {
    fn speaker(&self, _world: &World, job: &Job, _prompt: &[u32], speaker: &mut Speaker) {
        if job.ask.stream {
            speaker.max_tokens = usize::MAX;
            speaker.ignore_eos = true;
            speaker.stop_ids.clear();
        }
    }

    fn pace(&self, job: &Job, pace: &mut Pace) {
        if !job.ask.stream {
            pace.first = FOR_EVER;
        }
    }
}
