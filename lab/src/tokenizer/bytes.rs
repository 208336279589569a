//! The bytes of each token, for tokenizers over bytes: their texts are those bytes, one token
//! after the other.

use std::collections::{HashMap, HashSet};

/// The bytes of every id, behind each other.
pub(super) struct Bytes {
    all: Vec<u8>,
    /// Where those of each id end; special tokens have none.
    ends: Vec<u32>,
}

/// Ids beyond this are no table's business.
const MOST_IDS: u32 = 1 << 21;

impl Bytes {
    /// The table of a tokenizer; none where its decoder is not the byte-level one.
    pub(super) fn of(inner: &tokenizers::Tokenizer) -> Option<Self> {
        if !are_bytes(inner) {
            return None;
        }
        let added = inner.get_added_tokens_decoder();
        let special: HashSet<&str> =
            added.values().filter(|token| token.special).map(|token| token.content.as_str()).collect();
        let last = inner.get_vocab(true).into_values().max()?;
        let alphabet = alphabet();
        let (mut all, mut ends) = (Vec::new(), Vec::new());
        for id in 0..=(last < MOST_IDS).then_some(last)? {
            if let Some(token) = inner.id_to_token(id).filter(|token| !special.contains(token.as_str())) {
                let bytes: Option<Vec<u8>> = token.chars().map(|c| alphabet.get(&c).copied()).collect();
                all.extend(bytes.unwrap_or_else(|| token.into_bytes()));
            }
            ends.push(u32::try_from(all.len()).ok()?);
        }
        Some(Bytes { all, ends })
    }

    /// The text of ids, unknown ones left out.
    pub(super) fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| self.token(*id)).copied().collect();
        String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }

    fn token(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let Some(end) = self.ends.get(id) else { return &[] };
        let start = id.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start as usize..*end as usize]
    }
}

/// Whether tokens are strings of bytes.
pub(super) fn are_bytes(inner: &tokenizers::Tokenizer) -> bool {
    matches!(inner.get_decoder(), Some(tokenizers::DecoderWrapper::ByteLevel(_)))
}

/// The characters that stand for bytes in such tokens, as GPT-2 chose them: printable ones of
/// Latin-1 for themselves, the others in order from U+0100 on.
fn alphabet() -> HashMap<char, u8> {
    let plain = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let shown = (0..=u8::MAX).filter(plain).map(|byte| (char::from(byte), byte));
    let hidden = (0..=u8::MAX).filter(|byte| !plain(byte));
    shown.chain(('\u{100}'..).zip(hidden)).collect()
}
