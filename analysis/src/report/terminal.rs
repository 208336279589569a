//! The verdict table of a terminal: words first, one short sentence beneath each candidate.

use lab::text::shown;

use super::{board, controls, number, table::word, words};
use crate::judgement::{Candidate, Judgement, LoadFacts, Verdict};

const HEADINGS: [&str; 5] = ["candidate", "outputs", "speed-up", "TTFT", "TPOT"];
const OF_CONTROLS: [&str; 5] = ["control", "is", "speed-up", "TTFT", "TPOT"];
const GAP: &str = "  ";
/// A name is never cut below this.
const SHORTEST_NAME: usize = 8;
/// Sentences keep readable on wide terminals.
const WIDEST_SENTENCE: usize = 100;

/// The verdict table, at most `width` characters wide (if that is at least 72), with ANSI
/// colours only if `colours`. Ends in a newline.
pub fn table(judgement: &Judgement, width: usize, colours: bool) -> String {
    if judgement.candidates.is_empty() {
        return plain(judgement, width, &Paint(colours));
    }
    let rows: Vec<[String; 5]> = judgement.candidates.iter().map(|c| row(judgement, c)).collect();
    let nobody = judgement.candidates.iter().all(|c| controls::unjudged(judgement, c).is_some());
    let headings = if nobody { OF_CONTROLS } else { HEADINGS };
    let mut widths = [0; 5];
    for (column, most) in widths.iter_mut().enumerate() {
        let longest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        *most = longest.max(headings[column].len());
    }
    let others: usize = widths[1..].iter().map(|w| w + GAP.len()).sum();
    widths[0] = widths[0].min(width.saturating_sub(others).max(SHORTEST_NAME));

    let paint = Paint(colours);
    let own = calibration(judgement, width, &paint);
    let first = controls::only(judgement) && !own.is_empty();
    let mut out = if first { format!("{own}\n") } else { String::new() };
    line(&mut out, &headings.map(str::to_owned), &widths, |_, text| paint.dim(text));
    for (candidate, row) in judgement.candidates.iter().zip(&rows) {
        line(&mut out, row, &widths, |column, text| match column {
            0 => paint.bold(text),
            1 if controls::unjudged(judgement, candidate).is_none() => paint.verdict(candidate.verdict, text),
            _ => text.to_owned(),
        });
        for text in
            sentences(judgement, candidate).iter().flat_map(|s| wrapped(s, width.clamp(20, WIDEST_SENTENCE) - 2))
        {
            out.push_str(&format!("  {}\n", paint.dim(&text)));
        }
    }
    out.push_str(&board(judgement, width, &paint));
    out.push_str(&largest(judgement, width, &paint));
    out + if first { "" } else { &own }
}

/// What a run's own controls come to; empty where it has none.
fn calibration(judgement: &Judgement, width: usize, paint: &Paint) -> String {
    let Some((whole, parts)) = controls::calibration(judgement) else { return String::new() };
    let mut out = String::new();
    for line in wrapped(&whole, width.clamp(20, WIDEST_SENTENCE)) {
        out.push_str(&format!("{}\n", paint.bold(&line)));
    }
    for line in parts.iter().flat_map(|part| wrapped(part, width.clamp(20, WIDEST_SENTENCE) - 2)) {
        out.push_str(&format!("  {line}\n"));
    }
    let ids = judgement.controls.iter().flat_map(|own| &own.bundles);
    out + &ids.map(|id| format!("  calibration = [\"{id}\"]\n")).collect::<String>()
}

/// Who is ahead, where there is more than one, and the baseline against itself.
fn board(judgement: &Judgement, width: usize, paint: &Paint) -> String {
    let mut lines: Vec<(usize, String)> = Vec::new();
    if let Some(board) = judgement.leaderboard.as_ref().filter(|b| b.entries.len() > 1) {
        lines.push((0, board::heading(board.mode)));
        lines.extend(board.void.iter().map(|void| (2, format!("void: {}", super::escape::detail(&void.text)))));
        lines.extend(board.entries.iter().map(|e| (2, board::entry(e, board.mode))));
        lines.extend(board.notes.iter().map(|note| (2, format!("note: {}", super::escape::detail(&note.text)))));
    }
    let selves = board::selves(judgement);
    if !selves.is_empty() {
        lines.push((0, "the baseline against itself".to_owned()));
        lines.extend(selves.into_iter().map(|line| (2, line)));
    }
    let mut out = String::new();
    for (indent, line) in lines {
        for line in wrapped(&line, width.clamp(20, WIDEST_SENTENCE) - indent) {
            let line = if indent == 0 { paint.dim(&line) } else { line };
            out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
        }
    }
    out
}

