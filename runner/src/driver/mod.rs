//! The client of a container: a process of its own that enters the container's network, gives
//! up every privilege, and only then connects and reads what a stranger's server says.
//!
//! It gets its order as the first line of its standard input and learns there when the server
//! ends; it says what it sees on its standard output, a line of JSON each. Its input closes
//! when whoever ordered it is gone, and then it ends.

mod privileges;
mod work;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use lab::{
    Nanos, Problem, Result, plan,
    records::{Stages, TrialOutcome},
    workload::Limits,
};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    clock::Clock, docker, evidence::Summary, live::Glimpse, log::Log, measure::Setting, progress::Event, server::Life,
};
pub use work::work;

/// What a driver is told to do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// The run's folder, whose workload, requests, schedule and plan it reads.
    run: PathBuf,
    /// The trial's number in the plan.
    trial: u32,
    /// The trial's clock, see [`Clock::origin`].
    clock: Nanos,
    /// The network namespace that it enters; none where the server is reached over a bridge.
    network: Option<PathBuf>,
    /// Where the server listens.
    address: SocketAddr,
    /// The user that it becomes, where it is privileged.
    user: u32,
    /// The cores that it keeps to; none leaves it to the system.
    cores: Vec<u32>,
}

/// What a driver says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Said {
    /// The server answers.
    Ready(Nanos),
    /// A phase goes on.
    Load { phase: String, of: u32, time: Nanos, seen: Glimpse },
    /// Nothing more is sent.
    Measured { outcome: TrialOutcome, stages: Stages },
    /// The tables are written.
    Written(Summary),
    /// This machine failed it.
    Failed { place: Option<String>, what: String, next: Option<String> },
}

/// A driver at work. Dropping it ends it.
pub struct Driver {
    child: Child,
    orders: ChildStdin,
    said: BufReader<ChildStdout>,
    /// A line that has not come to its end.
    line: Vec<u8>,
    errors: Log,
}

/// Nothing that a driver says is longer.
const LONGEST: u64 = 1 << 20;
/// Until a driver that has nothing more to do has ended.
const ENDING: Nanos = Nanos::from_secs(10);
/// Until the tables of a trial have to be written.
const WRITING: Nanos = Nanos::from_secs(3_600);

impl Order {
    /// To measure a container's server.
    pub fn new(clock: Clock, server: &docker::Server, cores: &[u32], run: &Path, trial: &plan::Trial) -> Result<Self> {
        Ok(Order {
            run: std::path::absolute(run).unwrap_or_else(|_| run.to_owned()),
            trial: trial.n,
            clock: clock.origin(),
            network: server.network(),
            address: server.address(),
            user: privileges::nobody()?,
            cores: cores.to_vec(),
        })
    }
}

impl Driver {
    /// Starts one that writes its evidence into `folder`.
    pub async fn start(bench: &Path, order: &Order, folder: &Path) -> Result<Self> {
        privileges::give(folder, order.user)?;
        let mut child = Command::new(bench)
            .arg("drive")
            .current_dir(folder)
            // Ctrl-C is for the one who ordered it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| Problem::io(lab::Kind::Machine, "start the driver", bench, &e))?;
        let (orders, output) = child.stdin.take().zip(child.stdout.take()).expect("both are piped");
        let mut errors = Log::new(lab::Bytes(64 << 10));
        errors.read(child.stderr.take());
        let mut driver = Driver { child, orders, said: BufReader::new(output), line: Vec::new(), errors };
        let line = serde_json::to_string(order).expect("paths and numbers serialise");
        driver.tell(&line).await;
        Ok(driver)
    }

