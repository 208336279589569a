//! What a report's first page says, in which order.

mod outputs; // outputs under the reference
mod rates; // rates, and the loads that arms bear

use super::{
    candidate::{self, structure},
    controls,
    document::{Block, Document, Page, Section},
    escape, figures,
    formulas::FORMULAS,
    headline,
    input::Input,
    shown,
    table::Table,
    tables::Tables,
    words,
};
use crate::{
    judgement::{Candidate, Judgement, Tolerance},
    parallel,
};
use outputs::{calibration, outputs};
use rates::{capacity, rates};

/// The pages of a report: the first, and one for each candidate.
pub(crate) fn pages(input: &Input, tables: &Tables) -> Vec<Page> {
    let index = Page { path: String::new(), document: index(input, tables) };
    let places: Vec<usize> = (0..input.judgement.candidates.len()).collect();
    let candidates = parallel::map(&places, |place| candidate::page(input, *place, tables));
    std::iter::once(index).chain(candidates).collect()
}

fn index(input: &Input, tables: &Tables) -> Document {
    let judgement = input.judgement;
    // Without candidates a run is a plain measurement: nothing is held against anything.
    let compared = !judgement.candidates.is_empty();
    let mut sections = Vec::new();
    let judged = compared && !controls::only(judgement);
    if judged {
        sections.push(Section::new("verdicts", "Verdicts", vec![verdicts(judgement, tables)]));
        sections.push(Section::new("leaderboard", "Leaderboard", leaderboard(judgement, tables)));
    }
    if judgement.candidates.iter().any(|c| c.control.is_some()) {
        sections.push(Section::new("calibration", "Calibration", calibration(judgement, tables)));
    }
    if compared {
        sections.push(Section::new("speed", "Speed", speed(judgement)));
    }
    sections.push(Section::new("rates", "Rates", rates(judgement, tables)));
    if !judgement.ladders.is_empty() {
        sections.push(Section::new("capacity", "Capacity", capacity(judgement, tables)));
    }
    sections.push(Section::new("latency", "Latency", latency(input, tables)));
    sections.push(Section::new("drift", "Drift", drift(input)));
    if compared {
        sections.push(Section::new("outputs", "Outputs", outputs(judgement, tables)));
        if !judged {
            sections.push(Section::new("controls", "Controls", vec![Block::Table(listed(tables))]));
        }
        sections.push(Section::new("baseline", "The baseline against itself", baseline(tables)));
    } else {
        sections.push(Section::new("baseline", "Checks", plain(tables)));
    }
    if judgement.candidates.iter().any(|c| !c.scores.is_empty()) {
        sections.push(Section::new("scores", "Scores of Cacheon V1", scores(judgement, tables)));
    }
    sections.extend([
        Section::new(
            "method",
            "How the numbers are made",
            vec![
                Block::Text(format!(
                    "Method version {}. All times are integer nanoseconds from one monotonic clock of the measuring machine.",
                    judgement.method
                )),
                Block::Formulas(&FORMULAS),
            ],
        ),
        Section::new(
            "environment",
            "Environment",
            vec![Block::Table(tables.bundles.clone().unless_constant("Of")), Block::Table(tables.environment.clone())],
        ),
        Section::new("reproduce", "Reproduce this report", reproduce(input)),
    ]);
    Document {
        title: escape::name(input.title),
        above: format!("Benchmark report · {}", escape::name(&judgement.workload)),
        home: None,
        description: escape::detail(input.description),
        headline: headline::headline(judgement),
        caution: caution(judgement),
        note: input.note(""),
        sections,
    }
}

fn caution(judgement: &Judgement) -> String {
    match &judgement.tolerance {
        _ if judgement.candidates.is_empty() => String::new(),
        _ if controls::only(judgement) => "A run of controls: its servers are known to be honest or altered, and nobody is judged. What they calibrate holds for this model and this kind of hardware.".into(),
        Tolerance::None => "No tolerance was declared: outputs could not be judged, and undecided is never a pass.".into(),
        Tolerance::Declared { .. } if judgement.candidates.iter().any(|c| c.provisional) => {
            "Provisional: the tolerance is declared in the workload file; no calibration with known honest and known altered servers stands behind it yet.".into()
        }
        Tolerance::Declared { .. } | Tolerance::Calibrated(_) => String::new(),
        Tolerance::Failed { why } => format!("The calibration failed, so that outputs could not be judged: {why}."),
    }
}

