use std::path::Path;

use super::*;

const SMALL: &str = r#"name = "small"
[models.toy]
path = "toy"
[baseline]
command = ["server", "{port}"]
[candidates.fast]
command = ["server", "--fast", "{port}"]
[requests.prose]
seed = 1
words = 20
[sampling]
max_tokens = 16
[[load]]
name = "c4"
requests = 8
closed = { concurrency = 4 }
"#;

fn problem(change: impl Fn(&str) -> String) -> String {
    parse(&change(SMALL), Path::new("x.toml")).expect_err("this file is wrong").to_string()
}

#[test]
fn a_small_file_gets_the_documented_defaults() {
    let workload = parse(SMALL, Path::new("folder/x.toml")).unwrap();
    assert_eq!((workload.rounds, workload.warmup, workload.seed), (10, Warmup::Requests(4), 0));
    assert_eq!(workload.models["toy"].path, Path::new("folder/toy"));
    assert_eq!(
        workload.groups,
        [Group { model: "toy".into(), gpus: 0, candidates: vec!["fast".into()], loads: vec!["c4".into()] }]
    );
    assert_eq!(workload.requests_in_all(), 10 * (4 + 8));
}

#[test]
fn an_unknown_key_is_named_at_its_line() {
    let text = problem(|s| s.replace("max_tokens = 16", "max_tokens = 16\ntemprature = 0"));
    assert!(text.starts_with("x.toml:13") && text.contains("temprature") && text.contains("temperature"), "{text}");
}

#[test]
fn a_wrong_type_is_named_at_its_line() {
    let text = problem(|s| s.replace("requests = 8", "requests = \"eight\""));
    assert!(text.starts_with("x.toml:15") && text.contains("invalid type"), "{text}");
}

#[test]
fn a_response_longer_than_evidence_can_hold_is_refused() {
    let limit = |size: &str| SMALL.to_owned() + &format!("[limits]\nresponse = \"{size}\"\n");
    assert_eq!(parse(&limit("256MiB"), Path::new("x.toml")).unwrap().limits.response, LARGEST_RESPONSE);
    let text = problem(|_| limit("257MiB"));
    assert!(text.contains("limits.response") && text.ends_with("next: write 256MiB or less"), "{text}");
}

#[test]
fn a_tag_without_a_digest_is_refused() {
    let text =
        problem(|s| s.replace("command = [\"server\", \"--fast\", \"{port}\"]", "image = \"vllm/vllm-openai:latest\""));
    assert!(text.starts_with("x.toml:7") && text.contains("name@sha256:"), "{text}");
    assert!(text.ends_with("\n  next: bench check --pin x.toml"), "{text}");
}

#[test]
fn names_that_stand_twice_are_refused() {
    let text = problem(|s| format!("{s}[candidates.fast]\ncommand = [\"x\", \"{{port}}\"]\n"));
    assert!(text.contains("duplicate key"), "{text}");
    let text = problem(|s| format!("{s}[[load]]\nname = \"c4\"\nrequests = 1\nclosed = {{ concurrency = 1 }}\n"));
    assert!(text.contains("two loads are named `c4`"), "{text}");
}

#[test]
fn an_impossible_matrix_is_refused_with_the_names_there_are() {
    let text = problem(|s| format!("{s}[matrix]\nmodels = [\"tiny\"]\n"));
    assert_eq!(text, "x.toml:18: matrix.models: `tiny` is not declared\n  next: write one of toy");
    let text = problem(|s| format!("{s}[matrix]\nexclude = [{{ candidate = \"fast\" }}]\n"));
    assert!(text.contains("leave no candidate"), "{text}");
}

#[test]
fn a_command_without_a_port_is_refused() {
    let text = problem(|s| s.replace("\"--fast\", \"{port}\"", "\"--fast\""));
    assert!(text.starts_with("x.toml:7: candidates.fast.command: no argument holds {port}"), "{text}");
}

#[test]
fn more_requests_than_can_be_counted_are_refused() {
    let text = problem(|s| s.replace("requests = 8", "requests = 16777216") + "[rounds]\ncount = 1000\n");
    assert!(text.contains("are more than 67108864"), "{text}");
}

#[test]
fn a_misspelled_placeholder_is_refused_and_json_is_left_alone() {
    let text = problem(|s| s.replace("--fast", "{servedname}"));
    assert!(text.contains("{servedname} is no placeholder") && text.contains("{served_name}"), "{text}");
    let json = SMALL.replace("\"--fast\"", "'{\"a\": {}}'");
    assert!(parse(&json, Path::new("x.toml")).is_ok());
}

#[test]
fn a_duration_without_a_unit_is_refused() {
    let text = problem(|s| format!("{s}[limits]\nready = 30\n"));
    assert!(text.starts_with("x.toml:18") && text.contains("has no unit"), "{text}");
}

