use std::{fmt, path::Path};

/// The result of everything that a person's input, machine or bundle can spoil.
pub type Result<T> = std::result::Result<T, Problem>;

/// Which exit code a problem has. What happened to a *measurement* is never one of
/// these: it is a value in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file that a person wrote is wrong.
    Input,
    /// This machine lacks something, or something on it failed.
    Machine,
    /// An image or a server command cannot be had or cannot be started.
    Image,
    /// The run ended without one finished trial.
    NothingMeasured,
    /// A bundle is not what its manifest says.
    Broken,
    /// Two results do not belong in one comparison.
    NotComparable,
}

impl Kind {
    /// The exit code of the program `bench`.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Input => 10,
            Kind::Machine => 11,
            Kind::Image => 12,
            Kind::NothingMeasured => 13,
            Kind::Broken => 20,
            Kind::NotComparable => 21,
        }
    }
}

/// Something a person can fix: where it is, what is wrong, what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Decides the exit code.
    pub kind: Kind,
    /// File, and line where there is one, and field: `x.toml:12: rounds.count`.
    pub place: Option<String>,
    /// What is wrong, with the value.
    pub what: String,
    /// The next step.
    pub next: Option<String>,
}

impl Problem {
    /// A problem without a place or a next step yet.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Problem { kind, place: None, what: what.into(), next: None }
    }

    /// A mistake in something a person wrote.
    pub fn input(what: impl Into<String>) -> Self {
        Self::new(Kind::Input, what)
    }

    /// A failure of this machine.
    pub fn machine(what: impl Into<String>) -> Self {
        Self::new(Kind::Machine, what)
    }

    /// A bundle that is not what it says it is.
    pub fn broken(what: impl Into<String>) -> Self {
        Self::new(Kind::Broken, what)
    }

    /// An operating-system error on a path.
    pub fn io(kind: Kind, doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(kind, format!("cannot {doing}: {error}")).at(path.display().to_string())
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)?;
        match &self.next {
            Some(next) => write!(f, "\n  next: {next}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}
