//! The engine goes away in the middle of a trial.

use std::time::{Duration, Instant};

use lab::records::TrialOutcome;

use crate::{
    own_engine::OwnEngine,
    reading::Container,
    running::Run,
    support::{Lab, Workload, code, engine::Engine, stderr, wait_for, wait_until},
};

/// After the warm-up each request takes seconds, and the load is two of them at once.
fn slow(own: &OwnEngine, engine: &Engine) -> Workload {
    let path = own.image(engine, "stub:plain");
    let workload = Workload { requests: 2, container: "memory = \"128MiB\"\n".into(), ..Workload::default() };
    workload.archive("baseline", &path, "--ttft 2ms --itl 200us --mode slow-headers --mode-after 1 --drip 20ms")
}

fn start<'a>(own: &OwnEngine, lab: &'a Lab, workload: &Workload) -> (Run<'a>, Container) {
    lab.plan(workload);
    let run = Run::of(lab, lab.command(&["run", "x.toml"]).env("DOCKER_HOST", own.host()));
    let container = wait_for("a container runs", || {
        let id = own.containers().into_iter().next()?;
        Container::said_by(&own.docker(&["inspect", &id]), &id)
    });
    run.load(&container);
    (run, container)
}

#[test]
fn a_trial_whose_engine_goes_away_is_made_again_when_it_is_back_and_resumed_when_it_comes_too_late() {
    let Some(engine) = Engine::from_env() else { return };
    let mut own = OwnEngine::start();
    let workload = slow(&own, &engine);

    // Restarted in the middle of a load.
    let lab = Lab::new();
    let (run, container) = start(&own, &lab, &workload);
    own.kill();
    own.begin();
    let output = run.end();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let record = lab.trial("baseline");
    assert_eq!(record.trial.outcome, TrialOutcome::Completed);
    assert!(record.requests.iter().all(|request| request.done), "{:?}", record.requests);
    let [attempt] = &record.trial.attempts[..] else { panic!("{:?}", record.trial.attempts) };
    assert!(attempt.detail.contains("the container engine lost"), "{attempt:?}");
    assert_ne!(record.trial.server.container.unwrap().id, container.id, "with everything anew");
    assert_eq!(own.containers(), [""; 0]);
    assert_eq!(code(&lab.on_bundles(&["verify"])), 0);

    // Gone for longer than anybody waits.
    let lab = Lab::new();
    let (run, container) = start(&own, &lab, &workload);
    own.kill();
    let began = Instant::now();
    let output = run.end();
    assert_eq!(code(&output), 11, "{}", stderr(&output));
    assert!(began.elapsed() < Duration::from_secs(100), "{:?}", began.elapsed());
    assert!(stderr(&output).contains("the container engine did not come back"), "{}", stderr(&output));
    assert!(stderr(&output).contains("next: ") && stderr(&output).contains("--resume"), "{}", stderr(&output));
    own.begin();
    let output = lab.command(&["run", "x.toml", "--resume"]).env("DOCKER_HOST", own.host()).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let record = lab.trial("baseline");
    assert_eq!(record.trial.outcome, TrialOutcome::Completed);
    assert_ne!(record.trial.server.container.unwrap().id, container.id);
    assert_eq!(own.containers(), [""; 0]);
    wait_until("the first server is gone", || {
        !std::path::Path::new(&format!("/proc/{}/exe", container.server)).exists()
    });
}
