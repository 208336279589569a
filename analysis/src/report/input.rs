//! What a report is made from. Everything in it comes from sealed bundles.

use std::{collections::BTreeMap, fmt};

use lab::{environment::Environment, plan::Role};
use stats::quantile::Sample;

use crate::judgement::{CellSpeed, Judgement, LoadFacts};
pub use crate::study::Cell;

/// Everything that a report shows.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// The report's title.
    pub title: &'a str,
    /// What was measured, in a sentence or two.
    pub description: &'a str,
    /// The verdicts with their evidence.
    pub judgement: &'a Judgement,
    /// The hosts.
    pub environments: &'a [Environment],
    /// Commands that make this report again from the same bundles, in order.
    pub commands: &'a [String],
    /// Latencies of the timed requests, one series for each arm, cell and metric. Arms and
    /// metrics are shown in the order in which they first appear.
    pub series: &'a [Series],
    /// A metric of each trial, one for each cell: what shows drift.
    pub drift: &'a [Drift],
    /// What people wrote into it, by page: its file without the ending, and nothing for the first.
    pub notes: &'a BTreeMap<String, String>,
}

impl Input<'_> {
    /// The note on a page.
    pub(crate) fn note(&self, page: &str) -> String {
        self.notes.get(page).cloned().unwrap_or_default()
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = super::escape::name;
        write!(f, "{} · {} · {}", name(&self.model), gpus(self.gpus), name(&self.load))
    }
}

fn gpus(n: u32) -> String {
    match n {
        0 => "no GPU leased".into(),
        1 => "1 GPU".into(),
        n => format!("{n} GPUs"),
    }
}

impl From<&CellSpeed> for Cell {
    fn from(speed: &CellSpeed) -> Self {
        Cell { model: speed.model.clone(), gpus: speed.gpus, load: speed.load.clone() }
    }
}

impl From<&LoadFacts> for Cell {
    fn from(facts: &LoadFacts) -> Self {
        Cell { model: facts.model.clone(), gpus: facts.gpus, load: facts.load.clone() }
    }
}

/// Latencies of one arm in one cell.
#[derive(Debug, Clone)]
pub struct Series {
    /// `baseline` or a candidate's name.
    pub arm: String,
    /// The cell.
    pub cell: Cell,
    /// `ttft`, `tpot`, `itl`, `e2el`, `ttft-service`, `e2el-service` or `e2el-equal-work`.
    pub metric: &'static str,
    /// The values.
    pub values: Sample,
}

/// A metric, trial by trial.
#[derive(Debug, Clone)]
pub struct Drift {
    /// The cell.
    pub cell: Cell,
    /// As in [`crate::judgement::MetricEffect::metric`].
    pub metric: &'static str,
    /// `ns` or `tokens/s`.
    pub unit: &'static str,
    /// In the order of the plan.
    pub points: Vec<DriftPoint>,
}

/// One trial.
#[derive(Debug, Clone)]
pub struct DriftPoint {
    /// Position in the plan.
    pub trial: u32,
    /// Its round.
    pub round: u32,
    /// Its block.
    pub block: u32,
    /// What it is in its block.
    pub role: Role,
    /// Its arm.
    pub arm: String,
    /// The metric's value.
    pub value: f64,
}
