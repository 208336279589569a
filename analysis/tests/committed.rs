//! The sealed bundles of this repository, written by older versions, still are what they say,
//! and the verdicts that were published from them still hold, number by number.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Each value of `before` that is not the same in `now`. What is new is not in `before`.
fn changed(before: &Value, now: &Value, place: &str, found: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(fields), Value::Object(others)) => {
            for (name, value) in fields.iter().filter(|(name, _)| !["format", "method"].contains(&name.as_str())) {
                match others.get(name) {
                    Some(other) => changed(value, other, &format!("{place}.{name}"), found),
                    None => found.push(format!("{place}.{name} is gone")),
                }
            }
        }
        // Metrics are added at the end.
        (Value::Array(values), Value::Array(others)) => {
            for (i, value) in values.iter().enumerate() {
                let key = |v: &Value| v.get("metric").or(v.get("name")).cloned();
                let same = others.iter().find(|o| key(value).is_some() && key(o) == key(value)).or(others.get(i));
                changed(value, same.unwrap_or(&Value::Null), &format!("{place}[{i}]"), found);
            }
        }
        _ if before == now => {}
        _ => found.push(format!("{place}: {before} became {now}")),
    }
}

#[test]
fn old_bundles_verify_and_keep_their_verdicts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = "cpu-vllm-vm-c638858a";
    let paths: Vec<PathBuf> = ["", "-grade"].map(|end| root.join(format!("results/2026-11-22/{run}{end}"))).into();
    for verified in analysis::verify_set(&paths).unwrap() {
        assert_eq!(verified.findings, [], "{}", verified.path.display());
    }
    let judgement = analysis::judge(&analysis::Study::open(&paths).unwrap());
    let published = std::fs::read_to_string(root.join(format!("reports/2026/W47/{run}/verdicts.json"))).unwrap();
    // Both through the same reader of numbers.
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut found = Vec::new();
    changed(&read(&published), &read(&serde_json::to_string(&judgement).unwrap()), "", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_energy_of_a_token_is_that_of_the_gpus_own_counters() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let bundle = root.join("results/2026-11-22/h100-container-vm-36e4de5e");
    let judgement = analysis::judge(&analysis::Study::open(&[bundle]).unwrap());
    // Joules and seconds of the load phases, from telemetry.csv and trial.json with Python's csv
    // and json: straight lines between the samples around each phase's start and end.
    for (arm, joules, seconds) in
        [("baseline", 36_541.456_735_713_61, 52.608_236_085), ("half", 9_067.960_068_345_037, 13.213_516_508)]
    {
        let facts = judgement.loads.iter().find(|f| f.arm == arm).unwrap();
        let power = facts.joules_per_token.unwrap() * facts.tokens_per_s.unwrap();
        assert!((power / (joules / seconds) - 1.0).abs() < 1e-9, "{arm}: {power} W, not {}", joules / seconds);
        assert_eq!(facts.cost_per_million_tokens, None, "nobody named a price");
    }
}
