//! The main path: a workload in, a sealed bundle out.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use lab::{
    Digest, Kind, Problem, Result, audit,
    bundle::{self, ENVIRONMENTS, MANIFEST, PLAN, REQUESTS, RUN, RunFolder, SCHEDULE, TOKENIZERS, TRACES, WORKLOAD},
    environment::{Environment, Gpu},
    plan::Plan,
    records, requests, schedule,
    workload::{self, Shape, Workload},
};

use crate::{
    clock, cores, host,
    logged::{self, Logged},
    prepare::{Prepared, prepare},
    progress::{Event, Observer},
    ready::{Program, Ready, Run},
    target::Secret,
    trial,
};

/// Where a run goes and how.
pub struct Options<'a> {
    /// The folder of dated results.
    pub out: &'a Path,
    /// Continue the newest unfinished run of the same plan.
    pub resume: bool,
    /// What measures.
    pub program: Program<'a>,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

/// Measures everything that the workload plans, and seals it. Returns the bundle's folder.
pub async fn run(workload: &Workload, options: &Options<'_>) -> Result<PathBuf> {
    options.observer.see(&Event::Stage("preparing requests"));
    run_prepared(workload, &prepare(workload)?, options).await
}

/// The same with a request set that is there already.
pub async fn run_prepared(workload: &Workload, prepared: &Prepared, options: &Options<'_>) -> Result<PathBuf> {
    let keys = Secret::all(workload)?;
    host::descriptors(streams(workload))?;
    cores::check(&workload.client.cores)?;
    let plan = &prepared.plan;
    let open = match options.resume.then(|| unfinished(options.out, plan)).transpose()? {
        Some(Found::Sealed(path)) => return Ok(path),
        Some(Found::Open(path)) => Some(path),
        None => None,
    };
    let host = Ready::of(workload, &plan.trials, &options.program, options.observer).await?;
    let resumed = open.is_some();
    let (folder, _lock) = match open {
        Some(path) => resume(&path)?,
        None => {
            let folder = begin(workload, prepared, &host.tokenizers, &host.environment.host, options.out)?;
            let lock = lock(folder.path())?;
            host.describe(&folder)?;
            // The plan is last: a folder with a plan can be resumed.
            folder.put(PLAN, plan.to_json().as_bytes())?;
            (folder, lock)
        }
    };
    if options.resume {
        same_host(&folder, &host.environment)?;
    }
    let name = folder.path().file_name().unwrap_or_default().to_string_lossy();
    let of = Run { workload, prepared, path: folder.path(), name: &name, keys: &keys };
    let logged = Logged::begin(folder.path(), plan, &workload.name, resumed)?;
    let measured = host.measure(&of, &plan.trials, &folder, &options.program, options.observer).await;
    logged.end(measured.and_then(|()| {
        options.observer.see(&Event::Stage("sealing"));
        finish(folder, plan)
    }))
}

/// Seals a run whose trials are there.
pub(crate) fn finish(folder: RunFolder, plan: &Plan) -> Result<(PathBuf, Digest)> {
    let parents = plan.stage.iter().map(|stage| stage.parent).collect();
    let sealed = folder.seal(bundle::Kind::Measure, parents, &clock::utc_now())?;
    // Each trial has its own attempts now.
    let _ = fs::remove_file(trial::begun_path(&sealed.0));
    unlocked(&sealed.0);
    Ok(sealed)
}

/// Seals an unfinished run as it stands: its host is gone, so nobody can resume it. The
/// trials that it lacks stay planned and missing, which a verdict counts as void and names.
pub fn seal(run: &Path) -> Result<PathBuf> {
    if !run.join(PLAN).exists() {
        return Err(Problem::input("no run began here").at(run.display().to_string()).next("pass a run's folder"));
    }
    let (folder, _lock) = resume(run)?;
    let text =
        fs::read_to_string(run.join(PLAN)).map_err(|e| Problem::io(Kind::Machine, "read", &run.join(PLAN), &e))?;
    let (path, id) = finish(folder, &Plan::from_json(&text)?)?;
    logged::sealed(&path, id)?;
    Ok(path)
}

/// The most streams that are under way at once, as far as the workload says.
pub(crate) fn streams(workload: &Workload) -> u64 {
    let of_load = |load: &workload::Load| match load.shape {
        Shape::Closed { concurrency, .. } => concurrency.min(load.requests),
        // A server that answers nothing holds as many as arrive within a request's time.
        Shape::Open { gap_ns, .. } => {
            let arriving = workload.limits.request.0 / gap_ns.0.max(1) + 1;
            u32::try_from(arriving).unwrap_or(u32::MAX).max(workload.client.connections).min(load.requests)
        }
        Shape::Trace { .. } => load.requests,
    };
    workload.loads.iter().map(of_load).max().map_or(0, u64::from)
}

