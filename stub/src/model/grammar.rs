//! Which tokens may follow which, so that greedy text reads as words and encodes
//! back to the very ids it came from.

use crate::hash::Stream;
use crate::tokens::{IM_END, Tokens};

/// Plausible continuations at every position.
pub(super) const CANDIDATES: usize = 20;
/// Words between two full stops, about.
const WORDS_PER_SENTENCE: f64 = 11.0;

/// The classes of tokens, most frequent first.
#[derive(Debug)]
pub(super) struct Grammar {
    kinds: Vec<Kind>,
    words: Vec<u32>,
    openers: Vec<u32>,
    starters: Vec<u32>,
    comma: u32,
    stop: u32,
    newline: u32,
    end_chance: f64,
}

/// What a token is to the token after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Comma,
    Stop,
    LineStart,
    Other,
}

impl Grammar {
    /// The grammar over this vocabulary, with answers of this mean length.
    pub(super) fn new(tokens: &Tokens, mean_tokens: f64) -> Self {
        let all = 0..tokens.size() as u32;
        let class = |wanted: fn(&str) -> bool| -> Vec<u32> {
            all.clone().filter(|id| *id > 258 && wanted(tokens.text(*id))).collect()
        };
        let known = |text: &str| tokens.encode(text).first().copied().unwrap_or(0);
        let words = class(|text| is_word(text.strip_prefix(' '), char::is_lowercase));
        let listed: Vec<u32> = words.iter().copied().filter(|id| *id < first_merge(tokens)).collect();
        let kind = |id: u32| {
            let text = tokens.text(id);
            match text {
                "," => Kind::Comma,
                "." => Kind::Stop,
                "\n" | "\n\n" | "<|im_end|>" | "<|im_start|>" | "<|endoftext|>" => Kind::LineStart,
                _ if text.trim_start().chars().all(char::is_alphabetic) && !text.trim().is_empty() => Kind::Word,
                _ => Kind::Other,
            }
        };
        Self {
            kinds: all.clone().map(kind).collect(),
            words: listed,
            openers: class(|text| is_word(text.strip_prefix(' '), char::is_uppercase)),
            starters: class(|text| is_word(Some(text), char::is_uppercase)),
            comma: known(","),
            stop: known("."),
            newline: known("\n"),
            end_chance: (WORDS_PER_SENTENCE / mean_tokens.max(1.0)).min(1.0),
        }
    }

    /// The candidates after this token, the likeliest first, all different.
    pub(super) fn candidates(&self, last: u32, draw: &mut Stream) -> [u32; CANDIDATES] {
        let kind = self.kinds.get(last as usize).copied().unwrap_or(Kind::Other);
        let leader = self.leader(kind, draw);
        let class = match kind {
            Kind::Stop => &self.openers,
            Kind::LineStart => &self.starters,
            Kind::Word | Kind::Comma | Kind::Other => &self.words,
        };
        let mut found = [0; CANDIDATES];
        let mut count = 0;
        if let Some(leader) = leader {
            found[0] = leader;
            count = 1;
        }
        while count < CANDIDATES {
            let place = draw.unit();
            let id = class[(place * place * class.len() as f64) as usize];
            if !found[..count].contains(&id) {
                found[count] = id;
                count += 1;
            }
        }
        if leader.is_none() && kind == Kind::Word {
            let place = 1 + draw.below(CANDIDATES - 2);
            found[place] = self.comma;
            found[place + 1] = self.stop;
        }
        if leader.is_none() && kind == Kind::Stop {
            found[1 + draw.below(CANDIDATES - 1)] = self.newline;
        }
        found
    }

    /// A token other than a word that leads here, if one does.
    fn leader(&self, kind: Kind, draw: &mut Stream) -> Option<u32> {
        let place = draw.unit();
        match kind {
            Kind::Word if place < 1.0 / WORDS_PER_SENTENCE => Some(self.stop),
            Kind::Word if place < 1.8 / WORDS_PER_SENTENCE => Some(self.comma),
            Kind::Stop if place < self.end_chance => Some(IM_END),
            Kind::Stop if place < self.end_chance + 0.1 => Some(self.newline),
            _ => None,
        }
    }
}

/// Merged pieces come after the marks that close the list of whole tokens.
fn first_merge(tokens: &Tokens) -> u32 {
    tokens.encode(" \"").first().copied().unwrap_or(u32::MAX)
}

fn is_word(text: Option<&str>, first: fn(char) -> bool) -> bool {
    text.is_some_and(|text| text.chars().next().is_some_and(first) && text.chars().all(char::is_alphabetic))
}
