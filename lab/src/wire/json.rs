//! JSON without white space, by where its values end. Only what is JSON without doubt has an end
//! here: everything else is for a parser to judge.

/// Lists in objects in lists go no deeper.
const MOST_LEVELS: usize = 4;

/// Where the value that begins at `at` ends; none where it goes too deep too.
pub(super) fn value(text: &[u8], mut at: usize) -> Option<usize> {
    let (mut open, mut depth) = ([0; MOST_LEVELS], 0);
    loop {
        // A value begins.
        at = match *text.get(at)? {
            b'"' => string(text, at)?,
            b'n' => null(text, at)?,
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
pub(super) fn string(text: &[u8], mut at: usize) -> Option<usize> {
    if *text.get(at)? != b'"' {
        return None;
    }
    at += 1;
    loop {
        at += plain(&text[at..]);
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

/// How many bytes at the front surely neither end a string, nor escape anything, nor are control
/// characters: eight are looked at together (Mycroft's test for a zero byte, which may take a byte
/// above one that is for another).
fn plain(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let mut at = 0;
    while let Some(eight) = text[at..].first_chunk() {
        let eight = u64::from_le_bytes(*eight);
        let less = |word: u64, than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word & HIGH;
        let is = |byte: u8| less(eight ^ (ONES * u64::from(byte)), 1);
        let found = is(b'"') | is(b'\\') | less(eight, 0x20);
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at
}

/// Where the `null` that begins at `at` ends.
pub(super) fn null(text: &[u8], at: usize) -> Option<usize> {
    text[at..].starts_with(b"null").then_some(at + 4)
}

/// Where the number that begins at `at` ends.
pub(super) fn number(text: &[u8], at: usize) -> Option<usize> {
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

    fn end_of(text: &str) -> Option<usize> {
        value(text.as_bytes(), 0)
    }

    #[test]
    fn a_value_ends_where_json_says() {
        for json in [
            r#""a""#,
            r#""\u00e9\"]""#,
            "-9.5e-05",
            "0",
            "null",
            "[]",
            "{}",
            r#"[{"token":"a","bytes":[195,169]},{"token":"b","bytes":null}]"#,
        ] {
            assert_eq!(end_of(&format!("{json},1")), Some(json.len()), "{json}");
        }
    }

    #[test]
    fn what_is_no_json_has_no_end() {
        for text in [
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
            "",
        ] {
            assert_eq!(end_of(text), None, "{text}");
        }
    }

    proptest! {
        /// serde_json is the truth: what ends is a value that it takes.
        #[test]
        fn only_json_ends(parts in prop::collection::vec(prop::sample::select(vec![
            "[", "]", "{", "}", ",", ":", "\"", "\\", "u00e9", "a", "0", "1", "-", ".", "e", "null", "\"a\"", "\"a\":", "-1.5", "\n", " ", "é",
        ]), 0..12)) {
            let list = format!("[{}", parts.concat());
            if let Some(end) = end_of(&list) {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&list[..end]).is_ok(), "{}", list);
            }
        }
    }
}
