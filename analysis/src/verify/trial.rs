use std::collections::BTreeMap;

use lab::{
    bundle::{Bundle, CHUNK_TABLE, REQUEST_TABLE, TRIAL, TRIALS, WIRE},
    environment::Environment,
    plan,
    records::{ChunkRow, Class, Exchange, RequestRow, Trial, TrialOutcome, WARMUP},
    tokenizer::Tokenizer,
    wire::Derived,
    workload::Shape,
};

use super::{Counts, Notes, follow::Follow, telemetry, times};
use crate::study::{Contract, Responses, hear};

/// The first format whose chunks are told by their bytes alone.
const NO_CHUNKS: u32 = 4;

/// One trial: its facts, its rows, and its rows once more from the raw bytes. Returns its
/// facts and its answers, where they can be read.
pub(super) fn check(
    notes: &mut Notes<'_>,
    contract: &Contract,
    planned: &plan::Trial,
    environments: &[Environment],
    tokenizer: Option<&Tokenizer>,
) -> Option<(Trial, Option<Responses>)> {
    let folder = planned.folder();
    let place = |file: &str| format!("{TRIALS}/{folder}/{file}");
    let text = notes.take(|b| b.file(&place(TRIAL)))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let record = notes.take(|_| lab::bundle::versioned::<Trial>(&text, lab::records::FORMAT, &place(TRIAL)))?;
    notes.counts.trials += 1;
    let heard = evidence(notes, contract, planned, environments, &record, tokenizer);
    Some((record, heard))
}

fn evidence(
    notes: &mut Notes<'_>,
    contract: &Contract,
    planned: &plan::Trial,
    environments: &[Environment],
    record: &Trial,
    tokenizer: Option<&Tokenizer>,
) -> Option<Responses> {
    let folder = planned.folder();
    let place = |file: &str| format!("{TRIALS}/{folder}/{file}");
    if record.trial != *planned {
        notes.add(place(TRIAL), "it does not tell the planned trial");
    }
    if !environments.iter().any(|e| e.host == record.host) {
        notes.add(place(TRIAL), format!("host {} is not described", lab::text::shown(&record.host, 80)));
    }
    let completed = record.outcome == TrialOutcome::Completed;
    let ran: Vec<&str> = record.stages.phases.iter().map(|p| p.load.as_str()).collect();
    let planned_loads: Vec<&str> = planned.phases.iter().map(|p| p.load.as_str()).collect();
    if completed && ran != planned_loads {
        notes.add(place(TRIAL), "its phases are not those of the plan");
    }
    if let Some(phase) = record.stages.phases.iter().find(|p| p.end_ns < p.start_ns) {
        notes.add(place(TRIAL), format!("phase {} ends before it starts", lab::text::shown(&phase.load, 80)));
    }
    telemetry::check(notes, &folder, record, environments);
    let all = [REQUEST_TABLE, WIRE, CHUNK_TABLE];
    let tables = if record.format < NO_CHUNKS { &all[..] } else { &all[..2] };
    let by_host = matches!(record.outcome, TrialOutcome::Failed { class: Class::Host, .. });
    if let Some(file) = all.iter().find(|file| by_host && notes.has(&place(file))) {
        notes.add(place(file), "what a host has spoilt leaves no evidence that could be dropped");
    }
    if !completed && !tables.iter().any(|file| notes.has(&place(file))) {
        return None;
    }
    for file in tables.iter().filter(|file| !notes.has(&place(file))).collect::<Vec<_>>() {
        notes.add(place(file), "missing");
    }
    let rows = notes.take(|b| b.table::<RequestRow>(&place(REQUEST_TABLE)));
    if let Some(rows) = &rows {
        count(notes, planned, rows, completed, &place(REQUEST_TABLE));
        spans(notes, record, rows, &place(TRIAL));
        for what in times::of_rows(contract, planned, record, rows) {
            notes.add(place(REQUEST_TABLE), what);
        }
    }
    let chunks = place(CHUNK_TABLE);
    let stored = if notes.has(&chunks) { notes.take(|b| b.rows::<ChunkRow>(&chunks)) } else { None };
    let (mut follow, mut wrong) = (Follow::new(rows.as_deref(), stored), Vec::new());
    let (mut requests, mut chunks_made) = (0, 0);
    let heard = notes.take(|bundle: &Bundle| {
        let see = |exchange: &Exchange, derived: &Derived, row: &RequestRow| {
            requests += 1;
            chunks_made += derived.chunks.len() as u64;
            follow.see(exchange, derived, row);
            wrong.extend(times::wrong_reads(exchange).filter(|_| wrong.len() < times::NAMED));
        };
        hear(bundle, contract, &folder, tokenizer, see)
    })?;
    notes.counts.add(Counts { requests, chunks: chunks_made, ..Counts::default() });
    wrong.into_iter().for_each(|what| notes.add(place(WIRE), what));
    follow.conclude(notes, &place(REQUEST_TABLE), &chunks);
    Some(heard)
}

