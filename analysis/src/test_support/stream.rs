//! Answers as the bytes and times of a stream.

use std::collections::BTreeMap;

use lab::{
    Nanos,
    plan::Phase,
    records::{Exchange, Read},
    schedule::Due,
    wire::End,
    workload::Shape,
};

use super::{Part, Said};

/// When requests are due, and which turn of its session each is.
pub(super) struct Timetable {
    pub(super) due: BTreeMap<u32, Due>,
    pub(super) turns: Vec<u32>,
}

impl Timetable {
    /// The requests of a phase as its shape sends them.
    pub(super) fn run(&self, phase: &Phase, start: Nanos, said: &dyn Fn(u32) -> Said) -> Vec<Exchange> {
        let clients = match phase.shape {
            Shape::Closed { concurrency, .. } => concurrency as usize,
            Shape::Open { .. } | Shape::Trace { .. } => 0,
        };
        let mut free = vec![start; clients];
        let mut all: Vec<Exchange> = Vec::new();
        for id in phase.requests.ids() {
            let due = self.due.get(&id);
            let think = due.map_or(0, |d| d.think_ns.0);
            // Sessions are for open loads only, here.
            let client = (0..clients).min_by_key(|i| free[*i]);
            let intended = match (client, due.and_then(|d| d.due_ns)) {
                (Some(client), _) => free[client],
                (None, Some(due)) => Nanos(start.0 + due.0),
                (None, None) => {
                    assert!(self.turns[id as usize] > 0);
                    Nanos(all.last().unwrap().end_ns.0 + think)
                }
            };
            let over = phase.time_ns.is_some_and(|time| intended.0 >= start.0 + time.0);
            let exchange =
                if over { time_up(id, &phase.load, intended) } else { exchange(id, &phase.load, &said(id), intended) };
            if let (Some(client), false) = (client, over) {
                free[client] = Nanos(exchange.end_ns.0 + 1_000);
            }
            all.push(exchange);
        }
        all
    }
}

/// A request whose turn never came.
fn time_up(request: u32, phase: &str, intended_ns: Nanos) -> Exchange {
    let phase = phase.to_owned();
    let (end, reads, bytes) = (End::TimeUp, Vec::new(), Vec::new().into());
    Exchange {
        request,
        phase,
        intended_ns,
        started_ns: None,
        sent_ns: intended_ns,
        end,
        end_ns: intended_ns,
        reads,
        bytes,
    }
}

/// A little after the last one's end.
pub(super) fn free_again(exchanges: &[Exchange]) -> u64 {
    exchanges.last().unwrap().end_ns.0 + 1_000
}

/// The bytes and times of one answer.
pub(super) fn exchange(request: u32, phase: &str, said: &Said, intended_ns: Nanos) -> Exchange {
    let started = intended_ns.0 + said.late_ns;
    let sent = started + said.lag_ns;
    let mut bytes = Vec::new();
    let mut reads = Vec::new();
    let mut read = |at: u64, part: Vec<u8>| {
        reads.push(Read { at: Nanos(at), len: part.len(), behind: Nanos(0) });
        bytes.extend(part);
    };
    if said.status != 200 {
        read(sent + 10, format!("HTTP/1.1 {} Oops\r\nContent-Length: 2\r\n\r\nno", said.status).into_bytes());
    } else {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        read(sent + 10, head.as_bytes().to_vec());
        for same_read in said.parts.chunk_by(|a, b| a.at_ns == b.at_ns) {
            let events: Vec<u8> = same_read.iter().flat_map(|part| framed(&event(part))).collect();
            read(sent + same_read[0].at_ns, events);
        }
        let finish = serde_json::json!({"choices": [{"index": 0, "delta": {}, "finish_reason": said.finish}]});
        let usage = serde_json::json!({"prompt_tokens": said.claimed_prompt, "completion_tokens": said.claimed_output});
        let mut last = framed(&finish.to_string());
        last.extend(framed(&serde_json::json!({"choices": [], "usage": usage}).to_string()));
        if said.done {
            last.extend(framed("[DONE]"));
        }
        last.extend(b"0\r\n\r\n");
        read(sent + said.parts.last().map_or(20, |p| p.at_ns) + 100, last);
    }
    let end_ns = reads.last().unwrap().at;
    Exchange {
        request,
        phase: phase.to_owned(),
        intended_ns,
        started_ns: Some(Nanos(started)),
        sent_ns: Nanos(sent),
        end: End::Complete,
        end_ns,
        reads,
        bytes: bytes.into(),
    }
}

fn event(part: &Part) -> String {
    let mut choice = serde_json::json!({"index": 0, "delta": {"content": part.text}, "finish_reason": null});
    if !part.ids.is_empty() {
        choice["token_ids"] = serde_json::json!(part.ids);
    }
    if !part.entries.is_empty() {
        let top = |(token, logprob): &(String, f64)| serde_json::json!({"token": token, "logprob": logprob});
        let tops: Vec<_> = part.tops.iter().map(top).collect();
        let entry = |token| serde_json::json!({"token": token, "logprob": -0.1, "top_logprobs": tops});
        let entries: Vec<_> = part.entries.iter().map(entry).collect();
        choice["logprobs"] = serde_json::json!({"content": entries});
    }
    serde_json::json!({"choices": [choice]}).to_string()
}

fn framed(data: &str) -> Vec<u8> {
    let event = format!("data: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}
