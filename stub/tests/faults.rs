//! What each fault looks like to a client.
#![allow(clippy::unwrap_used)]

mod client;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use client::{Reply, chat, chat_body, get, post_bytes, server};
use serde_json::json;
use stub::{Error, Options, start};

const QUESTION: &str = "What did the old captain find on the island?";

fn faulty(args: &[&str]) -> Reply {
    chat(&server(args), QUESTION, 40, json!({}))
}

/// Sends the usual request and returns the open connection.
fn ask(server: &stub::Handle) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let request = post_bytes("/v1/chat/completions", &chat_body(QUESTION, 40, json!({})));
    stream.write_all(&request).unwrap();
    stream
}

/// Reads until these bytes have come.
fn read_until(stream: &mut TcpStream, wanted: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    while !bytes.windows(wanted.len()).any(|window| window == wanted) {
        let count = stream.read(&mut block).unwrap();
        assert!(count > 0, "closed before {wanted:?}");
        bytes.extend_from_slice(&block[..count]);
    }
    bytes
}

#[test]
fn a_server_that_is_not_ready_answers_503() {
    for mode in ["never-ready", "slow-ready"] {
        let server = server(&["--mode", mode]);
        assert_eq!(get(&server, "/health").status(), 503, "{mode}");
        assert_eq!(chat(&server, QUESTION, 4, json!({})).status(), 503, "{mode}");
    }
    assert_eq!(get(&server(&["--mode", "slow-ready", "--slow-ready", "0"]), "/health").status(), 200);
}

#[test]
fn exit_at_start_never_listens() {
    let ended = start(Options::from_args(["--mode", "exit-at-start"]).unwrap());
    assert!(matches!(ended, Err(Error::ExitAtStart)));
}

#[test]
fn a_server_dies_in_the_middle_of_the_request_named() {
    let server = server(&["--mode", "die-mid-run", "--mode-after", "1"]);
    assert!(chat(&server, QUESTION, 40, json!({})).complete);
    let reply = chat(&server, QUESTION, 40, json!({}));
    assert!(!reply.complete && reply.chunks().len() == 6, "{reply:?}");
    assert!(matches!(server.wait(), Err(Error::Died)));
}

#[test]
fn errors_come_as_a_status_or_inside_the_stream() {
    let reply = faulty(&["--mode", "error-500"]);
    assert_eq!((reply.status(), &reply.json()["error"]["type"]), (500, &json!("InternalServerError")));
    let reply = faulty(&["--mode", "error-in-stream"]);
    assert!(reply.complete && reply.status() == 200);
    assert_eq!(reply.chunks().last().unwrap()["error"]["code"], 500);
}

#[test]
fn a_stream_can_be_closed_or_reset_in_the_middle() {
    let closed = faulty(&["--mode", "close-mid-stream", "--fault-after", "3"]);
    assert!(!closed.complete && !closed.reset);
    assert_eq!(closed.ids().len(), 3);
    let reset = faulty(&["--mode", "reset-mid-stream"]);
    assert!(!reset.complete && reset.reset);
}

#[test]
fn a_stalled_stream_keeps_the_connection() {
    let server = server(&["--mode", "stall"]);
    let mut stream = ask(&server);
    read_until(&mut stream, b"data: ");
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut block = [0; 4096];
    let error = loop {
        match stream.read(&mut block) {
            Ok(count) => assert!(count > 0, "the connection must stay"),
            Err(error) => break error,
        }
    };
    let kinds = [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut];
    assert!(kinds.contains(&error.kind()), "{error}");
}

#[test]
fn a_half_closed_stream_ends_without_its_last_chunk() {
    let reply = faulty(&["--mode", "half-close"]);
    assert!(!reply.complete && !reply.reset);
}

#[test]
fn bytes_can_be_invalid_or_split() {
    let invalid = faulty(&["--mode", "invalid-utf8"]);
    assert!(std::str::from_utf8(&invalid.body).is_err());
    let ask = |args: &[&str]| chat(&server(args), QUESTION, 200, json!({}));
    let split = ask(&["--mode", "split-utf8"]);
    assert_eq!(split.content(), ask(&[]).content());
    assert!(!split.content().is_ascii(), "there is something to split");
}

#[test]
fn giant_lines_and_headers_have_the_size_asked_for() {
    let line = faulty(&["--mode", "giant-line", "--giant", "3000000"]);
    assert!(line.body.len() > 3_000_000);
    assert!(line.text().lines().last().unwrap().len() >= 3_000_000);
    let header = faulty(&["--mode", "giant-header", "--giant", "300000"]);
    assert_eq!(header.header("x-giant").unwrap().len(), 300_000);
}

#[test]
fn a_stream_that_never_ends_passes_every_limit() {
    let server = server(&["--mode", "never-ends", "--itl", "0"]);
    let mut stream = ask(&server);
    let mut bytes = 0;
    let mut block = [0; 65536];
    while bytes < 1_000_000 {
        bytes += stream.read(&mut block).unwrap();
    }
}

#[test]
fn heads_can_mislead() {
    let redirect = faulty(&["--mode", "redirect"]);
    assert_eq!(redirect.status(), 307);
    assert!(redirect.header("location").unwrap().starts_with("http://203.0.113."));
    let gzip = faulty(&["--mode", "gzip"]);
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let short = faulty(&["--mode", "wrong-content-length"]);
    assert!(!short.complete);
    let slow = faulty(&["--mode", "slow-headers"]);
    assert!(slow.complete);
}

#[test]
fn hostile_text_is_everywhere() {
    let server = server(&["--mode", "hostile-text"]);
    let reply = chat(&server, QUESTION, 40, json!({}));
    for text in ["<script>", "\u{1b}[2J", "=HYPERLINK(", "javascript:"] {
        assert!(reply.content().contains(text), "{text}");
    }
    let model = get(&server, "/v1/models").json();
    assert_eq!(model["data"][0]["id"].as_str().unwrap().len(), 1 << 20);
}
