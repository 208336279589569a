//! Whose failure a failure is.

use std::fs;

use lab::records::{Class, TrialOutcome};
use serde_json::Value;

use crate::{
    running::assert_nothing_left,
    support::{Lab, Workload, code, engine::Engine, stderr, stdout},
};

/// An image that no registry has.
fn absent(engine: &Engine) -> String {
    format!("{}/stub@sha256:{}", engine.registry, "0".repeat(64))
}

/// An image of a registry that nobody runs.
fn unreachable() -> String {
    format!("127.0.0.1:1/stub@sha256:{}", "0".repeat(64))
}

/// Bytes that no packing makes smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..bytes / 8).flat_map(|_| next().to_le_bytes()).collect()
}

#[test]
fn every_failure_has_its_class_and_says_what_was_seen() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let faulty = |fault: &str| engine.image(&format!("stub-faulty:{fault}"));
    let tampered = engine.pushed("tampered");
    tampered.tamper();
    let zeros = |folder: &std::path::Path| fs::write(folder.join("zeros"), vec![0; 80 << 20]).unwrap();
    let unpacked = engine.pushed_server("large-unpacked", zeros, &[]);
    let packed = engine.pushed_server("large-packed", |f| fs::write(f.join("noise"), noise(66 << 20)).unwrap(), &[]);
    let stranger = engine.pushed_server("unknown-user", |_| {}, &["USER nobody-knows"]);
    let dead = "ended before it was ready";
    let cases: [(&str, String, Class, &[&str]); 13] = [
        ("registry-down", unreachable(), Class::Host, &["127.0.0.1:1", "cannot be had", "refused"]),
        ("absent", absent(&engine), Class::Image, &["cannot be had", "manifest unknown"]),
        ("tampered", tampered.reference.clone(), Class::Image, &["verification failed"]),
        ("large-packed", packed.reference.clone(), Class::Image, &["limits.image allows 64MiB"]),
        ("large-unpacked", unpacked.reference.clone(), Class::Image, &["npack", "limits.image", "64MiB"]),
        ("preload", faulty("preload"), Class::Image, &["it sets LD_PRELOAD=/tmp/hook.so"]),
        ("unknown-user", stranger.reference.clone(), Class::Start, &["unable to find user nobody-knows"]),
        ("no-entry-point", faulty("no-entry-point"), Class::Start, &[dead, "exit 127", "/absent"]),
        ("exits", faulty("exit-at-start"), Class::Start, &[dead, "exit 3", "its last words:\n"]),
        ("never-ready", faulty("never-ready"), Class::LoadTimeout, &["not ready after 3.0 s"]),
        ("dies", faulty("die-mid-run"), Class::Protocol, &["ended during the run (exit 1)", "its last words:\n"]),
        ("hogs", faulty("hog-memory"), Class::Protocol, &["ended during the run (signal 9, out of memory)"]),
        ("deaf", faulty("ignore-term"), Class::Host, &[]),
    ];
    let mut workload = Workload::of_images(&engine.image("stub:plain"), "--ttft 2ms --itl 200us");
    workload.limits = workload.limits.replace("ready = \"10s\"", "ready = \"3s\"") + "image = \"64MiB\"\n";
    let workload = cases.iter().fold(workload, |workload, (name, image, ..)| workload.image(name, image, ""));

    let output = lab.run(&workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for (arm, _, class, words) in cases.iter().filter(|(arm, ..)| *arm != "deaf") {
        let trial = lab.trial(arm).trial;
        let TrialOutcome::Failed { class: found, detail } = &trial.outcome else { panic!("{arm} cannot complete") };
        assert_eq!(found, class, "{arm}: {detail}");
        for word in *words {
            assert!(detail.contains(word), "{arm}: `{word}` in {detail}");
        }
        let started = !matches!(class, Class::Image | Class::Host) && *arm != "unknown-user";
        assert_eq!(trial.server.container.is_some(), started, "{arm}");
    }
    let ended = |arm: &str| {
        let server = lab.trial(arm).trial.server;
        let container = server.container.unwrap();
        (container.exit_code, container.out_of_memory, server.exit, server.stopped_by)
    };
    let by = |signal: &str| Some(signal.to_owned());
    assert_eq!(ended("no-entry-point"), (Some(127), false, by("exit 127"), None));
    assert_eq!(ended("exits"), (Some(3), false, by("exit 3"), None));
    assert_eq!(ended("dies"), (Some(1), false, by("exit 1"), None));
    assert_eq!(ended("hogs"), (Some(137), true, by("signal 9, out of memory"), None));
    assert_eq!(lab.trial("deaf").trial.outcome, TrialOutcome::Completed);
    assert_eq!(ended("deaf"), (Some(137), false, None, by("SIGKILL")));
    assert_eq!(lab.trial("baseline").trial.outcome, TrialOutcome::Completed);
    assert_eq!(ended("baseline").3, by("SIGTERM"));
    assert_eq!(code(&lab.on_bundles(&["verify"])), 0);
    assert_nothing_left(&engine, &lab);
}

