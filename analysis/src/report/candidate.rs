//! The page on one candidate.

use super::{
    controls,
    document::{Block, Document, Home, Page, Section},
    escape,
    figures::{self, Figure},
    input::Input,
    number,
    table::{Cell, Table},
    tables::Tables,
    words,
};
use crate::judgement::{Candidate, Failure, Judgement, Verdict};

/// Different failures that are shown; all are in `csv/failures.csv`.
const FAILURES: usize = 6;

/// Pairs with other candidates that are shown.
const MOST_PAIRS: usize = 20;

const BASELINE: &str = "baseline";

/// The page on the candidate at this place: what is known about it, the decisive first.
pub(crate) fn page(input: &Input, place: usize, tables: &Tables) -> Page {
    let judgement = input.judgement;
    let candidate = &judgement.candidates[place];
    let name = escape::name(&candidate.name);
    let parts = [
        ("speed", "Speed", speed(judgement, candidate, &name, tables)),
        ("latency", "Latency", latency(input, candidate, &name, tables)),
        ("outputs", "Outputs", outputs(judgement, candidate, &name, tables)),
        ("structure", "Structure", structure(tables.structure.of(&name)).into_iter().collect()),
        ("failures", "Failures", failures(candidate, &tables.failures)),
        ("scores", "Scores of Cacheon V1", scores(&name, tables)),
        ("rates", "Rates", rates(judgement, &name, tables)),
        ("reproduce", "Reproduce and look closer", reproduce(input, candidate)),
    ];
    let sections = parts.into_iter().filter(|(_, _, blocks)| !blocks.is_empty());
    let verdict = Section::new("verdict", "Verdict", verdict(judgement, candidate));
    let document = Document {
        title: name.clone(),
        above: "one candidate".into(),
        home: Some(Home { title: escape::name(input.title), folder: "" }),
        description: description(candidate),
        headline: Vec::new(),
        caution: String::new(),
        note: input.note(&words::page_of(judgement, place)),
        sections: std::iter::once(verdict)
            .chain(sections.map(|(id, title, blocks)| Section::new(id, title, blocks)))
            .collect(),
    };
    Page { path: words::page_of(judgement, place), document }
}

/// A control of a run that judges nobody has no verdict.
fn verdict(judgement: &Judgement, candidate: &Candidate) -> Vec<Block> {
    let speed = words::how_fast(candidate).1;
    let powered = candidate.overall.is_some_and(|e| e.powered);
    let counts = if powered && candidate.verdict == Verdict::Altered { ", which does not count" } else { "" };
    let mut blocks = Vec::new();
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
    if !candidate.notes.is_empty() {
        let notes = candidate.notes.iter().map(|n| format!("Note: {}.", escape::detail(&n.text)));
        blocks.push(Block::List(notes.collect()));
    }
    blocks.push(Block::Text(format!("Timed requests: {}.", requests(candidate))));
    blocks
}

fn speed(judgement: &Judgement, candidate: &Candidate, name: &str, tables: &Tables) -> Vec<Block> {
    let columns = ["Cell", "Metric", "Baseline", "This", "Speed-up", "p", "p, adjusted", "Sign-flip p", "Detectable"];
    let table = tables.speed.of(name).without(&words::steps(judgement)).pick(&columns).unless_constant("Cell");
    let mut blocks = Vec::new();
    if !table.rows.is_empty() {
        blocks.push(Block::text(
            "Geometric means over rounds, each held against the baselines beside it; detectable is the smallest effect that this many rounds show with 80 % power.",
        ));
        blocks.push(Block::Table(table));
    }
    blocks.extend(drawn(figures::candidate::rounds(judgement, &candidate.name)));
    let rounds = tables.rounds.of(name).without(&words::steps(judgement));
    let rounds = rounds.only("Metric", |metric| metric == words::metric("e2el-equal-work"));
    if !rounds.rows.is_empty() {
        let table = rounds.unless_constant("Cell").unless_constant("Metric");
        blocks.push(Block::Fold { summary: "Equal work round by round".into(), open: false, table });
    }
    let pairs = tables.pairs.of_either(name);
    if pairs.rows.len() > MOST_PAIRS {
        blocks.push(Block::Text(format!("Beside {} other candidates: {}.", pairs.rows.len(), pairs.file())));
    } else {
        push_table(&mut blocks, pairs);
    }
    blocks
}

