//! However a run ends, nothing of it stays.

use std::{fs, os::unix::fs::MetadataExt};

use lab::records::{Class, TrialOutcome};

use crate::{
    reading::process_status,
    running::{Run, STALLS, assert_nothing_left, drivers, of_run, patient},
    support::{Lab, Workload, code, engine::Engine, stderr, wait_until},
};

/// A container that bears an owner's label, and the name that another `bench` gives, or none.
struct Marked<'a> {
    engine: &'a Engine,
    id: String,
}

impl<'a> Marked<'a> {
    fn create(engine: &'a Engine, owner: &str, name: Option<&str>) -> Self {
        let label = format!("bench.owner={owner}");
        let name = name.map(|name| format!("bench-test-{name}-{}", std::process::id()));
        let name: Vec<&str> = name.iter().flat_map(|name| ["--name", name]).collect();
        let image = engine.image("stub:plain");
        Marked { engine, id: engine.docker(&[&["create", "--label", &label], &name[..], &[&image]].concat()) }
    }

    fn is_there(&self) -> bool {
        self.engine.try_docker(&["inspect", &self.id]).status.success()
    }
}

impl Drop for Marked<'_> {
    fn drop(&mut self) {
        self.engine.try_docker(&["rm", "--force", &self.id]);
    }
}

/// A process as labels name it: the boot, the namespace of its number, the number, its start.
fn owner(pid: u32, started_later: u64) -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let namespace = fs::metadata("/proc/self/ns/pid").unwrap().ino();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let started: u64 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    format!("{} {namespace} {pid} {}", boot.trim(), started + started_later)
}

fn quick(engine: &Engine) -> Workload {
    Workload { requests: 1, ..Workload::of_images(&engine.image("stub:plain"), "--ttft 2ms") }
}

fn stalling(engine: &Engine, profile: &str) -> Workload {
    let mut workload = patient(Workload::of_images(&engine.image("stub:plain"), STALLS));
    workload.container += &format!("profile = \"{profile}\"\n");
    workload
}

#[test]
fn an_interrupted_run_takes_everything_with_it() {
    let Some(engine) = Engine::from_env() else { return };
    for (profile, signal) in [("strict", "INT"), ("docker-in-docker", "TERM")] {
        let lab = Lab::new();
        let run = Run::start(&lab, &stalling(&engine, profile));
        run.load(&run.container(&engine, &[]));
        run.signal(signal);
        let output = run.end();
        assert_eq!(code(&output), 130, "{}", stderr(&output));
        assert!(stderr(&output).contains("--resume"), "{}", stderr(&output));
        assert_eq!(of_run(&engine, &lab, &[]), [""; 0], "at once");
        wait_until("the driver has gone", || drivers(&lab).is_empty());
        assert_nothing_left(&engine, &lab);
    }
}

#[test]
fn a_run_that_is_interrupted_while_a_container_is_made_takes_that_with_it() {
    let Some(engine) = Engine::from_env() else { return };
    for _ in 0..3 {
        let lab = Lab::new();
        let run = Run::start(&lab, &stalling(&engine, "docker-in-docker"));
        wait_until("a container or its network is there", || {
            let runs = lab.runs();
            let Some(name) = runs.first().and_then(|run| run.file_name()) else { return false };
            let label = format!("label=bench.run={}", name.to_string_lossy());
            !engine.docker(&["network", "ls", "--quiet", "--filter", &label]).is_empty()
        });
        run.signal("INT");
        assert_eq!(code(&run.end()), 130);
        wait_until("the driver has gone, if there was one", || drivers(&lab).is_empty());
        assert_nothing_left(&engine, &lab);
    }
}

#[test]
fn what_a_killed_run_leaves_is_removed_by_whoever_comes_next_and_what_others_own_is_not() {
    let Some(engine) = Engine::from_env() else { return };
    let own = std::process::id();
    let ours = Marked::create(&engine, &owner(own, 0), Some("ours"));
    let foreign = Marked::create(&engine, "somebody else's word", Some("foreign"));
    // Labels can be an image's, names cannot.
    let labelled = Marked::create(&engine, &owner(own, 1), None);
    let reused = Marked::create(&engine, &owner(own, 1), Some("reused"));
    for profile in ["strict", "docker-in-docker"] {
        let lab = Lab::new();
        let run = Run::start(&lab, &stalling(&engine, profile));
        let container = run.container(&engine, &[]);
        run.load(&container);
        assert_eq!(drivers(&lab).len(), 1);
        let state = process_status(container.server, "State").unwrap();
        assert!(state.starts_with(['R', 'S']), "it runs: {state}");
        run.signal("KILL");
        assert_eq!(code(&run.end()), -1);
        wait_until("the driver has gone with its runner", || drivers(&lab).is_empty());
        let next = Lab::new();
        let output = next.run(&quick(&engine));
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_nothing_left(&engine, &lab);
        assert_nothing_left(&engine, &next);
    }
    for kept in [ours, foreign, labelled] {
        assert!(kept.is_there(), "only what nobody owns any more is removed");
    }
    assert!(!reused.is_there(), "a process of the same number is not the owner");
}

#[test]
fn a_server_that_somebody_kills_has_ended_and_its_run_goes_on() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let mut workload = patient(quick(&engine)).image("killed", &engine.image("stub:plain"), STALLS);
    (workload.requests, workload.rounds) = (4, 1);
    let run = Run::start(&lab, &workload);
    // The trials before it are over in a moment; it is the one that stalls.
    let container = crate::support::wait_for("the candidate's load is under way", || {
        let container = run.container(&engine, &[]);
        let args = container.says("/Args").to_string();
        (args.contains("stall") && container.connections() > 2).then_some(container)
    });
    engine.docker(&["kill", &container.id]);
    let output = run.end();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let record = lab.trial("killed");
    let TrialOutcome::Failed { class: Class::Protocol, detail } = &record.trial.outcome else {
        panic!("{:?}", record.trial.outcome)
    };
    assert!(detail.contains("the server ended during the run (signal 9)"), "{detail}");
    assert_eq!(record.requests.iter().filter(|r| r.phase == "main").count(), 4, "each request has its record");
    assert_eq!(lab.trial("baseline").trial.outcome, TrialOutcome::Completed);
    assert_nothing_left(&engine, &lab);
}
