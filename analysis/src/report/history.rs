//! The page on many runs: who leads since when, what changed, and what cannot be compared.

mod figures; // its pictures
mod headline; // what came out, in sentences
mod names; // what cells, contests and series are called
mod tables; // its tables

use std::collections::BTreeSet;

use lab::Week;

use super::{
    data,
    document::{Block, Document, Page, Section},
    escape,
    formulas::HISTORY,
    of_page,
    table::{Cell, Table},
    words,
};
use crate::history::{Entry, Past};
use names::Names;
use tables::Tables;

/// What a page on many runs is made from.
#[derive(Debug, Clone)]
pub struct History<'a> {
    /// Its title.
    pub title: &'a str,
    /// What is measured there, in a sentence or two; may be empty.
    pub description: &'a str,
    /// The judged runs, in any order. A run with stages in several weeks may have an entry for each:
    /// its last one counts.
    pub entries: &'a [Entry],
    /// The weeks whose own pages lie beside it: `W47/index.html`.
    pub weeks: &'a BTreeSet<Week>,
    /// Commands that make this page again, in order.
    pub commands: &'a [String],
    /// What people wrote into it.
    pub note: &'a str,
}

/// The files of the page: `index.html` and `report.md`, `csv/*.csv`, `plots/history-*.svg`. The same
/// runs give the same bytes, in whichever order they are told.
pub fn render_history(input: &History) -> Vec<(String, Vec<u8>)> {
    let past = Past::of(input.entries);
    let names = Names::of(&past);
    let tables = Tables::of(input, &past, &names);
    let page = Page { path: String::new(), document: document(input, &past, &names, &tables) };
    let mut files = of_page(&page);
    files.extend(data(tables.all()));
    files
}

fn document(input: &History, past: &Past, names: &Names, tables: &Tables) -> Document {
    let first = past.runs.first().map(|run| run.week).into_iter().chain(input.weeks.iter().copied()).min();
    let last = past.runs.last().map(|run| run.week).into_iter().chain(input.weeks.iter().copied()).max();
    let weeks = match (first, last) {
        (Some(first), Some(last)) if first != last => format!(" · {first} to {last}"),
        (Some(only), _) => format!(" · {only}"),
        _ => String::new(),
    };
    let mut sections = vec![Section::new("weeks", "Weeks", of_weeks(tables))];
    if !past.contests.is_empty() {
        sections.push(Section::new("leaders", "Who leads", leaders(tables)));
        sections.push(Section::new("candidates", "Candidates", candidates(past, names, tables)));
    }
    if !past.cells.is_empty() {
        sections.push(Section::new("baseline", "The baseline", baseline(past, names)));
        sections.push(Section::new("changes", "What changed", changes(tables)));
    }
    sections.extend([
        Section::new("values", "Runs and values", values(tables)),
        Section::new("method", "How the numbers are made", method(past)),
        Section::new("reproduce", "Make this page again", reproduce(input)),
    ]);
    Document {
        title: escape::name(input.title),
        above: format!("Benchmark history{weeks}"),
        home: None,
        description: escape::detail(input.description),
        headline: headline::headline(past, names),
        caution: caution(past),
        note: input.note.to_owned(),
        sections,
    }
}

/// Runs that are listed and part of no history.
fn caution(past: &Past) -> String {
    let all = words::counted(past.runs.len() as u64, "run");
    let count = |which: &dyn Fn(usize) -> bool| (0..past.runs.len()).filter(|run| which(*run)).count();
    let unknown = count(&|run| past.runs[run].baseline.is_none() && !past.runs[run].cells.is_empty());
    let beside = count(&|run| past.tells_nothing(run).is_some());
    let mut said = Vec::new();
    if unknown > 0 {
        said.push(format!(
            "Of {all}, {unknown} {} a baseline that nobody here can identify, such as an endpoint: it may be another server each week. {} listed, and no part of any history below.",
            if unknown == 1 { "has" } else { "have" },
            if unknown == 1 { "It is" } else { "They are" }
        ));
    }
    if beside > 0 {
        said.push(format!(
            "Of {all}, {beside} {} on a GPU while another run was: {} speeds are listed, and no part of any history below.",
            if beside == 1 { "was" } else { "were" },
            if beside == 1 { "its" } else { "their" }
        ));
    }
    said.join(" ")
}

/// Weeks that stand in the page; the others are folded away.
const WEEKS: usize = 6;

fn of_weeks(tables: &Tables) -> Vec<Block> {
    let all = &tables.weeks;
    if all.rows.len() <= WEEKS + 1 {
        return vec![Block::table_or(all, "No run has been judged yet.")];
    }
    let part =
        |rows: &[Vec<Cell>], caption| Table { columns: all.columns.clone(), rows: rows.to_vec(), caption, ..*all };
    let summary = words::counted((all.rows.len() - WEEKS) as u64, "earlier week");
    vec![
        Block::Table(part(&all.rows[..WEEKS], all.caption)),
        Block::Fold { summary, open: false, table: part(&all.rows[WEEKS..], "Earlier weeks, the newest first") },
    ]
}

