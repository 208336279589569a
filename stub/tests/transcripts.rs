//! The form of every reply is that of vLLM 0.25.1, as recorded on a socket.
#![allow(clippy::unwrap_used)]

mod client;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use client::{Reply, exchange, recorded, server};
use serde_json::Value;

/// Ids of the recorded model that this vocabulary lacks become others.
const SMALL_VOCABULARY: u64 = 1900;

/// What can be compared between two models: no values, only forms.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    status: u16,
    content_type: Option<String>,
    /// Kinds of parts in order, for each choice.
    order: BTreeMap<String, Vec<&'static str>>,
    /// Key paths of all parts of a kind.
    keys: BTreeMap<&'static str, BTreeSet<String>>,
    /// Type, parameter and code of an error.
    error: Option<[Value; 3]>,
}

fn form(reply: &Reply) -> Form {
    let content_type = reply.header("content-type").map(str::to_owned);
    let streamed = content_type.as_deref().is_some_and(|kind| kind.starts_with("text/event-stream"));
    let events = if streamed { reply.events() } else { vec![reply.text()] };
    let mut order: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let mut keys: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut error = None;
    for event in events {
        let value: Value = serde_json::from_str(&event).unwrap_or_default();
        let kind = if streamed { kind(&value) } else { "whole" };
        let kinds = order.entry(value["choices"][0]["index"].to_string()).or_default();
        if kinds.last() != Some(&kind) {
            kinds.push(kind);
        }
        paths(&value, "", keys.entry(kind).or_default());
        if let Some(found) = value.get("error") {
            error = Some(["type", "param", "code"].map(|key| found[key].clone()));
        }
    }
    Form { status: reply.status(), content_type, order, keys, error }
}

fn kind(chunk: &Value) -> &'static str {
    match chunk["choices"].as_array() {
        None => "done",
        Some(choices) if choices.is_empty() => "usage",
        Some(choices) if choices[0]["delta"].get("role").is_some() => "role",
        Some(choices) if choices[0]["finish_reason"].is_null() => "content",
        Some(_) => "last",
    }
}

/// All key paths; keys that are data (token ids, token texts) count as one.
fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    let data_keys = at.ends_with("prompt_logprobs[]") || at.ends_with("].logprobs.top_logprobs[]");
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = format!("{at}.{}", if data_keys { "*" } else { key });
                found.insert(path.clone());
                paths(value, &path, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|one| paths(one, &format!("{at}[]"), found)),
        _ => {}
    }
}

/// The request with token ids that exist here.
fn adapted(request: &[u8]) -> Vec<u8> {
    let at = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let Ok(mut body) = serde_json::from_slice::<Value>(&request[at..]) else {
        return request.to_vec();
    };
    let mut changed = false;
    for key in ["prompt", "tokens"] {
        for id in body.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(number) = id.as_u64().filter(|number| *number >= SMALL_VOCABULARY) {
                *id = (number % SMALL_VOCABULARY).into();
                changed = true;
            }
        }
    }
    if !changed {
        return request.to_vec();
    }
    let body = body.to_string();
    let head = String::from_utf8(request[..at].to_vec()).unwrap();
    let lines = head.split_inclusive("\r\n").map(|line| match line.split_once(": ") {
        Some(("Content-Length", _)) => format!("Content-Length: {}\r\n", body.len()),
        _ => line.to_owned(),
    });
    lines.chain([body.clone()]).collect::<String>().into_bytes()
}

#[test]
fn every_recorded_request_gets_a_reply_of_the_recorded_form() {
    let options = ["--model-name", "smollm2", "--max-model-len", "2048", "--max-logprobs", "50"];
    let server = server(&options);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".request.http").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() > 45, "only {} transcripts found", names.len());
    let mut wrong = Vec::new();
    for name in names {
        let read = |kind: &str| std::fs::read(folder.join(format!("{name}.{kind}.http"))).unwrap();
        let reply = exchange(server.address(), &adapted(&read("request")));
        let (ours, theirs) = (form(&reply), form(&recorded(&read("response"))));
        if ours != theirs {
            wrong.push(format!("{name}:\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} replies differ:\n{}", wrong.len(), wrong.join("\n"));
}
