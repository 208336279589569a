//! What others wrote, made safe for each place in which it is shown. A server chooses its
//! tokens, its errors and its log lines; a workload's author chooses names. Each function
//! first shows control characters and bounds the length ([`lab::text::shown`]).

use lab::text::shown;

/// Characters of a name.
pub(crate) const NAME: usize = 200;
/// Characters of a sentence that quotes a server.
pub(crate) const DETAIL: usize = 600;
/// Characters of a paragraph.
const TEXT: usize = 4_000;

/// A name, printable and short enough to stand in a sentence.
pub(crate) fn name(text: &str) -> String {
    shown(text, NAME)
}

/// A sentence that may quote a server.
pub(crate) fn detail(text: &str) -> String {
    shown(text, DETAIL)
}

/// A token's text with its spaces visible.
pub(crate) fn token(text: &str) -> String {
    shown(text, 60).replace(' ', "␣")
}

/// A path as a link names it: every byte that may mean something is `%` and two digits (RFC 3986,
/// section 2.1).
pub(crate) fn href(path: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(b);
    path.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// For HTML, in text and in quoted attributes.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(TEXT));
    for c in shown(text, TEXT).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// For Markdown, also inside a table: no markup, no links (also not bare ones), no HTML.
pub(crate) fn markdown(text: &str) -> String {
    let text = shown(text, TEXT);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let rest = &text[at..];
        let escaped = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '!' | '$' | '@' => true,
            ':' => rest.starts_with("://"),
            '.' => text[..at].to_ascii_lowercase().ends_with("www"),
            '+' | '-' | '=' => at == 0,
            _ => false,
        };
        if escaped {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// For Markdown, in a monospaced font.
pub(crate) fn markdown_code(text: &str) -> String {
    let text = shown(text, TEXT);
    let plain = |c: char| c.is_ascii_alphanumeric() || " .:/@=-_,(){}".contains(c);
    let framed = text.starts_with(' ') || text.ends_with(' ');
    if !text.is_empty() && text.chars().all(plain) && !framed {
        return format!("`{text}`");
    }
    let mut out = String::from("<code>");
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push_str(&format!("&#{};", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out + "</code>"
}

/// A text field of a CSV file: a spreadsheet must not take it for a formula. Numbers do not
/// go through here.
pub(crate) fn csv(text: &str) -> String {
    let text = formula_free(text);
    if text.contains(['"', ',', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// The same before it is quoted, for a writer that does so itself.
pub(crate) fn formula_free(text: &str) -> String {
    let mut text = shown(text, TEXT);
    if text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        text.insert(0, '\'');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_a_path_and_nothing_else() {
        assert_eq!(href("W47/run-1_a.b~c/"), "W47/run-1_a.b~c/");
        assert_eq!(href("a)(<b>\" %é?#:"), "a%29%28%3Cb%3E%22%20%25%C3%A9%3F%23%3A");
    }

    #[test]
    fn markup_is_text_in_html() {
        assert_eq!(html("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
        assert_eq!(html("\"><img onerror=x>"), "&quot;&gt;&lt;img onerror=x&gt;");
        assert_eq!(html("\u{1b}[2J\u{202e}"), "\\u{1b}[2J\\u{202e}");
    }

    #[test]
    fn markup_links_and_table_borders_are_text_in_markdown() {
        assert_eq!(markdown("a|b\n<b>`x`"), "a\\|b⏎\\<b\\>\\`x\\`");
        assert_eq!(markdown("[x](y) ![z](w)"), "\\[x\\](y) \\!\\[z\\](w)");
        assert_eq!(markdown("http://x www.x.y"), "http\\://x www\\.x.y");
        assert_eq!(markdown("- item"), "\\- item");
    }

    #[test]
    fn code_in_markdown_ends_where_it_should() {
        assert_eq!(markdown_code("sha256:ab"), "`sha256:ab`");
        assert_eq!(markdown_code("a`b|</code>"), "<code>a&#96;b&#124;&#60;&#47;code&#62;</code>");
        assert_eq!(markdown_code(""), "<code></code>");
    }

    #[test]
    fn spreadsheets_see_no_formula() {
        for text in ["=HYPERLINK(\"x\")", "+1", "-1", "@x", "＝1"] {
            assert!(csv(text).trim_start_matches('"').starts_with('\''), "{text}");
        }
        assert_eq!(csv("\t=1"), "\\u{9}=1");
        assert_eq!(csv("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv("a\r\n=1"), "a\\u{d}⏎=1");
    }

    #[test]
    fn everything_is_bounded() {
        let long = "&".repeat(1 << 20);
        for text in [name(&long), html(&long), markdown(&long), markdown_code(&long), csv(&long), token(&long)] {
            assert!(text.chars().count() < 6 * TEXT, "{}", text.len());
        }
    }
}
