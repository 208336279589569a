//! Sealed bundles in a folder of dated results, found by id.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Bundle, MANIFEST};
use crate::Digest;

/// Every sealed bundle of `FOLDER/<date>/<name>/`. Only manifests are read.
#[derive(Debug, Default)]
pub struct Store {
    bundles: Vec<Bundle>,
}

impl Store {
    /// Those below a folder, sorted by path; what is no sealed bundle is passed over.
    pub fn below(folder: &Path) -> Self {
        let sealed = run_folders(folder).into_iter().filter(|path| path.join(MANIFEST).is_file());
        Store { bundles: sealed.filter_map(|path| Bundle::open(&path).ok()).collect() }
    }

    /// Those beside a bundle: of the folder of results that it is in.
    pub fn around(bundle: &Path) -> Self {
        let path = bundle.canonicalize().unwrap_or_else(|_| bundle.to_owned());
        path.ancestors().nth(2).map(Self::below).unwrap_or_default()
    }

    /// The measure bundles of a workload file, by the file's digest, the newest last.
    pub fn runs_of(&self, workload: Digest) -> Vec<&Bundle> {
        let of = |b: &&Bundle| b.is_measure() && b.plan().is_ok_and(|plan| plan.workload == workload);
        let mut runs: Vec<&Bundle> = self.bundles.iter().filter(of).collect();
        runs.sort_by(|a, b| a.manifest.sealed.cmp(&b.manifest.sealed));
        runs
    }

    /// The bundle of that id.
    pub fn find(&self, id: Digest) -> Option<&Bundle> {
        self.bundles.iter().find(|b| b.id == id)
    }

    /// The grade bundles of a measure bundle.
    pub fn grades(&self, id: Digest) -> impl Iterator<Item = &Bundle> {
        self.bundles.iter().filter(move |b| !b.is_measure() && b.manifest.parents.contains(&id))
    }

    /// The newest grade of a measure bundle.
    pub fn grade(&self, id: Digest) -> Option<&Bundle> {
        self.grades(id).max_by(|a, b| a.manifest.sealed.cmp(&b.manifest.sealed))
    }

    /// A run's measure bundles up to this one, each with its newest grade, the first stage
    /// first; as far as they are there.
    pub fn stages(&self, last: Digest) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut next = self.find(last);
        while let Some(bundle) = next {
            found.extend(self.grade(bundle.id).map(|grade| grade.path.clone()));
            found.push(bundle.path.clone());
            next = bundle.manifest.parents.first().and_then(|parent| self.find(*parent));
        }
        found.reverse();
        found
    }
}

/// The folders `FOLDER/<date>/<name>/`, sealed or not, sorted by path; none where a folder
/// cannot be read.
pub fn run_folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = folders(folder).iter().flat_map(|day| folders(day)).collect();
    found.sort();
    found
}

pub(super) fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
