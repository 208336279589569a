//! What the tolerance rests on: the controls.

use crate::{
    judgement::{Calibration, ControlFacts, Judgement, Tolerance},
    report::{
        escape, floor, number,
        table::{Cell, Table, column},
    },
};

/// Every control that verdicts rest on: honest configurations, then altered servers.
pub(crate) fn controls(judgement: &Judgement) -> Table {
    let calibration = match &judgement.tolerance {
        Tolerance::Calibrated(calibration) => Some(calibration.as_ref()),
        Tolerance::Declared { .. } | Tolerance::Failed { .. } | Tolerance::None => None,
    };
    let caption = "The controls that the tolerance rests on, and which alterations it finds";
    table("controls", caption, calibration)
}

/// Every control of this run itself.
pub(crate) fn own_controls(judgement: &Judgement) -> Table {
    let caption = "This run's controls, and which alterations a tolerance from them finds";
    table("own-controls", caption, judgement.controls.as_deref())
}

/// What controls give: of those that verdicts rest on, and of this run's own.
pub(crate) fn tolerances(judgement: &Judgement) -> Table {
    let calibration = match &judgement.tolerance {
        Tolerance::Calibrated(calibration) => Some(calibration.as_ref()),
        Tolerance::Declared { .. } | Tolerance::Failed { .. } | Tolerance::None => None,
    };
    let row = |of: &str, calibration: &Calibration| {
        vec![
            Cell::Text(of.into()),
            Cell::plain(number::count(calibration.positive.len() as u64)),
            Cell::Number(number::small(calibration.cap_nats), "nats"),
            Cell::plain(number::small(calibration.mean)),
            Cell::Number(number::percent_of(calibration.far), "%"),
            Cell::maybe(floor::over_largest(calibration).map(|over| number::fixed(over, 1)), ""),
            Cell::Number(number::declared_percent(stats::tolerance::COVERAGE), "%"),
            Cell::Number(number::declared_percent(stats::tolerance::CONFIDENCE), "%"),
        ]
    };
    let named = calibration.map(|calibration| row("the controls that the workload names", calibration));
    let own = judgement.controls.as_ref().map(|own| row("this run's controls", own));
    Table {
        name: "tolerance",
        caption: "The tolerance that controls give",
        columns: vec![
            column("Of", &["of"]),
            column("Honest configurations", &["honest_configurations"]),
            column("Cap", &["cap_nats"]),
            column("δ", &["delta_x"]),
            column("δₕ", &["delta_far_percent"]),
            column("Times the largest honest mean", &["delta_over_largest_honest_mean"]),
            column("Covers", &["covers_percent"]),
            column("Confidence", &["confidence_percent"]),
        ],
        rows: named.into_iter().chain(own).collect(),
    }
}

fn table(name: &'static str, caption: &'static str, calibration: Option<&Calibration>) -> Table {
    let row = |kind: &str, c: &ControlFacts| {
        let never = if kind == "honest" { "never" } else { "not found" };
        let found =
            c.requests_to_suspect.map_or_else(|| Cell::Nothing(never.into()), |n| Cell::plain(number::count(n)));
        vec![
            Cell::Text(escape::name(&c.name)),
            Cell::Text(kind.into()),
            Cell::plain(number::count(c.launches)),
            Cell::plain(number::count(c.requests)),
            Cell::plain(number::count(c.tokens)),
            Cell::plain(number::small(c.mean_x)),
            Cell::plain(number::small(c.launch_means.0)),
            Cell::plain(number::small(c.launch_means.1)),
            Cell::plain(number::count(c.far_requests)),
            Cell::plain(number::fixed(c.highest_ln_e, 1)),
            found,
        ]
    };
    let of = |calibration: &Calibration| -> Vec<Vec<Cell>> {
        let positive = calibration.positive.iter().map(|c| row("honest", c));
        positive.chain(calibration.negative.iter().map(|c| row("altered", c))).collect()
    };
    Table {
        name,
        caption,
        columns: vec![
            column("Control", &["control"]),
            column("Is", &["is"]),
            column("Launches", &["launches"]),
            column("Graded requests", &["requests"]),
            column("Graded tokens", &["tokens"]),
            column("Mean x", &["mean_x"]),
            column("Smallest launch", &["smallest_launch_x"]),
            column("Largest launch", &["largest_launch_x"]),
            column("Far requests", &["far_requests"]),
            column("Highest ln E", &["highest_ln_e"]),
            column("Requests until suspect", &["requests_to_suspect"]),
        ],
        rows: calibration.map(of).unwrap_or_default(),
    }
}
