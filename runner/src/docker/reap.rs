//! Nothing is left behind: what a bench that is gone had made is removed by the next one.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt,
    time::{Duration, Instant},
};

use bollard::{
    errors::Error,
    query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder},
};
use lab::{Nanos, Problem, Result};
use nix::{errno::Errno, sys::signal::kill, unistd::Pid};

use crate::batch;

use super::engine::{ANSWER, Engine, in_words, within};

/// How the names of containers begin. An image can bring labels, but no name.
const NAME: &str = "bench-";

/// The name of a trial's container or network.
pub(super) fn name(run: &str, trial: &str) -> String {
    format!("{NAME}{run}-{trial}")
}

/// Who made a container or network.
const OWNER: &str = "bench.owner";

/// The labels of what a trial makes.
pub(super) fn labels(run: &str, trial: &str) -> HashMap<String, String> {
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let job = batch::job().map(|job| label("bench.job", &job.id.to_string()));
    let own = [label(OWNER, &this_process().written()), label("bench.run", run), label("bench.trial", trial)];
    own.into_iter().chain(job).collect()
}

/// Removes what gone processes made, and what this one has forgotten.
pub(super) async fn reap(engine: &Engine) -> Result<()> {
    let failed = |what: String| Problem::machine(format!("what an earlier run left behind cannot be removed: {what}"));
    let ours = HashMap::from([("label".to_owned(), vec![OWNER.to_owned()])]);
    let containers = ListContainersOptionsBuilder::default().all(true).filters(&ours).build();
    let containers = within(ANSWER, engine.docker.list_containers(Some(containers))).await.map_err(failed)?;
    for container in containers {
        let named = container.names.iter().flatten().any(|name| name.trim_start_matches('/').starts_with(NAME));
        if named && abandoned(container.labels.as_ref()) {
            remove(engine, &container.id.unwrap_or_default()).await.map_err(failed)?;
        }
    }
    let networks = ListNetworksOptionsBuilder::default().filters(&ours).build();
    for network in within(ANSWER, engine.docker.list_networks(Some(networks))).await.map_err(failed)? {
        if abandoned(network.labels.as_ref()) {
            remove_network(engine, &network.name.unwrap_or_default()).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Removes a container with all that it wrote, however it stands.
pub(super) async fn remove(engine: &Engine, id: &str) -> std::result::Result<(), String> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let removal = engine.docker.remove_container(id, Some(options));
    match tokio::time::timeout(REMOVAL.into(), removal).await {
        // Gone, or going.
        Ok(Ok(()) | Err(Error::DockerResponseServerError { status_code: 404 | 409, .. })) => Ok(()),
        Ok(Err(e)) => Err(in_words(&e)),
        Err(_) => Err(format!("it still stands after {REMOVAL}")),
    }
}

/// Removes a network. Whoever else removes the container in it may not be done.
pub(super) async fn remove_network(engine: &Engine, name: &str) -> std::result::Result<(), String> {
    let removal = async {
        loop {
            match engine.docker.remove_network(name).await {
                Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => return,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::time::timeout(ANSWER.into(), removal).await.map_err(|_| format!("the network {name} still stands"))
}

/// Removes what this process made, from a thread that has nothing else to do, for a run that
/// is not finished. An order that was not answered (`making`) may be carried out a moment
/// later. What cannot be removed now is removed by the next run.
pub(super) fn reap_now(making: bool) {
    let work = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            // Connections of another runtime are of no use here.
            let Ok(engine) = Engine::connect().await else { return };
            let until = Instant::now() + if making { MADE } else { Duration::ZERO };
            while reap(&engine).await.is_ok() && Instant::now() < until {
                tokio::time::sleep(PAUSE).await;
            }
        });
    };
    let _ = std::thread::spawn(work).join();
}

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// Until what the engine was told to make is there.
const MADE: Duration = Duration::from_secs(2);
/// Until a container has to be gone.
const REMOVAL: Nanos = Nanos::from_secs(60);

/// Whether nobody minds a container any more: its owner has ended, or is this process, which
/// has at most one at a time and asks before it makes that.
fn abandoned(labels: Option<&HashMap<String, String>>) -> bool {
    let Some(owner) = labels.and_then(|l| l.get(OWNER)).and_then(|text| Process::read(text)) else { return false };
    owner == this_process() || owner.is_gone()
}

/// A process, told apart from all others that ever had its number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    boot: String,
    /// The namespace in which its number counts.
    namespace: String,
    number: u32,
    started: String,
}

fn this_process() -> Process {
    let number = std::process::id();
    Process { boot: boot(), namespace: namespace(), number, started: started(number).unwrap_or_default() }
}

impl Process {
    fn written(&self) -> String {
        format!("{} {} {} {}", self.boot, self.namespace, self.number, self.started)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(' ').map(str::to_owned);
        let (boot, namespace) = (parts.next()?, parts.next()?);
        Some(Process { boot, namespace, number: parts.next()?.parse().ok()?, started: parts.next()? })
    }

    /// Of a process in another namespace nobody here can say that it has ended.
    fn is_gone(&self) -> bool {
        let here = self.namespace == namespace();
        let other = || started(self.number).is_some_and(|started| started != self.started);
        self.boot != boot() || (here && (other() || !exists(self.number)))
    }
}

/// Whether a process has the number, also one of a user whose processes are hidden.
fn exists(number: u32) -> bool {
    let Ok(number) = i32::try_from(number) else { return false };
    number > 0 && !matches!(kill(Pid::from_raw(number), None), Err(Errno::ESRCH))
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn namespace() -> String {
    fs::metadata("/proc/self/ns/pid").map(|m| m.ino().to_string()).unwrap_or_default()
}

/// When a process started, in ticks since the start of the host: field 22 of `stat`, counted
/// behind its name, which may hold anything.
fn started(number: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_its_number_is_free_or_another_s_or_the_host_was_restarted() {
        let this = this_process();
        assert_eq!(Process::read(&this.written()), Some(this.clone()));
        assert!(!this.is_gone());
        assert!(Process { number: 0, ..this.clone() }.is_gone());
        assert!(Process { started: "1".into(), ..this.clone() }.is_gone());
        assert!(Process { boot: "another".into(), ..this.clone() }.is_gone());
        assert!(!Process { namespace: "another".into(), number: 0, ..this }.is_gone());
    }

    #[test]
    fn a_container_without_our_label_is_never_ours_to_remove() {
        assert!(!abandoned(None));
        assert!(!abandoned(Some(&HashMap::from([(OWNER.to_owned(), "odd".to_owned())]))));
    }
}
