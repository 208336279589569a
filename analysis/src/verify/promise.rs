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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use lab::{
        Digest, Nanos,
        environment::ImageFacts,
        plan::{self, Role, Span},
        records::{Attempt, Contract, FORMAT, ServerFacts, Stages},
        workload::Limits,
    };

    use super::*;

    fn workload() -> Workload {
        let digest = Digest::of("manifest");
        let source = format!(
            "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\nimage = \"a/b@{digest}\"\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n[[load]]\nname = \"l\"\nrequests = 1\nclosed = {{ concurrency = 1 }}\n[container]\nmemory = \"1GiB\"\nscratch = \"1MiB\"\n"
        );
        lab::workload::parse(&source, Path::new("x.toml")).unwrap()
    }

    fn environment() -> Environment {
        let image = ImageFacts {
            asked: format!("a/b@{}", Digest::of("manifest")),
            id: Digest::of("config"),
            id_of: "config".into(),
            manifest: None,
            bytes: 1,
            layers: Vec::new(),
            wants: Vec::new(),
        };
        Environment { images: BTreeMap::from([("baseline".into(), image)]), ..Environment::default() }
    }

    fn trial() -> Trial {
        let scratch = "rw,exec,nosuid,nodev,mode=1777,size=1048576".to_owned();
        let contract = Contract {
            network: "none".into(),
            read_only: true,
            cap_drop: vec!["ALL".into()],
            security: vec!["no-new-privileges".into()],
            ipc: "private".into(),
            init: true,
            pids: 4096,
            memory_bytes: 1 << 30,
            memory_swap_bytes: 1 << 30,
            shm_bytes: 8 << 30,
            tmpfs: BTreeMap::from([("/tmp".into(), scratch.clone()), ("/home/server".into(), scratch)]),
            binds: BTreeMap::from([("/models".into(), "ro".into())]),
            restart: "no".into(),
            ..Contract::default()
        };
        let container = Container {
            id: "c".into(),
            image: Digest::of("config"),
            profile: Profile::Strict,
            client: Client::Inside,
            cold: true,
            contract,
            exit_code: Some(0),
            out_of_memory: false,
        };
        let span = Span { first: 0, count: 1 };
        let planned = plan::Trial {
            n: 1,
            round: 1,
            block: 1,
            role: Role::Opening,
            arm: "baseline".into(),
            model: "m".into(),
            gpus: 0,
            warmup: span,
            phases: Vec::new(),
        };
        let server = ServerFacts {
            executor: "docker".into(),
            container: Some(container),
            stopped_by: Some("SIGTERM".into()),
            ..ServerFacts::default()
        };
        let stages = Stages {
            created_ns: Some(Nanos(1)),
            started_ns: Some(Nanos(2)),
            ready_ns: Some(Nanos(3)),
            warm_ns: Some(Nanos(4)),
            phases: Vec::new(),
            stopped_ns: Some(Nanos(5)),
            removed_ns: Some(Nanos(6)),
        };
        Trial {
            format: FORMAT,
            trial: planned,
            host: "here".into(),
            started: String::new(),
            outcome: TrialOutcome::Completed,
            server,
            stages,
            limits: Limits::default(),
            attempts: Vec::new(),
            telemetry: None,
        }
    }

    #[test]
    fn a_container_that_is_as_declared_breaks_no_promise() {
        assert_eq!(broken(&workload(), Some(&environment()), &trial()), Vec::<String>::new());
    }

    /// A field and a change that breaks its promise.
    type Forgery = (&'static str, fn(&mut Contract));

    #[test]
    fn every_field_of_a_contract_that_is_weaker_than_declared_is_named() {
        let forgeries: [Forgery; 17] = [
            ("network", |c| c.network = "bridge".into()),
            ("ports", |c| c.ports.push("8000/tcp".into())),
            ("read_only", |c| c.read_only = false),
            ("privileged", |c| c.privileged = true),
            ("cap_drop", |c| c.cap_drop.clear()),
            ("cap_add", |c| c.cap_add.push("SYS_ADMIN".into())),
            ("security", |c| c.security.push("seccomp=unconfined".into())),
            ("ipc", |c| c.ipc = "host".into()),
            ("pid", |c| c.pid = "host".into()),
            ("uts", |c| c.uts = "host".into()),
            ("pids", |c| c.pids = 0),
            ("memory_bytes", |c| c.memory_bytes = 1 << 40),
            ("memory_swap_bytes", |c| c.memory_swap_bytes = -1),
            ("shm_bytes", |c| c.shm_bytes += 1),
            ("tmpfs", |c| drop(c.tmpfs.insert("/data".into(), "rw,size=99".into()))),
            ("binds", |c| drop(c.binds.insert("/etc".into(), "rw".into()))),
            ("restart", |c| c.restart = "always".into()),
        ];
        for (field, forge) in forgeries {
            let mut trial = trial();
            forge(&mut trial.server.container.as_mut().unwrap().contract);
            let found = broken(&workload(), Some(&environment()), &trial);
            assert!(found.iter().any(|what| what.contains(&format!("contract's {field} "))), "{field}: {found:?}");
        }
    }

    #[test]
    fn another_image_executor_profile_or_course_is_named() {
        let found = |change: fn(&mut Trial)| {
            let mut trial = trial();
            change(&mut trial);
            broken(&workload(), Some(&environment()), &trial).join("; ")
        };
        assert!(found(|t| t.server.executor = "process".into()).contains("had by process"));
        assert!(found(|t| t.server.container = None).contains("no container is described"));
        assert!(found(|t| t.server.container.as_mut().unwrap().image = Digest::of("x")).contains("image"));
        assert!(found(|t| t.server.container.as_mut().unwrap().profile = Profile::DockerInDocker).contains("profile"));
        assert!(found(|t| t.server.exit = Some("exit 0".into())).contains("had ended by itself"));
        assert!(found(|t| t.stages.removed_ns = Some(Nanos(0))).contains("not in order"));
        let by_host = |t: &mut Trial| {
            t.outcome = TrialOutcome::Failed { class: Class::Host, detail: String::new() };
        };
        assert!(found(by_host).contains("not tried again"));
        let mut again = trial();
        by_host(&mut again);
        again.attempts.push(Attempt { started: String::new(), lasted_ns: Nanos(1), detail: String::new() });
        assert_eq!(broken(&workload(), Some(&environment()), &again), Vec::<String>::new());
        assert!(!broken(&workload(), None, &trial()).is_empty(), "a host that describes no images");
    }
}
