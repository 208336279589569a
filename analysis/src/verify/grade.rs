use std::collections::{BTreeMap, BTreeSet};

use lab::{
    audit,
    bundle::{Bundle, GRADE, GRADED, PROMPTS, REFERENCE},
    records::{FORMAT, Grade, GradedRow, PromptRow, ReferenceRow, Source},
};

use super::Notes;

/// A grade bundle by itself; whether it grades its parent is for a set to say.
pub(super) fn check(notes: &mut Notes<'_>) {
    if notes.bundle.manifest.parents.is_empty() {
        notes.add(lab::bundle::MANIFEST, "a grade bundle without a parent grades nothing");
    }
    notes.take(Bundle::environments);
    if let Some(text) = notes.take(|b| b.file(GRADE)) {
        let text = String::from_utf8_lossy(&text).into_owned();
        let grade = notes.take(|_| lab::bundle::versioned::<Grade>(&text, FORMAT, GRADE));
        if grade.as_ref().is_some_and(|g| audit::seed_from_hex(&g.audit_seed).is_none()) {
            notes.add(GRADE, "the audit seed is not 64 hexadecimal digits");
        }
        if grade.and_then(|g| g.value).is_some_and(|value| !audit::is_value(&value)) {
            notes.add(GRADE, "the revealed value is not in hexadecimal digits");
        }
    }
    let prompts = notes.take(|b| b.table::<PromptRow>(PROMPTS)).unwrap_or_default();
    let distinct: BTreeSet<_> = prompts.iter().map(|row| (&row.model, row.request)).collect();
    if distinct.len() != prompts.len() {
        notes.add(PROMPTS, "a prompt stands twice");
    }
    let Some(graded) = notes.take(|b| b.table::<GradedRow>(GRADED)) else { return };
    let mut trials = BTreeMap::<&str, BTreeMap<u32, &GradedRow>>::new();
    for row in &graded {
        if trials.entry(&row.trial).or_default().insert(row.request, row).is_some() {
            notes.add(GRADED, format!("request {} of {} stands twice", row.request, shown(&row.trial)));
        }
        if (row.source == Source::None) != (row.tokens == 0) {
            notes.add(GRADED, format!("request {} of {}: source and tokens disagree", row.request, shown(&row.trial)));
        }
    }
    notes.counts.trials = trials.len() as u64;
    notes.counts.requests = graded.len() as u64;
    for (trial, rows) in &trials {
        reference(notes, trial, rows);
    }
    let known = |path: &str| {
        let name = path.strip_prefix(REFERENCE)?.strip_prefix('/')?.strip_suffix(".csv.zst")?;
        (!trials.contains_key(name)).then(|| path.to_owned())
    };
    for stranger in notes.files().filter_map(known).collect::<Vec<_>>() {
        notes.add(stranger, format!("{GRADED} names no request of this trial"));
    }
}

/// As many rows of each request as were graded, at ascending positions.
fn reference(notes: &mut Notes<'_>, trial: &str, graded: &BTreeMap<u32, &GradedRow>) {
    let place = format!("{REFERENCE}/{trial}.csv.zst");
    let Some(rows) = notes.take(|b| b.reference(trial)) else { return };
    notes.counts.tokens += rows.len() as u64;
    let mut by_request = BTreeMap::<u32, Vec<&ReferenceRow>>::new();
    rows.iter().for_each(|row| by_request.entry(row.request).or_default().push(row));
    for (request, row) in graded {
        let found = by_request.remove(request).unwrap_or_default();
        if found.len() != row.tokens as usize {
            notes.add(&place, format!("request {request} has {} rows, {GRADED} says {}", found.len(), row.tokens));
        }
        if found.windows(2).any(|pair| pair[0].position >= pair[1].position) {
            notes.add(&place, format!("request {request}: positions do not ascend"));
        }
        if found.iter().any(|r| !r.logprob.is_finite() || !r.best_logprob.is_finite()) {
            notes.add(&place, format!("request {request}: a logprob is not a finite number"));
        }
    }
    if let Some(request) = by_request.keys().next() {
        notes.add(&place, format!("request {request} is not in {GRADED}"));
    }
}

fn shown(text: &str) -> String {
    lab::text::shown(text, 80)
}
