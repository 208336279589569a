//! Streams that real servers sent: `tests/transcripts`.

use std::path::PathBuf;

use lab::{
    Nanos,
    records::{Exchange, Read},
    tokenizer::Tokenizer,
    wire::End,
};

use crate::study::Response;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

pub(crate) fn tokenizer() -> Tokenizer {
    Tokenizer::from_bytes(&std::fs::read(folder().join("tokenizer.json")).unwrap()).unwrap()
}

/// A recorded stream as we read it; sent when it was intended, at 0.
pub(crate) fn response(name: &str, tokenizer: &Tokenizer) -> Response {
    let bytes = std::fs::read(folder().join(format!("{name}.response.http"))).unwrap();
    let timing = std::fs::read_to_string(folder().join(format!("{name}.timing.tsv"))).unwrap();
    let reads: Vec<Read> = timing
        .lines()
        .skip(1)
        .map(|line| {
            let numbers: Vec<u64> = line.split('\t').map(|n| n.parse().unwrap()).collect();
            Read { at: Nanos(numbers[0]), len: numbers[2] as usize, behind: Nanos(0) }
        })
        .collect();
    heard(reads, bytes, End::Complete, tokenizer)
}

/// A stream of these bytes, sent when it was intended, at 0.
pub(crate) fn heard(reads: Vec<Read>, bytes: Vec<u8>, end: End, tokenizer: &Tokenizer) -> Response {
    let exchange = Exchange {
        request: 0,
        phase: "c1".into(),
        intended_ns: Nanos(0),
        started_ns: None,
        sent_ns: Nanos(0),
        end,
        end_ns: reads.last().unwrap().at,
        reads,
        bytes: bytes.into(),
    };
    let derived = exchange.derive();
    let row = exchange.row(&derived);
    Response::read(&exchange, &row, &derived.chunks, tokenizer, 1 << 20)
}
