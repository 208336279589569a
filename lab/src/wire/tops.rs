//! What a server says that it considered for each token is most of its stream, and no chunk is
//! made of it: it is cut out before the rest is read as JSON. Only what is JSON without doubt is
//! cut, so that nothing passes that would not pass whole.

use memchr::memmem;

const LIST: &[u8] = b"\"top_logprobs\":[";

/// Cuts lists of considered tokens out of one event after the other.
pub(super) struct Tops {
    list: memmem::Finder<'static>,
    cut: String,
}

impl Tops {
    pub(super) fn new() -> Self {
        Tops { list: memmem::Finder::new(LIST), cut: String::new() }
    }

    /// `data` with empty lists in place of those of considered tokens; none where it has none.
    pub(super) fn cut(&mut self, data: &str) -> Option<&str> {
        let (bytes, mut from) = (data.as_bytes(), 0);
        self.cut.clear();
        while let Some(found) = self.list.find(&bytes[from..]) {
            let list = from + found + LIST.len() - 1;
            let Some(length) = value(&bytes[list..]) else { break };
            self.cut.push_str(&data[from..list]);
            self.cut.push_str("[]");
            from = list + length;
        }
        self.cut.push_str(&data[from..]);
        (from > 0).then_some(&self.cut)
    }
}

/// Lists in objects in lists go no deeper.
const MOST_LEVELS: usize = 4;

/// The length of the JSON value at the front; none where it is none, holds white space between
/// its parts, or goes too deep.
fn value(text: &[u8]) -> Option<usize> {
    let (mut open, mut depth, mut at) = ([0; MOST_LEVELS], 0, 0);
    loop {
        // A value begins.
        at = match *text.get(at)? {
            b'"' => string(text, at)?,
            b'n' => text[at..].starts_with(b"null").then_some(at + 4)?,
            begin @ (b'[' | b'{') => {
                let close = if begin == b'[' { b']' } else { b'}' };
                if *text.get(at + 1)? != close {
                    *open.get_mut(depth)? = close;
                    depth += 1;
                    at = next(text, at + 1, close)?;
                    continue;
                }
                at + 2
            }
            _ => number(text, at)?,
        };
        // It has ended, and perhaps what it is in.
        loop {
            let Some(inner) = depth.checked_sub(1) else { return Some(at) };
            match *text.get(at)? {
                b',' => break at = next(text, at + 1, open[inner])?,
                end if end == open[inner] => (at, depth) = (at + 1, inner),
                _ => return None,
            }
        }
    }
}

/// Where the next value of a list or an object begins, of which a part begins at `at`.
fn next(text: &[u8], at: usize, close: u8) -> Option<usize> {
    if close == b']' {
        return Some(at);
    }
    let colon = string(text, at)?;
    (*text.get(colon)? == b':').then_some(colon + 1)
}

/// Where the string that begins at `at` ends.
fn string(text: &[u8], mut at: usize) -> Option<usize> {
    if *text.get(at)? != b'"' {
        return None;
    }
    at += 1;
    loop {
        match *text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match *text.get(at + 1)? {
                b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            0..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// Where the number that begins at `at` ends.
fn number(text: &[u8], at: usize) -> Option<usize> {
    let digits = |from: usize| {
        let mut end = from;
        while text.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        (end > from).then_some(end)
    };
    let whole = at + usize::from(text.get(at) == Some(&b'-'));
    let mut end = digits(whole)?;
    if text[whole] == b'0' && end > whole + 1 {
        return None;
    }
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = matches!(text.get(end + 1), Some(b'+' | b'-'));
        end = digits(end + 1 + usize::from(sign))?;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut_of(data: &str) -> String {
        Tops::new().cut(data).unwrap_or(data).to_owned()
    }

    #[test]
    fn lists_of_considered_tokens_are_cut_out_and_nothing_else() {
        let entry = r#"{"token":"a","top_logprobs":[{"token":"\u00e9\"]","logprob":-9.5e-05,"bytes":[195,169]},{"token":"b","bytes":null}],"logprob":-1}"#;
        assert_eq!(
            cut_of(&format!("[{entry},{entry}]")),
            r#"[{"token":"a","top_logprobs":[],"logprob":-1},{"token":"a","top_logprobs":[],"logprob":-1}]"#
        );
        assert_eq!(cut_of(r#"{"token":"\"top_logprobs\":[1]"}"#), r#"{"token":"\"top_logprobs\":[1]"}"#);
    }

    #[test]
    fn what_is_no_json_is_left_where_it_is() {
        for list in [
            "[01]",
            "[1.]",
            "[-]",
            "[1e]",
            "[tru]",
            "[1,]",
            "[,1]",
            r#"["\x"]"#,
            r#"["\u12g4"]"#,
            "[\"\n\"]",
            "[{1:2}]",
            r#"[{"a"}]"#,
            "[1",
            "[[[[[[1]]]]]]",
        ] {
            let data = format!(r#"{{"top_logprobs":{list}}}"#);
            assert_eq!(cut_of(&data), data);
        }
    }

    proptest! {
        /// serde_json is the truth: what is cut out is a value that it takes.
        #[test]
        fn only_json_is_cut(parts in prop::collection::vec(prop::sample::select(vec![
            "[", "]", "{", "}", ",", ":", "\"", "\\", "u00e9", "a", "0", "1", "-", ".", "e", "null", "\"a\"", "\"a\":", "-1.5", "\n", " ", "é",
        ]), 0..12)) {
            let list = format!("[{}", parts.concat());
            if let Some(length) = value(list.as_bytes()) {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&list[..length]).is_ok(), "{}", list);
            }
        }
    }
}
