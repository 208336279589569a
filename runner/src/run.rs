//! The main path: a workload in, a sealed bundle out.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use lab::{
    Kind, Problem, Result, audit,
    bundle::{self, ENVIRONMENTS, MANIFEST, PLAN, REQUESTS, RUN, RunFolder, SCHEDULE, TOKENIZERS, TRACES, WORKLOAD},
    environment::{Environment, Gpu},
    plan::Plan,
    records, requests, schedule,
    workload::{self, Arm, BASELINE, Server, Shape, Workload},
};

use crate::{
    clock, cores,
    docker::Containers,
    gpu, host,
    measure::{Setting, due_by_request},
    prepare::{Prepared, prepare},
    process,
    progress::{Event, Observer},
    server::Launch,
    target::Secret,
    trial,
};

/// Where a run goes and how.
pub struct Options<'a> {
    /// The folder of dated results.
    pub out: &'a Path,
    /// Continue the newest unfinished run of the same plan.
    pub resume: bool,
    /// This program, which guards servers.
    pub bench: &'a Path,
    /// The workload file's folder, for `{here}`.
    pub here: &'a Path,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

/// Measures everything that the workload plans, and seals it. Returns the bundle's folder.
pub async fn run(workload: &Workload, options: &Options<'_>) -> Result<PathBuf> {
    let keys = Secret::all(workload)?;
    host::descriptors(streams(workload))?;
    cores::check(&workload.client.cores)?;
    options.observer.see(&Event::Stage("preparing requests"));
    let prepared = prepare(workload)?;
    let plan = &prepared.plan;
    let open = match options.resume.then(|| unfinished(options.out, plan)).transpose()? {
        Some(Found::Sealed(path)) => return Ok(path),
        Some(Found::Open(path)) => Some(path),
        None => None,
    };
    options.observer.see(&Event::Stage("reading models and host"));
    let (mut environment, tokenizers) = host::environment(&workload.models)?;
    environment.endpoints = endpoints(workload);
    let gpus = gpu::Held::take(workload.groups.iter().map(|g| g.gpus).max().unwrap_or(0))?;
    environment.gpus = gpus.facts.clone();
    let containers = Containers::prepare(workload, &measured(workload), options.bench, &gpus, options.observer).await?;
    if let Some(containers) = &containers {
        containers.describe(&mut environment);
    }
    let _kept = host::Kept::to(containers.as_ref().map_or(&[], Containers::rest));
    let (bench, here) = (options.bench, options.here);
    let had = Had { workload, bench, here, gpus: &gpus, containers: containers.as_ref() };
    let folder = match open {
        Some(path) => RunFolder::resume(&path)?,
        None => begin(workload, &prepared, &environment, &tokenizers, options.out)?,
    };
    let _lock = lock(folder.path())?;
    if options.resume {
        same_host(&folder, &environment)?;
    }
    let due = due_by_request(prepared.schedule.as_ref(), prepared.requests.len());
    let run = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    for (trial, at) in plan.trials.iter().zip(1..).filter(|(t, _)| !folder.has_trial(&t.folder())) {
        let arm = workload.arm(&trial.arm).ok_or_else(|| {
            Problem::broken(format!("the plan names the arm {}, which the workload lacks", trial.arm))
        })?;
        let setting = Setting {
            trial,
            served_name: &workload.models[&trial.model].served_name,
            keys: &keys,
            requests: &prepared.requests,
            due: &due,
            sampling: &workload.sampling,
            client: &workload.client,
            limits: &workload.limits,
            observer: options.observer,
        };
        options.observer.see(&Event::TrialStarted { trial, at, of: plan.trials.len() });
        let launch = had.launch(&trial.arm, arm, &trial.model, trial.gpus, &run)?;
        let servers =
            trial::Servers { launch: &launch, key: Secret::of(arm, &trial.arm)?, gpus: &gpus, rest: had.rest() };
        trial::run(&setting, &servers, &environment.host, &folder).await?;
    }
    if let Some(containers) = &containers {
        containers.end().await?;
    }
    options.observer.see(&Event::Stage("sealing"));
    let parents = workload.stage.iter().map(|stage| stage.parent).collect();
    let (path, _) = folder.seal(bundle::Kind::Measure, parents, &clock::utc_now())?;
    // Each trial has its own attempts now.
    let _ = fs::remove_file(trial::begun_path(&path));
    Ok(path)
}

