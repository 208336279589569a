//! The main path: submitted, watched, collected, sealed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use lab::{
    Digest, Kind, Problem, Result,
    bundle::{ENVIRONMENTS, MANIFEST, PLAN, RunFolder},
    plan::{Plan, Trial},
    workload::Workload,
};

use super::{
    Options, Overhead,
    collect::{collect, whole},
    commands,
    exec::comparison,
    script::{Script, Work},
    status::{self, State, Status},
    tasks::{Attempt, Job, Submission, Tasks},
};
use crate::{
    clock, host,
    logged::Logged,
    prepare::prepare,
    progress::Event,
    run::{self, Found},
    target::Secret,
};

/// A block whose attempt ended without a word is tried so often in all.
const TRIES: u32 = 2;
/// Between two looks at the queue: at first, and at most.
const POLL: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];
/// What a task wrote last may come so much later than Slurm says that it has ended.
const LATE: Duration = Duration::from_secs(5);
/// A controller that is gone for longer is waited for by whoever continues.
const PATIENCE: Duration = Duration::from_secs(600);

/// What came of a submission.
#[derive(Debug)]
pub enum Submitted {
    /// The scripts that would be submitted.
    Scripts(Vec<String>),
    /// The run's folder, and in words what was submitted; its tasks go on.
    Detached(PathBuf, &'static str),
    /// The bundle's folder, and what the tasks cost, where that is known.
    Sealed(PathBuf, Option<Overhead>),
}

/// How far a submission goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Submits nothing.
    DryRun,
    /// Submits, and leaves.
    Detach,
    /// Submits, and stays until all is sealed.
    Watch,
}

/// Measures everything that the workload plans on nodes of a cluster, and seals it.
pub async fn run(
    workload: &Workload,
    file: &Path,
    slurm: &Options,
    how: How,
    options: &run::Options<'_>,
) -> Result<Submitted> {
    Secret::all(workload)?;
    options.observer.see(&Event::Stage("preparing requests"));
    let prepared = prepare(workload)?;
    let plan = &prepared.plan;
    let out = absolute(options.out)?;
    let open = match options.resume.then(|| run::unfinished(&out, plan)).transpose()? {
        Some(Found::Sealed(path)) => return Ok(Submitted::Sealed(path, None)),
        Some(Found::Open(path)) => Some(path),
        None => None,
    };
    let bench = options.program.bench;
    if how == How::DryRun {
        let run = open.unwrap_or_else(|| out.join("DATE").join(format!("{}-slurm-RUN", workload.name)));
        // What is measured already is not measured again; what Slurm has is not asked.
        let (folder, tasks) = (RunFolder::look(&run).ok(), Tasks::of(&run));
        let taken = |trials: &[Trial]| folder.as_ref().is_some_and(|folder| whole(folder, trials));
        let done = |block: u32| tasks.attempts(block).iter().any(Attempt::done);
        let open = plan.blocks().filter(|(block, trials)| !taken(trials) && !done(*block));
        let open: Vec<u32> = open.map(|(block, _)| block).collect();
        return Ok(Submitted::Scripts(scripts(&run, plan, &open, bench, slurm).into_iter().map(|s| s.text).collect()));
    }
    let resumed = open.is_some();
    let (folder, _lock) = match open {
        Some(path) => run::resume(&path)?,
        None => {
            let folder = run::begin(workload, &prepared, &host::tokenizers(&workload.models)?, "slurm", &out)?;
            let lock = run::lock(folder.path())?;
            folder.put(PLAN, plan.to_json().as_bytes())?;
            (folder, lock)
        }
    };
    let logged = Logged::begin(folder.path(), plan, &workload.name, resumed)?.elsewhere();
    let tasks = Tasks::of(folder.path());
    tasks.go_on()?;
    if tasks.submission().is_err() {
        if resumed && folder.path().join(ENVIRONMENTS).exists() {
            return Err(Problem::new(
                Kind::NotComparable,
                "this run was begun on one host, and its rounds are of that host",
            )
            .at(folder.path().display().to_string())
            .next("continue it there without --executor, or begin a new run without --resume"));
        }
        let (program, _) = Digest::of_file(bench).map_err(|e| Problem::io(Kind::Machine, "read", bench, &e))?;
        tasks.submit(&Submission { bench: bench.to_owned(), program, file: absolute(file)?, jobs: Vec::new() })?;
    }
    let mut coordinator = Coordinator { folder: &folder, plan, tasks: &tasks, slurm, tries: BTreeMap::new() };
    if how == How::Detach {
        let status = status::of(&folder, plan, &tasks).await?;
        if let Some(why) = &status.unknown {
            return Err(unsaid(why, folder.path()));
        }
        let any = coordinator.submit_ended(&status).await?;
        logged.leave();
        let what = match (any, tasks.taken_back()) {
            (true, _) => "submitted",
            (false, true) => "cancelled meanwhile",
            (false, false) => "nothing to submit: Slurm has it, or it is measured",
        };
        return Ok(Submitted::Detached(folder.path().to_owned(), what));
    }
    let watched = coordinator.watch(options).await;
    let overhead = Overhead::of(&folder, plan, &tasks);
    let path = logged.end(watched.and_then(|()| {
        options.observer.see(&Event::Stage("sealing"));
        run::finish(folder, plan)
    }))?;
    tasks.remove();
    Ok(Submitted::Sealed(path, overhead))
}

