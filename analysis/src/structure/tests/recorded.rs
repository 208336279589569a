//! Streams that real servers sent, byte for byte, put through the same derivation and the same
//! checks: no honest server may trip one that can disqualify it.

use std::collections::BTreeSet;

use lab::{records::Outcome, tokenizer::Tokenizer, workload::Workload};

use super::super::{Answer, Asked, CHECKS, Consequence};
use crate::{
    study::{CountedFrom, Response},
    test_support::recorded::{response, tokenizer},
};

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
