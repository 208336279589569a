//! From bytes to text as it may be shown: whole characters only, and nothing that
//! may yet turn out to be a stop string.

use crate::speech::{Finish, Token};

/// The text of one answer while it grows.
#[derive(Debug)]
pub(crate) struct Text {
    stop: Vec<String>,
    include_stop: bool,
    /// Bytes of a character that is not complete.
    partial: Vec<u8>,
    all: String,
    /// How many bytes of the text have been shown.
    shown: usize,
    hold_bytes: usize,
}

impl Text {
    /// An empty text that ends at any of these strings.
    pub(crate) fn new(stop: Vec<String>, include_stop: bool) -> Self {
        let longest = stop.iter().map(String::len).max().unwrap_or(0);
        Self {
            hold_bytes: if include_stop { 0 } else { longest.saturating_sub(1) },
            stop,
            include_stop,
            partial: Vec::new(),
            all: String::new(),
            shown: 0,
        }
    }

    /// Adds a token; gives the characters it completed and sets its finish when it
    /// completed a stop string.
    pub(crate) fn push(&mut self, token: &mut Token) -> String {
        self.partial.extend_from_slice(&token.bytes);
        let grown = take_whole(&mut self.partial, token.finish.is_some());
        let new_from = self.all.len();
        self.all.push_str(&grown);
        if let Some((at, stop)) = self.find_stop(new_from) {
            self.all.truncate(if self.include_stop { at + stop.len() } else { at });
            token.finish = Some(Finish::StopText(stop));
        }
        grown
    }

    /// The text that may be shown now; all of it at the end.
    pub(crate) fn take(&mut self, over: bool) -> String {
        let keep = if over { 0 } else { self.hold_bytes };
        let mut cut = self.all.len().saturating_sub(keep).max(self.shown);
        while !self.all.is_char_boundary(cut) {
            cut -= 1;
        }
        let text = self.all.get(self.shown..cut).unwrap_or("").to_owned();
        self.shown = cut;
        text
    }

    /// The first stop string that the newest text completes.
    fn find_stop(&self, new_from: usize) -> Option<(usize, String)> {
        let first = |stop: &String| {
            let mut from = new_from.saturating_sub(stop.len());
            while !self.all.is_char_boundary(from) {
                from -= 1;
            }
            self.all[from..].find(stop.as_str()).map(|at| (from + at, stop.clone()))
        };
        self.stop.iter().filter_map(first).min_by_key(|found| found.0)
    }
}

/// Takes the whole characters out of the buffer; what can never become one is
/// replaced, and so is an unfinished character at the end.
fn take_whole(buffer: &mut Vec<u8>, over: bool) -> String {
    let mut text = String::new();
    loop {
        match std::str::from_utf8(buffer) {
            Ok(valid) => {
                text.push_str(valid);
                buffer.clear();
                return text;
            }
            Err(error) => {
                let valid = error.valid_up_to();
                text.push_str(&String::from_utf8_lossy(&buffer[..valid]));
                let Some(wrong) = error.error_len().or(over.then_some(buffer.len() - valid)) else {
                    buffer.drain(..valid);
                    return text;
                };
                text.push(char::REPLACEMENT_CHARACTER);
                buffer.drain(..valid + wrong);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn say(text: &mut Text, pieces: &[&[u8]]) -> (Vec<String>, Option<Finish>) {
        let mut shown = Vec::new();
        let last = pieces.len() - 1;
        for (at, piece) in pieces.iter().enumerate() {
            let finish = (at == last).then_some(Finish::Length);
            let bytes = Cow::Owned(piece.to_vec());
            let mut token = Token { id: 9, bytes, logprob: 0.0, top: vec![], finish, joined: false };
            text.push(&mut token);
            shown.push(text.take(token.finish.is_some()));
            if token.finish.is_some() {
                return (shown, token.finish);
            }
        }
        (shown, None)
    }

    #[test]
    fn a_character_is_shown_only_when_it_is_whole() {
        let mut text = Text::new(vec![], false);
        let (shown, _) = say(&mut text, &[b"a\xf0\x9f", b"\x8e", b"\x89b", b""]);
        assert_eq!(shown, ["a", "", "🎉b", ""]);
    }

    #[test]
    fn bytes_that_are_no_character_are_replaced() {
        let mut text = Text::new(vec![], false);
        let (shown, _) = say(&mut text, &[b"\xff\xc3", b"x\xc3"]);
        assert_eq!(shown.concat(), "\u{fffd}\u{fffd}x\u{fffd}");
    }

    #[test]
    fn text_that_may_be_a_stop_string_is_held_back() {
        let mut text = Text::new(vec![" Paris".into()], false);
        let (shown, finish) = say(&mut text, &[b"The", b" capital", b" of", b" France", b" is", b" Paris", b"."]);
        assert_eq!(shown, ["", "The ca", "pit", "al of F", "ran", "ce is"]);
        assert_eq!(finish, Some(Finish::StopText(" Paris".into())));
    }

    #[test]
    fn a_stop_string_may_be_wanted_in_the_text() {
        let mut text = Text::new(vec![" Paris".into()], true);
        let (shown, _) = say(&mut text, &[b"is", b" Par", b"is!", b"."]);
        assert_eq!(shown, ["is", " Par", "is"]);
    }
}
