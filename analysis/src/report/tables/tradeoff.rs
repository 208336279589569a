//! What each arm gives under each load, and what it costs in latency.

use crate::{
    judgement::{Judgement, LoadFacts, Percentiles},
    report::{
        escape,
        input::Cell as Place,
        number,
        table::{Cell, Table, column},
        words,
    },
};

/// Offered load, throughput and latencies of every arm in every cell whose load offers a number.
pub(crate) fn load_latency(judgement: &Judgement) -> Table {
    let row = |facts: &LoadFacts| {
        let offered = facts.offered?;
        let at = |metric: &str, pick: fn(&Percentiles) -> Option<u64>| {
            let found = facts.latencies.iter().find(|p| p.metric == metric);
            Cell::maybe(found.and_then(pick).map(|ns| number::millis(ns as f64)), "ms")
        };
        let mut row = vec![
            Cell::Text(Place::from(facts).to_string()),
            Cell::Text(escape::name(&facts.arm)),
            Cell::Measure(words::step(offered.value), offered.unit),
            Cell::maybe(facts.tokens_per_s.map(number::scaled), "tokens/s"),
        ];
        for metric in ["ttft", "tpot", "e2el"] {
            row.extend([at(metric, |p| p.p50_ns), at(metric, |p| p.p99_ns)]);
        }
        Some(row)
    };
    Table {
        name: "load-latency",
        caption: "Throughput and latencies under each load",
        columns: vec![
            column("Cell", &["cell"]),
            column("Arm", &["arm"]),
            column("Offered", &["offered", "unit"]),
            column("Output", &["tokens_per_s"]),
            column("TTFT p50", &["ttft_p50_ms"]),
            column("TTFT p99", &["ttft_p99_ms"]),
            column("TPOT p50", &["tpot_p50_ms"]),
            column("TPOT p99", &["tpot_p99_ms"]),
            column("E2EL p50", &["e2el_p50_ms"]),
            column("E2EL p99", &["e2el_p99_ms"]),
        ],
        rows: judgement.loads.iter().filter_map(row).collect(),
    }
}

/// The mean margin of each graded launch.
pub(crate) fn launch_margins(judgement: &Judgement) -> Table {
    let candidates = judgement.candidates.iter().map(|c| (c.name.as_str(), c.equivalence.as_ref()));
    let arms = candidates.chain([("baseline", judgement.baseline.equivalence.as_ref())]);
    let rows = arms.filter_map(|(arm, e)| Some((arm, e?))).flat_map(|(arm, e)| {
        e.launch_means.iter().zip(1..).map(move |(mean, n)| {
            vec![Cell::Text(escape::name(arm)), Cell::plain(number::count(n)), Cell::plain(number::small(*mean))]
        })
    });
    Table {
        name: "launch-margins",
        caption: "Mean margin x of each graded launch",
        columns: vec![column("Arm", &["arm"]), column("Launch", &["launch"]), column("Mean x", &["mean_x"])],
        rows: rows.collect(),
    }
}