/// A run's folder with everything that is known before its first trial, but for what its hosts
/// are and for the plan.
pub(crate) fn begin(
    workload: &Workload,
    prepared: &Prepared,
    tokenizers: &BTreeMap<String, Vec<u8>>,
    place: &str,
    out: &Path,
) -> Result<RunFolder> {
    let started = clock::utc_now();
    let run = host::random::<4>()?.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let stage = workload.stage.as_ref().map_or(String::new(), |stage| format!("-stage{}", stage.number));
    let path = out.join(&started[..10]).join(format!("{}-{place}-{run}{stage}", workload.name));
    let folder = RunFolder::create(&path)?;
    let seed = host::random::<32>()?;
    keep_secret(&path, &seed)?;
    folder.put(WORKLOAD, workload.source.as_bytes())?;
    folder.put(REQUESTS, requests::to_jsonl(&prepared.requests).as_bytes())?;
    if let Some(schedule) = &prepared.schedule {
        folder.put(SCHEDULE, &schedule::to_csv(schedule))?;
    }
    for (load, trace) in &prepared.traces {
        folder.put_compressed(&format!("{TRACES}/{load}.zst"), trace)?;
    }
    for (model, tokenizer) in tokenizers {
        folder.put_compressed(&format!("{TOKENIZERS}/{model}.json.zst"), tokenizer)?;
    }
    let facts = records::Run {
        format: records::FORMAT,
        run,
        started,
        plan: prepared.plan.digest(),
        audit_commitment: audit::commitment(&seed),
    };
    folder.put(RUN, &serde_json::to_vec_pretty(&facts).expect("integers and strings serialise"))?;
    Ok(folder)
}

/// Where the audit seed waits, beside the run's folder, until the grade reveals it.
pub fn secret_path(folder: &Path) -> PathBuf {
    folder.with_added_extension("audit-seed")
}

fn keep_secret(folder: &Path, seed: &[u8; 32]) -> Result<()> {
    let path = secret_path(folder);
    let file = File::options().write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|mut f| f.write_all(audit::seed_to_hex(seed).as_bytes()).and_then(|()| f.sync_all()))
        .map_err(|e| Problem::io(Kind::Machine, "keep the audit seed", &path, &e))
}

/// The newest of these runs that is not sealed, or is sealed but not graded.
pub(crate) fn newest_unfinished(out: &Path, chosen: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let mut runs = bundle::run_folders(out);
    runs.retain(|run| chosen(run));
    runs.sort_by_key(|run| fs::metadata(run.join(PLAN)).and_then(|m| m.modified()).ok());
    runs.into_iter().rev().find(|run| !run.join(MANIFEST).exists() || secret_path(run).exists())
}

pub(crate) enum Found {
    Open(PathBuf),
    Sealed(PathBuf),
}

/// The newest unfinished run of this very plan.
pub(crate) fn unfinished(out: &Path, plan: &Plan) -> Result<Found> {
    let json = plan.to_json();
    match newest_unfinished(out, |run| fs::read_to_string(run.join(PLAN)).is_ok_and(|p| p == json)) {
        Some(run) if run.join(MANIFEST).exists() => Ok(Found::Sealed(run)),
        Some(run) => Ok(Found::Open(run)),
        None => Err(Problem::input("no unfinished run of this workload")
            .at(out.display().to_string())
            .next("run it without --resume; a changed workload file is another run")),
    }
}

/// Arms of one comparison share a machine and the models on it.
fn same_host(folder: &RunFolder, environment: &Environment) -> Result<()> {
    let path = folder.path().join(ENVIRONMENTS).join(format!("{}.json", environment.host));
    let before = fs::read_to_string(&path).map_err(|e| {
        Problem::io(Kind::NotComparable, "find this host among the run's", &path, &e)
            .next("resume on the host where the run began, or with --executor slurm what began with it")
    })?;
    let before = Environment::from_json(&before)?;
    let differs = |field: &str| {
        Err(Problem::new(Kind::NotComparable, format!("{field} changed since the run began"))
            .at(path.display().to_string())
            .next("start a new run"))
    };
    if before.endpoints != environment.endpoints {
        return differs("an endpoint");
    }
    if (&before.images, &before.binds) != (&environment.images, &environment.binds) {
        return differs("an image or a folder that containers see");
    }
    if (&before.engine, &before.layout) != (&environment.engine, &environment.layout) {
        return differs("the container engine or the layout of cores");
    }
    if before.models != environment.models {
        return differs("a model");
    }
    if before.program != environment.program {
        return differs("this program");
    }
    let gpus = |of: &Environment| of.gpus.iter().map(Gpu::lasting).collect::<Vec<_>>();
    if (&before.cpu, before.cores, &before.kernel, gpus(&before))
        != (&environment.cpu, environment.cores, &environment.kernel, gpus(environment))
    {
        return differs("the hardware or kernel");
    }
    Ok(())
}

/// Opens a run's folder that nobody else writes: only then is what is unfinished in it of no use.
pub(crate) fn resume(run: &Path) -> Result<(RunFolder, File)> {
    let lock = lock(run)?;
    Ok((RunFolder::resume(run)?, lock))
}

/// Two runners never write one folder. The lock goes with the process; the file beside the folder
/// is a plain one, open for writing, because a network's file system locks nothing else.
pub(crate) fn lock(folder: &Path) -> Result<File> {
    let path = lock_path(folder);
    let file = File::options().create(true).write(true).truncate(false).open(&path);
    let file = file.map_err(|e| Problem::io(Kind::Machine, "open", &path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Problem::machine("another bench is writing this run")
            .at(folder.display().to_string())
            .next("wait for it, or stop it and resume")),
        Err(TryLockError::Error(e)) => Err(Problem::io(Kind::Machine, "lock", &path, &e)
            .next("keep results on storage that knows locks, which two runners need to stay apart")),
    }
}

/// Nobody writes what is sealed: whoever opened the file before finds the seal.
pub(crate) fn unlocked(folder: &Path) {
    let _ = fs::remove_file(lock_path(folder));
}

fn lock_path(folder: &Path) -> PathBuf {
    // By whatever name a folder is called, it has one lock.
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).with_added_extension("lock")
}
