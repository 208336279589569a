//! GPUs that exist in a text only, given to containers by an engine whose hook does nothing.

#[path = "../../../runner/tests/nvml/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of runner")]
mod nvml;

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

use nvml::Stub;

use crate::{
    reading::Container,
    running::{Run, STALLS, assert_nothing_left, patient},
    support::{Lab, Workload, code, engine::Engine, stderr},
};

fn on_a_gpu(engine: &Engine, image: &str, options: &str) -> Workload {
    let mut workload = Workload::of_images(&engine.image(image), options);
    workload.more = "[matrix]\ngpus = [1]\n".into();
    workload.container += "gpu = \"toolkit\"\n";
    workload
}

/// Whether the engine gives GPUs that are not there, as that of `scripts/engine` does.
fn gives_gpus(engine: &Engine) -> bool {
    let id = engine.docker(&["create", "--gpus", "device=GPU-none", &engine.image("stub:plain"), "--port", "1"]);
    let started = engine.try_docker(&["start", &id]);
    engine.docker(&["rm", "--force", &id]);
    if !started.status.success() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: this engine has no stand-in for the hook that gives GPUs");
    }
    started.status.success()
}

fn with(stub: &Stub, lab: &Lab) -> Command {
    let mut command = lab.command(&["run", "x.toml"]);
    command.env("BENCH_NVML_LIBRARY", stub.path());
    command
}

/// Leases are this host's, whoever made up the GPUs: one test at a time has some.
fn alone() -> MutexGuard<'static, ()> {
    static LEASES: Mutex<()> = Mutex::new(());
    LEASES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a variable is in the server's environment, each time that it is there.
fn variable(container: &Container, name: &str) -> BTreeSet<String> {
    let environ = String::from_utf8(fs::read(format!("/proc/{}/environ", container.server)).unwrap()).unwrap();
    environ.split('\0').filter_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned())).collect()
}

#[test]
fn a_container_has_the_leased_gpu_whatever_its_image_says_and_two_runs_have_different_ones() {
    let Some(engine) = Engine::from_env().filter(gives_gpus) else { return };
    let _alone = alone();
    let stub = Stub::new("gpus 4\n");
    let (lab, beside) = (Lab::new(), Lab::new());

    // Its image asks for all GPUs and everything that they can do.
    lab.plan(&patient(on_a_gpu(&engine, "stub-faulty:gpus", "--mode stall --mode-after 1")));
    let run = Run::of(&lab, &mut with(&stub, &lab));
    let container = run.container(&engine, &[]);
    run.load(&container);
    let visible = variable(&container, "NVIDIA_VISIBLE_DEVICES");
    let capable = variable(&container, "NVIDIA_DRIVER_CAPABILITIES");
    assert_eq!(capable, BTreeSet::from(["compute,utility".to_owned()]));

    beside.plan(&on_a_gpu(&engine, "stub:plain", "--ttft 2ms --itl 200us"));
    let output = with(&stub, &beside).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));

    engine.docker(&["kill", &container.id]);
    assert_eq!(code(&run.end()), 13);
    let gpu = |lab: &Lab| {
        let trial = lab.trial("baseline").trial;
        let [gpu] = &trial.server.gpus[..] else { panic!("{:?}", trial.server.gpus) };
        let contract = trial.server.container.unwrap().contract;
        assert_eq!(contract.gpu_requests, [format!("nvidia {gpu} compute+utility")]);
        let rows = lab.bundle().telemetry(&trial.trial.folder()).unwrap();
        assert!(rows.len() > 1 && rows.iter().all(|row| row.gpu == *gpu), "{rows:?}");
        assert_eq!(code(&lab.on_bundles(&["verify"])), 0);
        assert_nothing_left(&engine, lab);
        gpu.clone()
    };
    assert_eq!(visible, BTreeSet::from([gpu(&lab)]));
    assert_ne!(gpu(&lab), gpu(&beside));
}

#[test]
fn a_gpu_in_use_is_refused_before_anything_is_made() {
    let Some(engine) = Engine::from_env() else { return };
    let _alone = alone();
    let stub = Stub::new("gpus 2\nprocess 4242 1000\n");
    let lab = Lab::new();
    lab.plan(&on_a_gpu(&engine, "stub:plain", STALLS));
    let output = with(&stub, &lab).output().unwrap();
    assert_eq!(code(&output), 11, "{}", stderr(&output));
    assert!(stderr(&output).contains("4242") && stderr(&output).contains("next: "), "{}", stderr(&output));
    assert_eq!(lab.runs().len(), 0);
}

// `gpu = "devices"` needs device files in this host's own /dev, where a test has no business;
// `runner::gpu::access` is tested below a folder.
