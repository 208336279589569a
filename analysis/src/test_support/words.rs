//! A byte-level tokenizer small enough to be written down: three special tokens, all bytes,
//! and a thousand words.

/// The token that ends a turn.
pub(crate) const END: u32 = 2;

const BYTES: u32 = 3;
const WORDS: u32 = BYTES + 256;
const COUNT: u64 = 1_000;

/// The id of some word.
pub(crate) fn word(n: u64) -> u32 {
    WORDS + (n % COUNT) as u32
}

/// What a server sends as text for an id; nothing for a special token.
pub(crate) fn text_of(id: u32) -> String {
    match id.checked_sub(WORDS) {
        Some(n) => format!(" {}", spelled(n)),
        None => String::new(),
    }
}

fn spelled(n: u32) -> String {
    let digit = |d: u32| char::from(b'a' + (d % 10) as u8);
    [n / 100, n / 10, n].map(digit).iter().collect::<String>() + "z"
}

/// Its `tokenizer.json`.
pub(crate) fn tokenizer_json() -> String {
    let specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
    let mut vocab = serde_json::Map::new();
    for (id, name) in specials.iter().enumerate() {
        vocab.insert((*name).into(), id.into());
    }
    for byte in 0..=255u8 {
        vocab.insert(shown(byte).to_string(), (BYTES + u32::from(byte)).into());
    }
    for n in 0..COUNT as u32 {
        vocab.insert(format!("Ġ{}", spelled(n)), (WORDS + n).into());
    }
    let added: Vec<_> = specials
        .iter()
        .enumerate()
        .map(|(id, content)| serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}))
        .collect();
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
            "vocab": vocab, "merges": []}
    })
    .to_string()
}

/// The printable character that stands for a byte in byte-level vocabularies.
fn shown(byte: u8) -> char {
    let printable = |b: u8| matches!(b, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|b| !printable(*b)).count() as u32;
    char::from_u32(256 + before).unwrap()
}
