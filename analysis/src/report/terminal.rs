//! The verdict table of a terminal: words first, one short sentence beneath each candidate.

use lab::text::shown;

use super::{number, table::word, words};
use crate::judgement::{Candidate, Judgement, Verdict};

const HEADINGS: [&str; 5] = ["candidate", "outputs", "speed-up", "TTFT", "TPOT"];
const GAP: &str = "  ";
/// A name is never cut below this.
const SHORTEST_NAME: usize = 8;
/// Sentences keep readable on wide terminals.
const WIDEST_SENTENCE: usize = 100;

/// The verdict table, at most `width` characters wide (if that is at least 72), with ANSI
/// colours only if `colours`. Ends in a newline.
pub fn table(judgement: &Judgement, width: usize, colours: bool) -> String {
    if judgement.candidates.is_empty() {
        return "No candidate was measured.\n".into();
    }
    let rows: Vec<[String; 5]> = judgement.candidates.iter().map(row).collect();
    let mut widths = [0; 5];
    for (column, most) in widths.iter_mut().enumerate() {
        let longest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        *most = longest.max(HEADINGS[column].len());
    }
    let others: usize = widths[1..].iter().map(|w| w + GAP.len()).sum();
    widths[0] = widths[0].min(width.saturating_sub(others).max(SHORTEST_NAME));

    let paint = Paint(colours);
    let mut out = String::new();
    line(&mut out, &HEADINGS.map(str::to_owned), &widths, |_, text| paint.dim(text));
    for (candidate, row) in judgement.candidates.iter().zip(&rows) {
        line(&mut out, row, &widths, |column, text| match column {
            0 => paint.bold(text),
            1 => paint.verdict(candidate.verdict, text),
            _ => text.to_owned(),
        });
        for text in sentences(candidate).iter().flat_map(|s| wrapped(s, width.clamp(20, WIDEST_SENTENCE) - 2)) {
            out.push_str(&format!("  {}\n", paint.dim(&text)));
        }
    }
    out
}

/// Why this verdict, and why no speed-up where there is none.
fn sentences(candidate: &Candidate) -> Vec<String> {
    let note = candidate.overall_note.as_ref().filter(|_| candidate.overall.is_none());
    let note = note.map(|n| format!("no speed-up: {}", super::escape::detail(&n.text)));
    std::iter::once(words::in_short(candidate)).chain(note).collect()
}

fn row(candidate: &Candidate) -> [String; 5] {
    let provisional = if candidate.provisional { " provisional" } else { "" };
    let beside = |metric| {
        words::beside(candidate, metric)
            .map_or_else(|| "–".into(), |ratio| format!("{}×", number::ratio(ratio).digits()))
    };
    [
        super::escape::name(&candidate.name),
        format!("{}{provisional}", word(candidate.verdict)),
        words::claim(candidate),
        beside("ttft"),
        beside("tpot"),
    ]
}

/// One line of padded cells; numbers (the last two) flush right.
fn line(out: &mut String, cells: &[String; 5], widths: &[usize; 5], paint: impl Fn(usize, &str) -> String) {
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let cell = shown(cell, if cell.chars().count() > *width { width - 1 } else { *width });
        let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
        let painted = paint(column, &cell);
        match column {
            0 => out.push_str(&(painted + &padding)),
            3.. => out.push_str(&(GAP.to_owned() + &padding + &painted)),
            _ => out.push_str(&(GAP.to_owned() + &painted + &padding)),
        }
    }
    out.push('\n');
}

/// Lines of at most `width` characters, broken at spaces; a longer word is broken anywhere.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut letters: Vec<char> = word.chars().collect();
        loop {
            let line = lines.len() - 1;
            let used = lines[line].chars().count();
            let room = width.saturating_sub(used + usize::from(used > 0));
            if letters.len() <= room {
                if used > 0 {
                    lines[line].push(' ');
                }
                lines[line].extend(&letters);
                break;
            }
            if used == 0 {
                lines[line].extend(letters.drain(..width));
            }
            lines.push(String::new());
        }
    }
    lines
}

/// Colours, or none.
struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.with("2", text)
    }

    fn verdict(&self, verdict: Verdict, text: &str) -> String {
        let code = match verdict {
            Verdict::Equivalent => "32",
            Verdict::Undecided => "33",
            Verdict::Altered => "31",
        };
        self.with(code, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a abcdefghij b", 4), ["a", "abcd", "efgh", "ij b"]);
    }
}
