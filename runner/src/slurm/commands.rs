//! Slurm's own commands: `sbatch`, `squeue`, `scancel`. They are the same in all its releases,
//! while its libraries and its JSON are not.

use std::{path::Path, process::Stdio, time::Duration};

use lab::{Kind, Problem, Result, bundle::MANIFEST};
use tokio::process::Command;

use super::tasks::Tasks;

/// A controller that takes longer is taken for one that is gone.
const ANSWER: Duration = Duration::from_secs(30);

/// How a task stands with Slurm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queued {
    /// The index of the task, which is the block; 0 of a task without one.
    pub block: u32,
    /// Slurm's word for it: `PENDING`, `RUNNING` and others.
    pub state: String,
    /// Where it runs, or why it waits.
    pub place: String,
}

/// Why a command of Slurm's did not do what it was told.
enum Failure {
    /// It is not there.
    Absent(Problem),
    /// What it said.
    Said(String),
}

/// Submits a script; the array's number.
pub(super) async fn submit(script: &Path) -> Result<u64> {
    let said = slurm("sbatch", &["--parsable", &script.display().to_string()]).await.map_err(|why| match why {
        Failure::Absent(problem) => problem,
        Failure::Said(said) => Problem::machine(format!("Slurm refuses the tasks: {said}"))
            .at(script.display().to_string())
            .next(
                "see what the cluster has with sinfo, change --partition, --gres, --constraint or --time, and continue with --resume",
            ),
    })?;
    // With several clusters the cluster's name follows.
    let number = said.split(';').next().and_then(|id| id.trim().parse().ok());
    number.ok_or_else(|| Problem::machine(format!("sbatch says no number: {said:?}")))
}

/// The tasks of a run that Slurm still has, or why it does not say.
pub(super) async fn queue(name: &str) -> Result<std::result::Result<Vec<Queued>, String>> {
    let arguments = ["--noheader", "--array", &format!("--name={name}"), "--format=%K|%T|%N|%r"];
    match slurm("squeue", &arguments).await {
        Ok(said) => Ok(Ok(said.lines().filter_map(read).collect())),
        Err(Failure::Absent(problem)) => Err(problem),
        Err(Failure::Said(said)) => Ok(Err(said)),
    }
}

fn read(line: &str) -> Option<Queued> {
    let mut fields = line.trim().splitn(4, '|');
    let (index, state, node, reason) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let place = if node.is_empty() { reason } else { node };
    // Slurm's word for no reason, as long as it has not looked at the task.
    let place = if place == "None" { "" } else { place };
    Some(Queued { block: index.parse().unwrap_or(0), state: state.to_owned(), place: place.to_owned() })
}

/// What was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The blocks that are not measured.
    Blocks,
    /// The grade of a run that is measured and sealed, if it goes on.
    Grade,
}

/// Takes every task of a run back; running ones are told to end. Whoever watches it submits no
/// more.
pub async fn cancel(run: &Path) -> Result<Cancelled> {
    let run = &std::path::absolute(run).map_err(|e| Problem::io(Kind::Machine, "find", run, &e))?;
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    if run.join(MANIFEST).exists() {
        return scancel(&format!("{name}-grade")).await.map(|()| Cancelled::Grade);
    }
    let tasks = Tasks::of(run);
    tasks.submission()?;
    tasks.take_back()?;
    scancel(&name).await?;
    crate::logged::cancelled(run).map(|()| Cancelled::Blocks)
}

/// Takes tasks of this name back; it is no error where there are none.
pub(super) async fn scancel(name: &str) -> Result<()> {
    let said = slurm("scancel", &["--quiet", &format!("--name={name}")]).await;
    said.map(drop).map_err(|why| match why {
        Failure::Absent(problem) => problem,
        Failure::Said(said) => Problem::machine(format!("Slurm does not cancel: {said}")).next("try it again later"),
    })
}

async fn slurm(program: &str, arguments: &[&str]) -> std::result::Result<String, Failure> {
    let mut command = Command::new(program);
    // What it is told is told here: such variables would add to that, or go before what a script says.
    let own = |name: &str| ["SBATCH_", "SQUEUE_", "SCANCEL_"].iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(own)) {
        command.env_remove(name);
    }
    // Times and states are the same words everywhere.
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(ANSWER, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(e)) => {
            let what = format!("cannot start {program}: {e}");
            let next = "run it on a machine from which jobs are submitted, or without --executor slurm";
            return Err(Failure::Absent(Problem::machine(what).next(next)));
        }
        Err(_) => return Err(Failure::Said(format!("{program} has not answered for {} s", ANSWER.as_secs()))),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(Failure::Said(text(&output.stderr))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_queue_is_a_task() {
        let of = |block, state: &str, place: &str| Some(Queued { block, state: state.into(), place: place.into() });
        assert_eq!(read("3|RUNNING|n1|None"), of(3, "RUNNING", "n1"));
        assert_eq!(read("12|PENDING||Resources"), of(12, "PENDING", "Resources"));
        assert_eq!(read("N/A|PENDING||Priority"), of(0, "PENDING", "Priority"));
        assert_eq!(read(""), None);
    }
}
