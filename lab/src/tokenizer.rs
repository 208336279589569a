//! The model's own tokenizer, so that tokens are counted by us.

use std::path::Path;

use crate::{Digest, Problem, Result};

/// A tokenizer read from a `tokenizer.json`.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// SHA-256 of the file.
    pub digest: Digest,
}

impl Tokenizer {
    /// From the bytes of a `tokenizer.json`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let inner =
            tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| Problem::input(format!("not a tokenizer: {e}")))?;
        Ok(Tokenizer { inner, digest: Digest::of(bytes) })
    }

    /// From a model's folder.
    pub fn of_model(folder: &Path) -> Result<(Self, Vec<u8>)> {
        let path = folder.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(|e| {
            Problem::io(crate::Kind::Machine, "read the model's tokenizer", &path, &e)
                .next("put the model's folder there, or correct models.*.path in the workload file")
        })?;
        let tokenizer = Self::from_bytes(&bytes).map_err(|p| p.at(path.display().to_string()))?;
        Ok((tokenizer, bytes))
    }

    /// The ids of a text, without special tokens added around it.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.inner.encode(text, false).map(|e| e.get_ids().to_vec()).unwrap_or_default()
    }

    /// The text of ids, special tokens left out: what a chat server sends as content.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.inner.decode(ids, true).unwrap_or_default()
    }

    /// Whether an id is a special token, such as an end of turn.
    pub fn is_special(&self, id: u32) -> bool {
        self.inner.get_added_tokens_decoder().get(&id).is_some_and(|t| t.special)
    }

    /// The number of ids, special tokens included.
    pub fn size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
}
