//! Whether a bundle is what it says it is: every digest, every schema, every cross-count, and
//! every table computed again from the raw bytes. A manifest can be made anew after a
//! change; what follows from what cannot.
//!
//! Nothing in a bundle is trusted, so nothing here panics on it: what cannot be read is a
//! finding.

mod contracts;
mod grade;
mod promise;
mod telemetry;
mod times;
mod trial;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use lab::{
    Problem, Result,
    bundle::{Bundle, ENVIRONMENTS, Finding, Kind, Manifest, TRIALS},
    environment::Environment,
};

use crate::study::{Contract, Study, read_contract};

/// Verifies one bundle. An error means that there is no readable manifest.
pub fn verify(path: &Path) -> Result<(Manifest, Vec<Finding>)> {
    let (manifest, findings) = lab::bundle::verify(path)?;
    // Nothing outside of the bundle is opened, whatever its manifest names.
    if manifest.files.iter().any(|f| f.path.starts_with('/') || f.path.split('/').any(|part| part == "..")) {
        return Ok((manifest, findings));
    }
    let mut notes = Notes { bundle: Bundle::open(path)?, findings };
    match manifest.kind {
        Kind::Measure => measure(&mut notes),
        Kind::Grade => grade::check(&mut notes),
    }
    notes.findings.sort_by(|a, b| (&a.path, &a.what).cmp(&(&b.path, &b.what)));
    notes.findings.dedup();
    Ok((manifest, notes.findings))
}

/// Verifies bundles one by one and then as a set: whether the grade bundles among them grade
/// the measurement among them, token by token. The last entry of a set is that finding.
pub fn verify_set(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<Finding>)>> {
    let mut all = Vec::new();
    let mut measures = 0;
    for path in paths {
        let (manifest, findings) = verify(path)?;
        measures += u32::from(manifest.kind == Kind::Measure && manifest.parents.is_empty());
        all.push((path.clone(), findings));
    }
    let each_is_whole = all.iter().all(|(_, findings)| findings.is_empty());
    if paths.len() > 1
        && measures == 1
        && each_is_whole
        && let (Err(problem), Some((path, findings))) = (Study::check(paths), all.last_mut())
    {
        findings.push(finding(path, &problem));
    }
    Ok(all)
}

/// A bundle with what was found in it so far.
struct Notes {
    bundle: Bundle,
    findings: Vec<Finding>,
}

impl Notes {
    fn add(&mut self, path: impl Into<String>, what: impl Into<String>) {
        self.findings.push(Finding { path: path.into(), what: what.into() });
    }

    /// The value, or a finding and none. A file whose bytes are already known to be wrong is
    /// not named again.
    fn take<T>(&mut self, read: impl FnOnce(&Bundle) -> Result<T>) -> Option<T> {
        match read(&self.bundle) {
            Ok(value) => Some(value),
            Err(problem) => {
                let found = finding(&self.bundle.path, &problem);
                if !self.findings.iter().any(|f| f.path == found.path) {
                    self.findings.push(found);
                }
                None
            }
        }
    }

    fn files(&self) -> impl Iterator<Item = &str> {
        self.bundle.manifest.files.iter().map(|f| f.path.as_str())
    }

    fn has(&self, path: &str) -> bool {
        self.files().any(|f| f == path)
    }
}

fn finding(root: &Path, problem: &Problem) -> Finding {
    let place = problem.place.clone().unwrap_or_default();
    let inside = Path::new(&place).strip_prefix(root).map(|p| p.display().to_string());
    Finding { path: inside.unwrap_or(place), what: problem.what.clone() }
}

fn measure(notes: &mut Notes) {
    let environments = notes.take(Bundle::environments).unwrap_or_default();
    let Some(contract) = notes.take(read_contract) else { return };
    models(notes, &contract, &environments);
    let mut folders: BTreeSet<String> = notes
        .files()
        .filter_map(|f| f.strip_prefix(TRIALS)?.strip_prefix('/')?.split_once('/'))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    let mut records = Vec::new();
    for planned in &contract.plan.trials {
        if folders.remove(&planned.folder()) {
            records.extend(trial::check(notes, &contract, planned, &environments));
        }
    }
    contracts::check(notes, &contract.workload, &environments, &records);
    for stranger in folders {
        notes.add(format!("{TRIALS}/{stranger}"), "no trial of the plan has this name");
    }
}

fn models(notes: &mut Notes, contract: &Contract, environments: &[Environment]) {
    if environments.is_empty() {
        notes.add(ENVIRONMENTS, "no host is described");
    }
    let names: BTreeSet<&String> = contract.plan.trials.iter().map(|t| &t.model).collect();
    for name in names {
        let Some(tokenizer) = notes.take(|b| b.tokenizer(name)) else { continue };
        for environment in environments {
            if environment.models.get(name).is_some_and(|m| m.tokenizer != tokenizer.digest) {
                let host = lab::text::shown(&environment.host, 80);
                notes.add(ENVIRONMENTS, format!("{host} had another tokenizer for model {name}"));
            }
        }
    }
    let requests = contract.requests.len();
    let taken = contract.plan.trials.iter().flat_map(|t| t.phases.iter().map(|p| p.requests).chain([t.warmup]));
    if taken.map(|span| span.ids().end as usize).any(|end| end > requests) {
        notes.add(lab::bundle::PLAN, "it takes requests that are not in the set");
    }
}

#[cfg(test)]
mod tests;
