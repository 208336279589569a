//! What a script left.

use std::path::PathBuf;

use lab::{Digest, audit, bundle, workload::Stage};

use super::{SEED, Script};
use crate::{Judgement, Study};

/// Sealed bundles in a folder that goes when they go.
pub(crate) struct Sealed {
    pub(crate) measure: PathBuf,
    pub(crate) grade: Option<PathBuf>,
    pub(super) further: Vec<PathBuf>,
    pub(super) temp: tempfile::TempDir,
}

impl Sealed {
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        std::iter::once(self.measure.clone()).chain(self.grade.clone()).chain(self.further.clone()).collect()
    }

    /// Adds a stage of so many rounds, in which the servers may behave in another way.
    pub(crate) fn more(mut self, script: &Script, rounds: u32, only: &[&str]) -> Self {
        let study = self.study();
        let last = study.stages.last().unwrap().measure.plan().unwrap();
        let stage = Stage {
            number: study.stages.len() as u32 + 1,
            parent: study.stages.last().unwrap().measure.id,
            revealed: audit::seed_to_hex(&SEED),
            value: script.drawn.or(script.value).map(str::to_owned),
            after: last.after(),
            rounds,
            candidates: only.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.further.extend(script.seal_into(self.temp.path(), script.workload().staged(stage).unwrap()));
        self
    }

    /// Its measure bundle's id.
    pub(crate) fn id(&self) -> Digest {
        bundle::Bundle::open(&self.measure).unwrap().id
    }

    pub(crate) fn study(&self) -> Study {
        Study::open(&self.paths()).unwrap()
    }

    pub(crate) fn judge(&self) -> Judgement {
        crate::judge(&self.study())
    }
}
