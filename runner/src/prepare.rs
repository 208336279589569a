//! From a workload to all that a run needs before its first trial: the request set, the
//! schedule and the plan. Reads files, measures nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use lab::{
    Digest, Kind, Problem, Result,
    plan::{self, Plan},
    requests::{self, Request, Slot},
    schedule::{self, Due},
    tokenizer::Tokenizer,
    trace::{self, Arrival},
    workload::{Requests, Workload},
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
    let requests = materialise(workload, &arrivals)?;
    let schedule = schedule::of(workload, &requests, &arrivals);
    let plan = plan::expand(workload, Digest::of(requests::to_jsonl(&requests)), schedule::digest(schedule.as_ref()));
    Ok(Prepared { requests, schedule, traces, plan })
}

fn materialise(workload: &Workload, arrivals: &BTreeMap<String, Vec<Arrival>>) -> Result<Vec<Request>> {
    let lengths =
        |load: &str| arrivals.get(load).map(|of_load| of_load.iter().map(|a| (a.input, a.output)).collect::<Vec<_>>());
    let slots: Vec<Slot> = plan::slots(workload, &lengths);
    // Recorded prompts have lengths of their own, and a further stage goes on in their order.
    let before = workload.requests_before();
    let all = Workload { rounds: workload.rounds + before / workload.requests_per_round().max(1), ..workload.clone() };
    let places = || plan::slots(&all, &|_| None);
    let tokenizer = |model: &str| Tokenizer::of_model(&workload.models[model].path).map(|(tokenizer, _)| tokenizer);
    let mut set = match &workload.requests {
        Requests::Prose { seed, words } => requests::prose(*seed, *words, workload.requests_in_all()),
        Requests::File(spec) => requests::file(spec, &bytes_of(&spec.path, "request set")?, &places())?,
        Requests::Text(spec) => requests::text(spec, &tokenizer(&spec.model)?, &slots)?,
        Requests::Sharegpt(spec) => {
            let bytes = bytes_of(&spec.path, "conversations")?;
            requests::sharegpt(spec, &bytes, &tokenizer(&spec.model)?, &places())?
        }
        Requests::V1(spec) => requests::v1(spec, &corpus(&spec.corpus)?, &tokenizer(&spec.model)?, &slots)?,
    };
    set.drain(..before as usize);
    set.iter_mut().zip(0..).for_each(|(request, id)| request.id = id);
    // A source that knows no lengths still keeps to a trace's answers.
    for (request, slot) in set.iter_mut().zip(&slots) {
        request.max_tokens = request.max_tokens.or(slot.lengths.map(|(_, output)| output));
    }
    Ok(set)
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