/// A phase lasts from before its first request to after its last, and no longer than the
/// clock can have stood still around them; the first arrival of a schedule may be late.
fn spans(notes: &mut Notes<'_>, record: &Trial, rows: &[RequestRow], place: &str) {
    for phase in &record.stages.phases {
        let own = || rows.iter().filter(|r| r.phase == phase.load);
        let sent = || own().filter(|r| times::was_sent(r));
        let first = own().map(|r| r.intended_ns).min().unwrap_or(phase.start_ns);
        let last = sent().map(|r| r.end_ns).max().unwrap_or(phase.end_ns);
        let shape = record.trial.phases.iter().find(|p| p.load == phase.load).map(|p| p.shape);
        let waits = matches!(shape, Some(Shape::Open { .. } | Shape::Trace { .. }));
        let near = |a: u64, b: u64| a <= b && b - a < MOST_PAUSE.0;
        let starts = if waits { phase.start_ns <= first } else { near(phase.start_ns.0, first.0) };
        if !starts || !near(last.0, phase.end_ns.0) {
            notes.add(place, format!("phase {} does not span its requests", lab::text::shown(&phase.load, 80)));
        }
    }
}

/// Between a phase's clock start and the first request of a closed load, its last request and
/// its end, or a trial's end and the last look at its GPUs.
pub(super) const MOST_PAUSE: lab::Nanos = lab::Nanos::from_secs(5);

/// Every planned request once; of a failed trial at most once, and no other ones.
fn count(notes: &mut Notes<'_>, planned: &plan::Trial, rows: &[RequestRow], completed: bool, place: &str) {
    let warmup = planned.warmup.ids().map(|id| (id, WARMUP));
    let timed = planned.phases.iter().flat_map(|p| p.requests.ids().map(move |id| (id, p.load.as_str())));
    let mut wanted: BTreeMap<u32, &str> = warmup.chain(timed).collect();
    // A replayed warm-up has the shapes of the phases that run here, and no other's.
    let replayed: Vec<plan::Span> = planned.phases.iter().filter_map(|p| p.replay).collect();
    let optional = |id: u32, phase: &str| {
        phase == WARMUP && !replayed.is_empty() && !replayed.iter().any(|span| span.ids().contains(&id))
    };
    for row in rows {
        match wanted.remove(&row.request) {
            Some(phase) if phase == row.phase => {}
            Some(phase) => notes.add(place, format!("request {} belongs to phase {phase}", row.request)),
            None => notes.add(place, format!("request {} is not planned, or stands twice", row.request)),
        }
    }
    wanted.retain(|id, phase| !optional(*id, phase));
    if let (true, Some(id)) = (completed, wanted.keys().next()) {
        notes.add(place, format!("{} planned requests have no row, the first is {id}", wanted.len()));
    }
}
