//! The hosts of a run against each other.

use super::super::{
    escape,
    input::Cell as Place,
    number,
    table::{Cell, Table, column},
};
use crate::{judgement::Judgement, nodes::Node};

/// The hosts of each cell that several hosts measured.
pub(super) fn nodes(judgement: &Judgement) -> Table {
    let ratio = |value: Option<f64>| Cell::maybe(value.map(number::fine_ratio), "");
    let row = |node: &Node| {
        let place = Place { model: node.model.clone(), gpus: node.gpus, load: node.load.clone() };
        vec![
            Cell::Text(escape::name(&node.host)),
            Cell::Text(place.to_string()),
            Cell::plain(number::count(node.blocks as u64)),
            ratio(node.ratio),
            ratio(node.low),
            ratio(node.high),
            ratio(node.closing_opening),
            Cell::Text(if node.slow { "slow" } else { "" }.to_owned()),
        ]
    };
    Table {
        name: "nodes",
        caption: "Each host's baselines beside those of the other hosts: median TPOT, geometric means over blocks; above 1 is slower",
        columns: vec![
            column("Host", &["host"]),
            column("Cell", &["cell"]),
            column("Blocks", &["blocks"]),
            column("Over the others", &["ratio"]),
            column("From", &["ratio_low"]),
            column("To", &["ratio_high"]),
            column("Closing over opening", &["closing_opening_ratio"]),
            column("Is", &["is"]),
        ],
        rows: judgement.baseline.nodes.iter().map(row).collect(),
    }
}
