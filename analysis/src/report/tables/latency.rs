//! Latencies over requests, and over trials.

use std::collections::BTreeMap;

use stats::quantile::{Level, Sample};

use crate::report::{
    escape,
    input::{Cell as Place, Drift, Series},
    number,
    table::{Cell, Table, column},
    words,
};

/// Parts of a distribution, so the most steps of it that are plotted and stored; and where there
/// are very many distributions. Each of the fewer steps is also one of the more.
const PARTS: u64 = 2 * FEWER_PARTS;
pub(crate) const FEWER_PARTS: u64 = 64;
const MANY_SERIES: usize = 400;

/// The steps that are plotted, and stored, of one of so many distributions: value in nanoseconds,
/// share from 0 to 1.
pub(crate) fn steps(values: &Sample, series: usize) -> Vec<(f64, f64)> {
    let n = values.count() as f64;
    let steps = values.ecdf(if series > MANY_SERIES { FEWER_PARTS } else { PARTS }).unwrap_or_default();
    steps.iter().map(|s| (s.value_ns as f64, s.at_most as f64 / n)).collect()
}

/// Decimals of milliseconds at which all arms of a cell and metric are shown.
pub(crate) fn decimals<'a>(members: impl Iterator<Item = &'a Series>) -> usize {
    let smallest = members.map(|s| s.values.quantile_ns(Level::P50)).min().unwrap_or(0);
    number::decimals(smallest as f64 / 1e6)
}

/// Percentiles, where there are enough requests for them.
pub(crate) fn percentiles(series: &[Series]) -> Table {
    let mut together: BTreeMap<(&Place, &str), Vec<&Series>> = BTreeMap::new();
    series.iter().for_each(|s| together.entry((&s.cell, s.metric)).or_default().push(s));
    let decimals: BTreeMap<_, usize> =
        together.into_iter().map(|(of, members)| (of, decimals(members.into_iter()))).collect();
    let row = |s: &Series| {
        let decimals = decimals[&(&s.cell, s.metric)];
        let percentile = |level| match s.values.percentile_ns(level) {
            Ok(ns) => Cell::Number(number::fixed(ns as f64 / 1e6, decimals), "ms"),
            Err(why) => Cell::Nothing(why.to_string()),
        };
        vec![
            Cell::Text(s.cell.to_string()),
            Cell::Text(words::metric(s.metric).to_owned()),
            Cell::Text(escape::name(&s.arm)),
            Cell::plain(number::count(s.values.count())),
            percentile(Level::P50),
            percentile(Level::P90),
            percentile(Level::P95),
            percentile(Level::P99),
        ]
    };
    Table {
        name: "latency-percentiles",
        caption: "Percentiles over all rounds",
        columns: vec![
            column("Cell", &["cell"]),
            column("Metric", &["metric"]),
            column("Arm", &["arm"]),
            column("Values", &["values"]),
            column("p50", &["p50_ms"]),
            column("p90", &["p90_ms"]),
            column("p95", &["p95_ms"]),
            column("p99", &["p99_ms"]),
        ],
        rows: series.iter().map(row).collect(),
    }
}

/// The plotted distributions.
pub(crate) fn distributions(series: &[Series]) -> Table {
    let rows = series.iter().flat_map(|s| {
        steps(&s.values, series.len()).into_iter().map(|(ns, share)| {
            vec![
                Cell::Text(s.cell.to_string()),
                Cell::Text(words::metric(s.metric).to_owned()),
                Cell::Text(escape::name(&s.arm)),
                Cell::Number(number::fixed(ns / 1e6, 4), "ms"),
                Cell::Number(number::fixed(share * 100.0, 2), "%"),
            ]
        })
    });
    Table {
        name: "latency-distributions",
        caption: "The plotted steps of each distribution",
        columns: vec![
            column("Cell", &["cell"]),
            column("Metric", &["metric"]),
            column("Arm", &["arm"]),
            column("Latency", &["latency_ms"]),
            column("At or below", &["requests_at_or_below_percent"]),
        ],
        rows: rows.collect(),
    }
}

/// One value of each trial.
pub(crate) fn drift(drift: &[Drift]) -> Table {
    let rows = drift.iter().flat_map(|d| {
        d.points.iter().map(|p| {
            vec![
                Cell::Text(d.cell.to_string()),
                Cell::Text(words::metric(d.metric).to_owned()),
                Cell::plain(number::count(u64::from(p.trial))),
                Cell::plain(number::count(u64::from(p.round))),
                Cell::plain(number::count(u64::from(p.block))),
                Cell::Text(words::role(p.role).to_owned()),
                Cell::Text(escape::name(&p.arm)),
                match d.unit {
                    "ns" => Cell::Measure(number::millis(p.value), "ms"),
                    unit => Cell::Measure(number::scaled(p.value), unit),
                },
            ]
        })
    });
    Table {
        name: "trials",
        caption: "One value of each trial, in the order of the plan",
        columns: vec![
            column("Cell", &["cell"]),
            column("Metric", &["metric"]),
            column("Trial", &["trial"]),
            column("Round", &["round"]),
            column("Block", &["block"]),
            column("Role", &["role"]),
            column("Arm", &["arm"]),
            column("Value", &["value", "unit"]),
        ],
        rows: rows.collect(),
    }
}
