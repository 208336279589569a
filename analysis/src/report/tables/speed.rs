//! Verdicts and speed.

use crate::{
    judgement::{Candidate, CellSpeed, Effect, Judgement, MetricEffect, Verdict},
    report::{
        controls, escape,
        input::Cell as Place,
        number,
        table::{Cell, Column, Table, column},
        words,
    },
};

/// The first table that people see.
pub(crate) fn verdicts(judgement: &Judgement) -> Table {
    let row = |(i, candidate): (usize, &Candidate)| {
        vec![
            Cell::Link(escape::name(&candidate.name), words::page_of(judgement, i)),
            candidate.control.map_or(Cell::Empty, |control| Cell::Text(controls::kind(control).to_owned())),
            Cell::Verdict(candidate.verdict, candidate.provisional),
            overall(candidate),
            beside(candidate, "ttft"),
            beside(candidate, "tpot"),
            Cell::Text(why(judgement, candidate)),
        ]
    };
    Table {
        name: "verdicts",
        caption: "Speed-up is the baseline's time over the candidate's for the same work, with its interval: at 95 %, or at the level of the declared look. Above 1 the candidate is faster, also in TTFT and TPOT.",
        columns: vec![
            column("Candidate", &["candidate"]),
            column("Is", &["control"]),
            column("Outputs", &["verdict", "standing"]),
            column("Speed-up", &["speedup", "speedup_low", "speedup_high"]),
            column("TTFT", &["ttft_speedup"]),
            column("TPOT", &["tpot_speedup"]),
            column("Why", &["why"]),
        ],
        rows: judgement.candidates.iter().enumerate().map(row).collect(),
    }
}

/// What decided; of a control that nobody judges, what it shows.
fn why(judgement: &Judgement, candidate: &Candidate) -> String {
    let shown = controls::unjudged(judgement, candidate).and_then(|_| controls::shows(judgement, candidate));
    shown.unwrap_or_else(|| words::in_short(candidate))
}

/// Why each verdict, in full.
pub(crate) fn reasons(judgement: &Judgement) -> Table {
    let rows = judgement.candidates.iter().flat_map(|candidate| {
        candidate.reasons.iter().chain(&candidate.overall_note).chain(&candidate.notes).map(|reason| {
            vec![
                Cell::Text(escape::name(&candidate.name)),
                Cell::Text(escape::detail(&reason.text)),
                Cell::Code(reason.code.to_owned()),
            ]
        })
    });
    Table {
        name: "reasons",
        caption: "Reasons",
        columns: vec![column("Candidate", &["candidate"]), column("Reason", &["reason"]), column("Code", &["code"])],
        rows: rows.collect(),
    }
}

/// The overall interval; that of an altered candidate does not count.
fn overall(candidate: &Candidate) -> Cell {
    match (candidate.verdict, &candidate.overall) {
        (Verdict::Altered, Some(_)) => Cell::Nothing(words::NOT_COUNTED.into()),
        (_, found) => effect(found.as_ref(), number::ratio),
    }
}

/// The interval, or why there is none.
pub(crate) fn effect(effect: Option<&Effect>, digits: fn(f64) -> number::Number) -> Cell {
    match effect {
        Some(e) if e.powered => Cell::Interval(digits(e.speedup), digits(e.low), digits(e.high)),
        Some(e) => Cell::Nothing(words::not_powered(e.rounds)),
        None => Cell::Nothing("no claim".into()),
    }
}

/// The geometric mean over cells of a metric shown beside the primary one.
fn beside(candidate: &Candidate, metric: &str) -> Cell {
    Cell::maybe(words::beside(candidate, metric).map(number::ratio), "×")
}

fn places(speed: &CellSpeed) -> Cell {
    Cell::Text(Place::from(speed).to_string())
}

const EFFECT: [Column; 8] = [
    column("Speed-up", &["speedup", "speedup_low", "speedup_high"]),
    column("Rounds", &["rounds"]),
    column("p", &["p"]),
    column("Sign-flip p", &["sign_flip_p"]),
    column("Detectable", &["minimum_detectable_effect_percent"]),
    column("Estimate", &["speedup_estimate"]),
    column("p, adjusted", &["p_adjusted"]),
    column("Confidence", &["confidence_percent"]),
];

