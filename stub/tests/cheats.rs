//! What each cheat does, beside what an honest server does.
#![allow(clippy::unwrap_used)]

mod client;

use std::time::{Duration, Instant};

use client::{Reply, chat, get, post, server};
use serde_json::{Value, json};
use stub::tokens::Tokens;

const QUESTION: &str = "What did the old captain find on the island?";

fn honest(max_tokens: usize, more: Value) -> Reply {
    chat(&server(&[]), QUESTION, max_tokens, more)
}

fn cheat(mode: &str, max_tokens: usize, more: Value) -> Reply {
    chat(&server(&["--mode", mode]), QUESTION, max_tokens, more)
}

/// How many ids two answers share from their start.
fn shared(one: &Reply, two: &Reply) -> usize {
    one.ids().iter().zip(two.ids()).take_while(|(one, two)| **one == *two).count()
}

fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (act(), start.elapsed())
}

#[test]
fn an_honest_answer_repeats_itself_and_its_text_is_that_of_its_ids() {
    let (one, two) = (honest(80, json!({})), honest(80, json!({})));
    assert_eq!(one.ids(), two.ids());
    assert_eq!(one.ids().len(), 80);
    assert_eq!(one.content(), Tokens::shared().decode(&one.ids()));
    assert_eq!(one.usage()["completion_tokens"], 80);
    assert_eq!(one.finish().as_deref(), Some("length"));
}

#[test]
fn garbage_without_logprobs_is_honest_when_logprobs_are_asked_for() {
    let plain = cheat("garbage-without-logprobs", 40, json!({}));
    assert!(shared(&plain, &honest(40, json!({}))) < 3);
    let more = json!({"logprobs": true});
    let asked = cheat("garbage-without-logprobs", 40, more.clone());
    assert_eq!(asked.ids(), honest(40, more).ids());
}

#[test]
fn two_then_garbage_shares_two_tokens() {
    assert_eq!(shared(&cheat("two-then-garbage", 40, json!({})), &honest(40, json!({}))), 2);
}

#[test]
fn an_audit_aware_server_is_honest_only_to_audits() {
    let server = server(&["--mode", "audit-aware"]);
    let timed = chat(&server, QUESTION, 40, json!({}));
    assert!(shared(&timed, &honest(40, json!({}))) < 3);
    let audit = chat(&server, QUESTION, 40, json!({"logprobs": true}));
    assert_eq!(audit.ids(), honest(40, json!({})).ids());
    let whole = chat(&server, QUESTION, 40, json!({"stream": false})).json();
    assert_eq!(whole["choices"][0]["token_ids"], json!(audit.ids()));
}

#[test]
fn forged_ties_claim_a_gap_of_a_few_hundredths() {
    let reply = cheat("forged-ties", 40, json!({"logprobs": true, "top_logprobs": 5}));
    assert!(shared(&reply, &honest(40, json!({}))) < 3);
    for chunk in reply.chunks() {
        for entry in chunk["choices"][0]["logprobs"]["content"].as_array().into_iter().flatten() {
            let top = entry["top_logprobs"].as_array().unwrap();
            assert_eq!(top.len(), 5);
            let gap = top[0]["logprob"].as_f64().unwrap() - entry["logprob"].as_f64().unwrap();
            assert!(gap < 0.05, "{gap}");
            assert!(top.iter().any(|one| one["token"] == entry["token"]));
        }
    }
}

#[test]
fn spam_goes_on_past_the_end_of_the_answer() {
    let short = ["--mean-tokens", "20"];
    let honest = chat(&server(&short), QUESTION, 400, json!({}));
    let spam = server(&[&short[..], &["--mode", "spam-past-end"]].concat());
    let spam = chat(&spam, QUESTION, 400, json!({}));
    assert_eq!(honest.finish().as_deref(), Some("stop"));
    assert_eq!((spam.ids().len(), spam.finish().as_deref()), (400, Some("length")));
    assert!(spam.content().starts_with(&honest.content()));
}

