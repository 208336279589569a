//! Where a mode can step in: every hook is honest unless a mode says otherwise.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ask::Ask;
use crate::model::Model;
use crate::options::Options;
use crate::pace::Pace;
use crate::refusal::Refusal;
use crate::speech::{Answer, Speaker};
use crate::wire_json::Usage;

/// What every answer is made from.
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) model: Arc<Model>,
    /// An unrelated model behind the same tokenizer.
    pub(crate) other: Arc<Model>,
    /// Differs from launch to launch.
    pub(crate) launch_seed: u64,
}

/// One request for text.
pub(crate) struct Job {
    pub(crate) index: u64,
    pub(crate) request_id: String,
    pub(crate) ask: Ask,
    pub(crate) created: u64,
    /// Seeds everything about this request that differs between requests.
    pub(crate) seed: u64,
}

/// When the server starts to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// As soon as it listens.
    Now,
    /// After this time, and 503 until then.
    After(Duration),
    /// Never.
    Never,
    /// It ends instead of listening.
    Exit,
}

/// Which part of a reply is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Status and headers.
    Head,
    /// The first chunk of a stream.
    Role,
    /// A chunk with tokens; counted from 0.
    Content(usize),
    /// The usage chunk.
    Usage,
    /// `[DONE]`.
    Done,
    /// The whole of a reply that is not streamed.
    Whole,
}

/// What to do with the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Send these bytes, in one write.
    Send(Vec<u8>),
    /// Wait.
    Wait(Duration),
    /// Send so many letters without a line end.
    Giant(u64),
    /// End the body in the regular way, then close.
    End,
    /// Close in the regular way, in the middle of the reply.
    Close,
    /// Reset the connection.
    Reset,
    /// Close the sending side, then wait for the client to go.
    HalfClose,
    /// Send nothing more and wait for the client to go.
    Hang,
    /// End the whole server.
    Die,
}

/// Names that replies carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// The model's name.
    pub(crate) model: String,
    /// The same in the chunks after the first.
    pub(crate) in_chunks: String,
    pub(crate) fingerprint: String,
}

/// Status and headers of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Length of the body; chunked if none.
    pub(crate) length: Option<u64>,
}

/// What a server does at each step of its work. The defaults are honest.
pub(crate) trait Behaviour: Send + Sync {
    /// When it is ready.
    fn readiness(&self, _options: &Options) -> Readiness {
        Readiness::Now
    }

    /// Whether SIGTERM leaves it running.
    fn ignores_term(&self) -> bool {
        false
    }

    /// How many log lines it writes to stderr a second.
    fn log_lines(&self, _options: &Options) -> u32 {
        0
    }

    /// Sees, and may change, the ids that `/tokenize` reports.
    fn tokenize(&self, _ids: &mut Vec<u32>, _topic: &str, _now: Instant) {}

    /// Another reply in place of the answer.
    fn instead(&self, _job: &Job) -> Option<(Refusal, Vec<(&'static str, String)>)> {
        None
    }

    /// Changes how the model decodes.
    fn speaker(&self, _world: &World, _job: &Job, _prompt: &[u32], _speaker: &mut Speaker) {}

    /// Changes the tokens.
    fn answer(&self, _world: &World, _job: &Job, honest: Answer) -> Answer {
        honest
    }

    /// Changes the schedule.
    fn pace(&self, _job: &Job, _pace: &mut Pace) {}

    /// Changes the reported counts.
    fn usage(&self, honest: Usage) -> Usage {
        honest
    }

    /// Changes the names in replies.
    fn names(&self, _names: &mut Names) {}

    /// Changes status and headers.
    fn head(&self, _head: &mut Head) {}

    /// Changes what is done with the bytes of one part of a reply.
    fn acts(&self, _world: &World, _place: Place, bytes: Vec<u8>) -> Vec<Act> {
        vec![Act::Send(bytes)]
    }
}

/// The honest server.
pub(crate) struct Honest;

impl Behaviour for Honest {}