fn leaders(tables: &Tables) -> Vec<Block> {
    vec![
        Block::text(
            "A row for each time that others lead than before. Several who lead together are not shown to differ; a leaderboard that settles nothing changes nobody's lead.",
        ),
        Block::table_or(
            &tables.leaders.clone().unless_constant("On").without_column("New").without_column("Run"),
            "Nobody has led yet.",
        ),
    ]
}

/// Candidates that stand in the page.
const NEWEST: usize = 40;

fn candidates(past: &Past, names: &Names, tables: &Tables) -> Vec<Block> {
    let mut blocks: Vec<Block> = figures::speeds(past, names).into_iter().map(|f| Block::Figure(Box::new(f))).collect();
    if blocks.is_empty() {
        blocks.push(Block::text(
            "No candidate has been measured in two weeks over the same cells yet, so there is nothing to draw.",
        ));
    }
    let table = tables.candidates.clone().unless_constant("On").without_column("Confidence").without_column("Server");
    let more = table.rows.len().saturating_sub(NEWEST);
    blocks.push(Block::Table(Table { rows: table.rows.into_iter().take(NEWEST).collect(), ..table }));
    if more > 0 {
        let file = tables.candidates.file();
        blocks.push(Block::Text(format!("{} of earlier runs in {file}.", words::counted(more as u64, "candidate"))));
    }
    blocks
}

fn baseline(past: &Past, names: &Names) -> Vec<Block> {
    let mut blocks: Vec<Block> =
        figures::baselines(past, names).into_iter().map(|f| Block::Figure(Box::new(f))).collect();
    if blocks.is_empty() {
        blocks.push(Block::text(
            "No cell has been measured in two weeks yet. From the second on, this is where it shows whether the machine and the baseline are what they were.",
        ));
    }
    let all = (0..past.cells.len()).filter(|cell| past.goes_on(*cell)).count();
    if all > figures::CELLS {
        let more = words::counted((all - figures::CELLS) as u64, "further cell");
        blocks.push(Block::Text(format!("{more} in csv/history.csv.")));
    }
    blocks
}

fn changes(tables: &Tables) -> Vec<Block> {
    let found = tables.changepoints.clone().unless_constant("In").without_column("Run");
    let mut blocks = vec![
        Block::text(
            "A change point is the first run after which a measure is another, more clearly than by chance. What else is new there stands beside it, and may or may not be the cause. In fewer than 8 runs on one baseline nothing is looked for.",
        ),
        Block::table_or(&found, "No change point."),
        Block::text(
            "Where the baseline becomes another server (a rebase), or the method another version, a series is cut: nothing is compared across.",
        ),
        Block::table_or(
            &tables.rebases.clone().unless_constant("In").without_column("Run"),
            "No rebase, and one method.",
        ),
    ];
    if !tables.contracts.rows.is_empty() {
        blocks.push(Block::text("Some cells have the same name and are not the same: what they differ in."));
        blocks.push(Block::Table(tables.contracts.clone()));
    }
    if !tables.segments.rows.is_empty() {
        blocks.push(folded(tables.segments.clone(), "segment"));
    }
    blocks
}

/// Rows that stand in the page.
const MOST_ROWS: usize = 400;

/// What a reader looks up, or where it is.
fn folded(table: Table, what: &str) -> Block {
    let summary = words::counted(table.rows.len() as u64, what);
    match table.rows.len() {
        0 => Block::Text(format!("No {what}.")),
        1..=MOST_ROWS => Block::Fold { summary, open: false, table },
        _ => Block::Text(format!("{summary}, in {}.", table.file())),
    }
}

fn values(tables: &Tables) -> Vec<Block> {
    let runs = tables.runs.pick(&["Week", "Run", "Workload", "Candidates", "Leads", "Method"]);
    let columns = ["Week", "In", "Arm", "Measure", "Value", "Outputs", "Counts"];
    let values = tables.history.pick(&columns).unless_constant("In");
    vec![folded(runs, "run"), folded(values, "value")]
}

fn method(past: &Past) -> Vec<Block> {
    let methods: BTreeSet<&str> = past.runs.iter().map(|run| run.method.as_str()).collect();
    let list: Vec<String> = methods.into_iter().map(escape::name).collect();
    let judged = if list.is_empty() { String::new() } else { format!("Judged by method {}. ", list.join(", ")) };
    vec![
        Block::Text(format!(
            "{judged}A cell is the same in two runs where everything that gates a comparison is: model, load, sampling, the recipe of the requests, client, GPUs and driver (or processors), executor and confinement. The prompts themselves are drawn anew."
        )),
        Block::Formulas(&HISTORY),
    ]
}

fn reproduce(input: &History) -> Vec<Block> {
    let mut blocks = vec![Block::text(
        "The same bundles give the same page, byte for byte, on any machine. Beside it: every number shown, as CSV in csv/; every picture, as SVG in plots/.",
    )];
    if !input.commands.is_empty() {
        blocks.insert(0, Block::Commands(input.commands.to_vec()));
    }
    blocks
}
