//! Our reading of real servers' streams, held against Python's (`recorded.py`).
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path};

use lab::{
    records::Outcome,
    wire::{End, derive},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    status: u16,
    reads: Vec<usize>,
    done: bool,
    prompt: Option<u64>,
    output: Option<u64>,
    chunks: Vec<(u32, String, Vec<u32>, String)>,
}

fn recorded() -> BTreeMap<String, Recorded> {
    serde_json::from_str(include_str!("recorded.json")).unwrap()
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

#[test]
fn streams_of_vllm_llama_cpp_and_transformers_are_read_as_python_reads_them() {
    let streams = recorded();
    assert!(streams.len() >= 18, "{}", streams.len());
    for (name, expected) in streams {
        let derived = derive(&bytes(&name), &expected.reads, End::Complete);
        assert_eq!(derived.outcome, Outcome::Complete, "{name}: {}", derived.detail);
        assert_eq!((derived.status, derived.done), (Some(expected.status), expected.done), "{name}");
        assert_eq!((derived.claimed.prompt, derived.claimed.output), (expected.prompt, expected.output), "{name}");
        let chunks: Vec<_> = derived.chunks.into_iter().map(|c| (c.read, c.text, c.ids, c.finish)).collect();
        assert_eq!(chunks, expected.chunks, "{name}");
    }
}

#[test]
fn the_read_of_a_chunk_never_comes_before_its_bytes() {
    for (name, expected) in recorded() {
        let bytes = bytes(&name);
        for most in [1, 7, 100] {
            let reads: Vec<usize> = bytes.chunks(most).map(<[u8]>::len).collect();
            let derived = derive(&bytes, &reads, End::Complete);
            let texts: Vec<_> = derived.chunks.iter().map(|c| &c.text).collect();
            assert_eq!(texts, expected.chunks.iter().map(|c| &c.1).collect::<Vec<_>>(), "{name}");
            assert!(derived.chunks.is_sorted_by_key(|c| c.read), "{name}");
        }
    }
}