#[test]
fn looks_ascend_and_spend_no_more_than_five_percent() {
    let with = |looks: &str| format!("{SMALL}[rounds]\nlooks = [{looks}]\n");
    let good = "{ rounds = 12, alpha = 0.02 }, { rounds = 24, alpha = 0.02 }, { rounds = 36, alpha = 0.01 }";
    let workload = parse(&with(good), Path::new("x.toml")).unwrap();
    assert_eq!((workload.rounds, workload.looks.len(), workload.looks[2].rounds), (12, 3, 36));
    for (looks, says) in [
        ("{ rounds = 12, alpha = 0.03 }, { rounds = 24, alpha = 0.03 }", "they spend 0.06"),
        ("{ rounds = 24, alpha = 0.02 }, { rounds = 12, alpha = 0.02 }", "ascending"),
        ("{ rounds = 12, alpha = 0.02 }, { rounds = 12, alpha = 0.02 }", "ascending"),
        ("{ rounds = 12, alpha = 0.0 }", "not between 0 and 1"),
    ] {
        let text = problem(|_| with(looks));
        assert!(text.contains(says) && text.contains("rounds.looks"), "{looks}: {text}");
    }
    let text = problem(|_| with("{ rounds = 12, alpha = 0.02 }") + "count = 10\n");
    assert!(text.contains("the first look is after 12 rounds, a run has 10"), "{text}");
}

#[test]
fn a_blind_control_is_the_baseline_in_a_candidates_place() {
    let workload = parse(&format!("{SMALL}[rounds]\nblind_control = true\n"), Path::new("x.toml")).unwrap();
    assert_eq!(workload.groups[0].candidates, ["fast", BLIND_CONTROL]);
    assert_eq!(workload.arm(BLIND_CONTROL).unwrap().server, workload.baseline.server);
    let chosen = format!("{SMALL}[rounds]\nblind_control = true\n[matrix]\ncandidates = [\"fast\"]\n");
    let workload = parse(&chosen, Path::new("x.toml")).unwrap();
    assert_eq!(workload.groups[0].candidates, ["fast", BLIND_CONTROL], "no axis leaves it out");
    let text = problem(|s| s.replace("candidates.fast", "candidates.blind-control"));
    assert!(text.contains("kept for the blind control"), "{text}");
}

#[test]
fn a_configuration_is_named_for_honest_controls_only() {
    let fast = |lines: &str| SMALL.replace("[requests.prose]", &format!("{lines}\n[requests.prose]"));
    let workload = parse(&fast("control = \"positive\"\nconfiguration = \"eager\""), Path::new("x.toml")).unwrap();
    let arm = workload.arm("fast").unwrap();
    assert_eq!((arm.control, arm.configuration.as_deref()), (Some(Control::Positive), Some("eager")));
    for lines in ["configuration = \"eager\"", "control = \"negative\"\nconfiguration = \"eager\""] {
        assert!(problem(|_| fast(lines)).contains("only a positive control"), "{lines}");
    }
}

#[test]
fn a_tolerance_is_declared_or_calibrated_and_not_both() {
    let id = Digest::of("bundle");
    let with = |more: &str| format!("{SMALL}[equivalence]\nsample = 4\ncalibration = [{more}]\n");
    let workload = parse(&with(&format!("\"{id}\"")), Path::new("x.toml")).unwrap();
    assert_eq!(workload.calibration(), [id]);
    assert!(problem(|_| with(&format!("\"{id}\", \"{id}\""))).contains("stands twice"));
    let both = with(&format!("\"{id}\"")) + "tolerance = { cap_nats = 0.5, mean = 0.1, far = 0.1 }\n";
    assert!(problem(|_| both.clone()).contains("only one can hold"));
    let tiny = format!("{SMALL}[equivalence]\nsample = 4\ntolerance = {{ cap_nats = 0.5, mean = 1e-12, far = 0.1 }}\n");
    assert!(problem(|_| tiny.clone()).contains("between 10⁻⁹ and 1"));
}

#[test]
fn a_file_whose_calibration_names_no_bundle_is_refused_and_a_sealed_one_is_read() {
    let source = format!("{SMALL}[equivalence]\nsample = 4\ncalibration = []\n");
    assert!(parse(&source, Path::new("x.toml")).is_ok(), "bundles of before say so");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, source).unwrap();
    let text = read(&path).unwrap_err().to_string();
    let expected = "x.toml:19: equivalence.calibration: [] names no bundle\n  next: write the ids of measure bundles of controls, or remove it and declare equivalence.tolerance";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn a_score_is_one_of_the_named_modes() {
    let with = |more: &str| format!("{SMALL}[score]\n{more}\n");
    let workload = parse(&with("mode = \"v1-e2e\"\nmargin = 0.02"), Path::new("x.toml")).unwrap();
    assert_eq!((workload.score.mode.name(), workload.score.margin, workload.score.same_within), ("v1-e2e", 0.02, 0.05));
    assert!(problem(|_| with("mode = \"fastest\"")).contains("v1-aligned-tps"));
    assert!(problem(|_| with("margin = 1.5")).contains("score.margin"));
    assert!(problem(|_| with("same_within = 0.0")).contains("score.same_within"));
}
