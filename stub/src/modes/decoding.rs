//! Cheats that decode otherwise than asked.

use crate::behaviour::{Behaviour, Job, World};
use crate::hash::{join, unit};
use crate::speech::{Speaker, Window};

/// Ids of the context that are read.
const WINDOW: usize = 64;
/// The temperature in place of 0.
const TEMPERATURE: f64 = 0.2;
/// Sets the choice of the mixture apart from the other uses of a request's seed.
const MIXTURE: u64 = 0x6d69_7874;

/// Reads only the end of the context.
pub(super) struct TruncatedContext;

impl Behaviour for TruncatedContext {
    fn speaker(&self, _world: &World, _job: &Job, prompt: &[u32], speaker: &mut Speaker) {
        speaker.window = Some(Window::new(prompt, WINDOW));
    }
}

/// Samples where greedy decoding was asked for.
pub(super) struct Sampled;

impl Behaviour for Sampled {
    fn speaker(&self, _world: &World, _job: &Job, _prompt: &[u32], speaker: &mut Speaker) {
        if speaker.temperature == 0.0 {
            speaker.temperature = TEMPERATURE;
        }
    }
}

/// Serves some requests from an unrelated model.
pub(super) struct Mixture;

impl Behaviour for Mixture {
    fn speaker(&self, world: &World, job: &Job, prompt: &[u32], speaker: &mut Speaker) {
        if unit(join(job.seed, MIXTURE)) < world.options.mixture {
            speaker.model = world.other.clone();
            speaker.context = speaker.model.context(prompt);
        }
    }
}
