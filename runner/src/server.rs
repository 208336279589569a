//! A server under test, however it came to run.

use lab::{
    Nanos,
    records::{Class, ServerFacts, Stages},
    workload::{Limits, Url},
};

use crate::{clock::Clock, control::Control, docker, process};

/// How an arm's server is had.
pub enum Launch {
    /// A process of this host, started for a trial.
    Process(process::Launch),
    /// A container, made for a trial.
    Container(Box<docker::Launch>),
    /// Somebody else's, which runs already.
    Endpoint(Url),
    /// It cannot be had: why, once for all its trials.
    Unavailable(NotReady),
}

/// Why a server was not ready.
#[derive(Debug, Clone)]
pub struct NotReady {
    /// Whose failure it is.
    pub class: Class,
    /// What was seen.
    pub detail: String,
}

/// How a server ended, and all that it wrote.
#[derive(Default)]
pub struct Ended {
    /// For `trial.json`.
    pub facts: ServerFacts,
    /// What is kept of its log.
    pub log: Vec<u8>,
    /// How this host lost it, if it did.
    pub lost: Option<String>,
    /// When it was created, started, stopped and removed, as far as it was.
    pub stages: Stages,
}

/// Whether a server still runs.
pub trait Life {
    /// How it ended, if it has.
    fn exited(&mut self) -> Option<String>;

    /// How it ended, if it does within a time.
    fn exited_within(&mut self, time: Nanos) -> impl Future<Output = Option<String>>;

    /// Routes of which one has to answer 200 when it is ready.
    fn routes(&self) -> &'static [&'static str] {
        &["/health"]
    }
}

/// Somebody else's server: of its end nobody here knows.
pub struct Foreign;

impl Life for Foreign {
    fn exited(&mut self) -> Option<String> {
        None
    }

    async fn exited_within(&mut self, _: Nanos) -> Option<String> {
        None
    }

    fn routes(&self) -> &'static [&'static str] {
        // Services without `/health` list their models.
        &["/health", "/v1/models"]
    }
}

/// Waits for a server's first good answer.
pub async fn ready(
    life: &mut impl Life,
    clock: Clock,
    control: &Control,
    limits: &Limits,
) -> std::result::Result<(), NotReady> {
    let mut pause = Nanos::from_millis(5);
    loop {
        if let Some(how) = life.exited() {
            return Err(ended_early(&how));
        }
        let mut why = String::new();
        for route in life.routes() {
            match control.answers(route).await {
                Ok(()) => return Ok(()),
                Err(said) => why = said,
            }
        }
        if clock.now() >= limits.ready {
            let detail = format!("the server was not ready after {} ({why})", limits.ready);
            return Err(NotReady { class: Class::LoadTimeout, detail });
        }
        tokio::time::sleep(pause.into()).await;
        pause = Nanos(pause.0 * 3 / 2).min(Nanos::from_millis(250));
    }
}

/// A server that ended before anybody heard of it.
pub fn ended_early(how: &str) -> NotReady {
    NotReady { class: Class::Start, detail: format!("the server ended before it was ready ({how})") }
}

/// How a server ended during the run, if it did. One that hung up on us may take a moment to
/// be gone; one that still answers is there.
pub async fn ended(life: &mut impl Life, control: &Control, limits: &Limits) -> Option<String> {
    if life.exited().is_none() && control.is_healthy().await {
        return None;
    }
    life.exited_within(limits.stop).await
}

impl Ended {
    /// Of a server that nobody here started.
    pub fn of_endpoint(url: &Url) -> Self {
        let facts = ServerFacts {
            executor: "endpoint".to_owned(),
            command: vec![url.to_string()],
            port: url.port,
            ..ServerFacts::default()
        };
        Ended { facts, ..Ended::default() }
    }
}
