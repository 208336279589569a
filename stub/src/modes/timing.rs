//! Cheats about when tokens come.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::behaviour::{Act, Behaviour, Job, Place, World};
use crate::hash::{join, text, unit};
use crate::pace::Pace;
use crate::speech::Speaker;

/// Tokens of a prompt by which the cache knows it.
const CACHE_PREFIX: usize = 32;
/// Things that a cheat remembers before it forgets them all.
const MEMORY: usize = 100_000;

/// A bounded memory.
#[derive(Default)]
struct Memory<V>(Mutex<HashMap<u64, V>>);

impl<V: Clone> Memory<V> {
    fn get(&self, key: u64) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    fn put(&self, key: u64, value: V) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MEMORY {
            map.clear();
        }
        map.entry(key).or_insert(value);
    }
}

/// Everything after the work is done.
fn at_once(pace: &mut Pace) {
    pace.first = Duration::ZERO;
    pace.itl = Duration::ZERO;
}

/// Everything in one burst at the end.
pub(super) struct Burst;

impl Behaviour for Burst {
    fn pace(&self, _job: &Job, pace: &mut Pace) {
        pace.burst = true;
    }
}

/// The role chunk without waiting for a token.
pub(super) struct EarlyRole;

impl Behaviour for EarlyRole {
    fn pace(&self, _job: &Job, pace: &mut Pace) {
        pace.role_due = Some(pace.origin);
    }
}

/// One byte after another.
pub(super) struct Drip;

impl Behaviour for Drip {
    fn acts(&self, world: &World, place: Place, bytes: Vec<u8>) -> Vec<Act> {
        if place == Place::Head {
            return vec![Act::Send(bytes)];
        }
        slowly(&bytes, world.options.drip)
    }
}

/// Each byte alone, with this time after it.
pub(super) fn slowly(bytes: &[u8], every: Duration) -> Vec<Act> {
    bytes.iter().flat_map(|byte| [Act::Send(vec![*byte]), Act::Wait(every)]).collect()
}

/// An answer that was ready before the clock of the request started.
#[derive(Default)]
pub(super) struct OffClock {
    heard: Memory<()>,
}

impl Behaviour for OffClock {
    fn tokenize(&self, _ids: &mut Vec<u32>, topic: &str, _now: Instant) {
        self.heard.put(text(topic), ());
    }

    fn pace(&self, job: &Job, pace: &mut Pace) {
        let topic = text(&job.ask.topic);
        if self.heard.get(topic).is_some() {
            at_once(pace);
        } else if job.ask.max_tokens <= 1 {
            self.heard.put(topic, ());
        }
    }
}

/// Answers from a cache that looks only at the beginning of a prompt.
#[derive(Default)]
pub(super) struct Cached {
    /// The first prompt with each beginning.
    prompts: Memory<Vec<u32>>,
}

fn beginning(prompt: &[u32]) -> u64 {
    prompt.iter().take(CACHE_PREFIX).fold(0, |key, id| join(key, u64::from(*id)))
}

impl Behaviour for Cached {
    fn pace(&self, job: &Job, pace: &mut Pace) {
        let known = |prompt: &Vec<u32>| self.prompts.get(beginning(prompt)).is_some();
        if job.ask.prompts.iter().all(known) {
            at_once(pace);
        }
    }

    fn speaker(&self, _world: &World, _job: &Job, prompt: &[u32], speaker: &mut Speaker) {
        let key = beginning(prompt);
        self.prompts.put(key, prompt.to_vec());
        if let Some(first) = self.prompts.get(key) {
            speaker.context = speaker.model.context(&first);
        }
    }
}

/// Sets the choice of stale answers apart from the other uses of a request's seed.
const STALE: u64 = 0x0073_7461;

/// A share of answers that were given before, to other prompts.
#[derive(Default)]
pub(super) struct Stale {
    last: Mutex<Option<Vec<u32>>>,
}

impl Stale {
    fn chosen(share: f64, job: &Job) -> bool {
        unit(join(job.seed, STALE)) < share
    }
}

impl Behaviour for Stale {
    fn speaker(&self, world: &World, job: &Job, prompt: &[u32], speaker: &mut Speaker) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref().filter(|_| Self::chosen(world.options.mixture, job)) {
            Some(old) => speaker.context = speaker.model.context(old),
            None => *last = Some(prompt.to_vec()),
        }
    }
}
