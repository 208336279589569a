//! A candidate's speed-up round by round.

use std::collections::BTreeSet;

use super::{found, titles};
use crate::{
    chart::{Picture, rounds},
    judgement::{CellSpeed, Judgement},
    report::{
        escape,
        figures::{Figure, arm_colour},
        input::Cell,
        words,
    },
};

/// The speed-up at equal work in each round of each cell that no ladder shows; none without a
/// round.
pub(crate) fn rounds(judgement: &Judgement, name: &str) -> Option<Figure> {
    let (candidate, slug) = found(judgement, name)?;
    let speeds: Vec<&CellSpeed> =
        candidate.speed.iter().filter(|s| !words::is_step(judgement, &s.load) && has_rounds(s)).collect();
    if speeds.is_empty() {
        return None;
    }
    let cells: Vec<Cell> = speeds.iter().map(|s| Cell::from(*s)).collect();
    let planned = planned(judgement);
    let panels: Vec<rounds::Panel> =
        speeds.iter().zip(titles(&cells)).map(|(speed, title)| panel(speed, title, &planned)).collect();
    let list: Vec<String> = panels.iter().map(|panel| said(panel, &cells)).collect();
    let name = escape::name(&candidate.name);
    let means = if panels.iter().any(|p| p.mean.is_some()) {
        " The middle line is their geometric mean, the band its interval: dots that wander out of it one after the other are a drift."
    } else {
        ""
    };
    let crosses = if panels.iter().any(|p| !p.without.is_empty()) {
        " A cross: a round without a value, because a launch failed or is void."
    } else {
        ""
    };
    let rings = if panels.iter().any(|p| p.points.iter().any(|p| p.hollow)) {
        " A ring: a further round, no part of the claim."
    } else {
        ""
    };
    let picture = rounds::Rounds {
        axis: "speed-up, log scale; 1 = as fast as the baseline".into(),
        colour: arm_colour(judgement, &candidate.name),
        panels,
    };
    Some(Figure {
        name: format!("{slug}-rounds"),
        title: "Round by round".into(),
        caption: format!(
            "Each dot is a round: the baselines around the candidate's launch over the candidate.{means}{crosses}{rings}"
        ),
        alt: format!("Speed-up of {name} over the baseline in each round. {}.", list.join("; ")),
        data: "csv/rounds.csv".into(),
        picture: Picture::of(|layout| picture.draw(layout)),
    })
}

fn has_rounds(speed: &CellSpeed) -> bool {
    !speed.primary.rounds.is_empty() || !speed.primary.further.is_empty()
}

/// The rounds in which anybody was measured, or that are void.
fn planned(judgement: &Judgement) -> BTreeSet<u32> {
    let candidates = judgement.candidates.iter().flat_map(|c| &c.speed);
    let speeds = candidates.chain(&judgement.baseline.opening_closing);
    let measured = speeds.flat_map(|s| s.primary.rounds.iter().chain(&s.primary.further)).map(|(round, _)| *round);
    measured.chain(judgement.voids.iter().map(|v| v.round)).collect()
}

fn panel(speed: &CellSpeed, title: String, planned: &BTreeSet<u32>) -> rounds::Panel {
    let effect = speed.primary.effect;
    let of = |rounds: &[(u32, f64)], hollow: bool| -> Vec<rounds::Point> {
        rounds.iter().map(|(round, ratio)| rounds::Point { round: *round, ratio: *ratio, hollow }).collect()
    };
    let mut points = of(&speed.primary.rounds, false);
    points.extend(of(&speed.primary.further, true));
    points.sort_by_key(|p| p.round);
    let there: BTreeSet<u32> = points.iter().map(|p| p.round).collect();
    rounds::Panel {
        title,
        text: words::speedup(effect.as_ref()),
        points,
        without: planned.difference(&there).copied().collect(),
        mean: effect.filter(|e| e.powered).map(|e| (e.speedup, (e.low, e.high))),
    }
}

fn said(panel: &rounds::Panel, cells: &[Cell]) -> String {
    let place = if cells.len() > 1 { format!("{}: ", panel.title) } else { String::new() };
    let n = words::counted(panel.points.len() as u64, "round");
    format!("{place}{n}, {}", panel.text)
}
