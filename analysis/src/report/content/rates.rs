//! Rates, and the loads that arms bear.

use super::noted;
use crate::{
    judgement::{Judgement, Slo},
    report::{document::Block, figures, number, shown, table::Cell, tables::Tables, words},
};

pub(super) fn rates(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
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
    let mut blocks = noted(judgement, shown::lines(judgement));
    blocks.extend(judgement.slo.iter().map(|slo| Block::Text(service_levels(slo))));
    let shown = shown::of_lines(judgement, &tables.loads, "Arm").without(&words::steps(judgement)).pick(&columns);
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
        (true, true) => blocks.push(Block::text("No load was measured.")),
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

pub(super) fn capacity(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    let share = judgement.slo.map_or(1.0, |s| s.share);
    let levels = judgement.slo.as_ref().map(service_levels).unwrap_or_default();
    let mut blocks = vec![Block::Text(format!(
        "{levels} An arm bears the load at which the share of requests that meet them first falls below {} %, read between two steps of the ladder.",
        number::declared(share * 100.0).digits()
    ))];
    for (figure, ladder) in figures::ladders(judgement) {
        blocks.push(Block::Figure(Box::new(figure)));
        let table = shown::of_lines(judgement, &tables.ladders.of(&words::ladder(ladder)), "Arm");
        let alone = ladder.arms.len() < 2;
        blocks.push(Block::Table(if alone { table.pick(&["Arm", "Largest load", "Rounds"]) } else { table }));
        let table = shown::of_lines(judgement, &tables.steps.of(&words::ladder(ladder)), "Arm");
        let summary = words::counted(ladder.arms.first().map_or(0, |a| a.steps.len() as u64), "step") + " of each arm";
        blocks.push(Block::Fold { summary, open: false, table });
    }
    blocks
}
