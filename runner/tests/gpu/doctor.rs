//! What the doctor says of GPUs, read through the stub library.

use runner::doctor::{Finding, Level, Options, examine};

use crate::nvml::Stub;

/// Not by `tokio::test`, which would wait for the thread that hangs.
fn of(script: &str) -> Vec<Finding> {
    let stub = Stub::new(script);
    let root = tempfile::tempdir().unwrap();
    let options = Options {
        root: root.path().to_owned(),
        out: root.path().join("results"),
        programs: "".into(),
        engine: "unix:///nowhere/engine.sock".into(),
        gpu_library: Some(stub.path()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut found = runtime.block_on(examine(options));
    runtime.shutdown_background();
    found.retain(|finding| finding.subject.contains("GPU"));
    found
}

fn level(found: &[Finding], words: &str) -> Option<Level> {
    found.iter().find(|finding| finding.found.contains(words)).map(|finding| finding.level)
}

#[test]
fn gpus_are_described_and_their_faults_named() {
    let found = of("gpus 2\ngpu 1 mig 1\ngpu 1 process 77 1024\n");
    assert_eq!(level(&found, "NVIDIA Stub 80 GB, driver 580.95.05"), Some(Level::Good), "{found:#?}");
    assert_eq!(level(&found, "MIG"), Some(Level::Spoils));
    assert_eq!(level(&found, "used by a process not seen here (77)"), Some(Level::Spoils));
    assert_eq!(level(&found, "generation 1 of"), Some(Level::Note));
    assert!(found.iter().filter(|finding| finding.subject == "GPU 0").all(|finding| finding.level != Level::Spoils));
}

#[test]
fn a_driver_without_gpus_is_a_fact() {
    assert_eq!(level(&of("gpus 0\n"), "knows of none"), Some(Level::Absent));
}

#[test]
fn a_driver_that_hangs_is_left_behind() {
    let found = of("gpus 1\nhang nvmlDeviceGetName\n");
    assert_eq!(level(&found, "no answer within"), Some(Level::Note), "{found:#?}");
}
