//! Whatever a server does ends as a record: every fault of the stub, end to end.
#![allow(clippy::unwrap_used)]

mod support;

use lab::records::{Class, Outcome, TrialOutcome};
use support::{Lab, Workload, code, stderr};

/// Faults in answers: mode and options, and the outcome of its requests.
const ANSWERS: &[(&str, &str, Outcome)] = &[
    ("error-500", "", Outcome::HttpError),
    ("redirect", "", Outcome::HttpError),
    ("error-in-stream", "", Outcome::Malformed),
    ("invalid-utf8", "", Outcome::Malformed),
    ("gzip", "", Outcome::Malformed),
    ("close-mid-stream", "", Outcome::Closed),
    ("half-close", "", Outcome::Closed),
    ("reset-mid-stream", "", Outcome::Reset),
    ("giant-line", "", Outcome::TooLarge),
    ("never-ends", "", Outcome::TooLarge),
    ("giant-header", "", Outcome::Malformed),
    ("stall", "", Outcome::Deadline),
    ("slow-headers", "", Outcome::Deadline),
    ("drip", "", Outcome::Deadline),
    ("split-utf8", "", Outcome::Complete),
    ("ignore-term", "", Outcome::Complete),
    ("log-flood", "", Outcome::Complete),
    ("hostile-text", "", Outcome::TooLarge),
];

fn of_all_answers() -> Workload {
    let mut workload = Workload::default();
    workload.limits = workload.limits.replace("request = \"5s\"", "request = \"1500ms\"");
    ANSWERS.iter().fold(workload, |w, (mode, options, _)| w.candidate(mode, &format!("--mode {mode} {options}")))
}

#[test]
fn every_fault_in_an_answer_is_one_outcome_of_each_request_and_the_run_goes_on() {
    let lab = Lab::new();
    let output = lab.run(&of_all_answers());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for (mode, _, outcome) in ANSWERS {
        let record = lab.trial(mode);
        let timed: Vec<_> = record.requests.iter().filter(|r| r.phase == "main").collect();
        assert_eq!(timed.len(), 4, "{mode}: one record for each request");
        for request in timed {
            assert_eq!(request.outcome, *outcome, "{mode}: {request:?}");
            assert!(request.bytes <= (256 << 10) + (64 << 10), "{mode}: bytes are bounded");
        }
        assert!(record.trial.server.log_kept <= (1 << 20) + 64, "{mode}: the log is bounded");
    }
    let honest = lab.trial("baseline");
    assert!(honest.requests.iter().all(|r| r.outcome == Outcome::Complete && r.done));
    assert_eq!(lab.trial("ignore-term").trial.server.stopped_by.as_deref(), Some("SIGKILL"));
    assert_eq!(code(&lab.bench(&["verify", &lab.bundle().path.display().to_string()])), 0);
}

#[test]
fn a_server_that_never_starts_is_a_failed_trial_of_its_class() {
    let lab = Lab::new();
    let mut workload = Workload::default()
        .candidate("exits", "--mode exit-at-start")
        .candidate("dies", "--mode die-mid-run")
        .candidate("never-ready", "--mode never-ready")
        .candidate("takes-another-port", "--port 1");
    workload.limits = workload.limits.replace("ready = \"10s\"", "ready = \"3s\"");
    let output = lab.run(&workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for (arm, expected, words) in [
        ("exits", Class::Start, "ended before it was ready"),
        ("dies", Class::Protocol, "ended during the run"),
        ("never-ready", Class::LoadTimeout, "not ready after 3.0 s"),
        ("takes-another-port", Class::Start, "ended before it was ready"),
    ] {
        match lab.trial(arm).trial.outcome {
            TrialOutcome::Failed { class, detail } => {
                assert_eq!(class, expected, "{arm}");
                assert!(detail.contains(words), "{arm}: {detail}");
            }
            TrialOutcome::Completed => panic!("{arm} cannot have completed"),
        }
    }
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
