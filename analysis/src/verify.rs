//! Whether a bundle is what it says it is: every digest, every schema, every cross-count, and
//! every table computed again from the raw bytes. A manifest can be made anew after a
//! change; what follows from what cannot.
//!
//! Nothing in a bundle is trusted, so nothing here panics on it: what cannot be read is a
//! finding.

mod contracts;
mod counts;
mod follow;
mod grade;
mod promise;
mod telemetry;
mod times;
mod trial;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use lab::{
    Problem, Result,
    bundle::{Bundle, ENVIRONMENTS, Finding, Kind, Manifest, TRIALS},
    environment::Environment,
    tokenizer::Tokenizer,
};

use crate::{
    parallel,
    stack::{Ran, Stack},
    study::{Contract, Heard, Study, read_contract},
};

pub use counts::Counts;

/// Verifies one bundle. An error means that there is no readable manifest.
pub fn verify(path: &Path) -> Result<(Manifest, Vec<Finding>)> {
    verify_one(path).map(|(manifest, verified, _)| (manifest, verified.findings))
}

/// A bundle that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its folder.
    pub path: PathBuf,
    /// What it holds.
    pub kind: Kind,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// How much of it was gone through.
    pub counts: Counts,
    /// What it was measured with; none of a grade, and where it cannot be read.
    pub stack: Option<Stack>,
}

/// [`verify`], with the answers that were read meanwhile.
fn verify_one(path: &Path) -> Result<(Manifest, Verified, Heard)> {
    let (manifest, findings) = lab::bundle::verify(path)?;
    let (kind, counts) = (manifest.kind, Counts::of_files(&manifest));
    // Nothing outside of the bundle is opened, whatever its manifest names.
    if manifest.files.iter().any(|f| f.path.starts_with('/') || f.path.split('/').any(|part| part == "..")) {
        return Ok((manifest, Verified { path: path.to_owned(), kind, findings, counts, stack: None }, Heard::new()));
    }
    let bundle = Bundle::open(path)?;
    let mut notes = Notes { bundle: &bundle, findings, counts };
    let (mut heard, mut stack) = (Heard::new(), None);
    match manifest.kind {
        Kind::Measure => (heard, stack) = measure(&mut notes).map_or_else(Default::default, |(h, s)| (h, Some(s))),
        Kind::Grade => grade::check(&mut notes),
    }
    let (mut findings, counts) = (notes.findings, notes.counts);
    findings.sort_by(|a, b| (&a.path, &a.what).cmp(&(&b.path, &b.what)));
    findings.dedup();
    Ok((manifest, Verified { path: path.to_owned(), kind, findings, counts, stack }, heard))
}

/// Verifies bundles one by one and then as a set: whether the grade bundles among them grade
/// the measurement among them, token by token. The last entry of a set is that finding.
pub fn verify_set(paths: &[PathBuf]) -> Result<Vec<Verified>> {
    read_set(paths).map(|(verified, _)| verified)
}

/// The study of bundles that [`verify_set`] finds nothing in; every answer is read once.
///
/// # Errors
/// The first finding, or what keeps these bundles from being judged.
pub fn open_verified(paths: &[PathBuf]) -> Result<Study> {
    read_set(paths)?.1
}

/// What was found in each bundle, and the study of them where nothing was.
fn read_set(paths: &[PathBuf]) -> Result<(Vec<Verified>, Result<Study>)> {
    let (mut all, mut heard) = (Vec::new(), Heard::new());
    let mut measures = 0;
    for path in paths {
        let (manifest, verified, own) = verify_one(path)?;
        measures += u32::from(manifest.kind == Kind::Measure && manifest.parents.is_empty());
        all.push(verified);
        heard.extend(own);
    }
    if let Some(problem) = all.iter().find_map(refusal) {
        return Ok((all, Err(problem)));
    }
    let study = Study::open_heard(paths, heard).unwrap_or_else(|problem| match all.last_mut() {
        Some(last) if paths.len() > 1 && measures == 1 => {
            last.findings.push(finding(&last.path, &problem));
            Err(refusal(last).unwrap_or(problem))
        }
        _ => Err(problem),
    });
    Ok((all, study))
}

