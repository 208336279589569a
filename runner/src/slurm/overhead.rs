//! What tasks cost beside what they measure.

use std::fmt;

use lab::{
    Nanos,
    bundle::{RunFolder, TRIAL, TRIALS},
    plain,
    plan::{Plan, Trial},
    records::{self, Stages},
};

use super::tasks::{Attempt, LARGEST, Tasks};

/// Over the blocks of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overhead {
    /// Blocks.
    pub blocks: usize,
    /// From the submission to a task's first step on its node: of the block that waited least,
    /// since others wait for nodes too.
    pub node: Nanos,
    /// From the submission to a server that takes its first request: of the block where that was
    /// soonest.
    pub request: Nanos,
    /// From a server's last byte to the start of the next server of its task: the median. None
    /// where each task has one server.
    pub between: Option<Nanos>,
}

impl Overhead {
    /// Of a run whose blocks are all there; none where one of its servers never was ready.
    pub(super) fn of(folder: &RunFolder, plan: &Plan, tasks: &Tasks) -> Option<Self> {
        let submission = tasks.submission().ok()?;
        let (mut node, mut request, mut between) = (Vec::new(), Vec::new(), Vec::new());
        for (block, trials) in plan.blocks() {
            let end = tasks.attempts(block).into_iter().find(Attempt::done)?.end?;
            let submitted = submission.jobs.iter().find(|job| job.id == end.job)?.submitted;
            let since = |at: u64, before: u64| Nanos(at.saturating_sub(before));
            node.push(since(end.began.0, submitted.0));
            // When its first request could come, and its last byte came.
            let life = |trial: &Trial| {
                let (start, stages) = (end.starts.get(&trial.n)?.0, stages(folder, trial)?);
                Some((start, start + stages.ready_ns?.0, start + stages.phases.last()?.end_ns.0))
            };
            let lives = trials.iter().map(life).collect::<Option<Vec<_>>>()?;
            request.push(since(lives.first()?.1, submitted.0));
            between.extend(lives.windows(2).map(|pair| since(pair[1].0, pair[0].2)));
        }
        between.sort_unstable();
        let middle = between.get(between.len() / 2).copied();
        Some(Overhead {
            blocks: node.len(),
            node: node.into_iter().min()?,
            request: request.into_iter().min()?,
            between: middle,
        })
    }
}

impl fmt::Display for Overhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Overhead { blocks, node, request, between } = self;
        write!(f, "{blocks} tasks; from submission to a node {node}, to the first request {request} at the soonest")?;
        between.map_or(Ok(()), |between| write!(f, "; from a server's last byte to the next server {between}"))
    }
}

fn stages(folder: &RunFolder, trial: &Trial) -> Option<Stages> {
    let path = folder.path().join(TRIALS).join(trial.folder()).join(TRIAL);
    let record: records::Trial = serde_json::from_slice(&plain::read(&path, LARGEST).ok()?).ok()?;
    Some(record.stages)
}
