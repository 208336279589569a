//! How fast responses become records: `cargo bench -p lab`. Each line is the median of
//! several runs; nothing is judged by it.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use lab::wire::{Derived, End, derive};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const RUNS: usize = 15;
/// A run goes on for at least as long.
const RUN: Duration = Duration::from_millis(20);

/// A response, and how its bytes were read.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    reads: Vec<usize>,
}

fn main() {
    println!("{:<36} {:>10} {:>10} {:>12}", "response", "bytes", "MB/s", "ns/event");
    for case in [
        stream("128 tokens, ids", 128, &|i| token(i, "null")),
        stream("128 tokens, ids and top 5 logprobs", 128, &|i| token(i, &logprobs(i))),
        stream("128 tokens, data in two lines", 128, &|i| token(i, "null").replacen("{\"id\"", "{\ndata: \"id\"", 1)),
        hostile("16 MiB in one event's empty lines", "data:\n"),
        hostile("16 MiB of comments", ":\n"),
        hostile("16 MiB of blank lines", "\n"),
        hostile("16 MiB of empty objects", "data:{}\n\n"),
        interim(),
        dripped_head(),
    ] {
        report(&case);
    }
}

fn report(case: &Case) {
    let mut took: Vec<f64> = (0..RUNS).map(|_| run(case)).collect();
    took.sort_by(f64::total_cmp);
    let ns = took[RUNS / 2];
    let events = once(case).chunks.last().map_or(0, |c| c.event + 1);
    let per_event = if events == 0 { "-".to_owned() } else { format!("{:.0}", ns / f64::from(events)) };
    println!("{:<36} {:>10} {:>10.1} {per_event:>12}", case.name, case.bytes.len(), case.bytes.len() as f64 * 1e3 / ns);
}

/// Nanoseconds of one reading, on average over a run.
fn run(case: &Case) -> f64 {
    let (began, mut times) = (Instant::now(), 0);
    while began.elapsed() < RUN {
        black_box(once(case));
        times += 1;
    }
    began.elapsed().as_nanos() as f64 / f64::from(times)
}

fn once(case: &Case) -> Derived {
    derive(black_box(&case.bytes), &case.reads, End::Complete)
}

/// One event a read, each in its own chunk, as vLLM sends them.
fn stream(name: &'static str, tokens: u32, data: &dyn Fn(u32) -> String) -> Case {
    let (mut bytes, mut reads) = (HEAD.as_bytes().to_vec(), vec![HEAD.len()]);
    for event in (0..tokens).map(data).chain(["[DONE]".into()]) {
        let part = format!("{:x}\r\ndata: {event}\n\n\r\n", event.len() + 8);
        bytes.extend(part.bytes());
        reads.push(part.len());
    }
    bytes.extend(b"0\r\n\r\n");
    reads.push(5);
    Case { name, bytes, reads }
}

fn token(i: u32, logprobs: &str) -> String {
    format!(
        "{{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1795355082,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word\"}},\"logprobs\":{logprobs},\"finish_reason\":null,\"token_ids\":[{}]}}]}}",
        i + 500
    )
}

fn logprobs(i: u32) -> String {
    let entry = |more: &str| {
        format!("{{\"token\":\"token_id:{i}\",\"logprob\":-1.8037266731262207,\"bytes\":[32,119,111,114,100]{more}}}")
    };
    let top: Vec<String> = (0..5).map(|_| entry("")).collect();
    format!("{{\"content\":[{}]}}", entry(&format!(",\"top_logprobs\":[{}]", top.join(","))))
}

/// The largest response that is kept, of one line over and over.
fn hostile(name: &'static str, line: &str) -> Case {
    let body = line.repeat((16 << 20) / line.len());
    let bytes = [HEAD.as_bytes(), format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes()].concat();
    let reads = bytes.chunks(16 << 10).map(<[u8]>::len).collect();
    Case { name, bytes, reads }
}

/// Interim heads without end.
fn interim() -> Case {
    let bytes = b"HTTP/1.1 100 C\r\n\r\n".repeat((16 << 20) / 18);
    let reads = bytes.chunks(16 << 10).map(<[u8]>::len).collect();
    Case { name: "16 MiB of interim heads", bytes, reads }
}

/// A head of nearly 64 KiB, one byte a read.
fn dripped_head() -> Case {
    let bytes = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(64_000)).into_bytes();
    let reads = vec![1; bytes.len()];
    Case { name: "64 kB of head, one byte a read", bytes, reads }
}
