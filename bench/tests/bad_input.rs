//! What a person can fix is said with file, line, field, value and next step.
#![allow(clippy::unwrap_used)]

mod support;

use support::{Lab, code, stderr, stdout};

const GOOD: &str = r#"name = "x"
[models.toy]
path = "MODEL"
[baseline]
command = ["{bench}", "stub", "--port", "{port}"]
[candidates.a]
command = ["{bench}", "stub", "--port", "{port}"]
[requests.prose]
seed = 1
words = 9
[sampling]
max_tokens = 4
[[load]]
name = "c1"
requests = 1
closed = { concurrency = 1 }
"#;

fn check(from: &str, to: &str) -> (i32, String) {
    let lab = Lab::new();
    assert!(GOOD.contains(from), "{from}");
    lab.write("x.toml", &GOOD.replace(from, to).replace("MODEL", &support::model().display().to_string()));
    let output = lab.bench(&["check", "x.toml"]);
    (code(&output), stderr(&output))
}

#[test]
fn a_good_file_is_good() {
    assert_eq!(check("seed = 1", "seed = 1").0, 0);
}

#[test]
fn each_mistake_has_its_line_and_its_next_step() {
    for (from, to, expected) in [
        ("seed = 1", "sead = 1", "x.toml:9: "),
        ("words = 9", "words = \"nine\"", "x.toml:10: "),
        (
            "max_tokens = 4",
            "max_tokens = 0",
            "x.toml:12: sampling.max_tokens: 0 is not between 1 and 1048576\n  next: write a number in that range",
        ),
        ("requests = 1\n", "requests = -1\n", "x.toml:15: "),
        ("closed = { concurrency = 1 }", "", "load `c1` has no shape\n  next: add closed"),
        ("[candidates.a]", "[candidates.baseline]", "cannot have the baseline's name"),
        ("[candidates.a]", "[candidates.\"../a\"]", "cannot be a name"),
        (
            "[requests.prose]\nseed = 1\nwords = 9",
            "[requests.file]\npath = \"none.jsonl\"\ndigest = \"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
            "none.jsonl: cannot read the request set",
        ),
        (
            "command = [\"{bench}\", \"stub\", \"--port\", \"{port}\"]\n[requests",
            "image = \"miner/server:latest\"\n[requests",
            "next: bench check --pin x.toml",
        ),
    ] {
        let (code, text) = check(from, to);
        assert_eq!(code, 10, "{to}: {text}");
        assert!(text.contains(expected), "{to}: {text}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let lab = Lab::new();
    let output = lab.bench(&["run", "nowhere.toml"]);
    assert_eq!(code(&output), 10);
    assert!(stderr(&output).contains("nowhere.toml: cannot read the workload file"), "{}", stderr(&output));
}

#[test]
fn a_model_that_is_not_there_is_this_machines_problem_and_nothing_is_written() {
    let lab = Lab::new();
    lab.write("x.toml", &GOOD.replace("MODEL", "nowhere"));
    let output = lab.bench(&["run", "x.toml"]);
    assert_eq!(code(&output), 11, "{}", stderr(&output));
    assert!(stderr(&output).contains("next: put the model's folder there"), "{}", stderr(&output));
    assert!(lab.runs().is_empty());
}

#[test]
fn a_plan_is_the_same_bytes_every_time() {
    let lab = Lab::new();
    lab.write("x.toml", &GOOD.replace("MODEL", "nowhere"));
    let plan = || stdout(&lab.bench(&["plan", "x.toml", "--json"]));
    assert!(plan().contains("\"trials\""));
    assert_eq!(plan(), plan());
}

#[test]
fn wrong_arguments_are_usage() {
    assert_eq!(code(&Lab::new().bench(&["plan"])), 2);
}

#[test]
fn a_request_file_may_hold_more_than_a_run_takes() {
    let lab = Lab::new();
    let line =
        |id: u32| format!("{{\"id\":{id},\"messages\":[{{\"role\":\"user\",\"content\":\"Question {id}?\"}}]}}\n");
    let set: String = (0..60).map(line).collect();
    lab.write("set.jsonl", &set);
    let from = "[requests.prose]\nseed = 1\nwords = 9";
    let to = format!("[requests.file]\npath = \"set.jsonl\"\ndigest = \"{}\"", lab::Digest::of(&set));
    let named = "\"{port}\", \"--model-name\", \"{served_name}\"]";
    let text = GOOD.replace(from, &to).replace("MODEL", &support::model().display().to_string());
    let text = text.replace("\"{port}\"]", named);
    lab.write("x.toml", &(text + "[rounds]\ncount = 2\n"));
    let output = lab.bench(&["run", "x.toml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(code(&lab.bench(&["verify", &lab.bundle().path.display().to_string()])), 0);
}
