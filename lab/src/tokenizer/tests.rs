use super::*;

/// The test server's tokenizer.
fn toy() -> Tokenizer {
    Tokenizer::of_model(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../stub/model"))).unwrap().0
}

#[test]
fn a_table_of_bytes_decodes_as_the_library_does() {
    let toy = toy();
    assert!(toy.bytes.is_some());
    let library = |ids: &[u32]| toy.inner.decode(ids, true).unwrap();
    let all = toy.size() as u32 + 3;
    for id in 0..all {
        assert_eq!(toy.decode(&[id]), library(&[id]), "{id}");
    }
    let mut state = 1u32;
    for length in 1..200 {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % all
        };
        let ids: Vec<u32> = (0..length).map(|_| next()).collect();
        assert_eq!(toy.decode(&ids), library(&ids), "{ids:?}");
    }
}

#[test]
fn special_tokens_are_found_where_a_text_spells_them() {
    let toy = toy();
    assert!(toy.spelled.is_some());
    for text in ["", "plain", "<|im_end|", "a <|im_end|> b", "<|endoftext|>", "<<|im_start|>>", "im_end|>"] {
        let library = toy.encode(text).into_iter().find(|id| toy.is_special(*id));
        assert_eq!(toy.special_in(text), library, "{text}");
    }
}

#[test]
fn a_tokenizer_that_may_change_a_text_is_asked_itself() {
    let plain = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../stub/model/tokenizer.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&plain).unwrap();
    json["normalizer"] = serde_json::json!({"type": "Lowercase"});
    json["added_tokens"][2]["normalized"] = true.into();
    let lower = Tokenizer::from_bytes(json.to_string().as_bytes()).unwrap();
    assert!(lower.spelled.is_none());
    assert_eq!(lower.special_in("<|IM_END|>"), Some(2));
    assert_eq!(toy().special_in("<|IM_END|>"), None);
}
