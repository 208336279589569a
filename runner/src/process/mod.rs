//! Servers that are processes of this host: for trusted arms only, since a process sees
//! everything that its user sees.
//!
//! Each server runs below a *guard*, a second life of this program that leads the
//! server's process group and holds the other end of a pipe from us. However we end, the
//! pipe closes and the guard kills the group and whatever left it.

mod guard;
mod port;

use std::{collections::BTreeMap, path::PathBuf, process::Stdio};

use lab::{Digest, Nanos, Problem, Result, records::ServerFacts, workload::Limits};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::process::{Child, ChildStdin, Command};

use crate::{
    clock::Clock,
    log::Log,
    server::{Ended, Life},
};
pub use guard::guard;
use port::Port;

/// What a server is started from.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The command, placeholders not yet filled in.
    pub command: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Its GPUs, by their ids.
    pub gpus: Vec<String>,
    /// Variables of our own environment that it does not get.
    pub secrets: Vec<String>,
    /// `{bench}`: the program that has the hidden verb `guard`.
    pub bench: PathBuf,
    /// `{model}`.
    pub model: PathBuf,
    /// `{served_name}`.
    pub served_name: String,
    /// `{here}`: the folder of the workload file.
    pub here: PathBuf,
}

/// A running server. Dropping it closes the pipe, and the guard ends the server.
pub struct Server {
    /// Where it listens.
    pub port: u16,
    child: Child,
    /// Open as long as the guard shall keep the server; waiting for a child would close it.
    leash: Option<ChildStdin>,
    group: Pid,
    log: Log,
    facts: ServerFacts,
    _kept: Port,
}

impl Launch {
    /// Its command, placeholders filled in.
    fn filled(&self, port: u16) -> Vec<String> {
        let fill = |part: &String| {
            part.replace("{port}", &port.to_string())
                .replace("{model}", &self.model.to_string_lossy())
                .replace("{served_name}", &self.served_name)
                .replace("{bench}", &self.bench.to_string_lossy())
                .replace("{here}", &self.here.to_string_lossy())
        };
        self.command.iter().map(fill).collect()
    }

    /// The digest of the file that it runs; none where that is not one by its path.
    pub fn program(&self) -> Option<Digest> {
        program(&self.filled(0))
    }

    /// Starts the server on a free port of the loopback interface.
    pub fn start(&self, limits: &Limits) -> Result<Server> {
        let kept = Port::free()?;
        let port = kept.number;
        let command = self.filled(port);
        let mut program = Command::new(&self.bench);
        self.secrets.iter().for_each(|name| {
            program.env_remove(name);
        });
        let mut child = program
            .arg("guard")
            .arg("--")
            .args(&command)
            .envs(&self.env)
            .envs((!self.gpus.is_empty()).then(|| ("CUDA_VISIBLE_DEVICES", self.gpus.join(","))))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| Problem::io(lab::Kind::Machine, "start the guard of a server", &self.bench, &e))?;
        let leash = child.stdin.take();
        let mut log = Log::new(limits.log);
        log.read(child.stdout.take());
        log.read(child.stderr.take());
        let group = Pid::from_raw(child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0));
        let facts = ServerFacts {
            executor: "process".to_owned(),
            command: self.command.clone(),
            program: self::program(&command),
            port,
            gpus: self.gpus.clone(),
            ..ServerFacts::default()
        };
        Ok(Server { port, child, leash, group, log, facts, _kept: kept })
    }
}

fn program(command: &[String]) -> Option<Digest> {
    Digest::of_file(command.first()?.as_ref()).ok().map(|(digest, _)| digest)
}

impl Life for Server {
    fn exited(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(Some(status)) => Some(guard::in_words(status)),
            Ok(None) => None,
            Err(e) => Some(format!("unknown: {e}")),
        }
    }

    async fn exited_within(&mut self, time: Nanos) -> Option<String> {
        let deadline = Clock::start().at(time);
        let status = tokio::time::timeout_at(deadline, self.child.wait()).await.ok()?;
        Some(status.map_or_else(|e| format!("unknown: {e}"), guard::in_words))
    }
}

impl Server {
    /// The end of its log so far, for a message.
    pub fn last_words(&self) -> String {
        self.log.tail(2_000)
    }

    /// Ends the whole process group: SIGTERM, then SIGKILL after the limit.
    pub async fn stop(mut self, limits: &Limits) -> Ended {
        self.facts.exit = self.exited();
        if self.facts.exit.is_none() {
            let deadline = Clock::start().at(limits.stop);
            self.signal(Signal::SIGTERM);
            let by = match tokio::time::timeout_at(deadline, self.child.wait()).await {
                Ok(_) => "SIGTERM",
                Err(_) => "SIGKILL",
            };
            self.facts.stopped_by = Some(by.to_owned());
        }
        // The guard ends what is left, also what went its own way; if it does not, we do.
        drop(self.leash.take());
        let reaped = Clock::start().at(Nanos::from_secs(10));
        if tokio::time::timeout_at(reaped, self.child.wait()).await.is_err() {
            self.signal(Signal::SIGKILL);
        }
        // Its number may be another group's from here on.
        self.group = Pid::from_raw(0);
        let kept = self.log.finish().await;
        self.facts.log_bytes = kept.written;
        self.facts.log_kept = kept.bytes.len() as u64;
        Ended { facts: std::mem::take(&mut self.facts), log: kept.bytes, ..Ended::default() }
    }

    /// A group that is gone already is as good as one that was ended.
    fn signal(&self, signal: Signal) {
        if self.group.as_raw() > 1 {
            let _ = killpg(self.group, signal);
        }
    }
}