/// Grades a sealed run on a node of the cluster; the grade's folder.
pub async fn grade(
    measured: &Path,
    workload: &Workload,
    file: &Path,
    slurm: &Options,
    options: &run::Options<'_>,
) -> Result<PathBuf> {
    let run = absolute(measured)?;
    let name = format!("{}-grade", run.file_name().unwrap_or_default().to_string_lossy());
    let graded = run.with_file_name(&name);
    let sealed = || graded.join(MANIFEST).exists();
    if sealed() {
        return Ok(graded);
    }
    let (tasks, file) = (Tasks::of(&run), absolute(file)?);
    let log = tasks.log();
    fs::create_dir_all(&log).map_err(|e| Problem::io(Kind::Machine, "make the folder", &log, &e))?;
    let gpus = workload.groups.iter().map(|group| group.gpus).max().unwrap_or(0);
    let work = Work::Grade { file: &file };
    let script = Script { run: &run, name: &name, bench: options.program.bench, log: &log, work, gpus, options: slurm };
    let path = tasks.path().join("grade.sh");
    tasks.put(&path, script.text().as_bytes())?;
    options.observer.see(&Event::Stage("grading on a node"));
    if !matches!(commands::queue(&name).await?, Ok(queue) if !queue.is_empty()) {
        commands::submit(&path).await?;
    }
    let (mut pause, mut gone) = (POLL[0], None);
    while !sealed() {
        let queue = commands::queue(&name).await?;
        // Where the controller is away, its tasks may go on.
        let since = *gone.get_or_insert_with(tokio::time::Instant::now);
        let patience = if queue.is_ok() { LATE } else { PATIENCE };
        if queue.is_ok_and(|tasks| !tasks.is_empty()) {
            gone = None;
        } else if since.elapsed() > patience {
            return Err(Problem::machine("the task that grades the run has ended, and nothing is graded")
                .at(log.display().to_string())
                .next("read there what it wrote; then continue with --resume"));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(POLL[1]);
    }
    tasks.remove();
    Ok(graded)
}

/// Nobody knows what goes on, so nothing is submitted.
fn unsaid(why: &str, run: &Path) -> Problem {
    Problem::machine(format!("Slurm does not say what became of the tasks: {why}"))
        .at(run.display().to_string())
        .next("continue with --resume when its controller is back; tasks go on meanwhile")
}

/// Who submits, watches and collects.
struct Coordinator<'a> {
    folder: &'a RunFolder,
    plan: &'a Plan,
    tasks: &'a Tasks,
    slurm: &'a Options,
    /// How often each block was submitted from here.
    tries: BTreeMap<u32, u32>,
}

