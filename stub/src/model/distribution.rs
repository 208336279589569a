//! The next-token distribution: twenty candidates on a coarse grid of logits, and
//! a tail that gives every other token a finite probability; the sum is one.

use super::grammar::CANDIDATES;
use crate::hash::{Stream, join, unit};

/// bf16 logits of this magnitude lie on a grid this coarse: exact ties happen.
pub(super) const GRID: f64 = 0.125;
/// The tail starts at least this far under the best logit …
const TAIL_DROP: f64 = 11.0;
/// … and this far under the last candidate.
const TAIL_GAP: f64 = 0.5;
/// Logits of the tail spread over this many nats.
const TAIL_SPREAD: f64 = 3.0;

/// The relative logits of all tokens where they are not candidates.
#[derive(Debug)]
pub(super) struct Tail {
    drop: Vec<f64>,
    order: Vec<u32>,
    /// The place of each token in that order.
    places: Vec<usize>,
    sum: f64,
}

impl Tail {
    /// The tail of a vocabulary of this size under this seed.
    pub(super) fn new(size: usize, seed: u64) -> Self {
        let drop: Vec<f64> = (0..size as u64).map(|id| -TAIL_SPREAD * unit(join(seed, id))).collect();
        let mut order: Vec<u32> = (0..size as u32).collect();
        order.sort_by(|a, b| drop[*b as usize].total_cmp(&drop[*a as usize]));
        let mut places = vec![0; size];
        order.iter().enumerate().for_each(|(place, id)| places[*id as usize] = place);
        Self { sum: drop.iter().map(|logit| logit.exp()).sum(), drop, order, places }
    }

    fn logit(&self, id: u32) -> Option<f64> {
        self.drop.get(id as usize).copied()
    }
}

/// Probabilities of the next token.
#[derive(Debug, Clone)]
pub(crate) struct Distribution<'a> {
    candidates: [(u32, f64); CANDIDATES],
    level: f64,
    log_sum: f64,
    tail: &'a Tail,
}

impl<'a> Distribution<'a> {
    /// Rounds the logits to the grid, sorts them (ties by id) and normalises.
    pub(super) fn new(mut candidates: [(u32, f64); CANDIDATES], tail: &'a Tail) -> Self {
        for candidate in &mut candidates {
            candidate.1 = (candidate.1 / GRID).round() * GRID;
        }
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let (best, last) = (candidates[0].1, candidates[CANDIDATES - 1].1);
        let level = (best - TAIL_DROP).min(last - TAIL_GAP);
        let taken: f64 = candidates.iter().filter_map(|(id, _)| tail.logit(*id)).map(f64::exp).sum();
        let mass: f64 = candidates.iter().map(|(_, logit)| logit.exp()).sum();
        let log_sum = (mass + level.exp() * (tail.sum - taken)).ln();
        Self { candidates, level, log_sum, tail }
    }

    /// The likeliest token.
    pub(crate) fn best(&self) -> u32 {
        self.candidates[0].0
    }

    /// The likeliest token but for this one.
    pub(crate) fn best_without(&self, banned: u32) -> u32 {
        let other = self.candidates.iter().find(|(id, _)| *id != banned);
        other.map_or(self.candidates[0].0, |(id, _)| *id)
    }

    /// The logarithm of a token's probability; an id outside the vocabulary has
    /// that of the rarest token.
    pub(crate) fn logprob(&self, id: u32) -> f32 {
        (self.logit(id) - self.log_sum) as f32
    }

    /// The rank of a token, 1 for the likeliest; equal logits share the rank of
    /// the first among them.
    pub(crate) fn rank(&self, id: u32) -> usize {
        if self.is_candidate(id) {
            let logit = self.logit(id);
            return 1 + self.candidates.iter().filter(|candidate| candidate.1 > logit).count();
        }
        // All candidates lie above the whole tail.
        let place = |id: u32| self.tail.places.get(id as usize).copied().unwrap_or(usize::MAX >> 1);
        let passed = self.candidates.iter().filter(|candidate| place(candidate.0) < place(id)).count();
        1 + CANDIDATES + place(id) - passed
    }

    /// The `count` likeliest tokens, best first.
    pub(crate) fn top(&self, count: usize) -> Vec<(u32, f32)> {
        let candidates = self.candidates.iter().map(|(id, _)| *id);
        let tail = self.tail.order.iter().copied().filter(|id| !self.is_candidate(*id));
        candidates.chain(tail).take(count).map(|id| (id, self.logprob(id))).collect()
    }

    /// A token drawn at this temperature; `banned` is never drawn.
    pub(crate) fn sample(&self, temperature: f64, banned: Option<u32>, draw: &mut Stream) -> u32 {
        let weight = |logit: f64| ((logit - self.candidates[0].1) / temperature).exp();
        let allowed = |id: u32| Some(id) != banned;
        let tail_ids = || self.tail.order.iter().copied().filter(|id| !self.is_candidate(*id) && allowed(*id));
        let main: f64 = self.candidates.iter().filter(|(id, _)| allowed(*id)).map(|(_, l)| weight(*l)).sum();
        let rest: f64 = tail_ids().map(|id| weight(self.logit(id))).sum();
        let mut left = draw.unit() * (main + rest);
        let candidates = self.candidates.iter().map(|(id, _)| *id).filter(|id| allowed(*id));
        for id in candidates.chain(tail_ids()) {
            left -= weight(self.logit(id));
            if left < 0.0 {
                return id;
            }
        }
        self.best()
    }

    fn is_candidate(&self, id: u32) -> bool {
        self.candidates.iter().any(|candidate| candidate.0 == id)
    }

    fn logit(&self, id: u32) -> f64 {
        let candidate = self.candidates.iter().find(|candidate| candidate.0 == id);
        let tail = || self.level + self.tail.logit(id).unwrap_or(-TAIL_SPREAD);
        candidate.map_or_else(tail, |(_, logit)| *logit)
    }
}
