//! The model's own tokenizer, so that tokens are counted by us.

mod bytes;

use std::{collections::HashSet, path::Path};

use crate::{Digest, Problem, Result};
use bytes::Bytes;

/// A tokenizer read from a `tokenizer.json`.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    specials: HashSet<u32>,
    /// The special tokens' texts, where our reading of a text holds a special token only if the
    /// text holds one of these.
    spelled: Option<Vec<String>>,
    bytes: Option<Bytes>,
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
        let (spelled, table) = (spelled(&inner), Bytes::of(&inner));
        Ok(Tokenizer { inner, specials, spelled, bytes: table, digest: Digest::of(bytes) })
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
        match &self.bytes {
            Some(table) => table.decode(ids),
            None => self.inner.decode(ids, true).unwrap_or_default(),
        }
    }

    /// The first special token in our reading of a text.
    pub fn special_in(&self, text: &str) -> Option<u32> {
        let plain = |spelled: &Vec<String>| !spelled.iter().any(|special| text.contains(special.as_str()));
        if self.spelled.as_ref().is_some_and(plain) {
            return None;
        }
        self.encode(text).into_iter().find(|id| self.is_special(*id))
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

/// The texts of all special tokens, if a reading can hold one of them only where the text spells
/// it out: with merges over bytes, a text that nothing normalises, and no token for what is
/// unknown.
fn spelled(inner: &tokenizers::Tokenizer) -> Option<Vec<String>> {
    let tokenizers::ModelWrapper::BPE(model) = inner.get_model() else { return None };
    if inner.get_normalizer().is_some() || model.get_unk_token().is_some() || !bytes::are_bytes(inner) {
        return None;
    }
    let specials = inner.get_added_tokens_decoder();
    // A text of printable ASCII is the same in bytes.
    let texts = specials.values().filter(|token| token.special).map(|token| token.content.clone());
    let texts: Vec<String> = texts.collect();
    texts.iter().all(|text| text.bytes().all(|b| b.is_ascii_graphic())).then_some(texts)
}

#[cfg(test)]
mod tests;