    /// Follows it until nothing more is sent, and tells it when the server has ended; none
    /// where this host lost the server.
    pub async fn measure(
        &mut self,
        server: &mut docker::Server,
        setting: &Setting<'_>,
    ) -> Result<Option<(TrialOutcome, Stages)>> {
        let mut told = false;
        let (clock, longest) = (Clock::start(), longest(setting));
        loop {
            let left = Nanos(longest.0.saturating_sub(clock.now().0));
            let said = tokio::select! {
                said = self.next(left) => said?,
                how = server.gone(), if !told => {
                    if server.lost().is_some() {
                        return Ok(None);
                    }
                    told = true;
                    self.tell(&serde_json::Value::from(how).to_string()).await;
                    continue;
                }
            };
            match said {
                Said::Ready(after) => setting.observer.see(&Event::Ready { after }),
                Said::Load { phase, of, time, seen } => {
                    setting.observer.see(&Event::Load { phase: &phase, of, time, seen });
                }
                Said::Measured { outcome, stages } => return Ok(Some((outcome, stages))),
                other => return Err(self.out_of_turn(&other)),
            }
        }
    }

    /// Waits until its evidence is written, and takes it back.
    pub async fn finish(mut self, folder: &Path) -> Result<Summary> {
        match self.next(WRITING).await? {
            Said::Written(summary) => {
                // Dropping it ends one that goes on.
                let _ = tokio::time::timeout(ENDING.into(), self.child.wait()).await;
                privileges::take_back(folder)?;
                Ok(summary)
            }
            other => Err(self.out_of_turn(&other)),
        }
    }

    /// A driver that is gone says so by its output's end.
    async fn tell(&mut self, line: &str) {
        let _ = self.orders.write_all(format!("{line}\n").as_bytes()).await;
        let _ = self.orders.flush().await;
    }

    async fn next(&mut self, time: Nanos) -> Result<Said> {
        let room = LONGEST.saturating_sub(self.line.len() as u64);
        let mut rest = (&mut self.said).take(room);
        // What has come of a line is kept when the waiting is broken off.
        let read = tokio::time::timeout(time.into(), rest.read_until(b'\n', &mut self.line)).await;
        let line = match read {
            Ok(Ok(_)) if self.line.ends_with(b"\n") => std::mem::take(&mut self.line),
            Ok(_) => return Err(self.died().await),
            Err(_) => return Err(Problem::machine(format!("the driver said nothing more within {time}"))),
        };
        match serde_json::from_slice(&line) {
            Ok(Said::Failed { place, what, next }) => Err(Problem { kind: lab::Kind::Machine, place, what, next }),
            Ok(said) => Ok(said),
            Err(e) => Err(Problem::machine(format!("the driver said what nobody understands: {e}"))),
        }
    }

    /// Never a value of a record: a server that could end its client would end its own bad
    /// rounds with it.
    async fn died(&mut self) -> Problem {
        let ended = tokio::time::timeout(std::time::Duration::from_secs(5), self.child.wait()).await;
        let how = ended.ok().and_then(std::result::Result::ok).map_or_else(|| "unknown".to_owned(), |s| s.to_string());
        self.errors.finish().await;
        let words = lab::text::shown(&self.errors.tail(2_000), 2_000);
        Problem::machine(format!("the driver, which reads what the server says, ended by itself ({how}): {words}"))
            .next("look at the trial's server: this must not happen whatever it does; then continue with --resume")
    }

    fn out_of_turn(&self, said: &Said) -> Problem {
        Problem::machine(format!("the driver spoke out of turn: {said:?}"))
    }
}

/// The longest that a driver can take: getting ready, each phase and its replay with the time
/// that their last requests and their connections may have, and some for a busy host.
fn longest(setting: &Setting<'_>) -> Nanos {
    let Limits { ready, request, phase, stop, .. } = *setting.limits;
    let phases = 2 * setting.trial.phases.len() as u64 + 1;
    Nanos(ready.0 + stop.0 + phases * (phase.0 + 2 * request.0) + 120_000_000_000)
}

/// What a driver knows of the server whose end others see.
struct Told(tokio::sync::watch::Receiver<Option<String>>);

impl Life for Told {
    fn exited(&mut self) -> Option<String> {
        self.0.borrow().clone()
    }

    async fn exited_within(&mut self, time: Nanos) -> Option<String> {
        let gone = tokio::time::timeout(time.into(), self.0.wait_for(Option::is_some)).await;
        gone.ok()?.ok()?.clone()
    }
}