/// A measurement without candidates: each load with its medians and rates.
fn plain(judgement: &Judgement, width: usize, paint: &Paint) -> String {
    const HEADINGS: [&str; 7] = ["load", "requests", "TTFT", "TPOT", "E2EL", "tokens/s", "SLO met"];
    let facts: Vec<&LoadFacts> = judgement.loads.iter().filter(|f| !words::is_step(judgement, &f.load)).collect();
    let mut rows: Vec<[String; 7]> = vec![HEADINGS.map(str::to_owned)];
    let one = facts.iter().all(|f| (&f.model, f.gpus) == (&facts[0].model, facts[0].gpus));
    for facts in &facts {
        let median = |metric| {
            let found = facts.latencies.iter().find(|l| l.metric == metric).and_then(|l| l.p50_ns);
            found.map_or_else(|| "–".into(), |ns| format!("{} ms", number::millis(ns as f64).digits()))
        };
        let rate = facts.tokens_per_s.map_or_else(|| "–".into(), |r| number::scaled(r).digits().to_owned());
        let met = facts.service.and_then(|s| s.attainment).map(|a| format!("{} %", number::percent_of(a).digits()));
        let requests = if facts.complete == facts.due {
            facts.due.to_string()
        } else {
            format!("{} of {}", facts.complete, facts.due)
        };
        let place = super::input::Cell::from(*facts);
        let name = if one { super::escape::name(&place.load) } else { place.to_string() };
        let name = shown(&name, width.saturating_sub(56).max(SHORTEST_NAME));
        rows.push([name, requests, median("ttft"), median("tpot"), median("e2el"), rate, met.unwrap_or("–".into())]);
    }
    let mut out = String::new();
    if facts.is_empty() && judgement.ladders.is_empty() {
        out.push_str("Nothing was measured.\n");
    } else if !facts.is_empty() {
        let widths: Vec<usize> =
            (0..7).map(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
        for (i, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                let padding = " ".repeat(width - cell.chars().count());
                if column == 0 { format!("{cell}{padding}") } else { format!("{padding}{cell}") }
            });
            let line = cells.collect::<Vec<_>>().join(GAP);
            out.push_str(&if i == 0 { paint.dim(&line) } else { line });
            out.push('\n');
        }
        out.push_str(&paint.dim("Medians over all requests that are complete; times count from the intended send."));
        out.push('\n');
    }
    for void in &judgement.voids {
        let text = format!("not counted: {}", super::escape::detail(&void.why));
        wrapped(&text, width.clamp(20, WIDEST_SENTENCE)).iter().for_each(|line| out.push_str(&format!("{line}\n")));
    }
    out + &largest(judgement, width, paint)
}

/// How large a load each arm bears, where ladders were climbed.
fn largest(judgement: &Judgement, width: usize, paint: &Paint) -> String {
    let mut out = String::new();
    for ladder in &judgement.ladders {
        out.push_str(&paint.dim(&shown(&format!("largest load, {}", words::ladder(ladder)), width.saturating_sub(1))));
        out.push('\n');
        for climb in &ladder.arms {
            let text = words::capacity(climb.capacity.as_ref(), ladder.unit);
            let ratio = match words::over_baseline(judgement, climb) {
                None => String::new(),
                Some(Ok(effect)) => format!(", over the baseline {}", words::speedup(Some(&effect))),
                Some(Err(why)) => format!(", over the baseline {why}"),
            };
            let line = format!("{} {text}{ratio}", super::escape::name(&climb.arm));
            for line in wrapped(&line, width.clamp(20, WIDEST_SENTENCE) - 2) {
                out.push_str(&format!("  {line}\n"));
            }
        }
    }
    out
}

/// Why this verdict, and why no speed-up where there is none.
fn sentences(judgement: &Judgement, candidate: &Candidate) -> Vec<String> {
    let note = candidate.overall_note.as_ref().filter(|_| candidate.overall.is_none());
    let note = note.map(|n| format!("no speed-up: {}", super::escape::detail(&n.text)));
    let notes = candidate.notes.iter().map(|n| format!("note: {}", super::escape::detail(&n.text)));
    let first: Vec<String> = match controls::unjudged(judgement, candidate) {
        Some(_) => controls::shows(judgement, candidate).filter(|shown| !shown.is_empty()).into_iter().collect(),
        None => controls::sentence(judgement, candidate).into_iter().chain([words::in_short(candidate)]).collect(),
    };
    first.into_iter().chain(note).chain(notes).collect()
}

fn row(judgement: &Judgement, candidate: &Candidate) -> [String; 5] {
    let provisional = if candidate.provisional { " provisional" } else { "" };
    let beside = |metric| {
        words::beside(candidate, metric)
            .map_or_else(|| "–".into(), |ratio| format!("{}×", number::ratio(ratio).digits()))
    };
    [
        super::escape::name(&candidate.name),
        match controls::unjudged(judgement, candidate) {
            Some(control) => controls::kind(control).into(),
            None => format!("{}{provisional}", word(candidate.verdict)),
        },
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
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
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
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn dim(&self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn verdict(&self, verdict: Verdict, text: &str) -> String {
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
