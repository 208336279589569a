//! The section on one candidate.

use super::{
    controls,
    document::Block,
    escape, number,
    table::{Cell, Table},
    tables::Tables,
    words,
};
use crate::judgement::{Candidate, Failure, Judgement, Verdict};

/// Different failures that are shown; all are in `csv/failures.csv`.
const FAILURES: usize = 6;

/// What is known about the candidate at this place, the decisive first; a control of a run that
/// judges nobody has no verdict; `steps` are cells that
/// a ladder shows.
pub(crate) fn candidate(judgement: &Judgement, place: usize, tables: &Tables, steps: &[String]) -> Vec<Block> {
    let candidate = &judgement.candidates[place];
    let name = escape::name(&candidate.name);
    let speed = words::how_fast(candidate).1;
    let powered = candidate.overall.is_some_and(|e| e.powered);
    let counts = if powered && candidate.verdict == Verdict::Altered { ", which does not count" } else { "" };
    let mut blocks = vec![Block::Heading { id: words::section_of(place), text: name.clone() }];
    if let Some(shown) = controls::sentence(judgement, candidate) {
        blocks.push(Block::Text(format!("{}.", controls::capital(&shown))));
    }
    if controls::unjudged(judgement, candidate).is_none() {
        blocks.push(Block::Verdict {
            verdict: candidate.verdict,
            provisional: candidate.provisional,
            speed: format!("{speed}{counts}"),
        });
        blocks.push(Block::List(candidate.reasons.iter().map(|r| escape::detail(&r.text)).collect()));
    }
    blocks.push(Block::Text(description(candidate)));
    if !candidate.notes.is_empty() {
        blocks
            .push(Block::List(candidate.notes.iter().map(|n| format!("Note: {}.", escape::detail(&n.text))).collect()));
    }
    let columns = ["Cell", "Metric", "Baseline", "This", "Speed-up", "p", "p, adjusted", "Sign-flip p", "Detectable"];
    push_table(&mut blocks, tables.speed.of(&name).without(steps).pick(&columns).unless_constant("Cell"));
    let facts = tables.equivalence.of(&name);
    if !facts.rows.is_empty() {
        blocks.push(Block::Facts(facts));
    }
    push_table(&mut blocks, tables.worst.of(&name));
    let checks = tables.structure.of(&name);
    if !checks.rows.is_empty() {
        blocks.push(structure(checks));
    }
    blocks.extend(failures(candidate, &tables.failures));
    blocks
}

/// Its description, and its timed requests by outcome.
fn description(candidate: &Candidate) -> String {
    let outcomes = candidate
        .outcomes
        .iter()
        .map(|(outcome, n)| format!("{} {}", number::count(*n).typeset(), escape::name(outcome)));
    let outcomes: Vec<String> = outcomes.collect();
    let requests = if outcomes.is_empty() { "none".to_owned() } else { outcomes.join(", ") };
    let described = escape::detail(candidate.description.trim());
    let gap = match described.chars().last() {
        None => "",
        Some('.' | '!' | '?') => " ",
        Some(_) => ". ",
    };
    format!("{described}{gap}Timed requests: {requests}.")
}

/// Each different failure once, with its trials.
fn failures(candidate: &Candidate, all: &Table) -> Vec<Block> {
    let mut groups: Vec<(&Failure, Vec<String>)> = Vec::new();
    for failure in &candidate.failures {
        let trial = escape::name(&failure.trial);
        match groups.iter_mut().find(|(f, _)| f.class == failure.class && f.detail == failure.detail) {
            Some((_, trials)) => trials.push(trial),
            None => groups.push((failure, vec![trial])),
        }
    }
    let more = groups.len().saturating_sub(FAILURES);
    let mut blocks: Vec<Block> = Vec::new();
    for (failure, trials) in groups.into_iter().take(FAILURES) {
        let title = format!("Failed ({}): {}.", words::class(failure.class), trials.join(", "));
        blocks.push(Block::Log { title, text: failure.detail.clone() });
    }
    if more > 0 {
        blocks.push(Block::Text(format!("{} in {}.", format_args!("{more} more, different"), all.file())));
    }
    blocks
}

fn push_table(blocks: &mut Vec<Block>, table: Table) {
    if !table.rows.is_empty() {
        blocks.push(Block::Table(table));
    }
}

/// Structural checks, folded away where nothing was found.
pub(crate) fn structure(checks: Table) -> Block {
    let checks = checks.pick(&["Check", "Violations", "Requests", "Enough", "Consequence", "Examples"]);
    let found = |row: &&Vec<Cell>| !matches!(&row[1], Cell::Number(n, _) if n.digits() == "0");
    let violated = checks.rows.iter().filter(found).count();
    let holds = checks.rows.iter().filter(|row| row[3] == Cell::Text("yes".into())).count();
    let asked = words::counted(checks.rows.len() as u64, "structural check");
    let summary = match violated {
        0 => format!("{asked}: nothing found"),
        n if holds == 0 => format!("{asked}: {n} violated, too rarely to count"),
        n => format!("{asked}: {n} violated, {holds} often enough to count"),
    };
    Block::Fold { summary, open: holds > 0, table: checks }
}
