//! Streams that real servers sent, byte for byte, put through the same derivation and the same
//! checks: no honest server may trip one that can disqualify it.

use std::{collections::BTreeSet, path::PathBuf};

use lab::{
    Nanos,
    records::{Exchange, Outcome, Read},
    tokenizer::Tokenizer,
    wire::End,
    workload::Workload,
};

use super::super::{Answer, Asked, CHECKS, Consequence};
use crate::study::{CountedFrom, Response};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_bytes(&std::fs::read(folder().join("tokenizer.json")).unwrap()).unwrap()
}

fn response(name: &str, tokenizer: &Tokenizer) -> Response {
    let bytes = std::fs::read(folder().join(format!("{name}.response.http"))).unwrap();
    let timing = std::fs::read_to_string(folder().join(format!("{name}.timing.tsv"))).unwrap();
    let reads: Vec<Read> = timing
        .lines()
        .skip(1)
        .map(|line| {
            let numbers: Vec<u64> = line.split('\t').map(|n| n.parse().unwrap()).collect();
            Read { at: Nanos(numbers[0]), len: numbers[2] as usize, behind: Nanos(0) }
        })
        .collect();
    let end_ns = reads.last().unwrap().at;
    let exchange = Exchange {
        request: 0,
        phase: "c1".into(),
        intended_ns: Nanos(0),
        started_ns: None,
        sent_ns: Nanos(0),
        end: End::Complete,
        end_ns,
        reads,
        bytes,
    };
    let (row, chunks) = exchange.rows(&exchange.derive());
    Response::read(&row, &chunks.iter().collect::<Vec<_>>(), tokenizer)
}

fn workload(max_tokens: u32, ignore_eos: bool) -> Workload {
    let source = format!(
        "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{{port}}\"]\n[candidates.c]\ncommand = [\"s\", \"{{port}}\"]\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = {max_tokens}\nignore_eos = {ignore_eos}\n[[load]]\nname = \"c1\"\nrequests = 1\nclosed = {{ concurrency = 1 }}\n"
    );
    lab::workload::parse(&source, "x.toml".as_ref()).unwrap()
}

/// Codes of the checks that a response violates.
fn violated(response: &Response, workload: &Workload, tokenizer: &Tokenizer, prompt: Option<u64>) -> Vec<&'static str> {
    let ends = BTreeSet::from([2]);
    let most_tokens = workload.sampling.max_tokens;
    let asked = Asked { response, workload, most_tokens, tokenizer, ends: &ends, prompt, beside: vec![response] };
    let bad = |rule: &&super::super::Rule| matches!((rule.ask)(&asked), Answer::Violated(_));
    CHECKS.iter().filter(bad).map(|rule| rule.code).collect()
}

/// Name, max_tokens and ignore_eos of the request, our count, and what it rests on.
const RECORDED: &[(&str, u32, bool, u32, CountedFrom)] = &[
    ("vllm-h100/ids", 24, false, 8, CountedFrom::Ids),
    ("vllm-h100/all", 24, false, 8, CountedFrom::Ids),
    ("vllm-h100/unicode", 40, false, 23, CountedFrom::Ids),
    ("vllm-h100/ignore_eos", 20, true, 20, CountedFrom::Ids),
    ("vllm-h100/length", 3, false, 3, CountedFrom::Text),
    ("vllm-h100/plain", 24, false, 7, CountedFrom::Text),
    ("vllm-cpu/ids", 24, false, 8, CountedFrom::Ids),
    ("vllm-cpu/ignore_eos", 20, true, 20, CountedFrom::Ids),
    ("vllm-cpu/merged_unicode", 40, false, 11, CountedFrom::Ids),
    ("vllm-cpu/merged_ignore_eos", 20, true, 20, CountedFrom::Ids),
    ("llama.cpp/usage", 24, false, 24, CountedFrom::Text),
    ("llama.cpp/length", 3, false, 3, CountedFrom::Text),
    ("llama.cpp/ignore_eos", 20, true, 20, CountedFrom::Text),
    ("llama.cpp/unicode", 40, false, 22, CountedFrom::Ids),
    ("llama.cpp/all", 24, false, 24, CountedFrom::Ids),
];

#[test]
fn no_recorded_server_trips_a_check_that_has_a_consequence() {
    let tokenizer = tokenizer();
    for (name, max_tokens, ignore_eos, tokens, counted_from) in RECORDED {
        let response = response(name, &tokenizer);
        assert_eq!(response.outcome, Outcome::Complete, "{name}");
        assert_eq!((response.tokens(), response.counted_from), (*tokens, *counted_from), "{name}: {response:?}");
        let prompt = response.claimed_prompt;
        let violated = violated(&response, &workload(*max_tokens, *ignore_eos), &tokenizer, prompt);
        let serious = |code: &&str| CHECKS.iter().any(|r| r.code == *code && r.consequence != Consequence::Information);
        assert_eq!(violated.iter().filter(|c| serious(c)).collect::<Vec<_>>(), [&""; 0], "{name}");
    }
}

#[test]
fn a_stop_string_shifts_text_and_disqualifies_nobody() {
    let tokenizer = tokenizer();
    let response = response("vllm-h100/stop_string", &tokenizer);
    let violated = violated(&response, &workload(24, false), &tokenizer, None);
    let altered = |code: &&str| CHECKS.iter().any(|r| r.code == *code && r.consequence == Consequence::Altered);
    assert!(!violated.iter().any(altered), "{violated:?}");
}

#[test]
fn times_of_a_recorded_stream_are_those_of_its_reads() {
    let tokenizer = tokenizer();
    let response = response("vllm-h100/ids", &tokenizer);
    let first = response.ttft().unwrap();
    assert!(response.head_ns.unwrap() < first, "headers come long before the first token");
    assert_eq!(response.reach(1), Some(first));
    assert!(response.steps.windows(2).all(|w| w[0].tokens <= w[1].tokens));
    assert_eq!(response.tpot().unwrap().0, ((response.e2el().0 - first.0) + 3) / 7);
}
