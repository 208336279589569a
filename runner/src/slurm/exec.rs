//! One block of a run's plan on this node, in a folder of its own.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use lab::{
    Digest, Kind, Nanos, Problem, Result,
    bundle::{PLAN, RunFolder, WORKLOAD},
    environment::Environment,
    plain,
    plan::{Plan, Trial},
    workload::{self, Workload},
};

use super::tasks::{Attempt, End, LARGEST, Outcome, Submission, Tasks};
use crate::{
    batch, clock, cores, host,
    prepare::prepare,
    progress::{Event, Observer},
    ready::{Program, Ready, Run},
    run::streams,
    target::Secret,
    trial,
};

/// A block that this node is to measure.
pub struct Task {
    run: PathBuf,
    tasks: Tasks,
    submission: Submission,
    block: u32,
    attempt: Attempt,
    began: Nanos,
    starts: Mutex<BTreeMap<u32, Nanos>>,
}

/// Notes when servers start, and hands everything on.
struct Starts<'a> {
    observer: &'a dyn Observer,
    trial: AtomicU32,
    seen: &'a Mutex<BTreeMap<u32, Nanos>>,
}

impl Observer for Starts<'_> {
    fn see(&self, event: &Event<'_>) {
        match event {
            Event::TrialStarted { trial, .. } => self.trial.store(trial.n, Ordering::Relaxed),
            Event::Ready { after } => {
                let start = Nanos(clock::unix().0.saturating_sub(after.0));
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.insert(self.trial.load(Ordering::Relaxed), start);
            }
            _ => {}
        }
        self.observer.see(event);
    }
}

impl Task {
    /// Begins another attempt at a block; none where one is finished already.
    pub fn begin(run: &Path, block: u32) -> Result<Option<Self>> {
        let began = clock::unix();
        let tasks = Tasks::of(run);
        let submission = tasks.submission()?;
        let before = tasks.attempts(block);
        if before.iter().any(Attempt::done) {
            return Ok(None);
        }
        let attempt = tasks.begin(block)?;
        // A server that can end a task is not spared the trace of it.
        let begun = before.iter().filter_map(|one| plain::read(&trial::begun_path(&one.path), LARGEST).ok());
        let begun: Vec<u8> = begun.flatten().collect();
        if !begun.is_empty() {
            tasks.put(&trial::begun_path(&attempt.path), &begun)?;
        }
        Ok(Some(Task { run: run.to_owned(), tasks, submission, block, attempt, began, starts: Mutex::default() }))
    }

    /// Measures the block's trials.
    pub async fn measure(&self, revision: Option<&str>, observer: &dyn Observer) -> Result<()> {
        let bench = &self.submission.bench;
        let (found, _) = Digest::of_file(bench).map_err(|e| Problem::io(Kind::Machine, "read", bench, &e))?;
        if found != self.submission.program {
            return Err(Problem::new(Kind::NotComparable, "this program is not the one that the run began with")
                .at(bench.display().to_string())
                .next("put that one back, or begin a new run"));
        }
        let (workload, plan) = self.planned()?;
        let keys = Secret::all(&workload)?;
        host::descriptors(streams(&workload))?;
        cores::check(&workload.client.cores)?;
        observer.see(&Event::Stage("preparing requests"));
        let prepared = prepare(&workload)?;
        if prepared.plan != plan {
            return Err(Problem::new(Kind::NotComparable, "what the workload names gives another plan on this node")
                .at(self.run.join(PLAN).display().to_string())
                .next("let every node see the same request files, traces and models"));
        }
        let trials = plan.blocks().find_map(|(number, trials)| (number == self.block).then_some(trials));
        let trials = trials.ok_or_else(|| {
            Problem::input(format!("the plan has no block {}", self.block)).at(self
                .run
                .join(PLAN)
                .display()
                .to_string())
        })?;
        let here = self.submission.file.parent().unwrap_or(Path::new("."));
        let program = Program { bench, revision, here };
        let ready = Ready::of(&workload, trials, &program, observer).await?;
        let (comparison, hardware) = (comparison(&trials[0]), hardware(&ready.environment, &trials[0]));
        self.tasks.same_hardware(&comparison, &hardware)?;
        let folder = RunFolder::resume(&self.attempt.path)?;
        ready.describe(&folder)?;
        let name = self.run.file_name().unwrap_or_default().to_string_lossy();
        let run = Run { workload: &workload, prepared: &prepared, path: &self.run, name: &name, keys: &keys };
        let starts = Starts { observer, trial: AtomicU32::new(0), seen: &self.starts };
        ready.measure(&run, trials, &folder, &program, &starts).await?;
        // Whoever took this task for lost may have let others begin on other hardware.
        self.tasks.same_hardware(&comparison, &hardware)
    }

    /// Says what became of it.
    pub fn end(&self, outcome: Outcome) -> Result<()> {
        let (host, job) = (host::name(), batch::job().map_or(0, |job| job.array));
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.tasks.end(&self.attempt, &End { outcome, host, job, began: self.began, ended: clock::unix(), starts })
    }

    /// The workload with its paths, and the plan, as the run's folder has them.
    fn planned(&self) -> Result<(Workload, Plan)> {
        let read = |name: &str| {
            let path = self.run.join(name);
            fs::read_to_string(&path).map_err(|e| Problem::io(Kind::Machine, "read", &path, &e))
        };
        let plan = Plan::from_json(&read(PLAN)?)?;
        let workload = plan.workload(workload::parse(&read(WORKLOAD)?, &self.submission.file)?)?;
        Ok((workload, plan))
    }
}

/// Which trials are compared with this one, of whatever round: in a file's name.
pub(super) fn comparison(trial: &Trial) -> String {
    let model: String = trial.model.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{model}-{}", trial.gpus)
}

/// What a trial's speed depends on, in words.
fn hardware(environment: &Environment, trial: &Trial) -> String {
    let cpu = environment.cpu.as_deref().unwrap_or("an unknown processor");
    match environment.gpus.first().filter(|_| trial.gpus > 0) {
        Some(gpu) => format!("{} × {} on {cpu}", trial.gpus, gpu.name),
        None => format!("{cpu}, {} cores", environment.cores),
    }
}
