//! More evidence is another sealed bundle, with prompts that nobody could know before.
#![allow(clippy::unwrap_used)]

mod support;

use std::{collections::BTreeSet, fs, path::PathBuf};

use lab::bundle::Bundle;
use support::{Lab, Workload, code, stderr, stdout, wait_until};

fn workload() -> Workload {
    // The baseline passes its own grading from 59 requests on: four launches of sixteen.
    let quick = Workload { rounds: 2, requests: 16, concurrency: 8, max_tokens: 24, ..Workload::default() };
    quick.candidate("same", "--noise 0.02").candidate("int4", "--weights int4").graded(16)
}

/// Measure bundles, the first stage first.
fn measured(lab: &Lab) -> Vec<Bundle> {
    let mut all: Vec<Bundle> = lab.runs().iter().filter_map(|run| Bundle::open(run).ok()).collect();
    all.retain(Bundle::is_measure);
    all.sort_by_key(|b| b.plan().unwrap().stage.map_or(1, |stage| stage.number));
    all
}

fn prompts(bundle: &Bundle) -> BTreeSet<String> {
    bundle.requests().unwrap().iter().map(|r| r.messages[0].content.clone()).collect()
}

fn judge(lab: &Lab) -> (i32, serde_json::Value) {
    let output = lab.on_bundles(&["judge", "--json"]);
    (code(&output), serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output))))
}

fn candidate<'a>(judgement: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    judgement["candidates"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()
}

#[test]
fn a_second_stage_of_the_suspect_alone_confirms_what_the_first_suspected() {
    let lab = Lab::new();
    assert_eq!(code(&lab.run(&workload())), 0);
    let (exit, first) = judge(&lab);
    assert_eq!((exit, candidate(&first, "int4")["reasons"][0]["code"].as_str()), (31, Some("suspect")));

    let more = lab.bench(&["run", "x.toml", "--more", "2", "--only", "int4"]);
    assert_eq!(code(&more), 0, "{}", stderr(&more));
    let said = stdout(&more);
    assert!(
        said.starts_with("what stage 2 of 2 rounds can change\n  int4\n    outputs: suspect: this can confirm it"),
        "{said}"
    );
    assert!(!said.contains("note: no verdict and no claim can change"), "{said}");
    let (exit, both) = judge(&lab);
    assert_eq!((exit, candidate(&both, "int4")["verdict"].as_str()), (30, Some("altered")), "{both:#}");
    assert_eq!(candidate(&both, "same")["equivalence"]["stages"].as_array().unwrap().len(), 1);
    assert!(stdout(&more).contains("-stage2-grade"), "it names all bundles: {}", stdout(&more));

    let stages = measured(&lab);
    assert_eq!(stages.len(), 2);
    assert!(prompts(&stages[0]).is_disjoint(&prompts(&stages[1])), "no prompt is sent in both");
    let (one, two) = (stages[0].plan().unwrap(), stages[1].plan().unwrap());
    let last = one.trials.last().unwrap();
    assert_eq!((two.trials[0].n, two.trials[0].round), (last.n + 1, last.round + 1));
    assert!(two.trials.iter().all(|t| t.arm == "int4" || t.arm == "baseline"));
    assert_eq!(stages[1].manifest.parents, [stages[0].id]);
    assert_eq!(code(&lab.on_bundles(&["verify"])), 0);
}

#[test]
fn a_workload_can_ask_for_the_confirming_stage() {
    let lab = Lab::new();
    let run = lab.run(&Workload { equivalence: String::new(), ..workload() }.confirmed(16, 2));
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    assert!(stdout(&run).contains("suspect: int4"), "{}", stdout(&run));
    assert_eq!(measured(&lab).len(), 2);
    assert_eq!(candidate(&judge(&lab).1, "int4")["verdict"], "altered");
}

#[test]
fn a_run_that_was_resumed_goes_on_to_the_confirming_stage() {
    let lab = Lab::new();
    let mut runner = lab.start(&Workload { equivalence: String::new(), ..workload() }.confirmed(16, 2));
    wait_until("a trial of the first stage is published", || {
        lab.runs().first().is_some_and(|run| fs::read_dir(run.join("trials")).is_ok_and(|d| d.count() > 1))
    });
    runner.kill().unwrap();
    runner.wait().unwrap();
    let resumed = lab.bench(&["run", "x.toml", "--resume"]);
    assert_eq!(code(&resumed), 0, "{}", stderr(&resumed));
    assert_eq!(measured(&lab).len(), 2);
    assert_eq!(candidate(&judge(&lab).1, "int4")["verdict"], "altered");
}

#[test]
fn an_interrupted_stage_is_finished_by_resume() {
    let lab = Lab::new();
    assert_eq!(code(&lab.run(&workload())), 0);
    let before: BTreeSet<PathBuf> = lab.runs().into_iter().collect();
    let begun = || lab.runs().into_iter().find(|run| !before.contains(run));
    let mut runner = lab.command(&["run", "x.toml", "--more", "3"]).spawn().unwrap();
    wait_until("a trial of the second stage is published", || {
        begun().is_some_and(|run| fs::read_dir(run.join("trials")).is_ok_and(|d| d.count() > 1))
    });
    runner.kill().unwrap();
    runner.wait().unwrap();
    let resumed = lab.bench(&["run", "x.toml", "--resume"]);
    assert_eq!(code(&resumed), 0, "{}", stderr(&resumed));
    let stages = measured(&lab);
    assert_eq!(stages.len(), 2);
    assert_eq!(stages[1].plan().unwrap().trials.len(), 3 * 4, "three rounds of two baselines and two candidates");
    assert_eq!(code(&lab.on_bundles(&["verify"])), 0);
}

#[test]
fn what_cannot_be_a_next_stage_is_refused_with_what_to_do() {
    let lab = Lab::new();
    lab.plan(&workload());
    let nothing = lab.bench(&["run", "x.toml", "--more", "2"]);
    assert_eq!(code(&nothing), 10);
    assert!(stderr(&nothing).contains("run it without --more first"), "{}", stderr(&nothing));

    assert_eq!(code(&lab.bench(&["run", "x.toml", "--seal-only"])), 0);
    let ungraded = lab.bench(&["run", "x.toml", "--more", "2"]);
    assert_eq!(code(&ungraded), 10);
    assert!(stderr(&ungraded).contains("bench grade"), "{}", stderr(&ungraded));

    let measured = measured(&lab).remove(0).path.display().to_string();
    assert_eq!(code(&lab.bench(&["grade", &measured, "--workload", "x.toml"])), 0);
    let stranger = lab.bench(&["run", "x.toml", "--more", "2", "--only", "int9"]);
    assert_eq!(code(&stranger), 10);
    assert!(stderr(&stranger).contains("`int9`") && stderr(&stranger).contains("int4, same"), "{}", stderr(&stranger));
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--more", "0"])), 10);
}

#[test]
fn a_stage_without_the_one_before_is_not_judged() {
    let lab = Lab::new();
    assert_eq!(code(&lab.run(&workload())), 0);
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--more", "1", "--only", "int4"])), 0);
    let second = measured(&lab).remove(1).path.display().to_string();
    let alone = lab.bench(&["judge", &second]);
    assert_eq!(code(&alone), 21, "{}", stderr(&alone));
    assert!(stderr(&alone).contains("whose first is not named"), "{}", stderr(&alone));
}
