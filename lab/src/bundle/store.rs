//! Sealed bundles in a folder of dated results, found by id.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Bundle, MANIFEST};
use crate::{Digest, Problem};

/// Every sealed bundle of `FOLDER/<date>/<name>/`. Only manifests are read.
#[derive(Debug, Default)]
pub struct Store {
    bundles: Vec<Bundle>,
    unreadable: Vec<(PathBuf, Problem)>,
    unsealed: Vec<PathBuf>,
}

impl Store {
    /// Those below a folder, sorted by path.
    pub fn below(folder: &Path) -> Self {
        let mut store = Store::default();
        let is_sealed = |path: &PathBuf| path.join(MANIFEST).is_file();
        let (sealed, unsealed): (Vec<_>, Vec<_>) = run_folders(folder).into_iter().partition(is_sealed);
        store.unsealed = unsealed;
        for path in sealed {
            match Bundle::open(&path) {
                Ok(bundle) => store.bundles.push(bundle),
                Err(problem) => store.unreadable.push((path, problem)),
            }
        }
        store
    }

    /// Those beside a bundle: of the folder of results that it is in.
    pub fn around(bundle: &Path) -> Self {
        results_of(bundle).as_deref().map(Self::below).unwrap_or_default()
    }

    /// The bundles, sorted by path.
    pub fn bundles(&self) -> &[Bundle] {
        &self.bundles
    }

    /// Sealed folders whose manifest is not readable, sorted by path, and why.
    pub fn unreadable(&self) -> &[(PathBuf, Problem)] {
        &self.unreadable
    }

    /// Folders that are not sealed, sorted by path.
    pub fn unsealed(&self) -> &[PathBuf] {
        &self.unsealed
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

/// The stores of several bundles: each folder of results is read once, when it is first asked for.
#[derive(Debug, Default)]
pub struct Stores(BTreeMap<Option<PathBuf>, Arc<Store>>);

impl Stores {
    /// The store of the folder of results that a bundle is in.
    pub fn around(&mut self, bundle: &Path) -> &Store {
        let read = |folder: &Option<PathBuf>| Arc::new(folder.as_deref().map(Store::below).unwrap_or_default());
        self.0.entry(results_of(bundle)).or_insert_with_key(read)
    }

    /// The store of a folder of results. Its paths begin as the folder's does.
    pub fn below(&mut self, folder: &Path) -> Arc<Store> {
        let key = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        Arc::clone(self.0.entry(Some(key)).or_insert_with(|| Arc::new(Store::below(folder))))
    }
}

/// The folder of results that a bundle is in.
fn results_of(bundle: &Path) -> Option<PathBuf> {
    let path = bundle.canonicalize().unwrap_or_else(|_| bundle.to_owned());
    path.ancestors().nth(2).map(Path::to_owned)
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

#[cfg(test)]
mod tests {
    use super::{super::Kind, super::RunFolder, *};

    #[test]
    fn a_folder_of_results_is_read_once_for_all_its_bundles() {
        let temp = tempfile::tempdir().unwrap();
        let seal = |results: &str, name: &str| {
            let run = RunFolder::create(&temp.path().join(results).join("2026-01-01").join(name)).unwrap();
            run.seal(Kind::Measure, Vec::new(), "2026-01-01T00:00:00Z").unwrap().0
        };
        let (a, b, other) = (seal("results", "a"), seal("results", "b"), seal("elsewhere", "c"));
        let mut stores = Stores::default();
        assert_eq!(stores.below(&temp.path().join("results")).bundles().len(), 2);
        // What is sealed meanwhile is not seen: nobody looked again.
        seal("results", "d");
        assert_eq!(stores.around(&b).bundles().len(), 2);
        assert_eq!(stores.below(&temp.path().join("results")).bundles().len(), 2);
        assert_eq!(stores.around(&other).bundles().len(), 1);
        assert_eq!(Store::around(&a).bundles().len(), 3);
    }
}
