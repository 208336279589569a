//! The tables of a week: those of its runs under each other, each row with its run.

use super::changed;
use crate::{
    judgement::{Judgement, Verdict},
    report::{
        controls, escape, number,
        table::{Cell, Column, Table, column},
        tables::{leaderboard, loads, origin, speed},
        words,
    },
    week::{Input, Published, Run, Unjudged},
};

const RUN: Column = column("Run", &["run"]);

const VERDICTS: (&str, &str) = ("verdicts", "Above 1× a candidate is faster than the baseline, also in TTFT and TPOT");
const LEADERBOARD: (&str, &str) =
    ("leaderboard", "Only equivalent outputs are ranked; who shares a letter is not shown to differ in speed");
const COSTS: (&str, &str) = (
    "costs",
    "What output tokens cost, by the price that the workload declares, and take in energy, over all counted trials",
);
const SELF: (&str, &str) = ("self", "The baseline against itself, over all cells of a run; 1 is expected");
const BUNDLES: (&str, &str) = ("bundles", "The sealed bundles behind this page, by the digest of their manifests");

/// All of them.
pub(super) struct Tables {
    pub(super) runs: Table,
    pub(super) verdicts: Table,
    pub(super) leaderboard: Table,
    pub(super) costs: Table,
    pub(super) changes: Table,
    pub(super) selves: Table,
    pub(super) unjudged: Table,
    pub(super) bundles: Table,
}

impl Tables {
    pub(super) fn of(input: &Input<'_>, published: &Published) -> Self {
        let all = || input.runs.iter();
        let reported = || all().filter(|run| run.is_reported());
        Tables {
            runs: runs(input.runs),
            verdicts: of_each(VERDICTS, reported(), speed::verdicts),
            leaderboard: of_each(LEADERBOARD, reported(), leaderboard::leaderboard),
            costs: of_each(COSTS, reported(), costs),
            changes: changed::table(&published.changes),
            selves: of_each(SELF, all(), leaderboard::selves),
            unjudged: unjudged(input.unjudged),
            bundles: of_each(BUNDLES, all(), origin::bundles),
        }
    }

    pub(super) fn all(&self) -> [&Table; 8] {
        [
            &self.runs,
            &self.verdicts,
            &self.leaderboard,
            &self.costs,
            &self.changes,
            &self.selves,
            &self.unjudged,
            &self.bundles,
        ]
    }
}

/// The same table of each run, under each other.
fn of_each<'a>(
    (name, caption): (&'static str, &'static str),
    runs: impl Iterator<Item = &'a Run>,
    table: fn(&Judgement) -> Table,
) -> Table {
    let mut all = Table { name, caption, columns: vec![RUN], rows: Vec::new() };
    for run in runs {
        let part = table(&run.judgement);
        all.columns.truncate(1);
        all.columns.extend(part.columns);
        let inside = |cell| match cell {
            Cell::Link(words, page) => Cell::Link(words, format!("{}/{page}", run.entry.run)),
            cell => cell,
        };
        let row = |cells: Vec<Cell>| std::iter::once(link(run)).chain(cells.into_iter().map(inside)).collect();
        all.rows.extend(part.rows.into_iter().map(row));
    }
    all
}

/// What is known of cost and energy, without the steps of ladders.
fn costs(judgement: &Judgement) -> Table {
    let columns = ["Cell", "Arm", "Output", "Cost of 10⁶ tokens", "Energy a token"];
    let mut costs = loads::loads(judgement).without(&words::steps(judgement)).pick(&columns);
    costs.rows.retain(|row| row[3..].iter().any(|cell| *cell != Cell::Empty));
    costs
}

/// A run, with its report where it has one.
pub(super) fn link(run: &Run) -> Cell {
    let name = escape::name(&run.entry.run);
    if run.is_reported() { Cell::Link(name, format!("{}/", run.entry.run)) } else { Cell::Text(name) }
}

/// What a run is for.
pub(super) fn kind(judgement: &Judgement) -> &'static str {
    match (judgement.candidates.is_empty(), controls::only(judgement)) {
        (true, _) => "measurement",
        (_, true) => "controls",
        _ => "comparison",
    }
}

/// A sealed time to the minute.
fn moment(time: &str) -> String {
    escape::name(&time.replacen('T', " ", 1)).chars().take("2026-11-22 17:02".len()).collect()
}

fn runs(runs: &[Run]) -> Table {
    let row = |run: &Run| {
        let judgement = &run.judgement;
        let stages = judgement.bundles.iter().map(|bundle| bundle.stage).max().unwrap_or_default();
        let requests: u64 = judgement.loads.iter().map(|load| load.due).sum();
        let of = |verdict| {
            let all = judgement.candidates.iter().filter(|c| c.verdict == verdict).count() as u64;
            if run.is_reported() { Cell::plain(number::count(all)) } else { Cell::Empty }
        };
        vec![
            link(run),
            Cell::Text(kind(judgement).to_owned()),
            Cell::Text(moment(&run.entry.started)),
            Cell::plain(number::count(u64::from(stages))),
            Cell::plain(number::count(requests)),
            of(Verdict::Equivalent),
            of(Verdict::Undecided),
            of(Verdict::Altered),
        ]
    };
    Table {
        name: "runs",
        caption: "Runs of the week as they began; a controls run calibrates others and judges nobody",
        columns: vec![
            RUN,
            column("Kind", &["kind"]),
            column("Began, UTC", &["began_utc"]),
            column("Stages", &["stages"]),
            column("Requests", &["requests"]),
            column("Equivalent", &["equivalent"]),
            column("Undecided", &["undecided"]),
            column("Altered", &["altered"]),
        ],
        rows: runs.iter().map(row).collect(),
    }
}

fn unjudged(unjudged: &[Unjudged]) -> Table {
    let row = |of: &Unjudged| vec![Cell::Code(escape::name(&of.place)), Cell::Text(escape::detail(&of.problem))];
    Table {
        name: "not-judged",
        caption: "Sealed, of this week or of nobody knows which, and not judged",
        columns: vec![column("Bundle", &["bundle"]), column("Why not", &["why_not"])],
        rows: unjudged.iter().map(row).collect(),
    }
}
