//! Answers as the bytes and times of a stream.

use lab::{Nanos, records::Exchange, wire::End};

use super::{Part, Said};

/// The bytes and times of one answer; moves the clock to its end.
pub(super) fn exchange(request: u32, phase: &str, said: &Said, clock: &mut u64) -> Exchange {
    let intended_ns = Nanos(*clock);
    let sent = *clock + said.lag_ns;
    let mut bytes = Vec::new();
    let mut reads = Vec::new();
    let mut read = |at: u64, part: Vec<u8>| {
        reads.push((Nanos(at), part.len()));
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
    let end_ns = reads.last().unwrap().0;
    *clock = end_ns.0 + 1_000;
    let phase = phase.to_owned();
    Exchange { request, phase, intended_ns, sent_ns: Nanos(sent), end: End::Complete, end_ns, reads, bytes }
}

fn event(part: &Part) -> String {
    let mut choice = serde_json::json!({"index": 0, "delta": {"content": part.text}, "finish_reason": null});
    if !part.ids.is_empty() {
        choice["token_ids"] = serde_json::json!(part.ids);
    }
    if !part.entries.is_empty() {
        let entries: Vec<_> = part.entries.iter().map(|t| serde_json::json!({"token": t, "logprob": -0.1})).collect();
        choice["logprobs"] = serde_json::json!({"content": entries});
    }
    serde_json::json!({"choices": [choice]}).to_string()
}

fn framed(data: &str) -> Vec<u8> {
    let event = format!("data: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}
