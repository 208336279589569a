//! What a report says, in which order.

use super::{
    candidate::candidate,
    controls,
    document::{Block, Document, Section},
    escape, figures, floor,
    formulas::FORMULAS,
    headline,
    input::{Cell as Place, Input},
    number,
    table::{Cell, Table},
    tables::Tables,
    words,
};
use crate::judgement::{Judgement, Ladder, Slo, Tolerance};

/// The document of an input.
pub(crate) fn document(input: &Input, tables: &Tables) -> Document {
    let judgement = input.judgement;
    // Without candidates a run is a plain measurement: nothing is held against anything.
    let compared = !judgement.candidates.is_empty();
    let mut sections = Vec::new();
    let judged = compared && !controls::only(judgement);
    if judged {
        sections.push(section("verdicts", "Verdicts", vec![verdicts(judgement, tables)]));
        sections.push(section("leaderboard", "Leaderboard", leaderboard(judgement, tables)));
    }
    if judgement.candidates.iter().any(|c| c.control.is_some()) {
        sections.push(section("calibration", "Calibration", calibration(judgement, tables)));
    }
    if compared {
        sections.push(section("speed", "Speed", speed(judgement)));
    }
    sections.push(section("rates", "Rates", rates(judgement, tables)));
    if !judgement.ladders.is_empty() {
        sections.push(section("capacity", "Capacity", capacity(judgement, tables)));
    }
    sections.push(section("latency", "Latency", latency(input, tables)));
    sections.push(section("drift", "Drift", drift(input)));
    if compared {
        sections.push(section("outputs", "Outputs", outputs(judgement, tables)));
        let title = if judged { "Candidates" } else { "Controls" };
        sections.push(section("candidates", title, candidates(judgement, tables)));
        sections.push(section("baseline", "The baseline against itself", baseline(tables)));
    } else {
        sections.push(section("baseline", "Checks", plain(tables)));
    }
    if judgement.candidates.iter().any(|c| !c.scores.is_empty()) {
        sections.push(section("scores", "Scores of Cacheon V1", scores(tables)));
    }
    sections.extend([
        section(
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
        section(
            "environment",
            "Environment",
            vec![Block::Table(tables.bundles.clone().unless_constant("Of")), Block::Table(tables.environment.clone())],
        ),
        section("reproduce", "Reproduce this report", reproduce(input)),
    ]);
    Document {
        title: escape::name(input.title),
        above: format!("Benchmark report · {}", escape::name(&judgement.workload)),
        description: escape::detail(input.description),
        headline: headline::headline(judgement),
        caution: caution(judgement),
        sections,
    }
}

fn section(id: &str, title: &str, blocks: Vec<Block>) -> Section {
    Section { id: id.into(), title: title.into(), blocks }
}

fn text(text: &str) -> Block {
    Block::Text(text.into())
}

fn table_or(table: &super::table::Table, otherwise: &str) -> Block {
    if table.rows.is_empty() { text(otherwise) } else { Block::Table(table.clone()) }
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
    table_or(&tables.verdicts.pick(&columns), "No candidate was measured.")
}

fn speed(judgement: &Judgement) -> Vec<Block> {
    let figures = figures::speed(judgement);
    if figures.is_empty() {
        return vec![text("No speed was measured on any candidate.")];
    }
    let mut blocks = Vec::new();
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
    blocks.push(table_or(&tables.leaderboard, "Nobody is ranked."));
    if !tables.unranked.rows.is_empty() {
        blocks.push(Block::Table(tables.unranked.clone()));
    }
    if !tables.pairs.rows.is_empty() {
        let summary = words::counted(tables.pairs.rows.len() as u64, "pair") + " of candidates against each other";
        blocks.push(Block::Fold { summary, open: false, table: tables.pairs.clone() });
    }
    blocks
}

/// The cells that are steps of a ladder.
fn steps(judgement: &Judgement) -> Vec<String> {
    let of = |l: &Ladder| {
        let place = |load: &str| Place { model: l.model.clone(), gpus: l.gpus, load: load.to_owned() };
        let steps = l.arms.iter().flat_map(|a| &a.steps);
        steps.map(|s| place(&s.load).to_string()).collect::<Vec<_>>()
    };
    judgement.ladders.iter().flat_map(of).collect()
}

fn rates(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    let mut columns = vec!["Cell", "Arm", "Load", "Launches", "Due", "Complete", "Requests", "Output", "Steady output"];
    if judgement.loads.iter().any(|f| f.time_up > 0) {
        columns.insert(6, "Time up");
    }
    if judgement.loads.iter().any(|f| f.cost_per_million_tokens.is_some()) {
        columns.push("Cost of 10⁶ tokens");
    }
    if judgement.loads.iter().any(|f| f.joules_per_token.is_some()) {
        columns.push("Energy a token");
    }
    if judgement.slo.is_some() {
        columns.extend(["SLO met", "Goodput"]);
    }
    let mut blocks: Vec<Block> = judgement.slo.iter().map(|slo| Block::Text(service_levels(slo))).collect();
    let shown = tables.loads.clone().without(&steps(judgement)).pick(&columns);
    let mut cells: Vec<Cell> = Vec::new();
    for cell in shown.rows.iter().map(|row| &row[0]) {
        if !cells.contains(cell) {
            cells.push(cell.clone());
        }
    }
    for cell in &cells {
        let table = shown.of(&cell.words());
        let load = table.rows.first().map(|row| row[1].words()).unwrap_or_default();
        blocks.push(Block::Text(format!("{}: {load}.", cell.words())));
        let columns: Vec<&str> = columns.iter().copied().filter(|c| !["Cell", "Load"].contains(c)).collect();
        blocks.push(Block::Table(table.pick(&columns)));
    }
    match (cells.is_empty(), judgement.ladders.is_empty()) {
        (false, _) => {}
        (true, false) => {
            blocks.push(Block::Text(format!("Every load is a step of a ladder: {}.", tables.loads.file())))
        }
        (true, true) => blocks.push(text("No load was measured.")),
    }
    blocks
}

fn service_levels(slo: &Slo) -> String {
    let levels: Vec<String> = words::levels(slo)
        .into_iter()
        .map(|(name, most)| format!("{name} at most {} ms", number::declared(most.0 as f64 / 1e6).digits()))
        .collect();
    format!("Service levels: {}, from the intended send.", levels.join(", "))
}

fn capacity(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    let share = judgement.slo.map_or(1.0, |s| s.share);
    let levels = judgement.slo.as_ref().map(service_levels).unwrap_or_default();
    let mut blocks = vec![Block::Text(format!(
        "{levels} An arm bears the load at which the share of requests that meet them first falls below {} %, read between two steps of the ladder.",
        number::declared(share * 100.0).digits()
    ))];
    for (figure, ladder) in figures::ladders(judgement) {
        blocks.push(Block::Figure(Box::new(figure)));
        let table = tables.ladders.of(&words::ladder(ladder));
        let alone = ladder.arms.len() < 2;
        blocks.push(Block::Table(if alone { table.pick(&["Arm", "Largest load", "Rounds"]) } else { table }));
        let table = tables.steps.of(&words::ladder(ladder));
        let summary = words::counted(ladder.arms.first().map_or(0, |a| a.steps.len() as u64), "step") + " of each arm";
        blocks.push(Block::Fold { summary, open: false, table });
    }
    blocks
}

/// What else is known where there are no candidates.
fn plain(tables: &Tables) -> Vec<Block> {
    let structure = tables.structure.of("baseline");
    let mut blocks = Vec::new();
    if !structure.rows.is_empty() {
        blocks.push(super::candidate::structure(structure));
    }
    blocks.push(table_or(&tables.voids, "Nothing was void: every trial counts."));
    blocks
}

fn latency(input: &Input, tables: &Tables) -> Vec<Block> {
    let mut blocks = vec![text(
        "A curve further left is faster; a long flat top is a tail of slow requests. Each list runs from the fastest median to the slowest. A percentile is printed only where enough requests stand behind it.",
    )];
    for (figure, series) in figures::distributions(input) {
        blocks.push(Block::Figure(Box::new(figure)));
        let cell = series[0].cell.to_string();
        let percentiles = |metric| tables.percentiles.of(&cell).of(words::metric(metric));
        blocks.push(Block::Table(percentiles(series[0].metric)));
        let served = match series[0].metric {
            "ttft" => percentiles("ttft-service"),
            "e2el" => percentiles("e2el-service"),
            _ => continue,
        };
        if !served.rows.is_empty() {
            blocks.push(Block::Table(Table { caption: "Service time: the same from the actual send", ..served }));
        }
    }
    if blocks.len() == 1 {
        return vec![text("No request was timed.")];
    }
    blocks
}

fn drift(input: &Input) -> Vec<Block> {
    let figures = figures::drift(input);
    if figures.is_empty() {
        return vec![text("No trial has a value.")];
    }
    figures.into_iter().map(|f| Block::Figure(Box::new(f))).collect()
}

fn outputs(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    if tables.equivalence.rows.is_empty() && !tables.own_controls.rows.is_empty() {
        return vec![text(
            "No tolerance judges these outputs. How far each control's are from the reference stands under Calibration.",
        )];
    }
    if tables.equivalence.rows.is_empty() {
        return vec![text("No output was graded, so no verdict on outputs is possible.")];
    }
    let mut blocks = vec![text(
        "A trusted reference read the timed outputs, token by token, and says how far each token is from what it would have chosen after the same tokens. Free-running texts are never compared: honest servers diverge.",
    )];
    blocks.extend(figures::margins(judgement).map(|f| Block::Figure(Box::new(f))));
    let columns = [
        "Arm",
        "Graded requests",
        "Graded tokens",
        "Not first choice, share",
        "Mean x",
        "Upper bound of x",
        "Far requests",
        "Far, upper bound",
        "ln E",
    ];
    blocks.push(Block::Table(tables.equivalence.pick(&columns)));
    if !tables.divergence.rows.is_empty() {
        blocks.push(text("For information, how often texts are the opening baseline's to the last character, and how far the others share their beginning. The baseline's own row says how often it repeats itself."));
        blocks.push(Block::Table(tables.divergence.clone()));
    }
    if !tables.stages.rows.is_empty() {
        blocks.push(text("A stage has prompts drawn anew and launches of its own. An arm is suspect once E reaches 10³, and altered only if E, begun anew with a later stage, does so again."));
        blocks.push(Block::Table(tables.stages.clone()));
    }
    if let Tolerance::Calibrated(calibration) = &judgement.tolerance {
        blocks.push(text(COVERED));
        let said = floor::sentences(calibration);
        blocks.extend(said.into_iter().map(|sentence| Block::Text(format!("{}.", controls::capital(&sentence)))));
        blocks.push(Block::Table(tables.controls.pick(&OF_CONTROLS)));
    }
    blocks
}

/// What a control showed, the decisive first; all of it is in its CSV file.
const OF_CONTROLS: [&str; 8] = [
    "Control",
    "Is",
    "Requests until suspect",
    "Mean x",
    "Largest launch",
    "Highest ln E",
    "Far requests",
    "Graded requests",
];

const COVERED: &str = "The tolerance covers 99.9 % of honest configurations like these with 95 % confidence. An altered control that is not found is below the detection floor: a server altered so little would pass.";

/// What a run's own controls give to workloads that name it.
fn calibration(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    let Some(own) = &judgement.controls else {
        let lack = judgement.controls_lack.as_deref().unwrap_or_default();
        return vec![Block::Text(format!("This run's controls calibrate nothing: {}.", escape::detail(lack)))];
    };
    let ids: Vec<String> = own.bundles.iter().map(|id| format!("calibration = [\"{id}\"]")).collect();
    vec![
        text(COVERED),
        Block::Table(tables.own_controls.pick(&OF_CONTROLS)),
        text("A workload is judged by these controls if its [equivalence] says:"),
        Block::Commands(ids),
    ]
}

fn candidates(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    if judgement.candidates.is_empty() {
        return vec![text("There is none.")];
    }
    let explained = text(
        "Speed: geometric means over rounds; detectable is the smallest effect that this many rounds show with 80 % power. Margins: x is a share of the cap, a request is far if one of its tokens is above four caps. Tokens: a space is shown as ␣, a line break as ⏎.",
    );
    let steps = steps(judgement);
    let each = (0..judgement.candidates.len()).flat_map(|i| candidate(judgement, i, tables, &steps));
    std::iter::once(explained).chain(each).collect()
}

fn baseline(tables: &Tables) -> Vec<Block> {
    let columns = ["Cell", "Opening", "Closing", "Speed-up", "Rounds", "p", "Detectable"];
    let mut blocks = vec![
        text(
            "Each block opens and closes with the same baseline. What differs between the two is noise and drift: no smaller effect of a candidate can be believed.",
        ),
        table_or(&tables.selves, "The baseline was not measured twice in any block."),
        table_or(&tables.baseline.pick(&columns), "No cell of it has two baselines."),
    ];
    if let [first, ..] = tables.equivalence.of("baseline").rows.as_slice() {
        blocks.push(text(
            "The baseline's outputs under the reference, which shows how far the reference agrees with itself:",
        ));
        let facts = tables.equivalence.of("baseline");
        blocks.push(Block::Facts(super::table::Table { rows: vec![first.clone()], ..facts }));
    }
    let structure = tables.structure.of("baseline");
    if !structure.rows.is_empty() {
        blocks.push(super::candidate::structure(structure));
    }
    blocks.push(table_or(&tables.voids, "Nothing was void: every trial counts."));
    blocks
}

fn scores(tables: &Tables) -> Vec<Block> {
    let mut blocks = vec![
        text(
            "For comparison with published rounds: what the public formulas of May and June 2026 say of the same streams. They decide nothing here. A burst, stuffed entries, forged logprobs or cut answers raise them as they did then; what counts is the speed-up beside them, which only equivalent outputs have.",
        ),
        Block::Table(tables.scores.clone()),
    ];
    if !tables.gates.rows.is_empty() {
        let summary = "What V1 asked of outputs before it scored them".to_owned();
        blocks.push(Block::Fold { summary, open: false, table: tables.gates.clone() });
    }
    blocks
}

fn reproduce(input: &Input) -> Vec<Block> {
    vec![
        text(
            "From the folder in which results/ lies, the same bundles give the same verdicts and the same report, byte for byte, on any machine:",
        ),
        Block::Commands(input.commands.to_vec()),
        text(
            "Beside this page: every number shown, as CSV in csv/; every picture, as SVG in plots/; the verdicts with all their evidence in verdicts.json.",
        ),
    ]
}
