//! Everything a server sent is hostile. Records keep it byte for byte; what people see
//! goes through here or through the report's own escaping.

/// `text` for a terminal or a log line: control characters (also the C1 ones and
/// bidirectional overrides) as `\u{…}`, at most `most` characters.
pub fn shown(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == most {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push('⏎'),
            c if is_unprintable(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character may act on a terminal or reorder what stands around it.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// At most `most` bytes of `text`, cut at a character.
pub fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_and_bidirectional_overrides_are_shown_not_obeyed() {
        assert_eq!(shown("\u{1b}[2Jred\u{202e}", 99), "\\u{1b}[2Jred\\u{202e}");
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shown(&"x".repeat(1 << 20), 3), "xxx…");
        assert_eq!(cut("aé", 2), "a");
    }
}
