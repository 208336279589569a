//! Answers that are composed once and replayed.
#![allow(clippy::unwrap_used)]

mod client;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use client::{Reply, chat, chat_body, post, post_bytes, read_reply, server};
use serde_json::{Value, json};
use stub::Handle;

/// The events without what names the request or the hour.
fn events(reply: &Reply) -> Vec<Value> {
    let nameless = |mut chunk: Value| {
        let fields = chunk.as_object_mut().unwrap();
        fields.remove("id");
        fields.remove("created");
        chunk
    };
    reply.chunks().into_iter().map(nameless).collect()
}

fn log_rows(path: &std::path::Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn canned(args: &[&str]) -> Handle {
    server(&[args, &["--canned"]].concat())
}

#[test]
fn a_canned_answer_is_the_composed_one() {
    let composed = server(&[]);
    let canned = canned(&[]);
    for more in [json!({}), json!({"return_token_ids": false}), json!({"logprobs": true, "n": 2})] {
        let expected = chat(&composed, "hello", 20, more.clone());
        for _ in 0..2 {
            let reply = chat(&canned, "hello", 20, more.clone());
            assert!(reply.complete);
            assert_eq!(events(&reply), events(&expected), "{more}");
            assert_eq!(reply.events().last().unwrap(), "[DONE]");
        }
    }
}

#[test]
fn only_the_prompt_may_differ_for_an_answer_to_be_replayed() {
    let server = canned(&[]);
    let first = chat(&server, "hello", 20, json!({}));
    assert_eq!(chat(&server, "something else", 20, json!({})).body, first.body);
    assert_eq!(chat(&server, "hello", 10, json!({})).ids(), first.ids()[..10]);
    assert!(chat(&server, "hello", 20, json!({"return_token_ids": false})).ids().is_empty());
}

#[test]
fn what_is_not_streamed_or_wrong_is_answered_as_ever() {
    let server = canned(&[]);
    let whole = chat(&server, "hello", 20, json!({"stream": false})).json();
    assert_eq!(whole["usage"]["completion_tokens"], 20);
    assert_eq!(post(&server, "/v1/chat/completions", &json!({"stream": true, "messages": []})).status(), 400);
    assert_eq!(chat(&server, "hello", 20, json!({"model": "other"})).status(), 404);
}

#[test]
fn a_cheat_is_not_canned() {
    let cheat = canned(&["--mode", "truncate"]);
    assert!(chat(&cheat, "hello", 100, json!({"ignore_eos": true})).ids().len() < 50);
}

#[test]
fn without_latency_an_answer_is_one_write() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let args = ["--ttft", "0ms", "--itl", "0ms", "--send-log", log.path().to_str().unwrap()];
    let server = canned(&args);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    for _ in 0..2 {
        let body = chat_body("hello", 128, json!({"ignore_eos": true}));
        std::io::Write::write_all(&mut stream, &post_bytes("/v1/chat/completions", &body)).unwrap();
        assert_eq!(read_reply(&mut stream).ids().len(), 128);
    }
    server.stop().unwrap();
    let rows = log_rows(log.path());
    let events: Vec<&str> = rows.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(events, ["request_received", "headers", "chunk", "done"].repeat(2));
    assert!(rows.iter().all(|row| row[2] != "chunk" || row[4] == "128"), "{rows:?}");
}

#[test]
fn with_latency_every_token_waits_for_its_time() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let args = ["--ttft", "30ms", "--itl", "2ms", "--send-log", log.path().to_str().unwrap()];
    let server = canned(&args);
    for _ in 0..2 {
        let began = Instant::now();
        assert_eq!(chat(&server, "hello", 51, json!({"ignore_eos": true})).ids().len(), 51);
        assert!(began.elapsed() >= Duration::from_millis(130));
    }
    server.stop().unwrap();
    let at = |row: &Vec<String>| row[5].parse::<u64>().unwrap();
    let rows = log_rows(log.path());
    for request in ["0", "1"] {
        let mine: Vec<_> = rows.iter().filter(|row| row[0] == request).collect();
        let received = at(mine[0]);
        let mut tokens = 0;
        for row in mine.iter().filter(|row| row[2] == "chunk") {
            tokens += row[4].parse::<u64>().unwrap();
            assert!(at(row) >= received + 30_000_000 + (tokens - 1) * 2_000_000, "{row:?}");
        }
        assert_eq!(tokens, 51);
    }
}

#[test]
fn a_client_that_goes_leaves_the_others_alone() {
    let server = canned(&["--ttft", "1ms", "--itl", "5ms"]);
    let body = post_bytes("/v1/chat/completions", &chat_body("hello", 100, json!({"ignore_eos": true})));
    let mut leaver = TcpStream::connect(server.address()).unwrap();
    std::io::Write::write_all(&mut leaver, &body).unwrap();
    let mut stayer = TcpStream::connect(server.address()).unwrap();
    std::io::Write::write_all(&mut stayer, &body).unwrap();
    drop(leaver);
    assert_eq!(read_reply(&mut stayer).ids().len(), 100);
}

#[test]
fn a_client_that_does_not_read_gets_all_when_it_does() {
    let server = canned(&["--ttft", "0ms", "--itl", "0ms"]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let body = post_bytes("/v1/chat/completions", &chat_body("hello", 30_000, json!({"ignore_eos": true})));
    std::io::Write::write_all(&mut stream, &body).unwrap();
    // Some megabytes: more than sockets hold. Another answer shows that the server has gone on.
    chat(&server, "hello", 5, json!({}));
    assert_eq!(read_reply(&mut stream).ids().len(), 30_000);
}
