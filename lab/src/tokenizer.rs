//! The model's own tokenizer, so that tokens are counted by us.

use std::{collections::HashSet, path::Path};

use crate::{Digest, Problem, Result};

/// A tokenizer read from a `tokenizer.json`.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    specials: HashSet<u32>,
    /// SHA-256 of the file.
    pub digest: Digest,
}

impl Tokenizer {
    /// From the bytes of a `tokenizer.json`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let inner =
            tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| Problem::input(format!("not a tokenizer: {e}")))?;
        let specials =
            inner.get_added_tokens_decoder().iter().filter(|(_, token)| token.special).map(|(id, _)| *id).collect();
        Ok(Tokenizer { inner, specials, digest: Digest::of(bytes) })
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
        self.inner.encode_fast(text, false).map(|e| e.get_ids().to_vec()).unwrap_or_default()
    }

    /// Where each token of a text ends, in bytes. A token that is a part of a character
    /// ends where the character does.
    pub fn ends(&self, text: &str) -> Vec<usize> {
        let encoding = self.inner.encode(text, false);
        encoding.map(|e| e.get_offsets().iter().map(|(_, end)| *end).collect()).unwrap_or_default()
    }

    /// The text of ids, special tokens left out: what a chat server sends as content.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.inner.decode(ids, true).unwrap_or_default()
    }

    /// Whether an id is a special token, such as an end of turn.
    pub fn is_special(&self, id: u32) -> bool {
        self.specials.contains(&id)
    }

    /// The number of ids, special tokens included.
    pub fn size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
}
