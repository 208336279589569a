//! The scripted language model: logits are a pure function of the seed and of all
//! ids so far, so that teacher forcing gives exactly what decoding gave.

mod distribution;
mod grammar;

use clap::ValueEnum;

pub(crate) use distribution::Distribution;
use distribution::{GRID, Tail};
use grammar::{CANDIDATES, Grammar};

use crate::hash::{Stream, join, normal};
use crate::tokens::{IM_END, Tokens};

/// Mean gap between the two best logits, in nats.
const FIRST_GAP: f64 = 2.2;
/// One position in so many is a close call …
const CLOSE_CALLS: u64 = 16;
/// … with this mean gap instead, in nats.
const CLOSE_GAP: f64 = 0.15;
/// Mean gap between later neighbours, in nats.
const LATER_GAP: f64 = 0.35;
/// One position in so many is hit much harder by a perturbation, as outliers are.
const OUTLIERS: u64 = 16;
/// How much harder.
const OUTLIER_SCALE: f64 = 2.5;

/// What the weights are like: exact, or degraded in a way that persists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Weights {
    /// The reference weights.
    #[default]
    Exact,
    /// Rounded to 8-bit integers: mean margin about 0.004 nats.
    Int8,
    /// Rounded to 8-bit floats: about 0.014 nats.
    Fp8,
    /// One layer of many left out: about 0.16 nats.
    DropLayer,
    /// Rounded to 4-bit integers: about 0.29 nats.
    Int4,
    /// A smaller model of the same family: about 0.6 nats.
    Small,
    /// An unrelated model behind the same tokenizer.
    Other,
}

impl Weights {
    /// The standard deviation of the perturbation of each logit, in nats.
    fn sigma(self) -> f64 {
        match self {
            Self::Exact | Self::Other => 0.0,
            Self::Int8 => 0.09,
            Self::Fp8 => 0.17,
            Self::DropLayer => 0.62,
            Self::Int4 => 0.87,
            Self::Small => 1.4,
        }
    }
}

/// The rounding noise of one launch and one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    /// Standard deviation on each logit, in nats.
    pub(crate) sigma: f64,
    /// What the noise depends on beside the context.
    pub(crate) seed: u64,
}

/// All ids so far, as far as the model remembers them: 64 bits and the last id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    state: u64,
    last: u32,
}

impl Context {
    /// The context after one more id.
    pub(crate) fn push(&mut self, id: u32) {
        self.state = join(self.state, u64::from(id));
        self.last = id;
    }
}

/// A language model.
#[derive(Debug)]
pub(crate) struct Model {
    seed: u64,
    weights: Weights,
    grammar: Grammar,
    tail: Tail,
}

impl Model {
    /// The model of a seed, with weights as given and answers of this mean length.
    pub(crate) fn new(seed: u64, weights: Weights, mean_tokens: f64) -> Self {
        let seed = if weights == Weights::Other { join(seed, 0x0074_e4e4) } else { seed };
        let tokens = Tokens::shared();
        Self { seed, weights, grammar: Grammar::new(tokens, mean_tokens), tail: Tail::new(tokens.size(), seed) }
    }

    /// The context after these ids.
    pub(crate) fn context(&self, ids: &[u32]) -> Context {
        let mut context = Context { state: join(self.seed, 1), last: IM_END };
        ids.iter().for_each(|id| context.push(*id));
        context
    }

    /// The distribution of the next token.
    pub(crate) fn next(&self, context: &Context, noise: Option<Noise>) -> Distribution<'_> {
        let mut draw = Stream::new(context.state);
        let ids = self.grammar.candidates(context.last, &mut draw);
        // Where the best logit lies between two steps of the grid differs as well.
        let mut logit = draw.unit() * GRID;
        let close = draw.bits().is_multiple_of(CLOSE_CALLS);
        let first_gap = if close { CLOSE_GAP } else { FIRST_GAP };
        let mut candidates = [(0, 0.0); CANDIDATES];
        for (place, id) in ids.into_iter().enumerate() {
            candidates[place] = (id, logit);
            logit -= draw.exponential(if place == 0 { first_gap } else { LATER_GAP });
        }
        self.degrade(context, &mut candidates);
        if let Some(noise) = noise.filter(|noise| noise.sigma > 0.0) {
            let mut draw = Stream::new(join(noise.seed, context.state));
            candidates.iter_mut().for_each(|one| one.1 += noise.sigma * normal(draw.bits()));
        }
        Distribution::new(candidates, &self.tail)
    }

    /// Moves the logits as coarser weights would: the same way every time.
    fn degrade(&self, context: &Context, candidates: &mut [(u32, f64); CANDIDATES]) {
        let sigma = self.weights.sigma();
        if sigma == 0.0 {
            return;
        }
        let mut draw = Stream::new(join(context.state, self.weights as u64));
        let outlier = draw.bits().is_multiple_of(OUTLIERS);
        let sigma = if outlier { sigma * OUTLIER_SCALE } else { sigma };
        candidates.iter_mut().for_each(|one| one.1 += sigma * normal(draw.bits()));
    }
}

#[cfg(test)]
mod tests;
