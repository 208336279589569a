//! What this host can measure, and what would spoil it.
//!
//! Each subject reads below a root folder and has an opinion of its own; nothing of it is
//! stored. What is absent is a fact, and what does not answer is left at a deadline.

mod activity;
mod clock;
mod cores;
mod devices;
mod disk;
mod engine;
mod files;
mod finding;
mod frequency;
mod gpus;
mod limits;
mod machine;
mod memory;
mod namespaces;
#[cfg(test)]
mod tests;
mod toolkit;

use std::{ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

use tokio::time::Instant;

pub use finding::{Finding, Level};

/// Where to look.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that `proc`, `sys`, `etc` and `run` are in.
    pub root: PathBuf,
    /// The folder of results.
    pub out: PathBuf,
    /// Folders of programs, a value of `PATH`.
    pub programs: OsString,
    /// Where the container engine is, a value of `DOCKER_HOST`.
    pub engine: String,
    /// The driver's management library for GPUs; `None` is the driver's own.
    pub gpu_library: Option<PathBuf>,
}

type Look = fn(&Options) -> Vec<Finding>;

/// What is looked at without asking anybody, all at once.
const SUBJECTS: [(&str, Look); 8] = [
    ("machine", |options| machine::findings(&options.root)),
    ("governor", |options| frequency::findings(&options.root)),
    ("clock source", |options| clock::findings(&options.root)),
    ("memory", |options| memory::findings(&options.root)),
    ("limits", |options| limits::findings(&options.root)),
    ("other work", |options| activity::findings(&options.root)),
    ("results folder", |options| vec![disk::results(&options.out)]),
    ("network namespaces", |options| namespaces::findings(&options.root)),
];

/// Until all of it has to be done: a file of a dead network folder never is.
const DONE: Duration = Duration::from_secs(5);

/// Looks at everything, in seconds, whatever hangs.
pub async fn examine(options: Options) -> Vec<Finding> {
    let options = Arc::new(options);
    let looks = SUBJECTS.map(|(subject, look)| {
        let options = options.clone();
        let look = in_time(move || look(&options));
        async move { look.await.unwrap_or_else(|| vec![late(subject)]) }
    });
    let (cores, containers, toolkit) =
        tokio::join!(cores_and_gpus(&options), containers(&options), toolkit::findings(&options.programs));
    let mut found = Vec::new();
    for look in looks {
        found.extend(look.await);
    }
    [found, cores, containers, toolkit].concat()
}

/// Cores, and the GPUs that servers are near to.
async fn cores_and_gpus(options: &Arc<Options>) -> Vec<Finding> {
    let library = options.clone();
    let states = in_time(move || gpus::read(&library.root, library.gpu_library.as_deref())).await;
    let options = options.clone();
    let look = move || {
        let node = states.iter().flatten().flatten().find_map(|state| state.gpu.numa_node);
        let mut found = match crate::cores::allowed() {
            Ok(allowed) => cores::findings(&options.root, &allowed, node),
            Err(problem) => vec![Finding::absent("cores", problem.what, "client and server cannot be pinned")],
        };
        match states {
            Some(states) => found.extend(gpus::findings(&options.root, states.as_deref().map_err(String::as_str))),
            None => found.push(late(gpus::SUBJECT)),
        }
        found
    };
    in_time(look).await.unwrap_or_else(|| vec![late("cores")])
}

/// The container engine, its folder, and the devices that it may be asked for.
async fn containers(options: &Arc<Options>) -> Vec<Finding> {
    let answer = engine::ask(&options.engine).await;
    let options = options.clone();
    let look = move || {
        let cores = crate::cores::allowed().map_or(1, |cores| cores.len() as u32);
        let (mut found, said) = match answer {
            Ok(said) => (engine::findings(&said, &options.root, cores), Some(said)),
            Err(finding) => (vec![finding], None),
        };
        found.extend(said.as_ref().and_then(|said| said.folder.as_deref()).and_then(disk::images));
        found.extend(devices::findings(&options.root, said.as_ref().map(|said| &said.devices[..])));
        found
    };
    in_time(look).await.unwrap_or_else(|| vec![late(engine::SUBJECT)])
}

/// Starts looking, on a thread of its own, which is left behind if it is not done in time.
fn in_time<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> impl Future<Output = Option<T>> {
    within(DONE, look)
}

fn within<T: Send + 'static>(
    time: Duration,
    look: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Option<T>> {
    let (end, work) = (Instant::now() + time, tokio::task::spawn_blocking(look));
    async move {
        match tokio::time::timeout_at(end, work).await {
            Ok(Ok(found)) => Some(found),
            Ok(Err(bug)) => std::panic::resume_unwind(bug.into_panic()),
            Err(_) => None,
        }
    }
}

fn late(subject: &str) -> Finding {
    let means = "something on this host hangs, and this is not known";
    Finding::note(subject, format!("no answer within {} s", DONE.as_secs()), means)
}

/// What can be measured here, in one sentence.
pub fn verdict(findings: &[Finding]) -> String {
    let names = |choose: fn(&Finding) -> bool| {
        let mut names: Vec<&str> = findings.iter().filter(|f| choose(f)).map(|f| f.subject.as_str()).collect();
        names.dedup();
        names
    };
    let stops = names(|finding| finding.stops);
    if !stops.is_empty() {
        return format!("this host can measure nothing: {}", stops.join(", "));
    }
    let answers = |f: &&Finding| f.subject == engine::SUBJECT && matches!(f.level, Level::Good | Level::Note);
    let what = if findings.iter().any(|f| answers(&f)) { "commands and containers" } else { "commands, no containers" };
    let gpus = match names(gpus::is_one).len() {
        0 => "no GPU".to_owned(),
        1 => "1 GPU".to_owned(),
        n => format!("{n} GPUs"),
    };
    let spoilers = names(|finding| finding.level == Level::Spoils);
    let spoilt = match &spoilers[..] {
        [] => "nothing seen that would spoil it".to_owned(),
        [one] => format!("one thing would spoil it: {one}"),
        many => format!("{} things would spoil it: {}", many.len(), many.join(", ")),
    };
    format!("this host can measure {what}; {gpus}; {spoilt}")
}