/// The table of verdicts, which says who is a control where somebody is.
fn verdicts(judgement: &Judgement, tables: &Tables) -> Block {
    if judgement.candidates.iter().any(|c| c.control.is_some()) {
        return Block::Table(tables.verdicts.clone());
    }
    let columns = ["Candidate", "Outputs", "Speed-up", "TTFT", "TPOT", "Why"];
    Block::table_or(&tables.verdicts.pick(&columns), "No candidate was measured.")
}

fn speed(judgement: &Judgement) -> Vec<Block> {
    let figures = figures::speed(judgement);
    if figures.is_empty() {
        let of_candidate = |arm: &str| judgement.candidates.iter().any(|c| c.name == arm);
        return vec![Block::text(match judgement.loads.iter().any(|f| f.complete > 0 && of_candidate(&f.arm)) {
            true => {
                "No candidate has a speed-up to show: none can be held against the baseline's speed over all rounds. What each did by itself stands under Rates."
            }
            false => "No speed was measured on any candidate: none completed a timed request.",
        })];
    }
    let mut blocks = noted(judgement, shown::rows(judgement));
    if let [cell] = figures::cells(judgement).as_slice() {
        blocks.push(Block::Text(format!("One cell was measured: {cell}.")));
    }
    blocks.extend(figures.into_iter().map(|f| Block::Figure(Box::new(f))));
    blocks
}

fn leaderboard(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    let Some(board) = &judgement.leaderboard else { return Vec::new() };
    let said = board.void.iter().map(|void| format!("Void: {}.", escape::detail(&void.text)));
    let said = said.chain(board.notes.iter().map(|note| format!("Note: {}.", escape::detail(&note.text))));
    let said: Vec<String> = said.collect();
    let mut blocks = Vec::new();
    if !said.is_empty() {
        blocks.push(Block::List(said));
    }
    blocks.push(Block::table_or(&tables.leaderboard, "Nobody is ranked."));
    if !tables.unranked.rows.is_empty() {
        blocks.push(Block::Table(tables.unranked.clone()));
    }
    if tables.pairs.rows.len() > MOST_PAIRS {
        let said =
            format!("Candidates against each other: {} pairs, in {}.", tables.pairs.rows.len(), tables.pairs.file());
        blocks.push(Block::Text(said));
    } else if !tables.pairs.rows.is_empty() {
        let summary = words::counted(tables.pairs.rows.len() as u64, "pair") + " of candidates against each other";
        blocks.push(Block::Fold { summary, open: false, table: tables.pairs.clone() });
    }
    blocks
}

/// Pairs that stand in the page.
const MOST_PAIRS: usize = 66;

/// Says how many candidates are shown, where it is not all.
fn noted(judgement: &Judgement, shown: &[Candidate]) -> Vec<Block> {
    shown::note(judgement, shown).into_iter().map(Block::Text).collect()
}

/// What else is known where there are no candidates.
fn plain(tables: &Tables) -> Vec<Block> {
    let mut blocks: Vec<Block> = structure(tables.structure.of("baseline")).into_iter().collect();
    if !tables.nodes.rows.is_empty() {
        blocks.push(Block::Table(tables.nodes.clone()));
    }
    blocks.push(Block::table_or(&tables.voids, "Nothing was void: every trial counts."));
    blocks
}

