//! The tokenizer of the scripted model: text to ids, ids to bytes, and the chat
//! template.

use std::sync::OnceLock;

use tokenizers::Tokenizer;

/// The tokenizer file, for whoever must count tokens as this server does.
pub const TOKENIZER_JSON: &str = include_str!("../model/tokenizer.json");
/// The model's configuration file.
pub const CONFIG_JSON: &str = include_str!("../model/config.json");

/// `<|endoftext|>`.
pub const END_OF_TEXT: u32 = 0;
/// `<|im_start|>`.
pub const IM_START: u32 = 1;
/// `<|im_end|>`, the token that ends an answer.
pub const IM_END: u32 = 2;
/// Ids below this one are special.
const FIRST_BYTE: u32 = 3;

/// Turns text into ids and back without loss.
pub struct Tokens {
    tokenizer: Tokenizer,
    bytes: Vec<Vec<u8>>,
    pieces: Vec<String>,
}

impl Tokens {
    /// The one tokenizer of this process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Tokens> = OnceLock::new();
        SHARED.get_or_init(Self::load)
    }

    fn load() -> Self {
        #[expect(clippy::expect_used, reason = "the file is part of the program and tested")]
        let tokenizer: Tokenizer = TOKENIZER_JSON.parse().expect("the embedded tokenizer loads");
        let size = tokenizer.get_vocab_size(true);
        let pieces: Vec<String> = (0..size as u32).map(|id| tokenizer.id_to_token(id).unwrap_or_default()).collect();
        let alphabet: std::collections::HashMap<char, u8> = (FIRST_BYTE..FIRST_BYTE + 256)
            .zip(0..=255_u8)
            .filter_map(|(id, byte)| pieces[id as usize].chars().next().map(|letter| (letter, byte)))
            .collect();
        let spell = |(id, piece): (usize, &String)| -> Vec<u8> {
            if (id as u32) < FIRST_BYTE {
                return piece.as_bytes().to_vec();
            }
            piece.chars().filter_map(|letter| alphabet.get(&letter).copied()).collect()
        };
        let bytes = pieces.iter().enumerate().map(spell).collect();
        Self { tokenizer, bytes, pieces }
    }

    /// How many tokens there are.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The ids of a text; the names of special tokens in it become those tokens.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode_fast(text, false).map(|encoding| encoding.get_ids().to_vec()).unwrap_or_default()
    }

    /// The bytes that a token stands for; an unknown id stands for none.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id as usize).map_or(&[], Vec::as_slice)
    }

    /// A token as the tokenizer file spells it (`Ġthe`).
    pub fn piece(&self, id: u32) -> &str {
        self.pieces.get(id as usize).map_or("", String::as_str)
    }

    /// The text of one token alone; empty where it is part of a character.
    pub fn text(&self, id: u32) -> &str {
        std::str::from_utf8(self.bytes(id)).unwrap_or("")
    }

    /// Whether a token has no place in the text of an answer.
    pub fn is_special(&self, id: u32) -> bool {
        id < FIRST_BYTE
    }

    /// The text of these ids, special tokens included.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| self.bytes(*id)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The prompt ids of a conversation of (role, content).
    pub fn chat(&self, messages: &[(String, String)], generation_prompt: bool) -> Vec<u32> {
        let mut text = String::new();
        for (role, content) in messages {
            text.push_str(&format!("<|im_start|>{role}\n{content}<|im_end|>\n"));
        }
        if generation_prompt {
            text.push_str("<|im_start|>assistant\n");
        }
        self.encode(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_conversation_becomes_the_chatml_template() {
        let tokens = Tokens::shared();
        let ids = tokens.chat(&[("user".into(), "What is the time?".into())], true);
        assert_eq!(ids[0], IM_START);
        assert_eq!(ids.iter().filter(|id| **id == IM_END).count(), 1);
        assert_eq!(tokens.decode(&ids), "<|im_start|>user\nWhat is the time?<|im_end|>\n<|im_start|>assistant\n");
    }

    #[test]
    fn a_known_word_with_its_space_is_one_token() {
        assert_eq!(Tokens::shared().encode(" garden café").len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_survives_encoding_and_decoding(text in any::<String>()) {
            let tokens = Tokens::shared();
            prop_assert_eq!(tokens.decode(&tokens.encode(&text)), text);
        }
    }
}
