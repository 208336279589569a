//! Makes `tokenizer.json` out of `words.txt`: shared by the example that writes
//! the file and the test that compares it.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

/// The word list, most frequent words first.
const WORDS: &str = include_str!("words.txt");
/// The special tokens, in the order of their ids.
const SPECIALS: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
/// How many of the most frequent words also exist with a capital letter.
const CAPITALS: usize = 220;
/// Pieces of words, for text that the list does not cover.
const MERGES: usize = 256;

/// The printable stand-in of each byte, as byte-level tokenizers write it.
fn byte_alphabet() -> Vec<char> {
    let printable =
        |byte: u32| (0x21..=0x7e).contains(&byte) || (0xa1..=0xac).contains(&byte) || (0xae..=0xff).contains(&byte);
    let mut stand_in = 0x100;
    (0..256)
        .map(|byte| {
            let code = if printable(byte) {
                byte
            } else {
                stand_in += 1;
                stand_in - 1
            };
            char::from_u32(code).unwrap_or('?')
        })
        .collect()
}

/// Greedy pair merging over the word list: ties go to the smaller pair.
fn merges(words: &[String], wanted: usize) -> Vec<(String, String)> {
    let mut split: Vec<Vec<String>> = words.iter().map(|word| word.chars().map(String::from).collect()).collect();
    let mut found = Vec::new();
    while found.len() < wanted {
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for word in &split {
            for pair in word.windows(2) {
                *counts.entry((pair[0].clone(), pair[1].clone())).or_default() += 1;
            }
        }
        let best = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
        let Some((pair, _)) = best else { break };
        for word in &mut split {
            let mut at = 0;
            while at + 1 < word.len() {
                if word[at] == pair.0 && word[at + 1] == pair.1 {
                    let tail = word.remove(at + 1);
                    word[at].push_str(&tail);
                }
                at += 1;
            }
        }
        found.push(pair);
    }
    found
}

/// The whole tokenizer file.
pub(crate) fn tokenizer_json() -> String {
    let alphabet = byte_alphabet();
    let spell = |text: &str| -> String { text.bytes().map(|byte| alphabet[usize::from(byte)]).collect() };
    let mut order: Vec<String> = SPECIALS.iter().map(|token| (*token).to_owned()).collect();
    order.extend(alphabet.iter().map(|letter| letter.to_string()));
    let mut words: Vec<String> = Vec::new();
    for word in WORDS.split_whitespace() {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    let spaced: Vec<String> = words.iter().map(|word| spell(&format!(" {word}"))).collect();
    let capital = |word: &String| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
    };
    let starters: Vec<String> = words.iter().filter(|word| word.len() > 1).take(CAPITALS).filter_map(capital).collect();
    order.extend(spaced.iter().cloned());
    order.extend(starters.iter().map(|word| spell(&format!(" {word}"))));
    order.extend(starters.iter().map(|word| spell(word)));
    order.extend(["\n\n", " —", "...", " (", "):", " \""].map(spell));
    let merges = merges(&spaced, MERGES);
    order.extend(merges.iter().map(|(left, right)| format!("{left}{right}")));

    let mut vocab: HashMap<&str, usize> = HashMap::new();
    let mut listed = serde_json::Map::new();
    for token in &order {
        let id = vocab.len();
        vocab.entry(token).or_insert(id);
    }
    let mut by_id: Vec<(&str, usize)> = vocab.into_iter().collect();
    by_id.sort_by_key(|entry| entry.1);
    for (token, id) in by_id {
        listed.insert(token.to_owned(), json!(id));
    }
    let specials: Vec<Value> = SPECIALS
        .iter()
        .enumerate()
        .map(|(id, token)| {
            json!({"id": id, "content": token, "single_word": false, "lstrip": false,
                   "rstrip": false, "normalized": false, "special": true})
        })
        .collect();
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false,
                            "trim_offsets": false, "use_regex": true});
    let pairs: Vec<Value> = merges.iter().map(|(left, right)| json!([left, right])).collect();
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": specials,
        "normalizer": null,
        "pre_tokenizer": byte_level,
        "post_processor": null,
        "decoder": byte_level,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
            "vocab": listed, "merges": pairs
        }
    });
    format!("{file:#}\n")
}