/// Seals an unfinished run as it stands: its host is gone, so nobody can resume it. The
/// trials that it lacks stay planned and missing, which a verdict counts as void and names.
pub fn seal(run: &Path) -> Result<PathBuf> {
    if !run.join(PLAN).exists() {
        return Err(Problem::input("no run began here").at(run.display().to_string()).next("pass a run's folder"));
    }
    let _lock = lock(run)?;
    let folder = RunFolder::resume(run)?;
    let text =
        fs::read_to_string(run.join(PLAN)).map_err(|e| Problem::io(Kind::Machine, "read", &run.join(PLAN), &e))?;
    let parents = Plan::from_json(&text)?.stage.iter().map(|stage| stage.parent).collect();
    let (path, _) = folder.seal(bundle::Kind::Measure, parents, &clock::utc_now())?;
    let _ = fs::remove_file(trial::begun_path(&path));
    Ok(path)
}

/// The arms that the plan measures.
fn measured(workload: &Workload) -> Vec<(&str, &Arm)> {
    let planned = |name: &str| workload.groups.iter().any(|g| g.candidates.iter().any(|c| c == name));
    // The baseline first: without its image nothing can be compared.
    let baseline = std::iter::once((BASELINE, &workload.baseline));
    baseline.chain(workload.arms().filter(|(name, _)| planned(name))).collect()
}

/// What servers are made from.
pub(crate) struct Had<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) bench: &'a Path,
    pub(crate) here: &'a Path,
    pub(crate) gpus: &'a gpu::Held,
    pub(crate) containers: Option<&'a Containers>,
}

impl Had<'_> {
    /// How an arm's server is had for a model on so many GPUs.
    pub(crate) fn launch(&self, name: &str, arm: &Arm, model: &str, gpus: u32, run: &str) -> Result<Launch> {
        let found = &self.workload.models[model];
        match (&arm.server, self.containers) {
            (Server::Command(command), _) => Ok(Launch::Process(process::Launch {
                command: command.clone(),
                env: arm.env.clone(),
                gpus: self.gpus.leased().iter().take(gpus as usize).map(|gpu| gpu.uuid.clone()).collect(),
                secrets: secrets(self.workload, arm),
                bench: self.bench.to_owned(),
                model: found.path.clone(),
                served_name: found.served_name.clone(),
                here: self.here.to_owned(),
            })),
            (Server::Endpoint(url), _) => Ok(Launch::Endpoint(url.clone())),
            (Server::Image { .. }, Some(containers)) => containers.launch(self.workload, name, arm, model, gpus, run),
            (Server::Image { .. }, None) => Err(Problem::machine(format!("the image of {name} was not prepared"))),
        }
    }

    /// Cores of everything in this program that does not measure; none where nobody chose any.
    fn rest(&self) -> &[u32] {
        self.containers.map_or(&[], Containers::rest)
    }
}

/// Variables that hold the keys of other arms: nobody's server sees them.
fn secrets(workload: &Workload, own: &Arm) -> Vec<String> {
    let arms = workload.arms().map(|(_, arm)| arm).chain(workload.reference());
    arms.filter_map(|arm| arm.api_key_env.clone()).filter(|name| own.api_key_env.as_ref() != Some(name)).collect()
}

/// The most streams that are under way at once, as far as the workload says.
fn streams(workload: &Workload) -> u64 {
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

/// The arms that are somebody else's servers.
fn endpoints(workload: &Workload) -> BTreeMap<String, String> {
    let arms = workload.arms();
    arms.filter_map(|(name, arm)| match &arm.server {
        Server::Endpoint(url) => Some((name.to_owned(), url.to_string())),
        _ => None,
    })
    .collect()
}

fn begin(
    workload: &Workload,
    prepared: &Prepared,
    environment: &Environment,
    tokenizers: &BTreeMap<String, Vec<u8>>,
    out: &Path,
) -> Result<RunFolder> {
    let started = clock::utc_now();
    let run = host::random::<4>()?.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let stage = workload.stage.as_ref().map_or(String::new(), |stage| format!("-stage{}", stage.number));
    let path = out.join(&started[..10]).join(format!("{}-{}-{run}{stage}", workload.name, environment.host));
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
    folder.put(&format!("{ENVIRONMENTS}/{}.json", environment.host), environment.to_json().as_bytes())?;
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
    // The plan is last: a folder with a plan can be resumed.
    folder.put(PLAN, prepared.plan.to_json().as_bytes())?;
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

enum Found {
    Open(PathBuf),
    Sealed(PathBuf),
}

/// The newest unfinished run of this very plan.
fn unfinished(out: &Path, plan: &Plan) -> Result<Found> {
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
            .next("resume on the host where the run began")
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

/// Two runners never write one folder. The lock goes with the process.
pub(crate) fn lock(folder: &Path) -> Result<File> {
    let file = File::open(folder).map_err(|e| Problem::io(Kind::Machine, "open", folder, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Problem::machine("another bench is writing this run")
            .at(folder.display().to_string())
            .next("wait for it, or stop it and resume")),
    }
}
