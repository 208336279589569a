//! The scores and gates of V1 against Python's own `statistics` and `difflib` (`oracles/v1.py`).
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use stats::score::*;

/// The rows of one table.
fn table(name: &str) -> Vec<Value> {
    let tables: Value = serde_json::from_str(include_str!("../oracles/v1.json")).unwrap();
    let rows = tables[name].as_array().unwrap().clone();
    assert!(rows.len() >= 18, "{name} has become thin");
    rows
}

/// A score computed from whole nanoseconds, against one from seconds: both round a few times.
#[track_caller]
fn same(what: &str, ours: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((ours - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{what}: {ours}, not {expected}");
}

struct Answer {
    first: u64,
    last: u64,
    entries: Vec<u64>,
}

impl Answer {
    fn of(value: &Value) -> Self {
        let at = |key: &str| value[key].as_u64().unwrap();
        let entries = value["entries"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        Answer { first: at("first"), last: at("last"), entries }
    }

    fn stream(&self) -> Stream<'_> {
        Stream { first_content_ns: self.first, last_content_ns: self.last, entries_ns: &self.entries }
    }
}

#[test]
fn the_three_scores_agree_with_python_to_twelve_digits() {
    for row in table("scores") {
        let answers =
            |side: &str| row["prompts"].as_array().unwrap().iter().map(|p| Answer::of(&p[side])).collect::<Vec<_>>();
        let (baseline, miner) = (answers("baseline"), answers("miner"));
        let pairs: Vec<Pair<'_>> =
            baseline.iter().zip(&miner).map(|(b, m)| Pair { baseline: b.stream(), candidate: m.stream() }).collect();
        same("launch", v1_launch(&pairs).unwrap(), &row["launch"]);
        same("aligned", v1_aligned_tps(&pairs).unwrap(), &row["aligned"]);
        same("e2e", v1_e2e(&pairs).unwrap(), &row["e2e"]);
    }
}

#[test]
fn the_gates_on_tokens_decide_as_in_python() {
    for row in table("tokens") {
        let words = |side: &str| row[side].as_str().unwrap().split_whitespace().collect::<Vec<_>>();
        let (base, miner) = (words("base"), words("miner"));
        let mut tops = vec![Vec::new(); miner.len()];
        for entry in row["tops"].as_array().unwrap() {
            let top = entry[1].as_array().unwrap().iter();
            let top = top.map(|t| Top { token: t[0].as_str().unwrap().into(), logprob: t[1].as_f64().unwrap() });
            tops[entry[0].as_u64().unwrap() as usize] = top.collect();
        }
        assert_eq!(match_rate(&base, &miner), row["rate"].as_f64().unwrap(), "{row}");
        assert_eq!(near_ties(&base, &miner, &tops), row["may_4"].as_bool().unwrap(), "{row}");
        assert_eq!(first_divergence(&base, &miner, &tops), row["may_8"].as_bool().unwrap(), "{row}");
    }
}

#[test]
fn the_reference_gate_decides_as_in_python() {
    for row in table("forced") {
        let logprobs: Vec<f64> = row["logprobs"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let ours = teacher_forcing(&logprobs).unwrap();
        same("mean", ours.mean, &row["mean"]);
        assert_eq!((ours.least, ours.passes()), (row["least"].as_f64().unwrap(), row["passes"].as_bool().unwrap()));
    }
}

#[test]
fn similarity_is_difflibs_ratio_to_the_bit() {
    for row in table("similarity") {
        let text = |side: &str| row[side].as_str().unwrap();
        assert_eq!(similarity(text("base"), text("miner")), row["ratio"].as_f64(), "{row}");
    }
}