fn latency(input: &Input, candidate: &Candidate, name: &str, tables: &Tables) -> Vec<Block> {
    let steps = words::steps(input.judgement);
    let table = beside_baseline(&tables.percentiles, name).without(&steps).unless_constant("Cell");
    let mut blocks: Vec<Block> = drawn(figures::candidate::distributions(input, &candidate.name)).collect();
    push_table(&mut blocks, table);
    blocks.extend(drawn(figures::candidate::latency_against_load(input.judgement, &candidate.name)));
    blocks.extend(drawn(figures::candidate::throughput_against_latency(input.judgement, &candidate.name)));
    blocks
}

fn drawn(figures: impl IntoIterator<Item = Figure>) -> impl Iterator<Item = Block> {
    figures.into_iter().map(|figure| Block::Figure(Box::new(figure)))
}

fn outputs(judgement: &Judgement, candidate: &Candidate, name: &str, tables: &Tables) -> Vec<Block> {
    let mut blocks = Vec::new();
    let facts = tables.equivalence.of(name);
    if !facts.rows.is_empty() {
        blocks.push(Block::text(
            "A trusted reference read the timed outputs token by token. x is a token's distance from what it would have chosen, as a share of the cap; a request is far if one of its tokens is above four caps. A space is shown as ␣, a line break as ⏎.",
        ));
        blocks.extend(drawn(figures::candidate::margins(judgement, &candidate.name)));
        blocks.push(Block::Facts(facts));
    }
    push_table(&mut blocks, tables.worst.of(name));
    push_table(&mut blocks, beside_baseline(&tables.stages, name));
    push_table(&mut blocks, beside_baseline(&tables.divergence, name));
    push_table(&mut blocks, tables.partings.of(name));
    blocks
}

fn scores(name: &str, tables: &Tables) -> Vec<Block> {
    let mut blocks = Vec::new();
    push_table(&mut blocks, tables.scores.of(name));
    let gates = tables.gates.of(name);
    if !gates.rows.is_empty() {
        blocks.push(Block::Fold {
            summary: "What V1 asked of outputs before it scored them".into(),
            open: false,
            table: gates,
        });
    }
    blocks
}

fn rates(judgement: &Judgement, name: &str, tables: &Tables) -> Vec<Block> {
    let mut blocks = Vec::new();
    let loads = beside_baseline(&tables.loads, name).without(&words::steps(judgement)).unless_constant("Cell");
    push_table(&mut blocks, loads);
    push_table(&mut blocks, beside_baseline(&tables.ladders, name));
    blocks
}

fn reproduce(input: &Input, candidate: &Candidate) -> Vec<Block> {
    let mut blocks = vec![
        Block::text("The same bundles give the same verdict on any machine, from the folder in which results/ lies:"),
        Block::Commands(input.commands.to_vec()),
    ];
    if let (Some(command), true) = (input.commands.last(), candidate.equivalence.is_some()) {
        let explain = command.split(" --out ").next().unwrap_or_default().replacen(" report ", " judge ", 1);
        blocks.push(Block::text("The tokens that decided, with the prompts and what the reference would have said:"));
        blocks.push(Block::Commands(vec![format!("{explain} --explain {}", escape::name(&candidate.name))]));
    }
    blocks
}

fn description(candidate: &Candidate) -> String {
    escape::detail(candidate.description.trim())
}

/// Its timed requests by outcome.
fn requests(candidate: &Candidate) -> String {
    let outcomes = candidate.outcomes.iter();
    let outcomes: Vec<String> =
        outcomes.map(|(outcome, n)| format!("{} {}", number::count(*n).typeset(), escape::name(outcome))).collect();
    if outcomes.is_empty() { "none".to_owned() } else { outcomes.join(", ") }
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

/// The candidate's rows and the baseline's.
fn beside_baseline(table: &Table, name: &str) -> Table {
    table.only("Arm", |arm| arm == name || arm == BASELINE)
}

fn push_table(blocks: &mut Vec<Block>, table: Table) {
    if !table.rows.is_empty() {
        blocks.push(Block::Table(table));
    }
}

/// Structural checks, if any were asked; folded away where nothing was found.
pub(crate) fn structure(checks: Table) -> Option<Block> {
    if checks.rows.is_empty() {
        return None;
    }
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
    Some(Block::Fold { summary, open: holds > 0, table: checks })
}
