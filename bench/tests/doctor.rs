//! `bench doctor` on whatever machine this is.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    os::unix::net::UnixListener,
    process::Output,
    time::{Duration, Instant},
};

use serde_json::Value;
use support::{Lab, code, stdout};

/// Runs it with the engine at `place`.
fn doctor(lab: &Lab, place: &str, arguments: &[&str]) -> Output {
    lab.command(&[&["doctor"], arguments].concat()).env("DOCKER_HOST", place).output().unwrap()
}

fn findings(output: &Output) -> Vec<Value> {
    serde_json::from_str(&stdout(output)).unwrap()
}

fn of<'a>(findings: &'a [Value], subject: &str) -> &'a Value {
    findings.iter().find(|finding| finding["subject"] == subject).unwrap_or_else(|| panic!("{findings:#?}"))
}

const NOWHERE: &str = "unix:///nowhere/engine.sock";

#[test]
fn it_ends_with_a_verdict_and_without_colours_where_nobody_sees_them() {
    let output = doctor(&Lab::new(), NOWHERE, &[]);
    let text = stdout(&output);
    assert!([0, 11].contains(&code(&output)), "{text}");
    let verdict = text.rsplit("\n\n").next().unwrap();
    assert!(verdict.starts_with("this host can measure "), "{text}");
    assert_eq!(code(&output) == 11, verdict.contains("measure nothing"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn every_finding_has_its_fields() {
    let output = doctor(&Lab::new(), NOWHERE, &["--json"]);
    let findings = findings(&output);
    assert!(findings.len() > 15, "{findings:#?}");
    for finding in &findings {
        let mut fields: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["found", "level", "means", "next", "stops", "subject"]);
        assert!(["good", "absent", "note", "spoils"].contains(&finding["level"].as_str().unwrap()), "{finding}");
        assert!(!finding["found"].as_str().unwrap().is_empty() && !finding["means"].as_str().unwrap().is_empty());
    }
    let stopped = findings.iter().any(|finding| finding["stops"] == true);
    assert_eq!(code(&output), if stopped { 11 } else { 0 });
}

#[test]
fn an_engine_that_is_not_there_is_absent_and_has_a_next_step() {
    let found = findings(&doctor(&Lab::new(), NOWHERE, &["--json"]));
    let engine = of(&found, "container engine");
    assert_eq!(engine["level"], "absent");
    assert!(engine["next"].as_str().unwrap().contains("set DOCKER_HOST"), "{engine}");
}

#[test]
fn an_engine_that_takes_connections_and_never_answers_is_reported_in_time() {
    let lab = Lab::new();
    let socket = lab.path("engine.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let began = Instant::now();
    let found = findings(&doctor(&lab, &format!("unix://{}", socket.display()), &["--json"]));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let engine = of(&found, "container engine");
    assert_eq!(engine["level"], "spoils");
    assert!(engine["found"].as_str().unwrap().contains("no answer within"), "{engine}");
}

#[test]
fn a_results_folder_that_cannot_be_makes_measuring_impossible() {
    let lab = Lab::new();
    lab.write("results", "a file");
    let output = doctor(&lab, NOWHERE, &["--json"]);
    assert_eq!(code(&output), 11);
    assert_eq!(of(&findings(&output), "results folder")["stops"], true);
    let text = stdout(&doctor(&lab, NOWHERE, &[]));
    assert!(text.ends_with("this host can measure nothing: results folder\n"), "{text}");
    let elsewhere = findings(&doctor(&lab, NOWHERE, &["--json", "--out", "elsewhere"]));
    assert_eq!(of(&elsewhere, "results folder")["stops"], false);
}

#[test]
fn text_keeps_to_the_width_of_its_reader() {
    let lab = Lab::new();
    let mut command = lab.command(&["doctor"]);
    let text = stdout(&command.env("COLUMNS", "80").env("DOCKER_HOST", NOWHERE).output().unwrap());
    for line in text.lines().filter(|line| !line.contains('`') && !line.contains('/')) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}
