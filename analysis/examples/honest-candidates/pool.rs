//! The graded margins of real launches, by configuration.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use analysis::{Study, margins};
use lab::{
    Digest, Kind, Problem, Result,
    bundle::{Bundle, Store},
    workload::{BASELINE, BLIND_CONTROL, Control, Tolerance},
};
use stats::calibration::Configuration;

/// What was asked for.
pub(crate) struct Arguments {
    /// Measure bundles.
    pub(crate) runs: Vec<PathBuf>,
    honest: BTreeSet<String>,
    altered: BTreeSet<String>,
}

/// Everything to draw from.
pub(crate) struct Pool {
    /// Honest configurations.
    pub(crate) honest: BTreeMap<String, Configuration>,
    /// Altered ones.
    pub(crate) altered: BTreeMap<String, Configuration>,
    /// What the first run's workload declares, for want of enough honest configurations.
    pub(crate) declared: Option<Tolerance>,
    /// The seed of all draws: a digest of the bundles' ids.
    pub(crate) seed: Digest,
}

impl Arguments {
    /// As they stand on the command line.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Self {
        let mut arguments = Arguments { runs: Vec::new(), honest: BTreeSet::new(), altered: BTreeSet::new() };
        while let Some(word) = words.next() {
            let named = match word.as_str() {
                "--honest" => &mut arguments.honest,
                "--altered" => &mut arguments.altered,
                _ => {
                    arguments.runs.push(word.into());
                    continue;
                }
            };
            named.extend(words.next().unwrap_or_default().split(',').map(str::to_owned));
        }
        arguments
    }

    fn kind(&self, arm: &str, declared: Option<Control>) -> Option<Control> {
        match arm {
            BASELINE | BLIND_CONTROL => Some(Control::Positive),
            _ if self.honest.contains(arm) => Some(Control::Positive),
            _ if self.altered.contains(arm) => Some(Control::Negative),
            _ => declared,
        }
    }
}

impl Pool {
    /// Opens the runs.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self> {
        let mut pool = Pool {
            honest: BTreeMap::new(),
            altered: BTreeMap::new(),
            declared: None,
            seed: Digest::of(arguments.runs.iter().map(|run| id(run)).collect::<Result<Vec<_>>>()?.join("\n")),
        };
        for run in &arguments.runs {
            let study = open(run)?;
            for arm in study.arms() {
                let declared = study.workload.arm(arm);
                let configurations = match arguments.kind(arm, declared.and_then(|a| a.control)) {
                    Some(Control::Positive) => &mut pool.honest,
                    Some(Control::Negative) => &mut pool.altered,
                    None => continue,
                };
                let own = if arm == BLIND_CONTROL { BASELINE } else { arm };
                let name = declared.and_then(|a| a.configuration.as_deref()).unwrap_or(own);
                let launches = margins::launches(&study, arm);
                if !launches.is_empty() {
                    configurations.entry(name.to_owned()).or_default().extend(launches);
                }
            }
            pool.declared = pool.declared.or(study.workload.equivalence.as_ref().and_then(|e| e.tolerance));
        }
        if pool.honest.is_empty() {
            return Err(Problem::new(Kind::Input, "no honest launch is graded in these bundles")
                .next("name measure bundles whose grades lie beside them"));
        }
        Ok(pool)
    }
}

fn id(run: &Path) -> Result<String> {
    Bundle::open(run).map(|bundle| bundle.id.to_string())
}

/// A run with its grades and what its workload names as its calibration.
fn open(run: &Path) -> Result<Study> {
    let store = Store::around(run);
    let bundle = Bundle::open(run)?;
    let mut paths = store.stages(bundle.id);
    for id in bundle.workload()?.calibration() {
        paths.extend(store.stages(*id));
    }
    Study::open(&paths)
}