#[test]
fn stuffed_logprobs_hide_in_one_chunk_after_145_words() {
    let reply = cheat("stuffed-logprobs", 512, json!({"logprobs": true}));
    let entries = |chunk: &Value| chunk["choices"][0]["logprobs"]["content"].as_array().map_or(0, Vec::len);
    let counts: Vec<usize> = reply.chunks().iter().map(entries).filter(|n| *n > 0).collect();
    assert_eq!(counts.len(), 146);
    assert_eq!(counts.last(), Some(&(512 - 145)));
    assert_eq!(reply.content(), honest(145, json!({})).content());
}

#[test]
fn truncation_keeps_26_percent_and_says_stop_or_length() {
    let stopped = cheat("truncate", 100, json!({}));
    assert_eq!((stopped.ids().len(), stopped.finish().as_deref()), (26, Some("stop")));
    let cut = cheat("truncate-length", 100, json!({}));
    assert_eq!((cut.ids().len(), cut.finish().as_deref()), (26, Some("length")));
    assert_eq!(shared(&cut, &honest(100, json!({}))), 26);
}

#[test]
fn counts_can_lie() {
    let ask = json!({"prompt": "The capital of France is"});
    let count = |args: &[&str]| post(&server(args), "/tokenize", &ask).json()["count"].as_u64();
    let honest_count = count(&[]).unwrap();
    assert_eq!(count(&["--mode", "lying-tokenize"]), Some(honest_count / 2));
    let lying = cheat("lying-usage", 40, json!({}));
    assert_eq!((lying.ids().len(), lying.usage()["completion_tokens"].clone()), (40, json!(60)));
}

#[test]
fn lying_ids_are_right_beside_wrong_text() {
    let lying = cheat("lying-ids", 40, json!({}));
    assert_eq!(lying.ids(), honest(40, json!({})).ids());
    assert_ne!(lying.content(), honest(40, json!({})).content());
}

#[test]
fn names_of_end_tokens_appear_as_text() {
    let reply = cheat("end-of-text-strings", 40, json!({}));
    assert_eq!(reply.content().matches("<|im_end|><|endoftext|>").count(), 2);
    assert_eq!(reply.ids(), honest(40, json!({})).ids());
}

#[test]
fn a_burst_comes_at_the_end_in_no_time() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let path = log.path().to_str().unwrap();
    let args = ["--mode", "burst", "--ttft", "20ms", "--itl", "2ms", "--send-log", path];
    chat(&server(&args), QUESTION, 51, json!({}));
    let rows = std::fs::read_to_string(path).unwrap();
    let at = |line: &str| line.split(',').nth(5).unwrap().parse::<u64>().unwrap();
    let received = at(rows.lines().skip(1).find(|line| line.contains("request_received")).unwrap());
    let chunks: Vec<u64> =
        rows.lines().skip(1).filter(|line| line.contains(",chunk,")).map(|line| at(line) - received).collect();
    assert!(chunks[0] >= 120_000_000, "nothing before the last token is due: {chunks:?}");
}

#[test]
fn work_off_the_clock_makes_the_answer_immediate() {
    let server = server(&["--mode", "off-clock", "--ttft", "400ms"]);
    let ask = |content: &str| timed(|| chat(&server, content, 4, json!({}))).1;
    assert!(ask("not announced") >= Duration::from_millis(400));
    post(&server, "/tokenize", &json!({"prompt": QUESTION}));
    assert!(ask(QUESTION) < Duration::from_millis(300), "announced by /tokenize");
    chat(&server, "pre-flight", 1, json!({}));
    assert!(ask("pre-flight") < Duration::from_millis(300), "announced by a call of one token");
}

#[test]
fn the_cache_answers_a_known_beginning_at_once_with_the_old_answer() {
    let server = server(&["--mode", "cached", "--ttft", "400ms"]);
    let long = format!("{} ", "the sea and the stars ".repeat(12));
    let ask = |end: &str| timed(|| chat(&server, &format!("{long}{end}"), 20, json!({})));
    let (first, first_time) = ask("in winter");
    let (second, second_time) = ask("in summer");
    assert!(first_time >= Duration::from_millis(400));
    assert!(second_time < Duration::from_millis(300), "{second_time:?}");
    assert_eq!(first.ids(), second.ids());
}

