//! What people write into a report by hand: one note on each page, in a marked place of its
//! Markdown, which a report that is made again keeps to the byte. HTML shows its paragraphs and lists,
//! what is `code` and what is **strong**; everything else is text.

/// Where a note begins, and where it ends: lines of their own.
const BEGIN: &str = "<!-- note: write between these two lines, a report that is made again keeps it -->";
const END: &str = "<!-- end of note -->";

/// The marked place with a note, which may be empty.
pub(crate) fn place(note: &str) -> String {
    let gap = if note.is_empty() { "" } else { "\n\n" };
    format!("{BEGIN}{gap}{note}\n\n{END}")
}

/// The note on a page; empty where there is none.
///
/// # Errors
/// What is wrong with the marks, in words.
pub fn note(markdown: &str) -> Result<String, String> {
    let marks = |mark: &str| markdown.lines().filter(|line| *line == mark).count();
    match (marks(BEGIN), marks(END)) {
        (0, 0) => return Ok(String::new()),
        (1, 1) => {}
        _ => return Err(format!("the marks of its note are not one `{BEGIN}` and, after it, one `{END}`")),
    }
    let lines: Vec<&str> = markdown.lines().collect();
    let at = |mark: &str| lines.iter().position(|line| *line == mark).unwrap_or_default();
    if at(END) < at(BEGIN) {
        return Err("its note ends before it begins".into());
    }
    Ok(lines[at(BEGIN) + 1..at(END)].join("\n").trim_matches('\n').to_owned())
}

/// A part of a note.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A paragraph.
    Text(String),
    /// A list: lines that begin with `- `.
    List(Vec<String>),
}

/// The parts of a note, which empty lines divide.
pub(crate) fn parts(note: &str) -> Vec<Part> {
    let blocks = note.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    blocks
        .map(|block| {
            let items: Option<Vec<String>> =
                block.lines().map(|line| line.strip_prefix("- ").map(str::to_owned)).collect();
            items.map_or_else(|| Part::Text(block.lines().collect::<Vec<_>>().join(" ")), Part::List)
        })
        .collect()
}

/// A stretch of a paragraph or of an item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Span<'a> {
    /// As it is.
    Text(&'a str),
    /// Between backticks.
    Code(&'a str),
    /// Between pairs of stars.
    Strong(&'a str),
}

/// The stretches of a paragraph; a mark that is not closed is text.
pub(crate) fn spans(mut text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    while let Some((at, mark)) = ["`", "**"].iter().filter_map(|mark| Some((text.find(mark)?, *mark))).min() {
        let inside = &text[at + mark.len()..];
        let Some(end) = inside.find(mark).filter(|end| *end > 0) else { break };
        if at > 0 {
            spans.push(Span::Text(&text[..at]));
        }
        spans.push(if mark == "`" { Span::Code(&inside[..end]) } else { Span::Strong(&inside[..end]) });
        text = &inside[end + mark.len()..];
    }
    if !text.is_empty() {
        spans.push(Span::Text(text));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_as_it_was_written() {
        for written in ["", "One line.", "Two\n\nparagraphs, *and*\nlines.\n\n- a\n- b", "  a margin"] {
            let page = format!("# A page\n\n{}\n\nMore.\n", place(written));
            assert_eq!(note(&page).as_deref(), Ok(written));
        }
        assert_eq!(note("# A page of an older report\n").as_deref(), Ok(""));
    }

    #[test]
    fn code_and_strong_words_are_told_from_text_and_a_mark_without_its_end_is_text() {
        use Span::{Code, Strong, Text};
        assert_eq!(spans("**A b.** c `d ** e` f"), [Strong("A b."), Text(" c "), Code("d ** e"), Text(" f")]);
        for plain in ["2 ** 3", "a ` b", "````", "****", "<b>"] {
            assert_eq!(spans(plain), [Text(plain)]);
        }
        assert_eq!(spans(""), []);
    }

    #[test]
    fn marks_that_are_torn_are_told_and_nothing_is_guessed() {
        for page in [
            format!("{BEGIN}\n\nlost"),
            format!("found\n{END}\n"),
            format!("{END}\n{BEGIN}\n"),
            format!("{BEGIN}\n{BEGIN}\n{END}\n"),
        ] {
            assert!(note(&page).is_err(), "{page}");
        }
    }

    #[test]
    fn paragraphs_and_lists_are_told_apart() {
        let text = |text: &str| Part::Text(text.into());
        assert_eq!(
            parts("A\nb\n\n- c\n- d\n\n- e\nf"),
            [text("A b"), Part::List(vec!["c".into(), "d".into()]), text("- e f")]
        );
    }
}
