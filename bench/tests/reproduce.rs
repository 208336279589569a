//! A run that is made once more, or computed again from its bundles.
#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::Path, process::Output};

use lab::bundle::{File, MANIFEST, Manifest, WORKLOAD};
use support::{Lab, Workload, code, stderr, stdout};

/// Servers slow enough that a busy machine does not hide their speeds.
fn workload(rounds: u32) -> Workload {
    let baseline = "--ttft 30ms --itl 3ms".into();
    Workload { baseline, rounds, requests: 4, concurrency: 4, max_tokens: 16, ..Workload::default() }
        .candidate("fast", "--ttft 15ms --itl 1500us")
}

/// Runs it, and gives the run's folder.
fn measured(lab: &Lab, workload: &Workload) -> String {
    let output = lab.run(workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let run = lab.runs().into_iter().find(|run| !run.to_string_lossy().ends_with("-grade"));
    run.unwrap().display().to_string()
}

/// `x.toml` is not in `workloads/`, so it is named.
fn again(lab: &Lab, run: &str) -> Output {
    lab.bench(&["reproduce", run, "--trust-commands", "--workload", "x.toml", "--json"])
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_str(&stdout(output)).unwrap_or_else(|e| panic!("{e}: {}", stderr(output)))
}

/// Changes a file of a bundle and seals it again, as a forger would.
fn forge(bundle: &str, file: &str, change: impl Fn(String) -> String) {
    let (folder, path) = (Path::new(bundle), Path::new(bundle).join(file));
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    fs::write(&path, changed).unwrap();
    let mut manifest = Manifest::from_json(&fs::read_to_string(folder.join(MANIFEST)).unwrap()).unwrap();
    manifest.files = manifest
        .files
        .into_iter()
        .map(|File { path, .. }| {
            let (sha256, size) = lab::Digest::of_file(&folder.join(&path)).unwrap();
            File { path, size, sha256 }
        })
        .collect();
    fs::write(folder.join(MANIFEST), manifest.to_json()).unwrap();
}

/// The digests of a forged workload where the plan and the run name them.
fn forge_workload(bundle: &str, change: impl Fn(String) -> String) {
    let digest = |file: &str| lab::Digest::of_file(&Path::new(bundle).join(file)).unwrap().0.to_string();
    let (workload, plan) = (digest(WORKLOAD), digest("plan.json"));
    forge(bundle, WORKLOAD, change);
    forge(bundle, "plan.json", |text| text.replace(&workload, &digest(WORKLOAD)));
    forge(bundle, "run.json", |text| text.replace(&plan, &digest("plan.json")));
}

#[test]
fn a_run_of_test_servers_is_reproduced_and_another_speed_contradicts() {
    let lab = Lab::new();
    let run = measured(&lab, &workload(6));
    let output = again(&lab, &run);
    let found = json(&output);
    // Whether a margin of 5 % is shown depends on how busy the machine is; a contradiction would be wrong.
    assert!([0, 42].contains(&code(&output)), "{found:#}");
    assert_eq!(lab.runs().len(), 2, "the new run is sealed beside");
    let fast = &found["candidates"][0];
    assert_eq!((fast["name"].as_str(), fast["verdicts"][0] == fast["verdicts"][1]), (Some("fast"), true));
    assert_eq!(found["baseline_outputs"]["same"], found["baseline_outputs"]["compared"], "no noise, the same tokens");
    assert_eq!(found["baseline_outputs"]["compared"], 6 * 2 * 4);
    assert_eq!(found["unequal"].as_array().unwrap().len(), 0);
    assert_eq!(found["rerun"].as_array().unwrap().len(), 1);

    // The same bundle with a candidate that is said to be another: four times as slow.
    let slower = |text: String| text.replace("\"15ms\"", "\"60ms\"").replace("\"1500us\"", "\"6000us\"");
    forge_workload(&run, slower);
    lab.write("x.toml", &fs::read_to_string(Path::new(&run).join(WORKLOAD)).unwrap());
    let output = again(&lab, &run);
    let found = json(&output);
    assert_eq!((code(&output), found["word"].as_str()), (40, Some("contradicted")), "{found:#}");
    assert_eq!(found["candidates"][0]["word"], "contradicted");
}

#[test]
fn two_rounds_show_nothing() {
    let lab = Lab::new();
    let run = measured(&lab, &workload(2));
    let output = again(&lab, &run);
    assert_eq!(code(&output), 42, "{}", stdout(&output));
    assert!(json(&output)["candidates"][0]["why"].as_str().unwrap().contains("fewer rounds than a claim needs"));
}

#[test]
fn nothing_of_a_foreign_bundle_is_started_unless_it_is_trusted() {
    let lab = Lab::new();
    let run = measured(&lab, &Workload { rounds: 1, ..workload(1) });
    let touched = lab.path("touched");
    let command = format!("command = [\"/bin/sh\", \"-c\", \"touch {} # {{port}}\"]\n#", touched.display());
    forge_workload(&run, |text| text.replacen("command = ", &command, 1));
    let output = lab.bench(&["reproduce", &run, "--workload", &format!("{run}/workload.toml")]);
    assert_eq!(code(&output), 10, "{}", stderr(&output));
    for part in ["is a command: [\\\"/bin/sh\\\", \\\"-c\\\"", "--trust-commands"].map(|p| p.replace('\\', "")) {
        assert!(stderr(&output).contains(&part), "{part}: {}", stderr(&output));
    }
    assert!(!touched.exists());
    // It is the flag that held it off, once the bundle says that it ran that program.
    let digest = |path: &str| lab::Digest::of_file(path.as_ref()).unwrap().0.to_string();
    for trial in lab::bundle::Bundle::open(Path::new(&run)).unwrap().plan().unwrap().trials {
        if trial.arm == "baseline" {
            let file = format!("trials/{}/trial.json", trial.folder());
            forge(&run, &file, |text| text.replace(&digest(env!("CARGO_BIN_EXE_bench")), &digest("/bin/sh")));
        }
    }
    lab.bench(&["reproduce", &run, "--workload", &format!("{run}/workload.toml"), "--trust-commands"]);
    assert!(touched.exists());
}

#[test]
fn the_built_in_servers_commands_are_no_exception_and_paths_of_a_bundle_are_not_followed() {
    let lab = Lab::new();
    let run = measured(&lab, &workload(1));
    let output = lab.bench(&["reproduce", &run]);
    assert_eq!(code(&output), 10);
    assert!(stderr(&output).contains("is a command: [\"{bench}\", \"stub\""), "{}", stderr(&output));
    let output = lab.bench(&["reproduce", &run, "--trust-commands"]);
    assert_eq!(code(&output), 11);
    assert!(stderr(&output).contains("--model toy=PATH"), "{}", stderr(&output));
    let nowhere = format!("toy={}", lab.path("nowhere").display());
    let output = lab.bench(&["reproduce", &run, "--trust-commands", "--model", &nowhere]);
    assert_eq!(code(&output), 11);
    assert!(stderr(&output).contains("the weights of toy (tree digest sha256:"), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("verified: "), "what is known is told: {}", stdout(&output));
    let output = lab.bench(&["reproduce", &run, "--trust-commands", "--model", "other=/"]);
    assert_eq!(code(&output), 10);
    assert_eq!(lab.runs().len(), 1, "nothing was run");
}

#[test]
fn another_machine_and_other_weights_are_not_comparable() {
    let lab = Lab::new();
    let run = measured(&lab, &workload(1));
    let other = lab.path("weights");
    fs::create_dir(&other).unwrap();
    for file in lab::digest::files_below(&support::model()).unwrap() {
        fs::copy(support::model().join(&file), other.join(&file)).unwrap();
    }
    fs::write(other.join("extra"), "one file more").unwrap();
    let weights = format!("toy={}", other.display());
    let output = lab.bench(&["reproduce", &run, "--trust-commands", "--model", &weights, "--json"]);
    assert_eq!((code(&output), &json(&output)["word"]), (41, &"not-comparable".into()));
    assert_eq!(json(&output)["unequal"][0]["field"], "model toy");

    let host = lab::bundle::Bundle::open(Path::new(&run)).unwrap().environments().unwrap().remove(0);
    let elsewhere = format!("\"cores\": {}", host.cores + 3);
    forge(&run, &format!("environments/{}.json", host.host), |text| {
        text.replace(&format!("\"cores\": {}", host.cores), &elsewhere)
    });
    let model = format!("toy={}", support::model().display());
    let output = lab.bench(&["reproduce", &run, "--trust-commands", "--model", &model]);
    assert_eq!(code(&output), 41, "{}", stderr(&output));
    assert!(stdout(&output).contains("has to be equal and is not: processors"), "{}", stdout(&output));
    assert_eq!(lab.runs().len(), 1, "nothing was run");
}

#[test]
fn offline_compares_the_published_report_byte_for_byte() {
    let lab = Lab::new();
    let run = measured(&lab, &workload(1));
    assert_eq!(code(&lab.bench(&["report", &run, "--out", "published"])), 0);
    let offline = || lab.bench(&["reproduce", "--offline", &run, "--against", "published"]);
    let output = offline();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("verdict: the same: verdicts.json"), "{}", stdout(&output));
    // A note is part of the report.
    let page = lab.path("published/report.md");
    let text = fs::read_to_string(&page).unwrap();
    let mark = text.lines().find(|line| line.starts_with("<!-- note")).unwrap().to_owned();
    fs::write(&page, text.replacen(&mark, &format!("{mark}\nSeen by a person."), 1)).unwrap();
    assert_eq!(code(&lab.bench(&["report", &run, "--out", "published"])), 0);
    assert_eq!(code(&offline()), 0);
    let verdicts = lab.path("published/verdicts.json");
    let text = fs::read_to_string(&verdicts).unwrap();
    fs::write(&verdicts, text.replacen("\"undecided\"", "\"equivalent\"", 1)).unwrap();
    let output = offline();
    assert_eq!(code(&output), 40);
    assert!(stdout(&output).contains("verdict: DIFFERS"), "{}", stdout(&output));
    fs::write(&verdicts, text.replacen(analysis::METHOD, "0.0.1", 1)).unwrap();
    assert_eq!(code(&offline()), 41);
    fs::write(Path::new(&run).join("plan.json"), "{}").unwrap();
    assert_eq!(code(&offline()), 20);
}

