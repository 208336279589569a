//! What happens while it happens. For display only: nothing of it is stored.

use lab::{Nanos, plan};
use serde::{Deserialize, Serialize};

use crate::{live::Glimpse, slurm::status::Status};

/// One thing that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A stage of the whole run began, in words.
    Stage(&'a str),
    /// An image is being had.
    Pull {
        /// The arm that it is for.
        arm: &'a str,
        /// Bytes that are here.
        done: u64,
        /// Bytes in all, as far as they are known.
        of: u64,
    },
    /// This host ended an attempt at a trial; the next one begins.
    Again {
        /// What was seen.
        why: &'a str,
    },
    /// A trial began; so many of the plan were finished before.
    TrialStarted {
        /// The trial.
        trial: &'a plan::Trial,
        /// Its place in the plan, from 1; its number goes on from the stages before.
        at: usize,
        /// Trials of the plan.
        of: usize,
    },
    /// Its server answers.
    Ready {
        /// Since its start.
        after: Nanos,
    },
    /// A phase goes on; told a few times a second.
    Load {
        /// The load's name, or warm-up.
        phase: &'a str,
        /// Requests of the phase.
        of: u32,
        /// Since it began.
        time: Nanos,
        /// What was seen of it.
        seen: Glimpse,
    },
    /// Its evidence is being written.
    Writing,
    /// A trial is published.
    TrialEnded {
        /// The trial.
        trial: &'a plan::Trial,
        /// Output tokens of its timed requests, where the server gave ids; else chunks.
        tokens: u64,
        /// Time of its load phases.
        busy: Nanos,
        /// Timed requests without a whole answer.
        unanswered: Unanswered,
        /// Why it failed, if it did.
        failure: Option<&'a str>,
    },
    /// How blocks stand that are measured elsewhere; told every now and then.
    Blocks(&'a Status),
    /// Outputs are being scored.
    Graded {
        /// Outputs scored.
        done: usize,
        /// Outputs to score.
        of: usize,
    },
}

/// Timed requests that got no whole answer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Unanswered {
    /// How many.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// What became of the first of them; may quote the server.
    pub first: String,
}

/// Whoever wants to know.
pub trait Observer: Sync {
    /// Called at each event, on the measuring thread: it must return at once.
    fn see(&self, event: &Event<'_>);
}

/// Nobody.
pub struct Silent;

impl Observer for Silent {
    fn see(&self, _: &Event<'_>) {}
}
