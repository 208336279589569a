//! What an answer is made of before it is written down: tokens one after another.

use std::borrow::Cow;
use std::sync::Arc;

use crate::hash::Stream;
use crate::model::{Context, Distribution, Model, Noise};
use crate::tokens::{IM_END, Tokens};

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The limit on tokens was reached.
    Length,
    /// The end token came.
    End,
    /// A stop token came.
    StopId(u32),
    /// A stop string came.
    StopText(String),
}

/// One token of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) id: u32,
    /// What it adds to the text.
    pub(crate) bytes: Cow<'static, [u8]>,
    pub(crate) logprob: f32,
    /// The likeliest tokens here, best first, when they were asked for.
    pub(crate) top: Vec<(u32, f32)>,
    pub(crate) finish: Option<Finish>,
    /// Whether it goes into the same chunk as the token before it.
    pub(crate) joined: bool,
}

/// The tokens of an answer.
pub(crate) type Answer = Box<dyn Iterator<Item = Token> + Send>;

/// The scripted model saying an answer.
pub(crate) struct Speaker {
    pub(crate) model: Arc<Model>,
    pub(crate) context: Context,
    pub(crate) noise: Option<Noise>,
    pub(crate) temperature: f64,
    pub(crate) draw: Stream,
    pub(crate) max_tokens: usize,
    pub(crate) min_tokens: usize,
    pub(crate) ignore_eos: bool,
    pub(crate) stop_ids: Vec<u32>,
    /// How many alternatives to give.
    pub(crate) top: usize,
    /// The ids so far, where only the last of them are read.
    pub(crate) window: Option<Window>,
    pub(crate) said: usize,
    pub(crate) over: bool,
}

/// The last ids of a context.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) ids: Vec<u32>,
    pub(crate) size: usize,
}

impl Window {
    /// The last `size` ids of this prompt.
    pub(crate) fn new(ids: &[u32], size: usize) -> Self {
        Self { ids: ids[ids.len().saturating_sub(size)..].to_vec(), size }
    }

    fn push(&mut self, id: u32) {
        self.ids.push(id);
        let surplus = self.ids.len().saturating_sub(self.size);
        self.ids.drain(..surplus);
    }
}

impl Speaker {
    fn choose(&mut self, next: &Distribution<'_>) -> u32 {
        let banned = (self.said < self.min_tokens && !self.ignore_eos).then_some(IM_END);
        if self.temperature > 0.0 {
            return next.sample(self.temperature, banned, &mut self.draw);
        }
        banned.map_or_else(|| next.best(), |id| next.best_without(id))
    }

    fn finish(&self, id: u32) -> Option<Finish> {
        if id == IM_END && !self.ignore_eos {
            return Some(Finish::End);
        }
        if self.said >= self.min_tokens && self.stop_ids.contains(&id) {
            return Some(Finish::StopId(id));
        }
        (self.said >= self.max_tokens).then_some(Finish::Length)
    }
}

impl Iterator for Speaker {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if self.over {
            return None;
        }
        let model = Arc::clone(&self.model);
        if let Some(window) = &mut self.window {
            let surplus = window.ids.len().saturating_sub(window.size);
            window.ids.drain(..surplus);
            self.context = model.context(&window.ids);
        }
        let next = model.next(&self.context, self.noise);
        let id = self.choose(&next);
        self.context.push(id);
        if let Some(window) = &mut self.window {
            window.push(id);
        }
        self.said += 1;
        let finish = self.finish(id);
        self.over = finish.is_some();
        let hidden = matches!(finish, Some(Finish::End | Finish::StopId(_)));
        let tokens = Tokens::shared();
        let silent = hidden || tokens.is_special(id);
        Some(Token {
            id,
            bytes: Cow::Borrowed(if silent { &[] } else { tokens.bytes(id) }),
            logprob: next.logprob(id),
            top: next.top(self.top),
            finish,
            joined: false,
        })
    }
}
