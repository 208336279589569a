//! The main path: a workload in, a sealed bundle out.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use lab::{
    Digest, Kind, Problem, Result, audit,
    bundle::{self, ENVIRONMENTS, MANIFEST, PLAN, REQUESTS, RUN, RunFolder, TOKENIZERS, WORKLOAD},
    environment::Environment,
    plan::{self, Plan},
    records,
    requests::{self, Request},
    workload::{Arm, Requests, Server, Workload},
};

use crate::{
    clock, host,
    process::Launch,
    progress::{Event, Observer},
    trial::{self, Setting},
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
    refuse_images(workload)?;
    let requests = materialise(workload)?;
    let plan = plan::expand(workload, Digest::of(requests::to_jsonl(&requests)));
    options.observer.see(&Event::Stage("reading models and host"));
    let (environment, tokenizers) = host::environment(&workload.models)?;
    let folder = if options.resume {
        match unfinished(options.out, &plan)? {
            Found::Sealed(path) => return Ok(path),
            Found::Open(path) => RunFolder::resume(&path)?,
        }
    } else {
        begin(workload, &plan, &requests, &environment, &tokenizers, options.out)?
    };
    let _lock = lock(folder.path())?;
    if options.resume {
        same_host(&folder, &environment)?;
    }
    for trial in plan.trials.iter().filter(|t| !folder.has_trial(&t.folder())) {
        let arm = workload.arm(&trial.arm).ok_or_else(|| {
            Problem::broken(format!("the plan names the arm {}, which the workload lacks", trial.arm))
        })?;
        let setting = Setting {
            trial,
            launch: launch(arm, workload, &trial.model, options.bench, options.here)?,
            requests: &requests,
            sampling: &workload.sampling,
            limits: &workload.limits,
            host: &environment.host,
            observer: options.observer,
        };
        options.observer.see(&Event::TrialStarted { trial, of: plan.trials.len() });
        trial::run(&setting, &folder).await?;
    }
    options.observer.see(&Event::Stage("sealing"));
    let (path, _) = folder.seal(bundle::Kind::Measure, Vec::new(), &clock::utc_now())?;
    Ok(path)
}

/// How an arm is started for a model.
pub fn launch(arm: &Arm, workload: &Workload, model: &str, bench: &Path, here: &Path) -> Result<Launch> {
    let Server::Command(command) = &arm.server else { return Err(images_are_not_run()) };
    let model = &workload.models[model];
    Ok(Launch {
        command: command.clone(),
        env: arm.env.clone(),
        bench: bench.to_owned(),
        model: model.path.clone(),
        served_name: model.served_name.clone(),
        here: here.to_owned(),
    })
}

/// The request set of a workload.
pub fn materialise(workload: &Workload) -> Result<Vec<Request>> {
    let needed = workload.requests_in_all();
    match &workload.requests {
        Requests::Prose { seed, words } => Ok(requests::prose(*seed, *words, needed)),
        Requests::File { path, digest } => {
            let place = path.display().to_string();
            let text =
                fs::read_to_string(path).map_err(|e| Problem::io(Kind::Input, "read the request set", path, &e))?;
            let found = Digest::of(&text);
            if found != *digest {
                return Err(Problem::input(format!(
                    "the request set's digest is {found}, the workload names {digest}"
                ))
                .at(place)
                .next("fetch the right file, or write this digest into requests.file"));
            }
            let mut set = requests::from_jsonl(&text, &place)?;
            if set.len() < needed as usize {
                return Err(Problem::input(format!("{} requests, but the workload takes {needed}", set.len()))
                    .at(place)
                    .next("add requests, or ask for fewer rounds, loads or warm-up requests"));
            }
            // The bundle holds what is used; the file may hold more.
            set.truncate(needed as usize);
            Ok(set)
        }
    }
}

fn refuse_images(workload: &Workload) -> Result<()> {
    let has_image = |name: &String| matches!(workload.arm(name).map(|a| &a.server), Some(Server::Image { .. }));
    let arms = workload.groups.iter().flat_map(|g| &g.candidates);
    if has_image(&lab::workload::BASELINE.to_owned()) || arms.into_iter().any(has_image) {
        return Err(images_are_not_run());
    }
    Ok(())
}

fn images_are_not_run() -> Problem {
    Problem::new(Kind::Image, "this version starts commands only; it checks and plans images but cannot run them")
        .next("give the arm a command, or wait for the docker executor")
}

fn begin(
    workload: &Workload,
    plan: &Plan,
    requests: &[Request],
    environment: &Environment,
    tokenizers: &std::collections::BTreeMap<String, Vec<u8>>,
    out: &Path,
) -> Result<RunFolder> {
    let started = clock::utc_now();
    let run = Digest::of(host::random::<32>()?).hex()[..8].to_owned();
    let path = out.join(&started[..10]).join(format!("{}-{}-{run}", workload.name, environment.host));
    let folder = RunFolder::create(&path)?;
    let seed = host::random::<32>()?;
    keep_secret(&path, &seed)?;
    folder.put(WORKLOAD, workload.source.as_bytes())?;
    folder.put(REQUESTS, requests::to_jsonl(requests).as_bytes())?;
    folder.put(&format!("{ENVIRONMENTS}/{}.json", environment.host), environment.to_json().as_bytes())?;
    for (model, tokenizer) in tokenizers {
        folder.put_compressed(&format!("{TOKENIZERS}/{model}.json.zst"), tokenizer)?;
    }
    let facts = records::Run {
        format: records::FORMAT,
        run,
        started,
        plan: plan.digest(),
        audit_commitment: audit::commitment(&seed),
    };
    folder.put(RUN, &serde_json::to_vec_pretty(&facts).expect("integers and strings serialise"))?;
    // The plan is last: a folder with a plan can be resumed.
    folder.put(PLAN, plan.to_json().as_bytes())?;
    Ok(folder)
}

/// Where the audit seed waits, beside the run's folder, until the grade reveals it.
pub fn secret_path(folder: &Path) -> PathBuf {
    folder.with_added_extension("audit-seed")
}

fn keep_secret(folder: &Path, seed: &[u8; 32]) -> Result<()> {
    let path = secret_path(folder);
    let hex: String = seed.iter().map(|b| format!("{b:02x}")).collect();
    let file = File::options().write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|mut f| f.write_all(hex.as_bytes()).and_then(|()| f.sync_all()))
        .map_err(|e| Problem::io(Kind::Machine, "keep the audit seed", &path, &e))
}

enum Found {
    Open(PathBuf),
    Sealed(PathBuf),
}

/// The newest run of this very plan that is not sealed, or is sealed but not graded.
fn unfinished(out: &Path, plan: &Plan) -> Result<Found> {
    let json = plan.to_json();
    let folders = |path: &Path| {
        fs::read_dir(path)
            .map(|d| d.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect())
            .unwrap_or_else(|_| Vec::new())
    };
    let mut runs: Vec<PathBuf> = folders(out)
        .iter()
        .flat_map(|day| folders(day))
        .filter(|run| fs::read_to_string(run.join(PLAN)).is_ok_and(|p| p == json))
        .collect();
    runs.sort_by_key(|run| fs::metadata(run.join(PLAN)).and_then(|m| m.modified()).ok());
    match runs.into_iter().rev().find(|run| !run.join(MANIFEST).exists() || secret_path(run).exists()) {
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
    if before.models != environment.models {
        return differs("a model");
    }
    if before.program != environment.program {
        return differs("this program");
    }
    if (&before.cpu, before.cores, &before.kernel, &before.gpus)
        != (&environment.cpu, environment.cores, &environment.kernel, &environment.gpus)
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
