//! The hosts of a run against each other, by their baselines: the same server everywhere. Rules:
//! `METHOD.md`, section *Nodes*.

use std::collections::{BTreeMap, BTreeSet};

use lab::{plan::Role, workload::BASELINE};
use serde::Serialize;
use stats::{sum::mean, welch::welch};

use crate::{
    comparison::{CONFIDENCE, is_of, log},
    judgement::Void,
    metrics::{self, Metric},
    study::{Cell, Study, Trial},
};

/// A host's baselines in one cell, beside those of the other hosts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// The host.
    pub host: String,
    /// The model's name.
    pub model: String,
    /// GPUs of the server.
    pub gpus: u32,
    /// The load's name.
    pub load: String,
    /// Blocks whose baselines it measured.
    pub blocks: usize,
    /// Geometric mean of the median TPOT of its baselines, over that of the other hosts; above 1
    /// it is slower. None where one of the sides has fewer than two blocks.
    pub ratio: Option<f64>,
    /// The interval of the ratio: Welch's, at a level that holds for all hosts of the cell at once.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// Geometric mean of the closing over the opening baseline's median TPOT on this host.
    pub closing_opening: Option<f64>,
    /// Whether the whole interval is above 1 by more than [`SLOWER`].
    pub slow: bool,
}

/// A host that is slower by less is not worth a word.
pub const SLOWER: f64 = 0.02;

/// Every host of every cell that more than one host measured; none of a run on one host.
pub(crate) fn nodes(study: &Study, voids: &BTreeMap<u32, Void>) -> Vec<Node> {
    study.cells_of_arm(BASELINE).iter().flat_map(|cell| of_cell(study, cell, voids)).collect()
}

/// A block's baselines, in logs of their median TPOT.
struct Block<'a> {
    host: &'a str,
    level: f64,
    drift: Option<f64>,
}

fn of_cell(study: &Study, cell: &Cell, voids: &BTreeMap<u32, Void>) -> Vec<Node> {
    let counted =
        |t: &&Trial| t.plan.arm == BASELINE && t.completed() && !voids.contains_key(&t.plan.n) && is_of(t, cell);
    let mut blocks: BTreeMap<u32, Vec<&Trial>> = BTreeMap::new();
    for trial in study.trials.iter().filter(counted) {
        blocks.entry(trial.plan.block).or_default().push(trial);
    }
    let blocks: Vec<Block<'_>> = blocks.values().filter_map(|trials| block(trials, &cell.load)).collect();
    let hosts: BTreeSet<&str> = blocks.iter().map(|block| block.host).collect();
    if hosts.len() < 2 {
        return Vec::new();
    }
    let level = 1.0 - (1.0 - CONFIDENCE) / hosts.len() as f64;
    hosts.into_iter().map(|host| node(host, cell, &blocks, level)).collect()
}

fn block<'a>(trials: &[&'a Trial], load: &str) -> Option<Block<'a>> {
    let of = |t: &Trial| log(metrics::median(t, load, Metric::Tpot)?.0 as f64);
    let at = |role: Role| trials.iter().find(|t| t.plan.role == role).and_then(|t| of(t));
    let level = mean(&trials.iter().filter_map(|t| of(t)).collect::<Vec<_>>())?;
    let drift = at(Role::Closing).zip(at(Role::Opening)).map(|(closing, opening)| closing - opening);
    Some(Block { host: &trials.first()?.record.host, level, drift })
}

fn node(host: &str, cell: &Cell, blocks: &[Block<'_>], confidence: f64) -> Node {
    let side = |own: bool| blocks.iter().filter(|b| (b.host == host) == own).map(|b| b.level).collect::<Vec<f64>>();
    let (own, others) = (side(true), side(false));
    let drifts: Vec<f64> = blocks.iter().filter(|b| b.host == host).filter_map(|b| b.drift).collect();
    let found = welch(&own, &others, confidence).ok();
    let ratio = |value: f64| libm::exp(value);
    Node {
        host: host.to_owned(),
        model: cell.model.clone(),
        gpus: cell.gpus,
        load: cell.load.clone(),
        blocks: own.len(),
        ratio: found.map(|w| ratio(w.difference)),
        low: found.map(|w| ratio(w.low)),
        high: found.map(|w| ratio(w.high)),
        closing_opening: mean(&drifts).map(ratio),
        slow: found.is_some_and(|w| ratio(w.low) > 1.0 + SLOWER),
    }
}

#[cfg(test)]
mod tests;
