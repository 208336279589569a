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
