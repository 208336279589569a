//! A server under test, however it came to run.

use lab::{
    Nanos, Problem, Result,
    records::{Class, ServerFacts},
    workload::{Limits, Url},
};

use crate::{
    clock::Clock,
    control::Control,
    process,
    target::{Secret, Target},
};

/// How an arm's server is had.
#[derive(Debug, Clone)]
pub enum Launch {
    /// A process of this host, started for a trial.
    Process(process::Launch),
    /// Somebody else's, which runs already.
    Endpoint(Url),
}

/// A server that was started, or that was there.
pub enum Server {
    /// A process of this host.
    Process(Box<process::Server>),
    /// Somebody else's.
    Endpoint(Url),
}

/// Why a server was not ready.
pub struct NotReady {
    /// Whose failure it is.
    pub class: Class,
    /// What was seen.
    pub detail: String,
}

impl Launch {
    /// Starts it, if it is ours to start.
    pub fn start(&self, limits: &Limits) -> Result<Server> {
        match self {
            Launch::Process(launch) => launch.start(limits).map(|server| Server::Process(Box::new(server))),
            Launch::Endpoint(url) => Ok(Server::Endpoint(url.clone())),
        }
    }
}

impl Server {
    /// Where requests go.
    pub async fn target(&self, clock: Clock, limits: &Limits, key: Option<Secret>) -> Result<Target> {
        match self {
            Server::Process(server) => Ok(Target::local(clock, server.port, limits.response, key)),
            Server::Endpoint(url) => Target::remote(clock, url, limits.response, key).await,
        }
    }

    /// Waits for its first good answer.
    pub async fn ready(
        &mut self,
        clock: Clock,
        control: &Control,
        limits: &Limits,
    ) -> std::result::Result<(), NotReady> {
        let mut pause = Nanos::from_millis(5);
        loop {
            if let Some(how) = self.exited() {
                // Its last lines may still be in the pipe.
                tokio::task::yield_now().await;
                let said = self.last_words();
                let detail = format!("the server ended before it was ready ({how}); its last words:\n{said}");
                return Err(NotReady { class: Class::Start, detail });
            }
            let tried = match (&*self, control.answers("/health").await) {
                // Services without `/health` list their models.
                (Server::Endpoint(_), Err(_)) => control.answers("/v1/models").await,
                (_, tried) => tried,
            };
            let Err(why) = tried else { return Ok(()) };
            if clock.now() >= limits.ready {
                let said = self.last_words();
                let detail =
                    format!("the server was not ready after {} ({why}); its last words:\n{said}", limits.ready);
                return Err(NotReady { class: Class::LoadTimeout, detail });
            }
            tokio::time::sleep(pause.into()).await;
            pause = Nanos(pause.0 * 3 / 2).min(Nanos::from_millis(250));
        }
    }

    /// How it ended, if it has. Of somebody else's server nobody here knows.
    pub fn exited(&mut self) -> Option<String> {
        match self {
            Server::Process(server) => server.exited(),
            Server::Endpoint(_) => None,
        }
    }

    /// How it ended during the run, if it did. One that hung up on us may take a moment to be
    /// gone; one that still answers is there.
    pub async fn ended(&mut self, control: &Control, limits: &Limits) -> Option<String> {
        match self {
            Server::Process(server) => {
                if server.exited().is_none() && control.is_healthy().await {
                    return None;
                }
                server.exited_within(limits.stop).await
            }
            Server::Endpoint(_) => None,
        }
    }

    /// The end of its log so far, for a message.
    pub fn last_words(&self) -> String {
        match self {
            Server::Process(server) => server.last_words(),
            Server::Endpoint(_) => "unknown: nobody here started it".to_owned(),
        }
    }

    /// Ends it, if it is ours to end.
    pub async fn stop(self, limits: &Limits) -> process::Ended {
        match self {
            Server::Process(server) => server.stop(limits).await,
            Server::Endpoint(url) => process::Ended {
                facts: ServerFacts {
                    executor: "endpoint".to_owned(),
                    command: vec![url.to_string()],
                    port: url.port,
                    ..ServerFacts::default()
                },
                log: Vec::new(),
            },
        }
    }
}

impl From<NotReady> for Problem {
    fn from(not: NotReady) -> Self {
        Problem::machine(not.detail)
    }
}
