//! What a workload promises of its servers, held against what a trial says of its own.

use lab::{
    environment::Environment,
    records::{Class, Client, Container, Trial, TrialOutcome},
    workload::{Profile, Server, Workload},
};

/// The promises that a trial breaks, in words.
pub(super) fn broken(workload: &Workload, environment: Option<&Environment>, trial: &Trial) -> Vec<String> {
    let Some(arm) = workload.arm(&trial.trial.arm) else { return Vec::new() };
    let mut found = course(trial);
    let started = trial.server.container.is_some() || trial.stages.ready_ns.is_some();
    let executor = match arm.server {
        Server::Command(_) => "process",
        Server::Image { .. } => "docker",
        Server::Endpoint(_) => "endpoint",
    };
    if started && trial.server.executor != executor {
        let was = lab::text::shown(&trial.server.executor, 40);
        found.push(format!("its server was had by {was}, the workload says {executor}"));
    }
    match (&arm.server, &trial.server.container) {
        (Server::Image { source, .. }, Some(container)) => {
            let described = environment.and_then(|e| e.images.get(&trial.trial.arm));
            if described.is_none_or(|image| image.id != container.image || image.asked != source.to_string()) {
                found.push("its image is not the one that the workload asks for and its host describes".to_owned());
            }
            found.extend(terms(workload, container));
        }
        (Server::Image { .. }, None) if trial.stages.ready_ns.is_some() => {
            found.push("no container is described".to_owned());
        }
        _ => {}
    }
    found
}

/// What every container of a profile is bound to.
fn terms(workload: &Workload, container: &Container) -> Vec<String> {
    let (asked, granted) = (&workload.container, &container.contract);
    let inside = asked.profile.inside();
    let open = asked.profile == Profile::DockerInDocker;
    let closed = |list: &[String], only: &str| if open { list.is_empty() } else { list == [only] };
    let size = |path: &str| granted.tmpfs.get(path).is_some_and(|o| o.ends_with(&format!(",size={}", asked.scratch.0)));
    let memory = granted.memory_bytes;
    let kept = [
        ("profile", container.profile == asked.profile),
        ("client", container.client == if inside { Client::Inside } else { Client::Bridge }),
        ("network", granted.network == if inside { "none" } else { "internal" }),
        ("ports", granted.ports.is_empty()),
        ("read_only", granted.read_only != open),
        ("privileged", !granted.privileged),
        ("cap_drop", closed(&granted.cap_drop, "ALL")),
        ("cap_add", granted.cap_add.is_empty()),
        ("security", closed(&granted.security, "no-new-privileges")),
        ("ipc", granted.ipc == "private"),
        ("pid", granted.pid.is_empty()),
        ("uts", granted.uts.is_empty()),
        ("pids", granted.pids == i64::from(asked.pids)),
        ("memory_bytes", memory > 0 && asked.memory.is_none_or(|m| i64::try_from(m.0) == Ok(memory))),
        ("memory_swap_bytes", granted.memory_swap_bytes == memory),
        ("shm_bytes", i64::try_from(asked.shm.0) == Ok(granted.shm_bytes)),
        ("tmpfs", size("/tmp") && granted.tmpfs.keys().all(|path| size(path))),
        ("binds", granted.binds.values().all(|mode| mode == "ro")),
        ("restart", granted.restart == "no"),
    ];
    let broken = kept.into_iter().filter(|(_, kept)| !kept).map(|(field, _)| field);
    broken.map(|field| format!("its contract's {field} is not what the workload declares")).collect()
}

/// Whether its stages, its end and its attempts can have been.
fn course(trial: &Trial) -> Vec<String> {
    let stages = &trial.stages;
    let order =
        [stages.created_ns, stages.started_ns, stages.ready_ns, stages.warm_ns, stages.stopped_ns, stages.removed_ns];
    let order: Vec<_> = order.into_iter().flatten().collect();
    let by_host = matches!(trial.outcome, TrialOutcome::Failed { class: Class::Host, .. });
    let container = trial.server.container.as_ref();
    let signalled = trial.server.stopped_by.is_some();
    [
        (order.windows(2).any(|w| w[0] > w[1]), "its stages are not in order"),
        (
            trial.outcome == TrialOutcome::Completed && trial.server.exit.is_some() && container.is_some(),
            "it is completed, and its server had ended by itself",
        ),
        (trial.server.exit.is_some() && signalled, "its server ended by itself and was stopped"),
        (by_host && container.is_some() && trial.attempts.is_empty(), "its host failed it, and it was not tried again"),
    ]
    .into_iter()
    .filter(|(wrong, _)| *wrong)
    .map(|(_, what)| what.to_owned())
    .collect()
}
