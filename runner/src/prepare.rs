//! From a workload to all that a run needs before its first trial: the request set, the
//! schedule and the plan. Reads files, measures nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use lab::{
    Digest, Kind, Problem, Result,
    bundle::Bundle,
    materialise::{self, Sources},
    plan::{self, Plan},
    requests::{self, Request},
    schedule::{self, Due},
    tokenizer::Tokenizer,
    trace,
    workload::Workload,
};

/// A workload made ready.
pub struct Prepared {
    /// The request set.
    pub requests: Vec<Request>,
    /// When requests are due; none where each follows when its client is free.
    pub schedule: Option<Vec<Due>>,
    /// Each trace load's file.
    pub traces: BTreeMap<String, Vec<u8>>,
    /// Every trial, in order.
    pub plan: Plan,
}

/// Reads what the workload names, generates what it asks for, and plans.
pub fn prepare(workload: &Workload) -> Result<Prepared> {
    let (mut traces, mut arrivals) = (BTreeMap::new(), BTreeMap::new());
    for load in &workload.loads {
        if let Some(file) = &load.trace {
            let bytes = bytes_of(&file.path, "trace")?;
            requests::pinned(Digest::of(&bytes), file.digest, &file.path, "load.trace.digest")?;
            let of_load = trace::read(&bytes, &file.path.display().to_string())?;
            if of_load.len() < load.requests as usize {
                let what = format!("{} arrivals, but load `{}` takes {}", of_load.len(), load.name, load.requests);
                return Err(Problem::input(what).at(file.path.display().to_string()).next("ask for fewer requests"));
            }
            traces.insert(load.name.clone(), bytes);
            arrivals.insert(load.name.clone(), of_load);
        }
    }
    let requests = materialise::requests(workload, &arrivals, &Here(workload))?;
    let schedule = schedule::of(workload, &requests, &arrivals);
    let plan = plan::expand(workload, Digest::of(requests::to_jsonl(&requests)), schedule::digest(schedule.as_ref()));
    Ok(Prepared { requests, schedule, traces, plan })
}

/// The same from a sealed bundle, for a run of its plan once more: its requests as they are there,
/// whatever they were made from.
pub fn again(bundle: &Bundle, workload: &Workload) -> Result<Prepared> {
    let requests = bundle.requests()?;
    let schedule = schedule::of(workload, &requests, &bundle.traces(workload)?);
    let traces = workload.loads.iter().filter(|load| load.trace.is_some());
    let traces = traces.map(|load| Ok((load.name.clone(), bundle.trace(&load.name)?))).collect::<Result<_>>()?;
    let set = Digest::of(requests::to_jsonl(&requests));
    let plan = plan::expand(workload, set, schedule::digest(schedule.as_ref()));
    Ok(Prepared { requests, schedule, traces, plan })
}

/// What lies on this host.
struct Here<'a>(&'a Workload);

impl Sources for Here<'_> {
    fn tokenizer(&self, model: &str) -> Result<Tokenizer> {
        Tokenizer::of_model(&self.0.models[model].path).map(|(tokenizer, _)| tokenizer)
    }

    fn bytes(&self, path: &Path, what: &str) -> Result<Vec<u8>> {
        bytes_of(path, what)
    }

    fn corpus(&self, path: &Path) -> Result<Vec<(String, String)>> {
        corpus(path)
    }
}

fn bytes_of(path: &Path, what: &str) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| Problem::io(Kind::Input, &format!("read the {what}"), path, &e))
}

/// The texts of a corpus: one `.txt` file, or all of a folder, sorted by name.
fn corpus(path: &Path) -> Result<Vec<(String, String)>> {
    let failed = |path: &Path, e: &std::io::Error| Problem::io(Kind::Input, "read the corpus", path, e);
    let files: Vec<PathBuf> = if path.is_dir() {
        let mut files: Vec<PathBuf> =
            fs::read_dir(path).map_err(|e| failed(path, &e))?.flatten().map(|e| e.path()).collect();
        files.retain(|f| f.extension().is_some_and(|e| e == "txt"));
        files.sort();
        files
    } else {
        vec![path.to_owned()]
    };
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files.iter().map(|f| Ok((name(f), fs::read_to_string(f).map_err(|e| failed(f, &e))?))).collect()
}
