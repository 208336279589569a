//! The log of runs, as they write it and as `bench log` checks it.
#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::PathBuf, process::Command};

use lab::bundle::{Bundle, Kind, RunFolder};
use serde_json::Value;
use support::{Lab, Workload, code, stderr, stdout, wait_until};

fn entries(lab: &Lab) -> Vec<Value> {
    let text = fs::read_to_string(lab.path("results/log")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each event's name, in order.
fn events(lab: &Lab) -> Vec<String> {
    entries(lab).iter().map(|entry| entry["event"].as_object().unwrap().keys().next().unwrap().clone()).collect()
}

fn check(lab: &Lab) -> (i32, String) {
    let output = lab.bench(&["log", "--check"]);
    (code(&output), stdout(&output) + &stderr(&output))
}

fn measured() -> Lab {
    let lab = Lab::new();
    let failing = Workload::default().candidate("same", "").candidate("dies", "--mode exit-at-start").graded(1);
    assert_eq!(code(&lab.run(&failing)), 0);
    lab
}

#[test]
fn a_run_and_its_grade_are_in_the_log_with_what_became_of_its_trials() {
    let lab = measured();
    assert_eq!(events(&lab), ["begun", "sealed", "graded"]);
    let (bundle, all) = (lab.bundle(), entries(&lab));
    let run = format!("{}", bundle.path.strip_prefix(lab.path("results")).unwrap().display());
    let begun = &all[0]["event"]["begun"];
    let plan = bundle.plan().unwrap();
    assert_eq!((begun["run"].as_str(), begun["name"].as_str()), (Some(run.as_str()), Some("test")));
    assert_eq!(begun["plan"], plan.digest().to_string());
    assert_eq!(begun["workload"], plan.workload.to_string());
    let sealed = &all[1]["event"]["sealed"];
    assert_eq!((&sealed["id"], &sealed["run"]), (&Value::from(bundle.id.to_string()), &begun["run"]));
    assert_eq!(sealed["trials"], serde_json::json!({"complete": 3, "failed": 1, "void": 0}));
    assert_eq!(all[2]["event"]["graded"]["parents"][0], bundle.id.to_string());
    let (exit, text) = check(&lab);
    assert!(exit == 0 && text.starts_with("results/log: good: 3 lines, 2 bundles; head 3:sha256:"), "{text}");

    // What is published tells what came after it.
    let head = stdout(&lab.bench(&["log", "--head"]));
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--more", "1", "--only", "same"])), 0);
    assert_eq!(events(&lab)[3..], ["stage", "sealed", "graded"]);
    assert_eq!(entries(&lab)[3]["event"]["stage"]["parent"], bundle.id.to_string());
    let after = lab.bench(&["log", "--since", head.trim()]);
    assert_eq!((code(&after), stdout(&after).lines().count()), (0, 3), "{}", stderr(&after));
    let json: Value =
        serde_json::from_slice(&lab.bench(&["log", "--json", "--check", "--since", head.trim()]).stdout).unwrap();
    assert_eq!((json["entries"].as_array().unwrap().len(), &json["check"]["bundles"]), (3, &4.into()));
    assert_eq!(json["head"]["count"], 6);
}

#[test]
fn a_log_with_a_removed_changed_moved_or_missing_line_is_refused_with_line_and_next_step() {
    let lab = measured();
    let (path, head) = (lab.path("results/log"), stdout(&lab.bench(&["log", "--head"])));
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let refused = |lines: &[&str], arguments: &[&str]| {
        fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let output = lab.bench(arguments);
        assert_eq!(code(&output), 20, "{}", stdout(&output));
        let text = stderr(&output);
        assert!(text.contains("\n  next: put back the log that was published"), "{text}");
        text
    };
    let check = ["log", "--check"];
    assert!(refused(&[lines[0], lines[2]], &check).contains("results/log:2: entry 2 was removed"));
    assert!(refused(&[lines[1], lines[0], lines[2]], &check).contains("results/log:1: entry 1 was removed"));
    let changed = lines[1].replace("\"failed\":1", "\"failed\":0");
    assert!(
        refused(&[lines[0], &changed, lines[2]], &check).contains("results/log:3: line 3 was written after another")
    );
    let since = ["log", "--check", "--since", head.trim()];
    assert!(refused(&lines[..2], &since).contains("results/log:2: the log ends with line 2, and had 3"));
    // Who has no head is told of the bundle at least.
    let output = lab.bench(&check);
    assert!(code(&output) == 20 && stdout(&output).contains("bench log --adopt"), "{}", stdout(&output));
    fs::write(&path, &whole).unwrap();
    assert_eq!(code(&lab.bench(&since)), 0);
}

#[test]
fn an_interrupted_run_has_an_end_and_one_whose_machine_died_is_open() {
    let lab = Lab::new();
    let slow = Workload { rounds: 2, ..Workload::default().candidate("same", "") };
    let trial = |lab: &Lab| lab.runs().first().is_some_and(|run| run.join("trials/0001-baseline").exists());
    let mut child = lab.start(&slow);
    wait_until("a trial is published", || trial(&lab));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(events(&lab), ["begun", "ended"]);
    assert_eq!(entries(&lab)[1]["event"]["ended"]["class"], "interrupted");
    let (exit, text) = check(&lab);
    assert!(
        exit == 0 && !text.contains("open:") && text.contains("given up: 2") && text.contains("1 given up"),
        "{text}"
    );

    let mut child = lab.command(&["run", "x.toml", "--resume"]).spawn().unwrap();
    wait_until("it goes on", || events(&lab).len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    let (exit, text) = check(&lab);
    assert!(exit == 0 && text.contains("open: 2") && text.contains("(line 3)"), "{text}");
    assert!(text.contains("bench seal results/2"), "{text}");
    assert_eq!(code(&lab.bench(&["seal", &lab.runs()[0].display().to_string()])), 0);
    assert_eq!(events(&lab), ["begun", "ended", "resumed", "sealed"]);
    let (exit, text) = check(&lab);
    assert!(exit == 0 && !text.contains("open:"), "{text}");
    assert!(entries(&lab)[3]["event"]["sealed"]["trials"]["void"].as_u64().unwrap() > 0);
}

#[test]
fn bundles_from_elsewhere_are_adopted_once() {
    let lab = measured();
    fs::remove_file(lab.path("results/log")).unwrap();
    assert_eq!(check(&lab).0, 20);
    let adopted = lab.bench(&["log", "--adopt"]);
    assert_eq!(code(&adopted), 0, "{}", stderr(&adopted));
    assert!(stdout(&adopted).contains("results/log: 2 entered; head 2:sha256:"), "{}", stdout(&adopted));
    assert_eq!(events(&lab), ["adopted", "adopted"]);
    assert_eq!(entries(&lab)[0]["event"]["adopted"]["trials"]["failed"], 1);
    assert!(stdout(&lab.bench(&["log", "--adopt"])).contains(": 0 entered; head 2:"));
    assert_eq!(check(&lab).0, 0);
    // Where a bundle was, another one lies now.
    let bundle = lab.bundle().path;
    fs::remove_dir_all(&bundle).unwrap();
    RunFolder::create(&bundle).unwrap().seal(Kind::Grade, Vec::new(), "2026-01-01T00:00:00Z").unwrap();
    let (exit, text) = check(&lab);
    assert!(exit == 20 && text.contains("line 1 of the log knows it as sha256:"), "{text}");
    assert_eq!(Bundle::open(&bundle).unwrap().manifest.files, []);
}

#[test]
fn there_is_no_log_of_a_folder_that_is_not_there() {
    let lab = Lab::new();
    assert_eq!(code(&lab.bench(&["log", "--check"])), 10);
    fs::create_dir(lab.path("results")).unwrap();
    let (exit, text) = check(&lab);
    assert!(exit == 0 && text.contains("0 lines, 0 bundles; head 0:sha256:e3b0c442"), "{text}");
    assert!(!lab.path("results/log").exists());
    assert_eq!(code(&lab.bench(&["log", "--since", "yesterday"])), 2);
}

/// A run of two rounds that died after its first trial.
fn dead(lab: &Lab) -> PathBuf {
    let mut child = lab.start(&Workload { rounds: 2, ..Workload::default().candidate("same", "") });
    let published = || lab.runs().first().is_some_and(|run| run.join("trials/0001-baseline").exists());
    wait_until("a trial is published", published);
    child.kill().unwrap();
    child.wait().unwrap();
    lab.runs()[0].clone()
}

#[test]
fn another_bundle_in_the_place_of_a_run_that_was_begun_is_named() {
    let (lab, other) = (measured(), Lab::new());
    let run = dead(&other);
    fs::remove_dir_all(&run).unwrap();
    fs::rename(&lab.bundle().path, &run).unwrap();
    assert_eq!(code(&other.bench(&["log", "--adopt"])), 0);
    let (exit, text) = check(&other);
    assert!(exit == 20 && text.contains("line 1 of the log begins another run here, with the plan sha256:"), "{text}");
}

#[test]
fn what_was_measured_where_the_log_did_not_see_it_is_adopted() {
    let (lab, elsewhere) = (measured(), Lab::new());
    let run = dead(&elsewhere);
    let here = lab.path("results").join(run.strip_prefix(elsewhere.path("results")).unwrap());
    fs::create_dir_all(here.parent().unwrap()).unwrap();
    fs::rename(&run, &here).unwrap();
    fs::rename(run.with_added_extension("audit-seed"), here.with_added_extension("audit-seed")).unwrap();
    assert_eq!(code(&lab.bench(&["seal", here.to_str().unwrap()])), 0);
    assert_eq!(events(&lab)[3..], ["adopted"]);
    let (exit, text) = check(&lab);
    assert!(exit == 0 && text.contains("good: 4 lines, 3 bundles, 1 adopted; head"), "{text}");
}

#[test]
fn a_folder_without_a_log_has_no_head() {
    let lab = Lab::new();
    fs::create_dir(lab.path("results")).unwrap();
    let output = lab.bench(&["log", "--head"]);
    assert!(code(&output) == 10 && stderr(&output).contains("there is no log here"), "{}", stderr(&output));
}
