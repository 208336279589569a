//! How a run on many nodes stands.

use std::path::Path;

use lab::{
    Nanos, Result,
    bundle::{MANIFEST, PLAN, RunFolder},
    plan::Plan,
};
use serde::Serialize;

use super::{
    collect::whole,
    commands::{self, Queued},
    tasks::{Outcome, Tasks},
};

/// A run and its blocks.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The run's name, which is that of its tasks.
    pub run: String,
    /// Every block, in order.
    pub blocks: Vec<Block>,
    /// Why Slurm does not say what it has, where it does not.
    pub unknown: Option<String>,
}

/// How a block stands.
#[derive(Debug, Serialize)]
pub struct Block {
    /// Its number.
    pub block: u32,
    /// Its trials.
    pub trials: usize,
    /// How it stands.
    pub state: State,
    /// Attempts so far.
    pub attempts: u32,
    /// Where it was measured or is being measured, or why it waits or failed.
    pub detail: String,
    /// How long it took, if it is done.
    #[serde(rename = "took_ns")]
    pub took: Option<Nanos>,
}

/// How a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Measured.
    Done,
    /// On a node.
    Running,
    /// Slurm has it.
    Queued,
    /// Its last attempt could not measure it.
    Failed,
    /// Its last attempt was told to end.
    Stopped,
    /// Its last attempt ended without a word: its node died, or it was killed.
    Vanished,
    /// Slurm does not have it, and nobody has tried.
    Absent,
}

impl State {
    /// Whether nothing will come of it unless somebody does something.
    pub fn ended(self) -> bool {
        matches!(self, State::Failed | State::Stopped | State::Vanished | State::Absent)
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Running => "running",
            State::Queued => "queued",
            State::Failed => "failed",
            State::Stopped => "stopped",
            State::Vanished => "vanished",
            State::Absent => "absent",
        }
    }
}

impl Status {
    /// How many blocks stand so.
    pub fn count(&self, state: State) -> usize {
        self.blocks.iter().filter(|block| block.state == state).count()
    }

    /// How long it will take, as far as finished blocks tell; none while nothing runs.
    pub fn left(&self) -> Option<Nanos> {
        let took: Vec<u64> = self.blocks.iter().filter_map(|block| Some(block.took?.0)).collect();
        let running = self.count(State::Running) as u64;
        let mean = took.iter().sum::<u64>().checked_div(took.len() as u64)?;
        let open = (self.count(State::Running) + self.count(State::Queued)) as u64;
        (running > 0).then(|| Nanos(mean * open.div_ceil(running)))
    }
}

/// How the unfinished run in this folder stands.
pub async fn status(run: &Path) -> Result<Status> {
    if run.join(MANIFEST).exists() {
        return Err(lab::Problem::input("this run is measured and sealed")
            .at(run.display().to_string())
            .next("bench verify says whether it is whole, bench judge what came of it"));
    }
    let tasks = Tasks::of(run);
    tasks.submission()?;
    let path = run.join(PLAN);
    let text = std::fs::read_to_string(&path).map_err(|e| lab::Problem::io(lab::Kind::Machine, "read", &path, &e))?;
    let folder = RunFolder::look(run)?;
    of(&folder, &Plan::from_json(&text)?, &tasks).await
}

/// The same for whoever has read them already.
pub(super) async fn of(folder: &RunFolder, plan: &Plan, tasks: &Tasks) -> Result<Status> {
    let run = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (queue, unknown) = match commands::queue(&run).await? {
        Ok(queue) => (queue, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let blocks = plan.blocks().map(|(number, trials)| {
        let queued = queue.iter().find(|task| task.block == number);
        block(number, trials.len(), whole(folder, trials), queued, tasks)
    });
    Ok(Status { run, blocks: blocks.collect(), unknown })
}

fn block(number: u32, trials: usize, whole: bool, queued: Option<&Queued>, tasks: &Tasks) -> Block {
    let attempts = tasks.attempts(number);
    let found = attempts.iter().find(|attempt| attempt.done());
    let last = attempts.last();
    let (state, detail) = match (found.and_then(|a| a.end.as_ref()), queued, last) {
        (Some(end), ..) => (State::Done, end.host.clone()),
        _ if whole => (State::Done, String::new()),
        (None, Some(task), _) if task.state == "RUNNING" || task.state == "COMPLETING" => {
            (State::Running, task.place.clone())
        }
        (None, Some(task), _) => (State::Queued, task.place.clone()),
        (None, None, None) if tasks.taken_back() => (State::Stopped, "it was taken back before it began".to_owned()),
        (None, None, None) => (State::Absent, "Slurm does not have it".to_owned()),
        (None, None, Some(last)) => match last.end.as_ref().map(|end| (&end.outcome, &end.host)) {
            Some((Outcome::Failed(why), host)) => (State::Failed, format!("{host}: {why}")),
            Some((_, host)) => (State::Stopped, format!("{host}: it was told to end")),
            None => (State::Vanished, "it ended without a word: its node died, or it was killed".to_owned()),
        },
    };
    let took = found.and_then(|a| a.end.as_ref()).map(|end| Nanos(end.ended.0.saturating_sub(end.began.0)));
    Block { block: number, trials, state, attempts: attempts.len() as u32, detail, took }
}