#[test]
fn the_published_verdicts_are_verified() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let results = root.join("results/2026-11-22");
    let (run, week) = (results.join("h100-container-vm-36e4de5e"), root.join("reports/2026/W47"));
    let (run, week) = (run.to_str().unwrap(), week.to_str().unwrap());
    let output = Lab::new().bench(&["reproduce", "--offline", run, "--against", week]);
    let text = stdout(&output);
    // Pages are made again at the end of any work on them; verdicts stay.
    for part in ["requests: the same: ", "plan: the same: ", "verdict: the same: verdicts.json"] {
        assert!(text.contains(part), "{part}: {text}{}", stderr(&output));
    }
}

#[test]
fn an_endpoint_is_not_reproduced_without_the_endpoint() {
    let (lab, options) =
        (Lab::new(), stub::Options::from_args(["--ttft", "1ms", "--itl", "100us", "--model-name", "toy"]).unwrap());
    let server = stub::start(options).unwrap();
    let own = Workload::default();
    lab.plan(&own);
    assert_eq!(code(&lab.bench(&["run", "x.toml", "--endpoint", &server.url()])), 0);
    let run = lab.bundle().path.display().to_string();
    let output = lab.bench(&["reproduce", &run, "--trust-commands"]);
    assert_eq!(code(&output), 41);
    assert!(
        stderr(&output).contains("baseline is an endpoint") && stderr(&output).contains("--offline"),
        "{}",
        stderr(&output)
    );
    assert_eq!(code(&lab.bench(&["reproduce", "--offline", &run])), 0);
    server.stop().unwrap();
}

