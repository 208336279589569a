//! Outputs under the reference, and the controls that say how much is too much.

use crate::{
    judgement::{Judgement, Tolerance},
    report::{controls, document::Block, escape, figures, floor, shown, tables::Tables},
};

pub(super) fn outputs(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    if tables.equivalence.rows.is_empty() && !tables.own_controls.rows.is_empty() {
        return vec![Block::text(
            "No tolerance judges these outputs. How far each control's are from the reference stands under Calibration.",
        )];
    }
    if tables.equivalence.rows.is_empty() {
        return vec![Block::text("No output was graded, so no verdict on outputs is possible.")];
    }
    let mut blocks = vec![Block::text(
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
    blocks.push(Block::Table(shown::of_lines(judgement, &tables.equivalence, "Arm").pick(&columns)));
    if !tables.divergence.rows.is_empty() {
        blocks.push(Block::text("For information, how often texts are the opening baseline's to the last character, and how far the others share their beginning. The baseline's own row says how often it repeats itself."));
        blocks.push(Block::Table(shown::of_lines(judgement, &tables.divergence, "Arm")));
    }
    if !tables.stages.rows.is_empty() {
        blocks.push(Block::text("A stage has prompts drawn anew and launches of its own. An arm is suspect once E reaches 10³, and altered only if E, begun anew with a later stage, does so again."));
        blocks.push(Block::Table(shown::of_lines(judgement, &tables.stages, "Arm")));
    }
    if let Tolerance::Calibrated(calibration) = &judgement.tolerance {
        blocks.push(Block::text(COVERED));
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
pub(super) fn calibration(judgement: &Judgement, tables: &Tables) -> Vec<Block> {
    let Some(own) = &judgement.controls else {
        let lack = judgement.controls_lack.as_deref().unwrap_or_default();
        return vec![Block::Text(format!("This run's controls calibrate nothing: {}.", escape::detail(lack)))];
    };
    let ids: Vec<String> = own.bundles.iter().map(|id| format!("calibration = [\"{id}\"]")).collect();
    vec![
        Block::text(COVERED),
        Block::Table(tables.own_controls.pick(&OF_CONTROLS)),
        Block::text("A workload is judged by these controls if its [equivalence] says:"),
        Block::Commands(ids),
    ]
}
