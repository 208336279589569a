use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::{Digest, bundle::Kind};

/// Version of a line. 1: first.
pub const FORMAT: u32 = 1;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// [`FORMAT`].
    pub format: u32,
    /// Its number, from 1.
    pub n: u64,
    /// SHA-256 of the line before, without its line feed; of nothing for the first.
    pub before: Digest,
    /// Wall clock, RFC 3339, UTC.
    pub at: String,
    /// What happened.
    pub event: Event,
}

/// What happened. `run` is a folder, as `DATE/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A run has a plan, and its first trial is about to begin.
    Begun {
        /// Its folder.
        run: String,
        /// Digest of `plan.json`.
        plan: Digest,
        /// Digest of the workload file.
        workload: Digest,
        /// The workload's name.
        name: String,
    },
    /// The same of a further stage.
    Stage {
        /// Its folder.
        run: String,
        /// Digest of `plan.json`.
        plan: Digest,
        /// Digest of the workload file.
        workload: Digest,
        /// The workload's name.
        name: String,
        /// Which stage, from 2.
        number: u32,
        /// Id of the bundle of the stage before.
        parent: Digest,
    },
    /// A run that was begun goes on.
    Resumed {
        /// Its folder.
        run: String,
    },
    /// A run ended and is not sealed; it may be resumed.
    Ended {
        /// Its folder.
        run: String,
        /// `interrupted`, or whose failure it was.
        class: String,
        /// The exit code of the program.
        exit: u8,
    },
    /// A run is sealed.
    Sealed {
        /// Its folder.
        run: String,
        /// The bundle's id.
        id: Digest,
        /// What became of its trials.
        trials: Counts,
    },
    /// A run's outputs are graded, and the grade is sealed.
    Graded {
        /// The grade's folder.
        run: String,
        /// The grade's id.
        id: Digest,
        /// Ids of what it grades.
        parents: Vec<Digest>,
    },
    /// A bundle that was made elsewhere, or before there was a log.
    Adopted {
        /// Its folder.
        run: String,
        /// Its id.
        id: Digest,
        /// What it holds.
        kind: Kind,
        /// Ids of what it continues or grades.
        parents: Vec<Digest>,
        /// What became of its trials; none of a grade.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trials: Option<Counts>,
    },
    /// The line after the one before was cut short while it was written; nothing else was lost.
    Torn {
        /// Bytes that there were of it.
        bytes: u64,
        /// SHA-256 of them.
        sha256: Digest,
        /// How they began.
        text: String,
    },
}

impl Event {
    /// The folder that it is about; none of a torn line.
    pub fn run(&self) -> Option<&str> {
        match self {
            Event::Begun { run, .. }
            | Event::Stage { run, .. }
            | Event::Resumed { run }
            | Event::Ended { run, .. }
            | Event::Sealed { run, .. }
            | Event::Graded { run, .. }
            | Event::Adopted { run, .. } => Some(run),
            Event::Torn { .. } => None,
        }
    }

    /// The bundle that is sealed by then.
    pub fn bundle(&self) -> Option<Digest> {
        match self {
            Event::Sealed { id, .. } | Event::Graded { id, .. } | Event::Adopted { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Event::Begun { .. } => "begun",
            Event::Stage { .. } => "stage",
            Event::Resumed { .. } => "resumed",
            Event::Ended { .. } => "ended",
            Event::Sealed { .. } => "sealed",
            Event::Graded { .. } => "graded",
            Event::Adopted { .. } => "adopted",
            Event::Torn { .. } => "torn",
        }
    }
}

impl Entry {
    /// The line, without its line feed.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("integers and strings serialise")
    }
}

/// How far a log had come: what is published of it. Written `COUNT:DIGEST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Its lines.
    pub count: u64,
    /// SHA-256 of the last one, without its line feed; of nothing where there is none.
    pub digest: Digest,
}

impl Head {
    /// Of a log without a line.
    pub fn none() -> Self {
        Head { count: 0, digest: Digest::of("") }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.count, self.digest)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, digest) = text.split_once(':').ok_or("write COUNT:sha256:DIGITS, as bench log --head prints it")?;
        let count = count.parse().map_err(|_| "write COUNT:sha256:DIGITS, with a count of lines first")?;
        Ok(Head { count, digest: digest.parse()? })
    }
}