impl Coordinator<'_> {
    /// Until every block is in the run's folder.
    async fn watch(&mut self, options: &run::Options<'_>) -> Result<()> {
        let (mut pause, mut before, mut silent, mut ended) = (POLL[0], String::new(), None, None);
        loop {
            collect(self.folder, self.plan, self.tasks)?;
            if self.plan.blocks().all(|(_, trials)| whole(self.folder, trials)) {
                return Ok(());
            }
            let status = status::of(self.folder, self.plan, self.tasks).await?;
            if !self.tries.is_empty() || status.count(State::Absent) == 0 {
                options.observer.see(&Event::Blocks(&status));
            }
            if let Some(why) = &status.unknown {
                let since = *silent.get_or_insert_with(tokio::time::Instant::now);
                if since.elapsed() > PATIENCE {
                    return Err(unsaid(why, self.folder.path()));
                }
            } else {
                silent = None;
                let open = status.blocks.iter().any(|block| matches!(block.state, State::Queued | State::Running));
                let finished = status.blocks.iter().all(|block| !block.state.ended());
                let since = *ended.get_or_insert_with(tokio::time::Instant::now);
                if finished {
                    ended = None;
                } else if since.elapsed() >= LATE || self.tries.is_empty() {
                    let again = self.submit_ended(&status).await?;
                    if !again && !open {
                        return Err(self.failed(&status));
                    }
                    if again {
                        ended = None;
                    }
                }
            }
            let now =
                format!("{:?}", status.blocks.iter().map(|block| (block.state, block.attempts)).collect::<Vec<_>>());
            pause = if now == before { (pause * 3 / 2).min(POLL[1]) } else { POLL[0] };
            before = now;
            tokio::time::sleep(pause).await;
        }
    }

    /// Submits what Slurm does not have and may be tried: whether there was any.
    async fn submit_ended(&mut self, status: &Status) -> Result<bool> {
        if self.tasks.taken_back() {
            return Ok(false);
        }
        let tries = |block: u32| self.tries.get(&block).copied().unwrap_or(0);
        // What failed or was told to end would do so again: that is for a person to decide.
        let again = |block: &&status::Block| match tries(block.block) {
            0 => block.state.ended(),
            n => n < TRIES && matches!(block.state, State::Vanished | State::Absent),
        };
        let blocks: Vec<u32> = status.blocks.iter().filter(again).map(|block| block.block).collect();
        if blocks.is_empty() {
            return Ok(false);
        }
        self.forget_hardware(status);
        let mut submission = self.tasks.submission()?;
        for script in scripts(self.folder.path(), self.plan, &blocks, &submission.bench, self.slurm) {
            let path = self.tasks.path().join(format!("job-{}.sh", submission.jobs.len() + 1));
            let log = self.tasks.log();
            fs::create_dir_all(&log).map_err(|e| Problem::io(Kind::Machine, "make the folder", &log, &e))?;
            self.tasks.put(&path, script.text.as_bytes())?;
            let submitted = clock::unix();
            let id = commands::submit(&path).await?;
            submission.jobs.push(Job { id, submitted, blocks: script.blocks });
            self.tasks.submit(&submission)?;
            // Whoever took the run back meanwhile did not see this array.
            if self.tasks.taken_back() {
                commands::scancel(&status.run).await?;
                return Ok(false);
            }
        }
        blocks.iter().for_each(|block| *self.tries.entry(*block).or_default() += 1);
        Ok(true)
    }

    /// The first task of a comparison says for all what hardware it is of, unless it came to
    /// nothing and nobody goes by it.
    fn forget_hardware(&self, status: &Status) {
        let of = |ended: bool| -> BTreeSet<String> {
            // Both are in the plan's order.
            let blocks = self.plan.blocks().zip(&status.blocks);
            let these = blocks.filter(|(_, block)| block.state.ended() == ended);
            these.map(|((_, trials), _)| comparison(&trials[0])).collect()
        };
        of(true).difference(&of(false)).for_each(|comparison| self.tasks.forget_hardware(comparison));
    }

    /// Which blocks nobody could measure, and why.
    fn failed(&self, status: &Status) -> Problem {
        let open: Vec<&status::Block> = status.blocks.iter().filter(|block| block.state.ended()).collect();
        let why =
            |block: &&status::Block| format!("\n  block {} {}: {}", block.block, block.state.word(), block.detail);
        let details: String = open.iter().take(8).map(why).collect();
        let more = if open.len() > 8 { format!("\n  and {} more", open.len() - 8) } else { String::new() };
        Problem::machine(format!("{} of {} blocks were not measured:{details}{more}", open.len(), status.blocks.len()))
            .at(self.folder.path().display().to_string())
            .next(format!(
                "read what their tasks wrote in {}; then continue with --resume, or seal what is there: bench seal {}",
                self.tasks.log().display(),
                self.folder.path().display()
            ))
    }
}

/// A script and the blocks that its array is of.
struct Submittable {
    text: String,
    blocks: Vec<u32>,
}

/// One for each number of GPUs that blocks need, the most first: what is left then fits in beside
/// them (`examples/packing.rs`).
fn scripts(run: &Path, plan: &Plan, blocks: &[u32], bench: &Path, slurm: &Options) -> Vec<Submittable> {
    let mut by_gpus: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (block, trials) in plan.blocks().filter(|(block, _)| blocks.contains(block)) {
        by_gpus.entry(trials[0].gpus).or_default().push(block);
    }
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    let log = Tasks::of(run).log();
    let script = |(gpus, blocks): (u32, Vec<u32>)| {
        let script = Script { run, name: &name, bench, log: &log, work: Work::Blocks(&blocks), gpus, options: slurm };
        Submittable { text: script.text(), blocks }
    };
    by_gpus.into_iter().rev().map(script).collect()
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| Problem::io(Kind::Machine, "find", path, &e))
}