#[test]
fn verify_says_which_pin_differs_between_two_runs() {
    let lab = Lab::new();
    let run = measured(&lab, &workload(1));
    let other = lab.path("results/2026-01-01/other");
    copy(Path::new(&run), &other);
    let other = other.to_str().unwrap();
    let same = lab.bench(&["verify", &run, other]);
    assert_eq!(code(&same), 0, "{}", stderr(&same));
    assert!(stdout(&same).contains("stack: the same stack"), "{}", stdout(&same));
    let host = lab::bundle::Bundle::open(Path::new(&run)).unwrap().environments().unwrap().remove(0);
    let nixpkgs = host.pins.unwrap().nixpkgs;
    forge(other, &format!("environments/{}.json", host.host), |text| text.replace(&nixpkgs, "sha256-another="));
    let differs = lab.bench(&["verify", &run, other]);
    assert_eq!(code(&differs), 0, "a difference is no error");
    let expected = format!("  differs: nixpkgs\n    A {nixpkgs}\n    B sha256-another=\n");
    assert!(stdout(&differs).contains(&expected), "{}", stdout(&differs));
    let told: serde_json::Value =
        serde_json::from_str(&stdout(&lab.bench(&["verify", &run, other, "--json"]))).unwrap();
    assert_eq!(told[0].get("stack"), None);
    assert_eq!(told[1]["stack"]["differs"].as_array().unwrap().len(), 1);
    assert_eq!(told[1]["stack"]["differs"][0]["field"], "nixpkgs");
}

fn copy(from: &Path, to: &Path) {
    for file in lab::digest::files_below(from).unwrap() {
        fs::create_dir_all(to.join(&file).parent().unwrap()).unwrap();
        fs::copy(from.join(&file), to.join(&file)).unwrap();
    }
}
