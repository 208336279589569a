//! One answer in the making: tokens in, pieces with text out.

use crate::behaviour::{Behaviour, Job, World};
use crate::hash::{Stream, join};
use crate::model::{Model, Noise};
use crate::speech::{Answer, Finish, Speaker, Token};
use crate::text::Text;
use crate::tokens::Tokens;
use crate::wire_json::{Pairs, PromptEntry, PromptLogprobs};

/// The tokens of one chunk, and the text that can be shown with them.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Each token with the characters that it completed.
    pub(crate) tokens: Vec<(Token, String)>,
    pub(crate) text: String,
    pub(crate) finish: Option<Finish>,
}

/// One of the answers to a request.
pub(crate) struct Choice {
    pub(crate) index: usize,
    /// Which of the prompts it continues.
    pub(crate) prompt: usize,
    /// Tokens so far.
    pub(crate) said: usize,
    /// Characters of the tokens so far.
    pub(crate) offset: usize,
    pub(crate) over: bool,
    pub(crate) prompt_logprobs: Option<PromptLogprobs>,
    answer: std::iter::Peekable<Answer>,
    text: Text,
}

impl Choice {
    /// The answer of this index to the prompt of that number.
    pub(crate) fn new(world: &World, behaviour: &dyn Behaviour, job: &Job, index: usize, prompt: usize) -> Self {
        let ask = &job.ask;
        let ids = ask.prompts[prompt].as_slice();
        let noise = Noise { sigma: world.options.noise, seed: join(world.launch_seed, job.index) };
        let seed = ask.seed.unwrap_or_else(|| join(job.seed, world.launch_seed));
        let mut speaker = Speaker {
            model: world.model.clone(),
            context: world.model.context(ids),
            noise: Some(noise),
            temperature: ask.temperature,
            draw: Stream::new(join(seed, index as u64)),
            max_tokens: ask.max_tokens,
            min_tokens: ask.min_tokens,
            ignore_eos: ask.ignore_eos,
            stop_ids: ask.stop_ids.clone(),
            top: ask.logprobs.unwrap_or(0),
            window: None,
            said: 0,
            over: false,
        };
        behaviour.speaker(world, job, ids, &mut speaker);
        let prompt_logprobs = ask.prompt_logprobs.map(|top| prompt_logprobs(&speaker.model, speaker.noise, ids, top));
        let answer = behaviour.answer(world, job, Box::new(speaker));
        Self {
            index,
            prompt,
            said: 0,
            offset: 0,
            over: false,
            prompt_logprobs,
            answer: answer.peekable(),
            text: Text::new(ask.stop.clone(), ask.include_stop),
        }
    }

    /// The next `width` tokens, or fewer at the end.
    pub(crate) fn take(&mut self, width: usize) -> Option<Piece> {
        let mut tokens: Vec<(Token, String)> = Vec::new();
        while !self.over {
            let joined = self.answer.peek().is_some_and(|token| token.joined);
            if tokens.len() >= width && !joined {
                break;
            }
            let Some(mut token) = self.answer.next() else {
                self.over = true;
                break;
            };
            let grown = self.text.push(&mut token);
            self.over = token.finish.is_some();
            self.said += 1;
            tokens.push((token, grown));
        }
        if tokens.is_empty() {
            return None;
        }
        let finish = tokens.last().and_then(|(token, _)| token.finish.clone());
        Some(Piece { text: self.text.take(self.over), tokens, finish })
    }
}

/// What the model would have said at each place of the prompt but the first.
fn prompt_logprobs(model: &Model, noise: Option<Noise>, ids: &[u32], top: usize) -> PromptLogprobs {
    let tokens = Tokens::shared();
    let mut context = model.context(&[]);
    let mut places = Vec::with_capacity(ids.len());
    for (place, id) in ids.iter().enumerate() {
        let entry = |id: u32, logprob: f32, rank: usize| PromptEntry {
            logprob: f64::from(logprob),
            rank,
            decoded_token: tokens.text(id).to_owned(),
        };
        places.push((place > 0).then(|| {
            let next = model.next(&context, noise);
            let mut pairs = Pairs(Vec::new());
            pairs.add(*id, entry(*id, next.logprob(*id), next.rank(*id)));
            for (rank, (id, logprob)) in next.top(top).into_iter().enumerate() {
                pairs.add(id, entry(id, logprob, rank + 1));
            }
            pairs
        }));
        context.push(*id);
    }
    places
}
