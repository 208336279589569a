//! How fast raw evidence becomes records: `cargo bench -p lab --bench evidence`. A stream with
//! five considered tokens each, as vLLM writes it, goes into `wire.zst`, comes back, and becomes
//! chunks. Each line is the median of several runs and their range, in processor time of the one
//! thread, which is steadier than wall time; nothing is judged by it.

use std::{hint::black_box, time::Duration};

use lab::{
    Nanos,
    bundle::{read_exchanges, write_exchanges},
    records::{Exchange, Read},
    wire::End,
};
use nix::time::{ClockId, clock_gettime};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const WORDS: [&str; 8] = [" the", " picture", " sm\u{f6}rg", ",", "\n\n", " and", " of", " iron"];
const EXCHANGES: u32 = 200;
const TOKENS: u32 = 128;
const RUNS: usize = 9;

fn main() {
    let exchanges: Vec<Exchange> = (0..EXCHANGES).map(exchange).collect();
    let plain: usize = exchanges.iter().map(|exchange| exchange.bytes.len()).sum();
    let stored = write_exchanges(&exchanges);
    let events = f64::from(EXCHANGES * TOKENS);
    println!("{:.0} bytes an event, {:.1} at rest", plain as f64 / events, stored.len() as f64 / events);
    println!("{:<24} {:>10} {:>16}", "step", "ns/event", "range");
    report("pack and compress", || drop(black_box(write_exchanges(&exchanges))));
    report("read back", || drop(black_box(read_exchanges(&stored, "wire.zst").expect("it was written"))));
    let read = read_exchanges(&stored, "wire.zst").expect("it was written");
    report("derive chunks", || read.iter().for_each(|exchange| drop(black_box(exchange.derive()))));
    report("derive from whole bytes", || exchanges.iter().for_each(|exchange| drop(black_box(exchange.derive()))));
}

fn report(step: &str, work: impl Fn()) {
    let mut took: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = processor_time();
            work();
            (processor_time() - began).as_nanos() as f64 / f64::from(EXCHANGES * TOKENS)
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!("{step:<24} {:>10.0} {:>7.0} to {:>5.0}", took[RUNS / 2], took[0], took[RUNS - 1]);
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("this thread's clock").into()
}

/// A response of [`TOKENS`] events, one read each.
fn exchange(request: u32) -> Exchange {
    let (mut bytes, mut reads) = (HEAD.as_bytes().to_vec(), Vec::new());
    for i in 0..TOKENS {
        let event = event(request * TOKENS + i);
        let part = format!("{:x}\r\ndata: {event}\n\n\r\n", event.len() + 8);
        bytes.extend(part.bytes());
        reads.push(Read { at: Nanos(u64::from(i + 1) * 10_000_037), len: part.len(), behind: Nanos(0) });
    }
    bytes.extend(b"0\r\n\r\n");
    reads[0].len += HEAD.len();
    reads.push(Read { at: Nanos(2_000_000_000), len: 5, behind: Nanos(0) });
    let (phase, end) = ("c16".into(), End::Complete);
    let nanos = Nanos(0);
    let bytes = bytes.into();
    Exchange { request, phase, intended_ns: nanos, started_ns: None, sent_ns: nanos, end, end_ns: nanos, reads, bytes }
}

fn event(i: u32) -> String {
    let entry = |k: u32, more: &str| {
        let word = WORDS[((i >> 3) + k) as usize % WORDS.len()];
        let bytes: Vec<String> = word.bytes().map(|b| b.to_string()).collect();
        let logprob = -f64::from((i.wrapping_mul(2_654_435_761) >> 8) as f32 / 3e6 + k as f32);
        let token = serde_json::to_string(word).expect("a string");
        format!("{{\"token\":{token},\"logprob\":{logprob:?},\"bytes\":[{}]{more}}}", bytes.join(","))
    };
    let top: Vec<String> = (0..5).map(|k| entry(k, "")).collect();
    format!(
        "{{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1795355082,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" word\"}},\"logprobs\":{{\"content\":[{}]}},\"finish_reason\":null,\"token_ids\":[{i}]}}]}}",
        entry(0, &format!(",\"top_logprobs\":[{}]", top.join(",")))
    )
}
