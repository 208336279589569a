//! GPUs that break under a server: whose failure that is. The GPUs exist in a text only.
#![allow(clippy::unwrap_used)]

#[path = "../../runner/tests/nvml/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of runner")]
mod nvml;
mod support;

use std::process::Output;

use lab::records::{Class, Fault, TrialOutcome};
use nvml::Stub;
use support::{Lab, Workload, code, stderr};

fn run(lab: &Lab, script: &str, baseline: &str) -> Output {
    let stub = Stub::new(script);
    lab.plan(&Workload { baseline: baseline.into(), more: "[matrix]\ngpus = [1]\n".into(), ..Workload::default() });
    with(lab, &stub, &["run", "x.toml"])
}

fn with(lab: &Lab, stub: &Stub, arguments: &[&str]) -> Output {
    lab.command(arguments).env("BENCH_NVML_LIBRARY", stub.path()).output().unwrap()
}

/// One at a time: leases are this host's, whoever made up the GPUs.
#[test]
fn hardware_that_breaks_is_nobodys_failure_and_what_a_program_can_cause_is_its_own() {
    let broken = Lab::new();
    let output = run(&broken, "gpus 1\nuncorrected 3 1\n", "");
    assert_eq!(code(&output), 13, "{}", stderr(&output));
    let record = broken.trial("baseline").trial;
    match &record.outcome {
        TrialOutcome::Failed { class: Class::Host, detail } => {
            assert!(detail.contains("an error of its memory that could not be corrected"), "{detail}")
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(record.telemetry.unwrap().faults[0].what, Fault::Memory { errors: 1 });
    assert_eq!(code(&broken.on_bundles(&["verify"])), 0);

    let own = Lab::new();
    let output = run(&own, "gpus 1\nxid 79\n", "--mode die-mid-run");
    assert_eq!(code(&output), 13, "{}", stderr(&output));
    let record = own.trial("baseline").trial;
    assert!(matches!(record.outcome, TrialOutcome::Failed { class: Class::Protocol, .. }), "{:?}", record.outcome);
    assert_eq!(record.telemetry.unwrap().faults[0].what, Fault::Xid { code: 79 });
    assert_eq!(code(&own.on_bundles(&["verify"])), 0);

    // Nobody was there when the GPU was leased.
    let shared = Lab::new();
    let output = run(&shared, "gpus 1\nprocess 4242 1000\nlater 2\n", "");
    assert_eq!(code(&output), 11, "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("process 4242 runs on this GPU already") && said.contains("--resume"), "{said}");
    assert!(!shared.runs()[0].join("manifest.json").exists(), "it can go on");
    let goes_on = with(&shared, &Stub::new("gpus 1\n"), &["run", "x.toml", "--resume"]);
    assert_eq!(code(&goes_on), 0, "{}", stderr(&goes_on));
    assert_eq!(shared.trial("baseline").trial.attempts, [], "it had not begun");
}
