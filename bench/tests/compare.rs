//! Two runs, or two arms, against each other; the sealed bundles of this repository.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use support::{Lab, code, stderr, stdout};

fn result(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("results/2026-11-22").join(name).display().to_string()
}

const CPU: &str = "cpu-vllm-vm-c638858a";
const GPU: &str = "h100-container-vm-36e4de5e";

#[test]
fn a_run_is_itself_and_its_verdicts_are_known_from_the_grade_beside_it() {
    let output = Lab::new().bench(&["compare", &result(CPU), &result(CPU), "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let found: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&found["paired"], found["differences"].as_array().unwrap().len()), (&true.into(), 0));
    let arms = found["arms"].as_array().unwrap();
    assert_eq!(arms.len(), 5);
    for arm in arms {
        for metric in arm["cells"][0]["metrics"].as_array().unwrap() {
            assert_eq!((&metric["identical"], &metric["ratio"]), (&true.into(), &serde_json::Value::Null));
        }
    }
    // Verdicts need the grade, which nobody named.
    let drop_layer = arms.iter().find(|a| a["a"] == "drop-layer").unwrap();
    assert_ne!(drop_layer["verdicts"][0], "equivalent");
    let small_batch = arms.iter().find(|a| a["a"] == "small-batch").unwrap();
    assert_eq!(small_batch["verdicts"][0], "equivalent");
}

#[test]
fn two_arms_of_a_run_are_said_in_words_first() {
    let arm = |name: &str| format!("{}:{name}", result(CPU));
    let output = Lab::new().bench(&["compare", &arm("small-batch"), &arm("llama-cpp")]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with(&format!("A is {CPU}:small-batch, B is {CPU}:llama-cpp.\n")), "{text}");
    // Four rounds are fewer than a claim needs.
    let unbroken = text.replace('\n', " ");
    assert!(unbroken.contains("not powered (4 rounds)"), "{text}");
    let (words, numbers) = (text.find("not powered").unwrap(), text.find("speed of A over B").unwrap());
    assert!(words < numbers);
}

#[test]
fn runs_of_different_contracts_are_refused_with_the_field_and_both_values() {
    let output = Lab::new().bench(&["compare", &result(CPU), &result(GPU)]);
    assert_eq!((code(&output), stdout(&output)), (21, String::new()));
    let text = stderr(&output);
    for part in ["model smollm2 is sha256:e5810845", "and none in h100-container", "GPUs, driver", "executor", "next: "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let lab = Lab::new();
    let output = lab.bench(&["compare", &format!("{}:nobody", result(CPU)), &result(CPU)]);
    assert_eq!(code(&output), 21);
    assert!(stderr(&output).contains("no arm of cpu-vllm-vm-c638858a is named `nobody`"), "{}", stderr(&output));
    assert_eq!(code(&lab.bench(&["compare", &result("none"), &result(CPU)])), 10);
}
