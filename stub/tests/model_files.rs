//! The committed tokenizer is what its generator writes.
#![allow(clippy::unwrap_used)]

#[path = "../model/generate.rs"]
mod generate;

use serde_json::Value;

#[test]
fn the_committed_tokenizer_is_the_generated_one() {
    let generated: Value = serde_json::from_str(&generate::tokenizer_json()).unwrap();
    let committed: Value = serde_json::from_str(stub::tokens::TOKENIZER_JSON).unwrap();
    assert!(generated == committed, "run `cargo run -p stub --example make-model`");
}

#[test]
fn the_vocabulary_has_the_intended_size() {
    let size = stub::tokens::Tokens::shared().size();
    assert!((1000..=2000).contains(&size), "{size}");
    let config: Value = serde_json::from_str(stub::tokens::CONFIG_JSON).unwrap();
    assert_eq!(config["eos_token_id"], stub::tokens::IM_END);
}
