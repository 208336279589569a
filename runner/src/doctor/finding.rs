use serde::Serialize;

/// How a fact bears on measuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Good,
    /// Not there, or not to be seen by this process. A fact, no error.
    Absent,
    /// Worth knowing; all arms suffer alike.
    Note,
    /// It would spoil a measurement.
    Spoils,
}

/// One thing about this host. `bench doctor --json` prints an array of these, with exactly
/// these fields; fields may be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about, in one to three words: `clock source`, `GPU 0`.
    pub subject: String,
    /// `good`, `absent`, `note` or `spoils`.
    pub level: Level,
    /// What was found, in words and with its value.
    pub found: String,
    /// What it means for a measurement.
    pub means: String,
    /// What to do about it, commands in backquotes; `null` where there is nothing to do.
    pub next: Option<String>,
    /// Whether nothing can be measured on this host because of it: exit code 11.
    pub stops: bool,
}

impl Finding {
    pub(super) fn good(subject: &str, found: impl AsRef<str>, means: impl AsRef<str>) -> Self {
        Self::new(subject, Level::Good, found.as_ref(), means.as_ref())
    }

    pub(super) fn absent(subject: &str, found: impl AsRef<str>, means: impl AsRef<str>) -> Self {
        Self::new(subject, Level::Absent, found.as_ref(), means.as_ref())
    }

    pub(super) fn note(subject: &str, found: impl AsRef<str>, means: impl AsRef<str>) -> Self {
        Self::new(subject, Level::Note, found.as_ref(), means.as_ref())
    }

    pub(super) fn spoils(subject: &str, found: impl AsRef<str>, means: impl AsRef<str>) -> Self {
        Self::new(subject, Level::Spoils, found.as_ref(), means.as_ref())
    }

    #[must_use]
    pub(super) fn next(mut self, step: impl AsRef<str>) -> Self {
        self.next = Some(shown(step.as_ref()));
        self
    }

    #[must_use]
    pub(super) fn stops(mut self) -> Self {
        self.stops = true;
        self
    }

    fn new(subject: &str, level: Level, found: &str, means: &str) -> Self {
        Finding { subject: shown(subject), level, found: shown(found), means: shown(means), next: None, stops: false }
    }
}

/// Names of processes, files and versions come from the machine, and others wrote them.
fn shown(text: &str) -> String {
    lab::text::shown(text, 600)
}
