//! Tokenizers whose counts can be told without them, and the stub's real one.

use serde_json::{Value, json};

use super::{Slot, prose};
use crate::tokenizer::Tokenizer;

fn made(model: &Value, pre_tokenizer: &Value, decoder: &Value) -> Tokenizer {
    let special = json!({"id": 0, "content": "<|end|>", "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true});
    let file = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [special],
        "normalizer": null, "pre_tokenizer": pre_tokenizer, "post_processor": null, "decoder": decoder, "model": model});
    Tokenizer::from_bytes(file.to_string().as_bytes()).unwrap()
}

/// Byte-level pair encoding with these merges, within words or across them.
fn byte_level(merges: &[(&str, &str)], within_words: bool) -> Tokenizer {
    let printable = |b: u32| (0x21..=0x7e).contains(&b) || (0xa1..=0xac).contains(&b) || (0xae..=0xff).contains(&b);
    let odd: Vec<u32> = (0..256).filter(|b| !printable(*b)).collect();
    let letter = |b: u32| odd.iter().position(|o| *o == b).map_or(b, |i| 0x100 + i as u32);
    let mut tokens = vec!["<|end|>".to_owned()];
    tokens.extend((0..256).map(|b| char::from_u32(letter(b)).unwrap().to_string()));
    tokens.extend(merges.iter().map(|(a, b)| format!("{a}{b}")));
    let vocab: serde_json::Map<_, _> = tokens.into_iter().zip(0..).map(|(t, i)| (t, json!(i))).collect();
    let merges: Vec<_> = merges.iter().map(|(a, b)| json!([a, b])).collect();
    let model = json!({"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        "vocab": vocab, "merges": merges});
    let level =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": within_words});
    made(&model, &level, &level)
}

/// One token a byte.
pub(super) fn bytes() -> Tokenizer {
    byte_level(&[], true)
}

/// Merges reach over spaces, so that what a word costs depends on its neighbours.
pub(super) fn entangled() -> Tokenizer {
    byte_level(&[("e", "Ġ"), ("Ġ", "t"), ("t", "h"), ("eĠ", "th"), ("r", "Ġ"), ("s", "Ġ"), ("sĠ", "t")], false)
}

/// One token a word or full stop.
pub(super) fn words() -> Tokenizer {
    let listed = ["<|end|>", "."].into_iter().chain(prose::words());
    let vocab: serde_json::Map<_, _> = listed.zip(0..).map(|(t, i)| (t.to_owned(), json!(i))).collect();
    let model = json!({"type": "WordLevel", "vocab": vocab, "unk_token": "<|end|>"});
    made(&model, &json!({"type": "Whitespace"}), &Value::Null)
}

/// The built-in test server's.
pub(super) fn stub() -> Tokenizer {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../stub/model/tokenizer.json");
    Tokenizer::from_bytes(&std::fs::read(path).unwrap()).unwrap()
}

/// Words and full stops of a text.
pub(super) fn words_in(text: &str) -> usize {
    text.split(' ').filter(|w| !w.is_empty()).count() + text.matches('.').count()
}

/// So many slots of one load, each with lengths of its own.
pub(super) fn slots(count: u32) -> Vec<Slot> {
    (0..count).map(|id| Slot { like: id, opens: id == 0, lengths: None }).collect()
}
