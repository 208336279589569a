//! A client that sees every byte: no library between the tests and the socket.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stub::{Handle, Options, start};

/// Longer than any reply here takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A fast server with these further options.
pub(crate) fn server(args: &[&str]) -> Handle {
    let fast = ["--ttft", "1ms", "--itl", "100us", "--drip", "1us", "--launch-seed", "1"];
    let given: Vec<&str> = args.iter().copied().filter(|arg| arg.starts_with("--")).collect();
    let kept = fast.chunks(2).filter(|pair| !given.contains(&pair[0])).flatten();
    start(Options::from_args(kept.chain(args)).unwrap()).unwrap()
}

/// A reply as far as it came.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) head: String,
    /// The body without the chunked coding.
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as its head said it would.
    pub(crate) complete: bool,
    /// Whether the connection was reset.
    pub(crate) reset: bool,
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        let word = self.head.split(' ').nth(1).and_then(|word| word.parse().ok());
        word.unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The payloads of the server-sent events.
    pub(crate) fn events(&self) -> Vec<String> {
        let text = self.text().replace("\r\n", "\n");
        text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(str::to_owned).collect()
    }

    /// The events that are JSON.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        self.events().iter().filter_map(|event| serde_json::from_str(event).ok()).collect()
    }

    /// All text of the answer.
    pub(crate) fn content(&self) -> String {
        let text = |chunk: &Value| {
            let choice = &chunk["choices"][0];
            let text = choice["delta"]["content"].as_str().or(choice["text"].as_str());
            text.unwrap_or_default().to_owned()
        };
        self.chunks().iter().map(text).collect()
    }

    /// All token ids of the answer.
    pub(crate) fn ids(&self) -> Vec<u32> {
        let chunks = self.chunks();
        let lists = chunks.iter().filter_map(|chunk| chunk["choices"][0]["token_ids"].as_array());
        lists.flatten().map(|id| id.as_u64().unwrap() as u32).collect()
    }

    /// The last reason to finish.
    pub(crate) fn finish(&self) -> Option<String> {
        let chunks = self.chunks();
        let mut reasons = chunks.iter().filter_map(|one| one["choices"][0]["finish_reason"].as_str());
        reasons.next_back().map(str::to_owned)
    }

    pub(crate) fn usage(&self) -> Value {
        self.chunks().last().map(|chunk| chunk["usage"].clone()).unwrap_or_default()
    }
}

/// Sends bytes as they are and reads until the server ends the reply or closes.
pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    read_reply(&mut stream)
}

/// Reads one reply to its end.
pub(crate) fn read_reply(stream: &mut TcpStream) -> Reply {
    let started = Instant::now();
    let mut bytes = Vec::new();
    let mut block = vec![0; 64 * 1024];
    let mut reset = false;
    loop {
        if let Some(reply) = parse(&bytes, false, false).filter(|reply| reply.complete) {
            return reply;
        }
        assert!(started.elapsed() < PATIENCE, "no end of the reply in {PATIENCE:?}");
        match stream.read(&mut block) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&block[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                reset = true;
                break;
            }
            Err(error) => panic!("reading the reply: {error}"),
        }
    }
    let nothing = Reply { head: String::new(), body: bytes.clone(), complete: false, reset };
    parse(&bytes, true, reset).unwrap_or(nothing)
}

/// Reads what recorded bytes of a reply say.
pub(crate) fn recorded(bytes: &[u8]) -> Reply {
    parse(bytes, true, false).unwrap()
}

fn parse(bytes: &[u8], closed: bool, reset: bool) -> Option<Reply> {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let raw = &bytes[at + 4..];
    let mut reply = Reply { head, body: Vec::new(), complete: false, reset };
    if reply.header("transfer-encoding") == Some("chunked") {
        (reply.body, reply.complete) = dechunk(raw);
    } else {
        let length = reply.header("content-length").and_then(|length| length.parse().ok());
        reply.complete = length.map_or(closed, |length: usize| raw.len() >= length);
        reply.body = raw.to_vec();
    }
    Some(reply)
}

fn dechunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&raw[..end]), 16).unwrap();
        let rest = &raw[end + 2..];
        if size == 0 {
            return (body, rest.len() >= 2);
        }
        if rest.len() < size + 2 {
            body.extend_from_slice(&rest[..rest.len().min(size)]);
            break;
        }
        body.extend_from_slice(&rest[..size]);
        raw = &rest[size + 2..];
    }
    (body, false)
}

/// The bytes of a POST.
pub(crate) fn post_bytes(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: stub\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) fn post(server: &Handle, path: &str, body: &Value) -> Reply {
    exchange(server.address(), &post_bytes(path, body))
}

pub(crate) fn get(server: &Handle, path: &str) -> Reply {
    let request = format!("GET {path} HTTP/1.1\r\nHost: stub\r\nConnection: close\r\n\r\n");
    exchange(server.address(), request.as_bytes())
}

/// A greedy streamed chat request with token ids and usage; `more` adds or changes fields.
pub(crate) fn chat_body(content: &str, max_tokens: usize, more: Value) -> Value {
    let mut body = json!({
        "model": "stub", "messages": [{"role": "user", "content": content}],
        "max_tokens": max_tokens, "temperature": 0, "stream": true, "return_token_ids": true,
        "stream_options": {"include_usage": true},
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    if body["stream"] == json!(false) {
        body["stream_options"] = Value::Null;
    }
    body
}

pub(crate) fn chat(server: &Handle, content: &str, max_tokens: usize, more: Value) -> Reply {
    post(server, "/v1/chat/completions", &chat_body(content, max_tokens, more))
}
