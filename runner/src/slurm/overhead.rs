//! What tasks cost beside their servers.

use std::{fmt, fs};

use lab::{
    Nanos,
    bundle::{RunFolder, TRIAL, TRIALS},
    plan::{Plan, Trial},
    records,
};

use super::tasks::{Attempt, Tasks};

/// Over the blocks of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overhead {
    /// Blocks.
    pub blocks: usize,
    /// From the submission to the task's first step on its node, of the block that waited least:
    /// others wait for nodes too.
    pub soonest: Nanos,
    /// The time of a task less the lives of its servers, for each of these: the median.
    pub beside: Nanos,
}

impl Overhead {
    /// Of a run whose blocks are all there.
    pub(super) fn of(folder: &RunFolder, plan: &Plan, tasks: &Tasks) -> Option<Self> {
        let submission = tasks.submission().ok()?;
        let (mut waited, mut beside) = (Vec::new(), Vec::new());
        for (block, trials) in plan.blocks() {
            let end = tasks.attempts(block).into_iter().find(Attempt::done)?.end?;
            let job = submission.jobs.iter().find(|job| job.id == end.job)?;
            waited.push(end.began.0.saturating_sub(job.submitted.0));
            let lives = trials.iter().map(|trial| life(folder, trial)).sum::<Option<u64>>()?;
            let took = end.ended.0.saturating_sub(end.began.0);
            beside.push(took.saturating_sub(lives) / trials.len() as u64);
        }
        beside.sort_unstable();
        let (soonest, middle) = (waited.iter().copied().min()?, beside[beside.len() / 2]);
        Some(Overhead { blocks: waited.len(), soonest: Nanos(soonest), beside: Nanos(middle) })
    }
}

impl fmt::Display for Overhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Overhead { blocks, soonest, beside } = self;
        write!(
            f,
            "{blocks} tasks; on a node {soonest} after submission at the soonest, {beside} beside each server's life"
        )
    }
}

/// How long a trial's server was there.
fn life(folder: &RunFolder, trial: &Trial) -> Option<u64> {
    let path = folder.path().join(TRIALS).join(trial.folder()).join(TRIAL);
    let record: records::Trial = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    Some(record.stages.removed_ns.or(record.stages.stopped_ns)?.0)
}
