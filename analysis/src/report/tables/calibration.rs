//! What the tolerance rests on: the controls.

use crate::{
    judgement::{Calibration, ControlFacts, Judgement, Tolerance},
    report::{
        escape, number,
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