/// The columns of [`EFFECT`].
fn effect_cells(metric: &MetricEffect) -> Vec<Cell> {
    let e = metric.effect.as_ref();
    let p = e.filter(|e| e.powered).map(|e| number::small(e.p));
    vec![
        effect(e, number::fine_ratio),
        Cell::maybe(e.map(|e| number::count(e.rounds)), ""),
        Cell::maybe(p, ""),
        Cell::maybe(e.and_then(|e| e.sign_flip_p).map(number::small), ""),
        Cell::maybe(e.and_then(|e| e.detectable).map(|d| number::percent_of(d - 1.0)), "%"),
        Cell::maybe(e.map(|e| number::fine_ratio(e.speedup)), "×"),
        Cell::maybe(e.filter(|e| e.powered).and_then(|e| e.adjusted_p).map(number::small), ""),
        Cell::maybe(e.map(|e| number::declared_percent(e.confidence)), "%"),
    ]
}

/// A metric's value; nothing where no round has one.
fn value(metric: &MetricEffect, value: f64) -> Cell {
    match metric.unit {
        _ if metric.rounds.is_empty() => Cell::Nothing("–".into()),
        "ns" => Cell::Measure(number::millis(value), "ms"),
        unit => Cell::Measure(number::scaled(value), unit),
    }
}

/// Every metric of every cell, with the names of its candidate, its cell and itself.
fn metrics(judgement: &Judgement) -> impl Iterator<Item = (&MetricEffect, Vec<Cell>)> {
    let cells = judgement.candidates.iter().flat_map(|c| c.speed.iter().map(move |speed| (c, speed)));
    cells.flat_map(|(candidate, speed)| {
        let named = |metric: &MetricEffect| {
            let name = Cell::Text(escape::name(&candidate.name));
            vec![name, places(speed), Cell::Text(words::metric(metric.metric).to_owned())]
        };
        std::iter::once(&speed.primary).chain(&speed.beside).map(move |metric| (metric, named(metric)))
    })
}

/// Every metric of every cell.
pub(crate) fn speed(judgement: &Judgement) -> Table {
    let mut columns = vec![
        column("Candidate", &["candidate"]),
        column("Cell", &["cell"]),
        column("Metric", &["metric"]),
        column("Baseline", &["baseline", "baseline_unit"]),
        column("This", &["this", "this_unit"]),
    ];
    columns.extend(EFFECT);
    let mut rows = Vec::new();
    for (metric, mut row) in metrics(judgement) {
        row.extend([value(metric, metric.baseline), value(metric, metric.candidate)]);
        row.extend(effect_cells(metric));
        rows.push(row);
    }
    Table { name: "speed", caption: "Speed against the baseline", columns, rows }
}

/// The ratios behind the intervals.
pub(crate) fn rounds(judgement: &Judgement) -> Table {
    let mut rows = Vec::new();
    for (metric, named) in metrics(judgement) {
        let further = metric.further.iter().map(|round| (round, "further"));
        for ((round, ratio), part) in metric.rounds.iter().map(|round| (round, "claim")).chain(further) {
            let mut row = named.clone();
            row.extend([
                Cell::plain(number::count(u64::from(*round))),
                Cell::Number(number::fixed(*ratio, 4), "×"),
                Cell::Text(part.to_owned()),
            ]);
            rows.push(row);
        }
    }
    Table {
        name: "rounds",
        caption: "Speed-up of each round",
        columns: vec![
            column("Candidate", &["candidate"]),
            column("Cell", &["cell"]),
            column("Metric", &["metric"]),
            column("Round", &["round"]),
            column("Speed-up", &["speedup"]),
            column("Part of", &["part_of"]),
        ],
        rows,
    }
}

/// The closing against the opening baseline.
pub(crate) fn baseline(judgement: &Judgement) -> Table {
    let mut columns = vec![
        column("Cell", &["cell"]),
        column("Opening", &["opening", "opening_unit"]),
        column("Closing", &["closing", "closing_unit"]),
    ];
    columns.extend(EFFECT);
    let rows = judgement.baseline.opening_closing.iter().map(|speed| {
        let metric = &speed.primary;
        let mut row = vec![places(speed), value(metric, metric.baseline), value(metric, metric.candidate)];
        row.extend(effect_cells(metric));
        row
    });
    Table {
        name: "baseline",
        caption: "The closing against the opening baseline of the same block, E2EL at equal work; 1 is expected",
        columns,
        rows: rows.collect(),
    }
}
