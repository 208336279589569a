//! Kill the runner at any moment: the run can be finished, and no server is left behind.
#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::PathBuf};

use support::{Lab, Workload, code, processes_with, stderr, stdout, wait_until};

fn workload(marker: &str) -> Workload {
    Workload { rounds: 2, ..Workload::default().candidate("same", &format!("--launch-seed {marker}")) }.graded(2)
}

fn published(lab: &Lab) -> Vec<PathBuf> {
    let trials = lab.runs().first().map(|run| run.join("trials"));
    let entries = trials.and_then(|t| fs::read_dir(t).ok()).into_iter().flatten().flatten();
    entries.map(|e| e.path()).filter(|p| !p.file_name().unwrap().to_string_lossy().starts_with('.')).collect()
}

#[test]
fn a_killed_run_is_finished_by_resume_and_the_finished_trials_stay() {
    for kill_after in [0, 1, 4] {
        let lab = Lab::new();
        let mut runner = lab.start(&workload("770001"));
        wait_until("the run has a plan and some trials", || {
            lab.runs().first().is_some_and(|run| run.join("plan.json").exists()) && published(&lab).len() >= kill_after
        });
        runner.kill().unwrap();
        runner.wait().unwrap();
        let before: Vec<_> =
            published(&lab).into_iter().map(|p| (fs::read(p.join("trial.json")).unwrap(), p)).collect();
        let output = lab.bench(&["run", "x.toml", "--resume"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        for (bytes, path) in before {
            assert_eq!(fs::read(path.join("trial.json")).unwrap(), bytes, "a finished trial is not measured again");
        }
        let runs: Vec<String> = lab.runs().iter().map(|p| p.display().to_string()).collect();
        assert_eq!(runs.len(), 2, "one bundle of trials and its grade: {runs:?}");
        let verify = lab.bench(&["verify", &runs[0], &runs[1]]);
        assert_eq!(code(&verify), 0, "{}", stderr(&verify));
    }
}

#[test]
fn a_killed_runner_leaves_no_server_behind() {
    let lab = Lab::new();
    let mut runner =
        lab.start(&Workload { baseline: "--launch-seed 770002 --startup 60s".into(), ..workload("770003") });
    wait_until("a server runs", || processes_with("--launch-seed 770002").iter().any(|p| p.contains("stub --port")));
    runner.kill().unwrap();
    runner.wait().unwrap();
    wait_until("the server is gone", || processes_with("--launch-seed 770002").is_empty());
}

#[test]
fn a_run_that_somebody_writes_is_neither_resumed_nor_sealed_nor_tidied_up_by_another() {
    let lab = Lab::new();
    let slow = "--launch-seed 770006 --startup 60s";
    let mut runner = lab.start(&Workload { baseline: slow.into(), ..workload("770007") });
    let building = || lab.runs().first().map(|run| run.join("trials/.building-0001-baseline"));
    wait_until("a trial is being measured", || building().is_some_and(|path| path.exists()));
    let run = lab.runs()[0].clone();
    let alias = lab.path("alias");
    std::os::unix::fs::symlink(&run, &alias).unwrap();
    let seals = [run.to_str().unwrap(), alias.to_str().unwrap()].map(|run| ["seal", run]);
    for arguments in [&["run", "x.toml", "--resume"][..], &seals[0], &seals[1]] {
        let refused = lab.bench(arguments);
        assert_eq!(code(&refused), 11, "{}", stderr(&refused));
        assert!(stderr(&refused).contains("another bench is writing this run"), "{}", stderr(&refused));
        assert!(building().unwrap().exists(), "what it was writing is gone");
    }
    runner.kill().unwrap();
    runner.wait().unwrap();
    let elsewhere = lab.bench(&["run", "x.toml", "--resume", "--executor", "slurm"]);
    assert_eq!(code(&elsewhere), 21, "{}", stderr(&elsewhere));
    assert!(stderr(&elsewhere).contains("this run was begun on one host"), "{}", stderr(&elsewhere));
    let sealed = lab.bench(&["seal", run.to_str().unwrap()]);
    assert_eq!(code(&sealed), 0, "{}", stderr(&sealed));
    assert!(!run.with_added_extension("lock").exists() && !building().unwrap().exists());
}

#[test]
fn what_leaves_its_process_group_is_ended_with_its_server() {
    let lab = Lab::new();
    let more = "[candidates.leaves]\ncommand = [\"sh\", \"-c\", \"setsid sleep 770005 & exec \\\"$0\\\" stub --port $1 --model-name toy --ttft 1ms\", \"{bench}\", \"{port}\"]\n";
    let output = lab.run(&Workload { more: more.into(), ..Workload::default() });
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(lab.trial("leaves").trial.outcome, lab::records::TrialOutcome::Completed);
    assert_eq!(processes_with("sleep 770005"), [""; 0]);
}

#[test]
fn a_run_whose_folder_vanishes_is_not_sealed_around_the_rest() {
    let lab = Lab::new();
    let runner = lab.start(&workload("770006"));
    wait_until("a trial is published", || !published(&lab).is_empty());
    fs::remove_dir_all(lab.runs().remove(0)).unwrap();
    assert_eq!(code(&runner.wait_with_output().unwrap()), 11);
    assert_eq!(lab.runs().len(), 0);
}

#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let lab = Lab::new();
    let workload = workload("770004");
    let child = lab.start(&workload);
    wait_until("a trial is published", || !published(&lab).is_empty());
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130);
    wait_until("the servers are gone", || processes_with("--launch-seed 770004").is_empty());
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--resume"])), 0);
}

#[test]
fn a_run_whose_host_is_gone_is_sealed_as_it_stands_graded_and_judged_without_what_it_lacks() {
    let lab = Lab::new();
    let mut runner = lab.start(&workload("770007"));
    wait_until("some trials are published", || published(&lab).len() >= 2);
    runner.kill().unwrap();
    runner.wait().unwrap();
    let kept = published(&lab).len();
    let run = lab.runs().remove(0).display().to_string();
    assert_eq!(code(&lab.bench(&["seal", &run])), 0);
    let grade = lab.bench(&["grade", &run, "--workload", "x.toml"]);
    assert_eq!(code(&grade), 0, "{}", stderr(&grade));
    let graded = format!("{run}-grade");
    let verify = lab.bench(&["verify", &run, &graded]);
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
    let judgement: serde_json::Value =
        serde_json::from_str(&stdout(&lab.bench(&["judge", "--json", &run, &graded]))).unwrap();
    let voids = judgement["voids"].as_array().unwrap();
    assert_eq!(published(&lab).len(), kept);
    assert!(voids.iter().any(|v| v["why"].as_str().unwrap().contains("is not in the bundle")), "{voids:?}");
    assert_eq!(code(&lab.bench(&["seal", &run])), 10, "what is sealed does not change");
}

#[test]
fn there_is_nothing_to_resume_in_an_empty_folder() {
    let lab = Lab::new();
    lab.write("x.toml", "");
    let output = lab.bench(&["run", "x.toml", "--resume"]);
    assert_eq!(code(&output), 10);
}
