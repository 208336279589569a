//! What changed since a workload ran before, in words and as a table.

use super::names;
use crate::{
    report::{
        escape, number,
        table::{Cell, Table, column, word},
        words::{self, Line},
    },
    week::{Change, What},
};

/// Changes that a headline names one by one.
const NAMED: usize = 6;

/// What a headline says of them: workloads that never ran before together, the others one by one.
pub(super) fn lines(changes: &[Change]) -> Vec<Line> {
    let (new, others): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(|change| change.what == What::New);
    let mut lines: Vec<Line> = others.iter().take(NAMED).map(|change| line(change)).collect();
    let plain = |glyph, subject: String, rest: String| Line { verdict: None, glyph, subject, rest };
    if others.len() > NAMED {
        let hidden = (others.len() - NAMED) as u64;
        let rest = format!("more {}.", if hidden == 1 { "change" } else { "changes" });
        lines.push(plain("+", number::count(hidden).digits().to_owned(), rest));
    }
    if !new.is_empty() {
        let run = if new.len() == 1 { "runs" } else { "run" };
        lines.push(plain("+", names(new.iter().map(|change| &change.workload)), format!("{run} for the first time.")));
    }
    lines
}

/// One sentence.
fn line(change: &Change) -> Line {
    let workload = escape::name(&change.workload);
    let of = |candidate: &str| format!("{}, {workload}", escape::name(candidate));
    let (subject, rest) = match &change.what {
        What::New => (workload, "runs for the first time".to_owned()),
        What::Contract { fields } => (workload, other(fields)),
        What::Evidence => (workload, "is told again, with stages or grades that it did not have before".to_owned()),
        What::Rebased => (workload, "has another baseline: its speed-ups are not those of before".to_owned()),
        What::Method { from, to } => (workload, format!("is judged by method {}, before by {}", name(to), name(from))),
        What::Leader { from, to } => {
            let leads = if to.len() > 1 { "lead" } else { "leads" };
            (workload.clone(), format!("is led by others: {} {leads}, before {}", names(to), names(from)))
        }
        What::Joined { candidate } => (of(candidate), "runs for the first time".to_owned()),
        What::Left { candidate } => (of(candidate), "no longer runs".to_owned()),
        What::Verdict { candidate, from, to } => (of(candidate), format!("is {}, before {}", word(*to), word(*from))),
        What::Speed { candidate, from, to } => {
            let direction = if to.speedup > from.speedup { "faster" } else { "slower" };
            let (now, before) = (words::speedup(Some(to)), words::speedup(Some(from)));
            (of(candidate), format!("is {direction} than before: {now} after {before}, and the intervals do not meet"))
        }
    };
    let glyph = match &change.what {
        What::New | What::Joined { .. } => "+",
        What::Left { .. } => "−",
        _ => "≠",
    };
    Line { verdict: None, glyph, subject, rest: format!("{rest}.") }
}

/// `does not measure what it measured before (load c16 and sampling): nothing is compared`.
fn other(fields: &[String]) -> String {
    format!("does not measure what it measured before ({}): nothing is compared", settings(fields))
}

fn settings(fields: &[String]) -> String {
    if fields.is_empty() { "one of the two measured no cell".into() } else { names(fields) }
}

fn name(text: &str) -> String {
    escape::name(text)
}

/// All of them.
pub(super) fn table(changes: &[Change]) -> Table {
    let row = |change: &Change| {
        let (code, candidate, from, to) = parts(&change.what);
        vec![
            Cell::Text(name(&change.workload)),
            candidate.map_or(Cell::Empty, |candidate| Cell::Text(name(candidate))),
            Cell::Code(code.to_owned()),
            from,
            to,
            change.since.as_ref().map_or(Cell::Empty, |run| Cell::Text(name(run))),
        ]
    };
    Table {
        name: "changes",
        caption: "What is not as it was the last time that the same workload ran",
        columns: vec![
            column("Workload", &["workload"]),
            column("Candidate", &["candidate"]),
            column("What", &["what"]),
            column("Before", &["before"]),
            column("Now", &["now"]),
            column("Since", &["since"]),
        ],
        rows: changes.iter().map(row).collect(),
    }
}

/// Its code, whom it is about, and what was before and is now.
fn parts(what: &What) -> (&'static str, Option<&str>, Cell, Cell) {
    match what {
        What::New => ("new", None, Cell::Empty, Cell::Empty),
        What::Contract { fields } => ("contract", None, Cell::Empty, Cell::Text(settings(fields))),
        What::Evidence => ("evidence", None, Cell::Empty, Cell::Empty),
        What::Rebased => ("rebased", None, Cell::Empty, Cell::Empty),
        What::Method { from, to } => ("method", None, Cell::Text(name(from)), Cell::Text(name(to))),
        What::Leader { from, to } => ("leader", None, Cell::Text(names(from)), Cell::Text(names(to))),
        What::Joined { candidate } => ("joined", Some(candidate), Cell::Empty, Cell::Empty),
        What::Left { candidate } => ("left", Some(candidate), Cell::Empty, Cell::Empty),
        What::Verdict { candidate, from, to } => {
            ("verdict", Some(candidate), Cell::Text(word(*from).into()), Cell::Text(word(*to).into()))
        }
        What::Speed { candidate, from, to } => {
            let text = |effect| Cell::Text(words::speedup(Some(effect)));
            ("speed", Some(candidate), text(from), text(to))
        }
    }
}
