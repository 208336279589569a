//! Launches that fail, in words. What becomes of each fault's requests is in `zoo`.
#![allow(clippy::unwrap_used)]

mod support;

use lab::records::{Class, TrialOutcome};
use support::{Lab, Workload, code, stderr};

#[test]
fn a_failed_launch_says_what_was_seen_and_a_deaf_server_is_killed() {
    let lab = Lab::new();
    let mut workload = Workload::default()
        .candidate("exits", "--mode exit-at-start")
        .candidate("dies", "--mode die-mid-run")
        .candidate("never-ready", "--mode never-ready")
        .candidate("ignore-term", "--mode ignore-term");
    workload.limits = workload.limits.replace("ready = \"10s\"", "ready = \"3s\"");
    let output = lab.run(&workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for (arm, words) in [
        ("exits", "ended before it was ready"),
        ("dies", "ended during the run"),
        ("never-ready", "not ready after 3.0 s"),
    ] {
        match lab.trial(arm).trial.outcome {
            TrialOutcome::Failed { detail, .. } => assert!(detail.contains(words), "{arm}: {detail}"),
            TrialOutcome::Completed => panic!("{arm} cannot have completed"),
        }
    }
    assert_eq!(lab.trial("ignore-term").trial.server.stopped_by.as_deref(), Some("SIGKILL"));
    assert_eq!(lab.trial("baseline").trial.outcome, TrialOutcome::Completed);
}

#[test]
fn a_program_that_does_not_exist_is_a_failed_start_with_its_name() {
    let lab = Lab::new();
    let more = "[candidates.ghost]\ncommand = [\"/no/such/program\", \"{port}\"]\n".into();
    let workload = Workload { more, ..Workload::default() };
    lab.run(&workload);
    match lab.trial("ghost").trial.outcome {
        TrialOutcome::Failed { class: Class::Start, detail } => {
            assert!(detail.contains("/no/such/program"), "{detail}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn where_no_trial_completes_nothing_was_measured() {
    let lab = Lab::new();
    let workload = Workload { baseline: "--mode exit-at-start".into(), ..Workload::default() }
        .candidate("same", "--mode exit-at-start");
    let output = lab.run(&workload);
    assert_eq!(code(&output), 13, "{}", stderr(&output));
    assert!(stderr(&output).contains("server.log"), "says where to look: {}", stderr(&output));
}
