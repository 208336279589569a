//! From a bundle's facts to its row.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use lab::{
    Problem, Result, Week,
    bundle::{Bundle, Kind, TRIAL, TRIALS},
    environment::{Environment, Gpu},
    records::{self, TrialOutcome},
    text::shown,
    workload::{BASELINE, Group, Workload},
};

use super::Row;
use crate::identity;

/// Characters of a text that a file of a bundle says.
const TEXT: usize = 200;
/// Characters of a sentence on what is wrong.
const SENTENCE: usize = 600;
/// Entries of a list.
const MOST: usize = 1_000;

impl Row {
    /// The row of a sealed folder.
    pub(super) fn of(path: &Path) -> Self {
        let name =
            |path: Option<&Path>| shown(&path.and_then(Path::file_name).unwrap_or_default().to_string_lossy(), TEXT);
        let mut row = Row { date: name(path.parent()), folder: name(Some(path)), ..Row::default() };
        if let Err(problem) = row.read(path) {
            row.problem = Some(shown(&without_place(&problem, path), SENTENCE));
        }
        row
    }

    /// Fills in what can be read, up to the first problem.
    fn read(&mut self, path: &Path) -> Result<()> {
        let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink());
        if is_link(path) || path.parent().is_some_and(is_link) {
            return Err(Problem::broken("a link leads here, and none is followed"));
        }
        let bundle = Bundle::open(path)?;
        let manifest = &bundle.manifest;
        self.kind = Some(manifest.kind);
        self.id = Some(bundle.id);
        self.parents = manifest.parents.iter().take(MOST).copied().collect();
        self.sealed = Some(shown(&manifest.sealed, TEXT));
        self.files = Some(manifest.files.len() as u64);
        self.bytes = Some(manifest.files.iter().fold(0, |sum, file| sum.saturating_add(file.size)));
        self.format("manifest", manifest.format);
        match manifest.kind {
            Kind::Measure => self.measure(&bundle),
            Kind::Grade => self.grade(&bundle),
        }
    }

    fn measure(&mut self, bundle: &Bundle) -> Result<()> {
        let trials = trials(bundle);
        self.trials = Some(trials.len() as u64);
        let run = bundle.run()?;
        self.run = Some(shown(&run.run, TEXT));
        self.format("run", run.format);
        self.began(&run.started)?;
        let hosts = self.hosts(bundle)?;
        let declared = bundle.declared()?;
        self.workload_digest = Some(declared.digest);
        self.workload = Some(shown(&declared.name, TEXT));
        // The plan is read only where it says more than the workload.
        let workload = if self.parents.is_empty() { declared } else { bundle.staged(declared)? };
        self.stage = Some(workload.stage.as_ref().map_or(1, |stage| stage.number));
        self.rounds = Some(workload.rounds);
        self.cells_of(&workload);
        if let Some(first) = first_baseline(bundle, &trials)? {
            self.format("trial", first.format);
            self.gpus = products(&hosts, &first.server.gpus);
            self.baseline_digest = identity::server(&workload, BASELINE, &first.server, &hosts);
        }
        Ok(())
    }

    fn grade(&mut self, bundle: &Bundle) -> Result<()> {
        let grade = bundle.grade()?;
        self.format("grade", grade.format);
        self.began(&grade.started)?;
        self.models = listed(grade.references.keys());
        self.hosts(bundle).map(drop)
    }

    fn format(&mut self, of: &str, version: u32) {
        self.formats.push(format!("{of}={version}"));
    }

    fn began(&mut self, started: &str) -> Result<()> {
        self.started = Some(shown(started, TEXT));
        self.week = Some(Week::begun(started)?);
        Ok(())
    }

    fn hosts(&mut self, bundle: &Bundle) -> Result<Vec<Environment>> {
        let hosts = bundle.environments()?;
        if let Some(host) = hosts.first() {
            let digest = host.program.digest.map(|digest| format!(" {digest}")).unwrap_or_default();
            self.program = Some(format!("{}{digest}", shown(&host.program.version, TEXT)));
            self.format("environment", host.format);
        }
        self.gpus = products(&hosts, &[]);
        Ok(hosts)
    }

    /// What the stage measures: models, loads and arms.
    fn cells_of(&mut self, workload: &Workload) {
        let each = |of: &dyn Fn(&Group) -> Vec<String>| {
            let all: BTreeSet<String> = workload.groups.iter().flat_map(of).collect();
            listed(&all)
        };
        self.models = each(&|group| vec![group.model.clone()]);
        self.loads = each(&|group| group.loads.clone());
        let candidates = each(&|group| group.candidates.clone());
        self.arms = listed(std::iter::once(&BASELINE.to_owned()).chain(&candidates));
    }
}

fn listed<'s>(names: impl IntoIterator<Item = &'s String>) -> Vec<String> {
    names.into_iter().take(MOST).map(|name| shown(name, TEXT)).collect()
}

/// The folders of the trials that a bundle lists, sorted.
fn trials(bundle: &Bundle) -> Vec<&str> {
    let inside = bundle.manifest.files.iter().filter_map(|file| file.path.strip_prefix(TRIALS)?.strip_prefix('/'));
    let split = inside.filter_map(|path| path.split_once('/'));
    let mut found: Vec<&str> = split.filter(|(_, file)| *file == TRIAL).map(|(folder, _)| folder).collect();
    found.sort_unstable();
    found
}

/// The first trial of the baseline that completed.
fn first_baseline(bundle: &Bundle, trials: &[&str]) -> Result<Option<records::Trial>> {
    for folder in trials.iter().filter(|folder| folder.split_once('-').is_some_and(|(_, arm)| arm == BASELINE)) {
        let trial = bundle.trial_facts(folder)?;
        if trial.outcome == TrialOutcome::Completed {
            return Ok(Some(trial));
        }
    }
    Ok(None)
}

/// `2 × NVIDIA H100`, a line for each product: the GPUs of these ids, or all where none is named.
fn products(hosts: &[Environment], ids: &[String]) -> Vec<String> {
    let mut counts = BTreeMap::<&str, u32>::new();
    let used = |gpu: &&Gpu| ids.is_empty() || ids.contains(&gpu.uuid);
    for gpu in hosts.iter().flat_map(|host| &host.gpus).filter(used) {
        *counts.entry(&gpu.name).or_default() += 1;
    }
    counts.into_iter().take(MOST).map(|(name, n)| format!("{n} × {}", shown(name, TEXT))).collect()
}

/// What is wrong, and in which of the bundle's files: the same words wherever the bundle lies.
fn without_place(problem: &Problem, bundle: &Path) -> String {
    let folder = bundle.display().to_string();
    let place = problem.place.as_deref().unwrap_or_default();
    match place.strip_prefix(&folder).unwrap_or(place).trim_start_matches('/') {
        "" => problem.what.clone(),
        file => format!("{file}: {}", problem.what),
    }
}