#[test]
fn without_the_baselines_image_nothing_is_measured() {
    let Some(engine) = Engine::from_env() else { return };
    for (image, expected, words) in
        [(absent(&engine), 12, "the baseline's image: "), (unreachable(), 11, "connection refused")]
    {
        let lab = Lab::new();
        let workload = Workload::of_images(&image, "").image("good", &engine.image("stub:plain"), "");
        let output = lab.run(&workload);
        assert_eq!(code(&output), expected, "{}", stderr(&output));
        assert!(stderr(&output).contains(words) && stderr(&output).contains("next: "), "{}", stderr(&output));
        assert_eq!(lab.runs(), [""; 0].map(std::path::PathBuf::from), "no run was begun");
    }
}

fn candidate<'a>(judgement: &'a Value, name: &str) -> &'a Value {
    judgement["candidates"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()
}

#[test]
fn a_failure_of_an_image_wins_nothing_and_one_of_this_host_costs_nothing() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let slow = "--ttft 24ms --itl 2400us";
    let plain = engine.image("stub:plain");
    let workload = Workload { rounds: 6, requests: 12, concurrency: 6, ..Workload::of_images(&plain, slow) }
        .graded(10)
        .image("fast", &plain, "--ttft 4ms --itl 400us")
        .image("no-image", &absent(&engine), "")
        .image("no-start", &engine.image("stub-faulty:exit-at-start"), "")
        .image("no-host", &unreachable(), "");
    let output = lab.run(&workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let judge = lab.on_bundles(&["judge", "--json"]);
    assert_eq!(code(&judge), 31, "{}", stderr(&judge));
    let judgement: Value = serde_json::from_str(&stdout(&judge)).unwrap();
    let fast = candidate(&judgement, "fast");
    assert_eq!(fast["verdict"], "equivalent", "{fast:#}");
    assert!(fast["overall"]["low"].as_f64().unwrap() > 1.2, "what can be claimed is claimed: {fast:#}");
    for (name, class) in [("no-image", "image"), ("no-start", "start"), ("no-host", "host")] {
        let failed = candidate(&judgement, name);
        assert_eq!(failed["verdict"], "undecided", "{name}: neither a pass nor a disqualification: {failed:#}");
        assert_eq!(failed["overall"], Value::Null, "{name} claims no speed");
        let of_trials = judgement["voids"].as_array().unwrap().iter().chain(failed["failures"].as_array().unwrap());
        let told = of_trials.filter(|told| told.to_string().contains(&format!("\"class\":\"{class}\""))).count();
        assert!(told > 0, "{name}: {failed:#} {:#}", judgement["voids"]);
    }
    assert_nothing_left(&engine, &lab);
}

#[test]
fn nobody_on_this_host_is_taken_for_a_server_that_is_gone() {
    let Some(engine) = Engine::from_env() else { return };
    let lab = Lab::new();
    let neighbour = stub::start(stub::Options::from_args(["--port", "0", "--model-name", "toy"]).unwrap()).unwrap();
    let port = neighbour.url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let quick = "--ttft 2ms --itl 200us";
    let mut workload = Workload::of_images(&engine.image("stub:plain"), quick)
        .image("gone", &engine.image("stub-faulty:no-entry-point"), "")
        .image("exits", &engine.image("stub-faulty:exit-at-start"), "");
    workload.rounds = 4;
    workload.container += &format!("port = {port}\n");
    let output = lab.run(&workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let bundle = lab.bundle();
    for trial in bundle.plan().unwrap().trials.iter().filter(|trial| trial.arm != "baseline") {
        let record = bundle.trial(&trial.folder()).unwrap();
        assert!(
            matches!(&record.trial.outcome, TrialOutcome::Failed { class: Class::Start, .. }),
            "{:?}",
            record.trial.outcome
        );
        assert_eq!(record.requests.len(), 0, "nothing was asked of anybody");
    }
}
