//! Whether what the GPUs are said to have done can have been.

use std::collections::BTreeMap;

use lab::{
    bundle::{TELEMETRY, TRIAL, TRIALS, read_table},
    environment::Environment,
    records::{Class, TelemetryRow, Trial, TrialOutcome},
};

use super::{Notes, trial::MOST_PAUSE};

/// Whoever says that hardware broke says too that the trial does not count.
fn faults(notes: &mut Notes<'_>, folder: &str, record: &Trial, environments: &[Environment]) {
    let place = format!("{TRIALS}/{folder}/{TRIAL}");
    let by_host = matches!(record.outcome, TrialOutcome::Failed { class: Class::Host, .. });
    let host = environments.iter().find(|e| e.host == record.host);
    for fault in record.telemetry.iter().flat_map(|telemetry| &telemetry.faults).take(NAMED) {
        if fault.is_of_hardware() && !by_host {
            notes.add(place.clone(), "hardware broke in it, and it counts");
        }
        if fault.is_of_hardware() && !host.is_some_and(|host| host.gpus.iter().any(|gpu| gpu.uuid == fault.gpu)) {
            notes.add(place.clone(), "a GPU broke that its host has not");
        }
    }
}

/// Findings of a table that are named; more say no more.
const NAMED: usize = 3;

/// What is said of a trial's GPUs, and the table of a trial that has one.
pub(super) fn check(notes: &mut Notes<'_>, folder: &str, record: &Trial, environments: &[Environment]) {
    faults(notes, folder, record, environments);
    let place = format!("{TRIALS}/{folder}/{TELEMETRY}");
    let told = record.telemetry.as_ref().map_or(0, |t| t.samples);
    if !notes.has(&place) {
        if told > 0 {
            notes.add(place, format!("missing: {told} samples were taken"));
        }
        return;
    }
    let Some(bytes) = notes.take(|b| b.file(&place)) else { return };
    // A table without rows fits every header.
    if bytes.split(|byte| *byte == b'\n').next() != Some(TelemetryRow::HEADER.join(",").as_bytes()) {
        return notes.add(place, "its columns cannot be read: they are not those of this table");
    }
    let Some(rows) = notes.take(|_| read_table::<TelemetryRow>(&bytes, &place)) else { return };
    if rows.len() as u64 != told {
        notes.add(place.clone(), format!("it has {} rows, {told} samples were taken", rows.len()));
    }
    let host = environments.iter().find(|e| e.host == record.host);
    let mut before: BTreeMap<&str, (u64, Option<u64>)> = BTreeMap::new();
    let mut found = Vec::new();
    for row in &rows {
        let described = host.is_some_and(|host| host.gpus.iter().any(|gpu| gpu.uuid == row.gpu));
        let (offset, energy) = before.get(row.gpu.as_str()).copied().unwrap_or_default();
        let wrong = if !described && !before.contains_key(row.gpu.as_str()) {
            Some("its host has no such GPU")
        } else if row.offset_ns.0 < offset {
            Some("its samples are not in the order of time")
        } else if row.energy_mj.zip(energy).is_some_and(|(now, before)| now < before) {
            Some("its energy counter goes back")
        } else if record.stages.stopped_ns.is_some_and(|end| row.offset_ns.0 > end.0.saturating_add(MOST_PAUSE.0)) {
            Some("it was sampled after the trial")
        } else {
            None
        };
        found.extend(wrong.map(|what| format!("GPU {}: {what}", lab::text::shown(&row.gpu, 80))));
        if found.len() == NAMED {
            break;
        }
        before.insert(&row.gpu, (row.offset_ns.0, row.energy_mj.or(energy)));
    }
    found.into_iter().for_each(|what| notes.add(place.clone(), what));
}
