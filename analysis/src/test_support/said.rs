//! What scripted servers say.

use lab::plan::Role;

use super::{
    PROMPT,
    words::{END, text_of, word},
};

/// What a scripted server is asked.
pub(crate) struct Ask {
    pub(crate) round: u32,
    pub(crate) role: Role,
    pub(crate) gpus: u32,
    pub(crate) request: u32,
    pub(crate) max_tokens: u32,
    pub(crate) load: String,
}

/// What it answers.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) parts: Vec<Part>,
    pub(crate) finish: &'static str,
    pub(crate) done: bool,
    pub(crate) status: u16,
    pub(crate) claimed_output: Option<u64>,
    pub(crate) claimed_prompt: Option<u64>,
    /// How late the client turns to it.
    pub(crate) late_ns: u64,
    /// How long the server then lets nobody connect.
    pub(crate) lag_ns: u64,
}

/// One event of the stream.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) at_ns: u64,
    pub(crate) ids: Vec<u32>,
    pub(crate) text: String,
    /// Tokens in its list of logprobs.
    pub(crate) entries: Vec<String>,
    /// What each of them says it considered.
    pub(crate) tops: Vec<(String, f64)>,
}

impl Said {
    /// One id an event, every `step_ns`; an end token last unless all that was asked for came.
    pub(crate) fn ids(ids: &[u32], step_ns: u64, max_tokens: u32) -> Self {
        let full = ids.len() as u32 >= max_tokens;
        let end = (!full).then_some(END);
        let parts: Vec<Part> = ids
            .iter()
            .copied()
            .chain(end)
            .zip(1..)
            .map(|(id, i)| Part { at_ns: i * step_ns, ids: vec![id], text: text_of(id), entries: vec![], tops: vec![] })
            .collect();
        Said {
            claimed_output: Some(parts.len() as u64),
            parts,
            finish: if full { "length" } else { "stop" },
            done: true,
            status: 200,
            claimed_prompt: Some(PROMPT),
            late_ns: 0,
            lag_ns: 0,
        }
    }

    /// The same without ids, as servers that give none.
    pub(crate) fn text_only(mut self) -> Self {
        self.parts.retain(|p| !p.text.is_empty());
        self.parts.iter_mut().for_each(|p| p.ids.clear());
        self
    }

    /// The same with a list of logprobs in each event: its token, sure of itself.
    pub(crate) fn listed(mut self) -> Self {
        for part in &mut self.parts {
            (part.entries, part.tops) = (vec![part.text.clone()], vec![(part.text.clone(), -0.1)]);
        }
        self
    }

    pub(crate) fn error() -> Self {
        Said { status: 500, ..Said::ids(&[], 1_000, 1) }
    }
}

/// The tokens of a request's honest answer.
pub(crate) fn answer(request: u32, tokens: u32) -> Vec<u32> {
    (0..tokens).map(|i| word(u64::from(request) * 7_919 + u64::from(i) * 104_729)).collect()
}

/// An honest server at `step_ns` a token.
pub(crate) fn honest(step_ns: u64) -> impl Fn(&Ask) -> Said {
    move |ask| Said::ids(&answer(ask.request, ask.max_tokens), step_ns, ask.max_tokens)
}
