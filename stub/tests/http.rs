//! HTTP as a client may speak it.
#![allow(clippy::unwrap_used)]

mod client;

use std::io::Write;
use std::net::TcpStream;

use client::{chat_body, exchange, get, post, post_bytes, read_reply, server};
use serde_json::json;

#[test]
fn a_connection_serves_one_request_after_another() {
    let server = server(&[]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = post_bytes("/v1/chat/completions", &chat_body("hello", 5, json!({})));
    let replies = [0; 3].map(|_| {
        stream.write_all(&request).unwrap();
        read_reply(&mut stream)
    });
    assert!(replies.iter().all(|reply| reply.complete && reply.ids() == replies[0].ids()));
}

#[test]
fn a_body_may_be_chunked() {
    let server = server(&[]);
    let request = "POST /tokenize HTTP/1.1\r\ncontent-type: application/json\r\n\
                   transfer-encoding: chunked\r\n\r\n\
                   6\r\n{\"prom\r\n12\r\npt\": \"the sea\"   }\r\n0\r\n\r\n";
    assert_eq!(exchange(server.address(), request.as_bytes()).status(), 200);
}

#[test]
fn what_is_too_long_or_no_http_is_refused() {
    let server = server(&[]);
    let status = |text: &str| exchange(server.address(), text.as_bytes()).status();
    assert_eq!(status("POST /tokenize HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n"), 413);
    assert_eq!(status("hello\r\n\r\n"), 400);
    let many = "x: y\r\n".repeat(100);
    assert_eq!(status(&format!("GET /health HTTP/1.1\r\n{many}\r\n")), 431);
}

#[test]
fn tokenize_and_detokenize_undo_each_other() {
    let server = server(&[]);
    let text = "Über the hills 🎉 and\n\nfar away";
    let tokens = post(&server, "/tokenize", &json!({"model": "stub", "prompt": text})).json();
    let ids = json!({"model": "stub", "tokens": tokens["tokens"]});
    assert_eq!(post(&server, "/detokenize", &ids).json()["prompt"], text);
}

#[test]
fn prompt_logprobs_are_exactly_those_of_decoding() {
    let server = server(&["--seed", "7"]);
    let said = client::chat(&server, "Tell me of the sea.", 60, json!({"logprobs": true}));
    let chunks = said.chunks();
    let decoded: Vec<f64> = chunks
        .iter()
        .flat_map(|chunk| chunk["choices"][0]["logprobs"]["content"].as_array().cloned())
        .flatten()
        .map(|entry| entry["logprob"].as_f64().unwrap())
        .collect();
    let mut ids: Vec<u64> =
        chunks[0]["prompt_token_ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect();
    let prompt = ids.len();
    ids.extend(said.ids().iter().map(|id| u64::from(*id)));
    let audit = json!({"model": "stub", "prompt": ids, "max_tokens": 1, "temperature": 0,
                       "prompt_logprobs": 1});
    let audit = post(&server, "/v1/completions", &audit).json();
    let forced: Vec<f64> = audit["choices"][0]["prompt_logprobs"].as_array().unwrap()[prompt..]
        .iter()
        .zip(&ids[prompt..])
        .map(|(entry, id)| entry[id.to_string()]["logprob"].as_f64().unwrap())
        .collect();
    assert_eq!(decoded.len(), 60);
    assert_eq!(decoded, forced);
}

#[test]
fn chunks_may_hold_several_tokens() {
    let reply = client::chat(&server(&["--tokens-per-chunk", "4"]), "hello", 21, json!({}));
    let one = client::chat(&server(&[]), "hello", 21, json!({}));
    assert_eq!(reply.ids(), one.ids());
    assert_eq!(reply.chunks().len(), 1 + 6 + 1, "role, 1 + 5 × 4 tokens, usage");
}

#[test]
fn noise_differs_between_launches_and_requests() {
    let ask = |launch: &str| {
        let server = server(&["--noise", "0.5", "--launch-seed", launch]);
        [0; 2].map(|_| client::chat(&server, "hello", 60, json!({})).ids())
    };
    let (one, two) = (ask("1"), ask("2"));
    assert_eq!(one, ask("1"));
    assert_ne!(one[0], one[1]);
    assert_ne!(one[0], two[0]);
}

#[test]
fn many_streams_at_once_are_all_served() {
    let server = server(&["--itl", "1ms"]);
    let alone = client::chat(&server, "hello", 30, json!({})).ids();
    let request = post_bytes("/v1/chat/completions", &chat_body("hello", 30, json!({})));
    let mut streams: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.write_all(&request).unwrap();
            stream
        })
        .collect();
    assert!(streams.iter_mut().all(|stream| read_reply(stream).ids() == alone));
    assert_eq!(get(&server, "/health").status(), 200);
}

#[test]
fn the_log_tells_when_each_chunk_was_due() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let path = log.path().to_str().unwrap();
    let server = server(&["--ttft", "20ms", "--itl", "3ms", "--send-log", path]);
    client::chat(&server, "hello", 50, json!({}));
    let rows = std::fs::read_to_string(path).unwrap();
    let column = |line: &str, at: usize| line.split(',').nth(at).unwrap().to_owned();
    let at = |line: &str| column(line, 5).parse::<f64>().unwrap() / 1e6;
    let events: Vec<String> = rows.lines().skip(1).map(|line| column(line, 2)).collect();
    assert_eq!(events[..2], ["request_received", "headers"]);
    assert_eq!(events.last().unwrap(), "done");
    let received = at(rows.lines().nth(1).unwrap());
    let tokens: Vec<f64> = rows
        .lines()
        .filter(|line| column(line, 2) == "chunk" && column(line, 4) == "1")
        .map(|line| at(line) - received)
        .collect();
    assert_eq!(tokens.len(), 50);
    for (place, time) in tokens.iter().enumerate() {
        let due = 20.0 + 3.0 * place as f64;
        // Never early; late only by what a busy machine adds.
        assert!(*time >= due - 0.001, "token {place} at {time} ms, due at {due} ms");
    }
    let mut late: Vec<f64> = tokens.iter().enumerate().map(|(place, time)| time - 20.0 - 3.0 * place as f64).collect();
    late.sort_by(f64::total_cmp);
    println!("lateness: median {:.3} ms, worst {:.3} ms", late[25], late[49]);
    assert!(late[25] < 2.0, "median lateness {} ms: lateness must not add up", late[25]);
}