/// Why a bundle is not judged; none where nothing was found in it.
fn refusal(verified: &Verified) -> Option<Problem> {
    let findings = &verified.findings;
    let count = match findings.len() {
        1 => "1 finding".to_owned(),
        n => format!("{n} findings, the first"),
    };
    let first = Problem::broken(format!("{count}: {}", findings.first()?));
    Some(first.at(verified.path.display().to_string()).next("run bench verify"))
}

/// A bundle with what was found in it so far.
struct Notes<'a> {
    bundle: &'a Bundle,
    findings: Vec<Finding>,
    counts: Counts,
}

impl Notes<'_> {
    fn add(&mut self, path: impl Into<String>, what: impl Into<String>) {
        self.findings.push(Finding { path: path.into(), what: what.into() });
    }

    /// The value, or a finding and none. A file whose bytes are already known to be wrong is
    /// not named again.
    fn take<T>(&mut self, read: impl FnOnce(&Bundle) -> Result<T>) -> Option<T> {
        match read(self.bundle) {
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
        self.bundle.has(path)
    }
}

fn finding(root: &Path, problem: &Problem) -> Finding {
    let place = problem.place.clone().unwrap_or_default();
    let inside = Path::new(&place).strip_prefix(root).map(|p| p.display().to_string());
    Finding { path: inside.unwrap_or(place), what: problem.what.clone() }
}

/// Checks a bundle of trials; the answers in it, and what it was measured with, as far as it could
/// be read.
fn measure(notes: &mut Notes<'_>) -> Option<(Heard, Stack)> {
    let environments = notes.take(Bundle::environments).unwrap_or_default();
    let contract = notes.take(read_contract)?;
    if !notes.bundle.manifest.parents.iter().eq(contract.plan.stage.iter().map(|stage| &stage.parent)) {
        notes.add(lab::bundle::MANIFEST, "its parents are not the stage that its plan follows");
    }
    let tokenizers = models(notes, &contract, &environments);
    let mut folders: BTreeSet<String> = notes
        .files()
        .filter_map(|f| f.strip_prefix(TRIALS)?.strip_prefix('/')?.split_once('/'))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    let there: Vec<_> = contract.plan.trials.iter().filter(|planned| folders.remove(&planned.folder())).collect();
    let known = notes.findings.len();
    let checked = parallel::map(&there, |planned| {
        let mut notes = Notes { bundle: notes.bundle, findings: notes.findings.clone(), counts: Counts::default() };
        let checked = trial::check(&mut notes, &contract, planned, &environments, tokenizers.get(&planned.model));
        (checked, notes.findings.split_off(known), notes.counts)
    });
    let (mut records, mut heard) = (Vec::new(), Heard::new());
    for (planned, (checked, findings, counts)) in there.into_iter().zip(checked) {
        notes.findings.extend(findings);
        notes.counts.add(counts);
        let Some((record, responses)) = checked else { continue };
        records.push(record);
        if let (Some(tokenizer), Some(responses)) = (tokenizers.get(&planned.model), responses) {
            heard.insert((notes.bundle.id, planned.folder(), tokenizer.digest), responses);
        }
    }
    contracts::check(notes, &contract.workload, &environments, &records);
    for stranger in folders {
        notes.add(format!("{TRIALS}/{stranger}"), "no trial of the plan has this name");
    }
    let servers = records.iter().map(|trial| (trial.trial.arm.as_str(), &trial.server)).collect();
    let planned = contract.plan.trials.iter().collect();
    let ran = Ran { workload: &contract.workload, planned, servers, hosts: &environments };
    let stack = ran.stack();
    Some((heard, stack))
}

/// Checks what belongs to models; their tokenizers, as far as they can be read.
fn models(notes: &mut Notes<'_>, contract: &Contract, environments: &[Environment]) -> BTreeMap<String, Tokenizer> {
    let mut tokenizers = BTreeMap::new();
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
        tokenizers.insert(name.clone(), tokenizer);
    }
    let requests = contract.requests.len();
    let taken = contract.plan.trials.iter().flat_map(|t| t.phases.iter().map(|p| p.requests).chain([t.warmup]));
    if taken.map(|span| span.ids().end as usize).any(|end| end > requests) {
        notes.add(lab::bundle::PLAN, "it takes requests that are not in the set");
    }
    tokenizers
}

#[cfg(test)]
mod tests;
