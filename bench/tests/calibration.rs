//! From a run of controls to verdicts that rest on it.
#![allow(clippy::unwrap_used)]

mod support;

use lab::bundle::Bundle;
use support::{Lab, Workload, code, stderr, stdout};

/// The workload of controls that is shipped, with its model where a test finds it.
fn controls(lab: &Lab) -> Bundle {
    let shipped = include_str!("../../workloads/calibration.toml");
    let model = format!("{:?}", support::model());
    let quick = shipped.replace("\"../stub/model\"", &model).replace("count = 2", "count = 1");
    lab.write("controls.toml", &quick);
    let run = lab.bench(&["run", "controls.toml"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    lab.bundle()
}

fn calibrated_by(bundle: &Bundle) -> Workload {
    // Ninety-six graded requests of each: with none far the bound is 3.1 %.
    let run = Workload { rounds: 3, requests: 32, concurrency: 8, max_tokens: 96, ..Workload::default() };
    let run = Workload { baseline: "--ttft 1ms --itl 50us --noise 0.02".into(), ..run };
    let run = run.candidate("honest", "--noise 0.026").candidate("int4", "--noise 0.02 --weights int4").graded(32);
    let calibration = format!("[equivalence]\nsample = 32\nconfirm = 1\ncalibration = [\"{}\"]\n", bundle.id);
    Workload { equivalence: calibration, ..run }
}

#[test]
fn a_verdict_rests_on_the_controls_that_its_workload_names() {
    let lab = Lab::new();
    let controls = controls(&lab);
    let before = lab.runs();
    let run = lab.run(&calibrated_by(&controls));
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let own: Vec<String> =
        lab.runs().iter().filter(|run| !before.contains(run)).map(|run| run.display().to_string()).collect();
    let judge = |more: &[&str]| {
        let arguments: Vec<&str> = ["judge", "--json"].into_iter().chain(own.iter().map(String::as_str)).collect();
        lab.bench(&[&arguments, more].concat())
    };
    // The bundles of the calibration are found beside, or named: the same bytes.
    let found = judge(&[]);
    let calibration: Vec<String> = before.iter().map(|run| run.display().to_string()).collect();
    let named = judge(&calibration.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((code(&found), &found.stdout), (30, &named.stdout), "{}", stderr(&found));

    let judgement: serde_json::Value = serde_json::from_str(&stdout(&found)).unwrap();
    let verdict = |name: &str| {
        let all = judgement["candidates"].as_array().unwrap();
        let candidate = all.iter().find(|c| c["name"] == name).unwrap();
        (candidate["verdict"].as_str().unwrap().to_owned(), candidate["provisional"].as_bool().unwrap())
    };
    assert_eq!(verdict("honest"), ("equivalent".to_owned(), false), "{judgement:#}");
    assert_eq!(verdict("int4"), ("altered".to_owned(), false));
    let floor = &judgement["tolerance"]["calibrated"];
    assert_eq!(floor["bundles"][0], controls.id.to_string());
    let names = |kind: &str| floor[kind].as_array().unwrap().iter().map(|c| c["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names("positive"), ["baseline", "batch-1", "batch-64", "eager", "split-kv", "tensor-parallel"]);
    let found = |name: &str| {
        let control = floor["negative"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap();
        control["requests_to_suspect"].is_u64()
    };
    assert!(found("int4") && found("drop-layer"), "{floor:#}");

    // Elsewhere nobody finds it, and without it nothing is judged.
    for path in &before {
        std::fs::remove_dir_all(path).unwrap();
    }
    let gone = judge(&[]);
    assert_eq!(code(&gone), 21);
    assert!(stderr(&gone).contains(&controls.id.to_string()), "{}", stderr(&gone));
}