fn latency(input: &Input, tables: &Tables) -> Vec<Block> {
    let mut blocks = vec![Block::text(
        "A curve further left is faster; a long flat top is a tail of slow requests. Each list runs from the fastest median to the slowest. A percentile is printed only where enough requests stand behind it.",
    )];
    let percentiles = shown::of_lines(input.judgement, &tables.percentiles, "Arm");
    blocks.extend(noted(input.judgement, shown::lines(input.judgement)));
    let before = blocks.len();
    if shown::few_cells(input.judgement) {
        for (figure, series) in figures::distributions(input) {
            blocks.push(Block::Figure(Box::new(figure)));
            let of_cell = percentiles.of(&series[0].cell.to_string());
            let of = |metric| of_cell.of(words::metric(metric));
            blocks.push(Block::Table(of(series[0].metric)));
            let served = match series[0].metric {
                "ttft" => of("ttft-service"),
                "e2el" => of("e2el-service"),
                _ => continue,
            };
            if !served.rows.is_empty() {
                blocks.push(Block::Table(Table { caption: "Service time: the same from the actual send", ..served }));
            }
        }
    } else {
        blocks[0] = Block::text(
            "The distributions of each candidate are drawn beside the baseline's on its own page. A percentile is printed only where enough requests stand behind it.",
        );
        for cell in figures::cells(input.judgement) {
            let table = percentiles.of(&cell.to_string());
            blocks.push(Block::Fold { summary: format!("Percentiles, {cell}"), open: false, table });
        }
    }
    if blocks.len() == before {
        return vec![Block::text("No request was timed.")];
    }
    blocks
}

fn drift(input: &Input) -> Vec<Block> {
    let figures = figures::drift(input);
    if figures.is_empty() {
        return vec![Block::text("No trial has a value.")];
    }
    figures.into_iter().map(|f| Block::Figure(Box::new(f))).collect()
}

/// Controls, each with the page on it.
fn listed(tables: &Tables) -> Table {
    Table { caption: "What is known of each stands on its page", ..tables.verdicts.pick(&["Candidate", "Is", "Why"]) }
}

fn baseline(tables: &Tables) -> Vec<Block> {
    let columns = ["Cell", "Opening", "Closing", "Speed-up", "Rounds", "p", "Detectable"];
    let mut blocks = vec![
        Block::text(
            "Each block opens and closes with the same baseline. What differs between the two is noise and drift: no smaller effect of a candidate can be believed.",
        ),
        Block::table_or(&tables.selves, "The baseline was not measured twice in any block."),
        Block::table_or(&tables.baseline.pick(&columns), "No cell of it has two baselines."),
    ];
    if let [first, ..] = tables.equivalence.of("baseline").rows.as_slice() {
        blocks.push(Block::text(
            "The baseline's outputs under the reference, which shows how far the reference agrees with itself:",
        ));
        let facts = tables.equivalence.of("baseline");
        blocks.push(Block::Facts(super::table::Table { rows: vec![first.clone()], ..facts }));
    }
    blocks.extend(structure(tables.structure.of("baseline")));
    if !tables.nodes.rows.is_empty() {
        blocks.push(Block::Table(tables.nodes.clone()));
    }
    blocks.push(Block::table_or(&tables.voids, "Nothing was void: every trial counts."));
    blocks
}

fn scores(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    let mut blocks = vec![
        Block::text(
            "For comparison with published rounds: what the public formulas of May and June 2026 say of the same streams. They decide nothing here. A burst, stuffed entries, forged logprobs or cut answers raise them as they did then; what counts is the speed-up beside them, which only equivalent outputs have.",
        ),
        Block::Table(shown::of_lines(judgement, &tables.scores, "Candidate")),
    ];
    blocks.splice(1..1, noted(judgement, shown::lines(judgement)));
    let gates = shown::of_lines(judgement, &tables.gates, "Candidate");
    if !gates.rows.is_empty() {
        let summary = "What V1 asked of outputs before it scored them".to_owned();
        blocks.push(Block::Fold { summary, open: false, table: gates });
    }
    blocks
}

fn reproduce(input: &Input) -> Vec<Block> {
    vec![
        Block::text(
            "From the folder in which results/ lies, the same bundles give the same verdicts and the same report, byte for byte, on any machine:",
        ),
        Block::Commands(input.commands.to_vec()),
        Block::text(
            "Beside this page: every number shown, as CSV in csv/; every picture, as SVG in plots/; the verdicts with all their evidence in verdicts.json.",
        ),
    ]
}