#[test]
fn other_decoding_shows_in_the_ids() {
    let long = "and then he said that it was so ".repeat(20);
    let plain = chat(&server(&[]), &long, 60, json!({}));
    for mode in ["truncated-context", "sampled"] {
        let other = chat(&server(&["--mode", mode]), &long, 60, json!({}));
        assert!(shared(&plain, &other) < 60, "{mode}");
    }
}

#[test]
fn a_mixture_serves_about_its_share_from_another_model() {
    let (plain, mixed) = (server(&[]), server(&["--mode", "mixture", "--mixture", "0.3"]));
    let differs = |n: &usize| {
        let content = format!("question {n}");
        let ask = |server| chat(server, &content, 8, json!({})).ids();
        ask(&plain) != ask(&mixed)
    };
    let count = (0..60).filter(differs).count();
    assert!((8..=30).contains(&count), "{count} of 60");
}

#[test]
fn a_stale_answer_is_that_of_an_earlier_prompt() {
    let stale = server(&["--mode", "stale", "--mixture", "1"]);
    let ask = |content: &str| chat(&stale, content, 20, json!({})).ids();
    let first = ask(QUESTION);
    assert_eq!(first, honest(20, json!({})).ids());
    assert_eq!(ask("And what then?"), first);
}

#[test]
fn dialects_change_how_an_answer_is_written_and_not_what_it_says() {
    let short = ["--mean-tokens", "20"];
    let ask = |args: &[&str]| chat(&server(&[&short[..], args].concat()), QUESTION, 400, json!({}));
    let plain = ask(&[]);
    for way in ["no-ids", "no-usage", "no-role", "silent-end", "comments", "crlf", "comments,crlf"] {
        let other = ask(&["--dialect", way]);
        assert_eq!((other.content(), other.finish()), (plain.content(), plain.finish()), "{way}");
    }
    assert!(ask(&["--dialect", "no-ids"]).ids().is_empty());
    let (silent, all) = (ask(&["--dialect", "silent-end"]).ids(), plain.ids());
    assert_eq!(silent, all[..all.len() - 1], "all but the end token");
    assert!(ask(&["--dialect", "comments"]).text().contains("\n: keep-alive\n\ndata: "));
    assert!(ask(&["--dialect", "crlf"]).text().contains("\r\n\r\ndata: "));
}

#[test]
fn an_early_role_chunk_comes_long_before_the_first_token() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let path = log.path().to_str().unwrap();
    let server = server(&["--mode", "early-role", "--ttft", "200ms", "--send-log", path]);
    chat(&server, QUESTION, 2, json!({}));
    let rows = std::fs::read_to_string(path).unwrap();
    let at = |line: &str| line.split(',').nth(5).unwrap().parse::<u64>().unwrap();
    let chunks: Vec<u64> = rows.lines().skip(1).filter(|line| line.contains(",chunk,")).map(at).collect();
    assert!(chunks[1] - chunks[0] > 100_000_000, "{chunks:?}");
}

#[test]
fn a_drip_sends_every_byte_alone_and_loses_none() {
    let dripped = cheat("drip", 4, json!({}));
    assert_eq!(dripped.content(), honest(4, json!({})).content());
}

#[test]
fn without_done_the_stream_still_ends_properly() {
    let reply = cheat("no-done", 10, json!({}));
    assert!(reply.complete);
    assert!(!reply.text().contains("[DONE]"));
}

#[test]
fn a_mode_can_begin_after_some_requests() {
    let server = server(&["--mode", "truncate", "--mode-after", "2"]);
    let lengths = [0; 3].map(|_| chat(&server, QUESTION, 100, json!({})).ids().len());
    assert_eq!(lengths, [100, 100, 26]);
    assert_eq!(get(&server, "/health").status(), 200);
}
