//! From a run of controls to verdicts that rest on it.
#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::Path};

use lab::bundle::Bundle;
use support::{Lab, Workload, code, stderr, stdout};

/// The workload of controls that is shipped, with its model where a test finds it.
fn controls(lab: &Lab) -> Bundle {
    let shipped = include_str!("../../workloads/calibration.toml");
    let model = format!("{:?}", support::model());
    lab.write("controls.toml", &shipped.replace("\"../stub/model\"", &model));
    let check = lab.bench(&["check", "controls.toml"]);
    assert!(stdout(&check).contains("note: a run of controls: it calibrates others"), "{}", stdout(&check));
    let run = lab.bench(&["run", "controls.toml"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let bundle = lab.bundle();
    let said = stdout(&run);
    assert!(said.starts_with("calibration of 6 honest configurations: cap c "), "{said}");
    assert!(said.contains(&format!("  calibration = [\"{}\"]\n", bundle.id)) && !said.contains("undecided"), "{said}");
    assert!(said.contains("\nint4             altered control  "), "{said}");
    bundle
}

/// The commands that a report prints, run as they stand in a shell.
fn reproduce(lab: &Lab, report: &str) {
    let commands: Vec<&str> = report
        .split("## Reproduce this report")
        .nth(1)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    let bench = Path::new(env!("CARGO_BIN_EXE_bench")).parent().unwrap();
    let path = format!("{}:{}", bench.display(), std::env::var("PATH").unwrap());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &commands.join("\n")]).env("PATH", path).current_dir(lab.folder.path());
    let done = shell.output().unwrap();
    assert_eq!(code(&done), 0, "{}\n{}\n{}", commands.join("\n"), stdout(&done), stderr(&done));
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn calibrated_by(bundle: &Bundle) -> Workload {
    // Ninety-six graded requests of each: with none far the bound is 3.1 %.
    let run = Workload { rounds: 3, requests: 32, concurrency: 8, max_tokens: 96, ..Workload::default() };
    let run = Workload { baseline: "--ttft 1ms --itl 50us --noise 0.02".into(), ..run };
    let run = run.candidate("honest", "--noise 0.018").candidate("int4", "--noise 0.02 --weights int4").graded(32);
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

    // Its report lists them, and the commands that it prints make the same report.
    let report = fs::read_dir(lab.path("reports")).unwrap().flatten().flat_map(|day| fs::read_dir(day.path()).unwrap());
    let report =
        report.flatten().map(|run| run.path()).find(|run| run.display().to_string().contains("/test-")).unwrap();
    let text = fs::read_to_string(report.join("report.md")).unwrap();
    assert!(text.contains(&format!("| calibration | measure | `{}`", name(&controls.path))), "{text}");
    assert!(text.contains("| calibration | grade | ") && text.contains(&controls.id.to_string()));
    reproduce(&lab, &text);
    for file in lab::digest::files_below(&report).unwrap() {
        assert_eq!(fs::read(report.join(&file)).unwrap(), fs::read(lab.path("report").join(&file)).unwrap(), "{file}");
    }

    // Elsewhere nobody finds it, and without it nothing is judged.
    for path in &before {
        std::fs::remove_dir_all(path).unwrap();
    }
    let gone = judge(&[]);
    assert_eq!(code(&gone), 21);
    assert!(stderr(&gone).contains(&controls.id.to_string()), "{}", stderr(&gone));
}
