//! A server in its container, from its start until nothing is left of it.

use std::{fs::File, net::SocketAddr, os::fd::AsRawFd, path::PathBuf};

use bollard::{errors::Error, query_parameters::KillContainerOptionsBuilder};
use futures_util::StreamExt;
use lab::{
    Nanos, Problem, Result,
    records::{ServerFacts, Stages},
    workload::Limits,
};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    engine::{ANSWER, Engine, in_words, within},
    reap,
};
use crate::{
    clock::Clock,
    log::Log,
    server::{Ended, Life},
};

/// A server in its container. One that is not stopped goes with all containers of its run.
pub struct Server {
    pub(super) engine: Engine,
    pub(super) id: String,
    pub(super) network: Option<String>,
    /// The container's network, as long as this is open.
    pub(super) namespace: Option<File>,
    pub(super) address: SocketAddr,
    pub(super) end: watch::Receiver<Option<End>>,
    pub(super) watching: JoinHandle<()>,
    pub(super) log: Log,
    pub(super) facts: ServerFacts,
    pub(super) stages: Stages,
}

/// How a container ended, by itself or not.
#[derive(Debug, Clone)]
pub(super) enum End {
    Server {
        code: i64,
        out_of_memory: bool,
    },
    /// The engine does not know it any more, or is gone itself.
    Lost(String),
}

/// Until a container that was killed has to have ended.
const KILLED: Nanos = Nanos::from_secs(30);

/// Watches for the end of a container.
pub(super) fn watched(engine: &Engine, id: &str) -> (watch::Receiver<Option<End>>, JoinHandle<()>) {
    let (say, end) = watch::channel(None);
    (end, tokio::spawn(watch_end(engine.clone(), id.to_owned(), say)))
}

/// Waits until a container has ended, and asks how.
async fn watch_end(engine: Engine, id: String, say: watch::Sender<Option<End>>) {
    let mut waiting = std::pin::pin!(engine.docker.wait_container(&id, None));
    let end = match waiting.next().await {
        Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })) => {
            match within(ANSWER, engine.docker.inspect_container(&id, None)).await {
                Ok(found) => {
                    let state = found.state.unwrap_or_default();
                    let code = state.exit_code.unwrap_or(-1);
                    End::Server { code, out_of_memory: state.oom_killed.unwrap_or(false) }
                }
                Err(why) => End::Lost(why),
            }
        }
        Some(Err(e)) => End::Lost(in_words(&e)),
        None => End::Lost("the engine hung up".to_owned()),
    };
    say.send_replace(Some(end));
}

impl End {
    /// `exit 3`, `signal 9`, with what the kernel says.
    fn in_words(&self) -> String {
        match self {
            End::Server { code, out_of_memory } => {
                let how = if *code > 128 { format!("signal {}", code - 128) } else { format!("exit {code}") };
                if *out_of_memory { format!("{how}, out of memory") } else { how }
            }
            End::Lost(why) => format!("the container engine lost it: {why}"),
        }
    }
}

impl Life for Server {
    fn exited(&mut self) -> Option<String> {
        self.end.borrow().as_ref().map(End::in_words)
    }

    async fn exited_within(&mut self, time: Nanos) -> Option<String> {
        tokio::time::timeout(time.into(), self.gone()).await.ok()
    }
}

impl Server {
    /// Its network, where it is one of its own.
    pub fn namespace(&self) -> Option<&File> {
        self.namespace.as_ref()
    }

    /// Where its network can be entered by another process, as long as this one is here.
    pub fn network(&self) -> Option<PathBuf> {
        let file = self.namespace.as_ref()?;
        Some(PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())))
    }

    /// Where it listens, for whoever is in its network.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it ended, where it did so before its network could be entered: then nobody connects,
    /// for its address without its network is one of this host's.
    pub async fn ended_at_once(&mut self) -> Option<String> {
        if self.namespace.is_some() || self.network.is_some() {
            return None;
        }
        let end = self.exited_within(ANSWER).await;
        Some(end.unwrap_or_else(|| "nobody says how".to_owned()))
    }

    /// Waits until it has ended, and says how.
    pub async fn gone(&mut self) -> String {
        match self.end.wait_for(Option::is_some).await.map(|end| end.clone()) {
            Ok(Some(end)) => end.in_words(),
            _ => "unknown".to_owned(),
        }
    }

    /// How this host lost it, if it did.
    pub fn lost(&self) -> Option<String> {
        match &*self.end.borrow() {
            Some(end @ End::Lost(_)) => Some(end.in_words()),
            _ => None,
        }
    }

    /// The end of its log so far, for a message.
    pub fn last_words(&self) -> String {
        self.log.tail(2_000)
    }

    /// Ends it: SIGTERM, then SIGKILL after the limit; and removes all that is left of it.
    pub async fn stop(mut self, clock: Clock, limits: &Limits) -> Result<Ended> {
        let by_itself = self.end.borrow().clone();
        if by_itself.is_none() {
            let by = if self.signal("SIGTERM", limits.stop).await { "SIGTERM" } else { "SIGKILL" };
            self.facts.stopped_by = Some(by.to_owned());
            if by == "SIGKILL" {
                self.signal(by, KILLED).await;
            }
        }
        self.stages.stopped_ns = Some(clock.now());
        let end = self.end.borrow().clone();
        let lost = self.lost();
        self.facts.exit = by_itself.as_ref().map(End::in_words);
        if let (Some(End::Server { code, out_of_memory }), Some(container)) = (&end, &mut self.facts.container) {
            (container.exit_code, container.out_of_memory) = (Some(*code), *out_of_memory);
        }
        let kept = self.log.finish().await;
        (self.facts.log_bytes, self.facts.log_kept) = (kept.written, kept.bytes.len() as u64);
        match self.remove().await {
            Ok(()) => self.stages.removed_ns = Some(clock.now()),
            // What the next attempt does first is to clean up.
            Err(_) if lost.is_some() => {}
            Err(why) => return Err(Problem::machine(format!("the container {} cannot be removed: {why}", self.id))),
        }
        let (facts, stages) = (std::mem::take(&mut self.facts), std::mem::take(&mut self.stages));
        Ok(Ended { facts, log: kept.bytes, lost, stages })
    }

    /// Whether it ended within a time after a signal.
    async fn signal(&mut self, name: &str, time: Nanos) -> bool {
        let options = KillContainerOptionsBuilder::default().signal(name).build();
        // One that cannot be signalled has ended, or is killed in a moment.
        let _ = within(ANSWER, self.engine.docker.kill_container(&self.id, Some(options))).await;
        tokio::time::timeout(time.into(), self.end.wait_for(Option::is_some)).await.is_ok()
    }

    async fn remove(&mut self) -> std::result::Result<(), String> {
        reap::remove(&self.engine, &self.id).await?;
        if let Some(network) = &self.network {
            reap::remove_network(&self.engine, network).await?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
