//! What lies in a folder of results: one row for each sealed bundle, made of its facts alone.
//! Derived, and no source: nothing reads it to judge. `results/README.md` says what each column is.

mod read;
mod table;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use lab::{
    Digest, Week,
    bundle::{Kind, MANIFEST, PLAN, run_folders},
};
use serde::Serialize;

use crate::parallel;

/// Version of the JSON that `bench index --json` prints. 1: first.
pub const FORMAT: u32 = 1;

/// What lies in a folder of results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Index {
    /// [`FORMAT`].
    pub format: u32,
    /// One for each sealed bundle, sorted by date folder and name.
    pub bundles: Vec<Row>,
    /// Folders of runs that are not sealed: no bundles yet.
    pub unfinished: u64,
}

/// One sealed bundle. What could not be read, and what its kind does not have, is absent. Texts
/// are printable and cut where they are longer than anybody writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The week in which it began, in UTC.
    pub week: Option<Week>,
    /// The name of its date folder.
    pub date: String,
    /// The name of its own.
    pub folder: String,
    /// What it holds.
    pub kind: Option<Kind>,
    /// Digest of its manifest.
    pub id: Option<Digest>,
    /// Ids of the bundles that it continues or grades.
    pub parents: Vec<Digest>,
    /// Which stage of its run it is, from 1; none of a grade.
    pub stage: Option<u32>,
    /// The run's short random name; none of a grade.
    pub run: Option<String>,
    /// Wall clock at its start, RFC 3339, UTC.
    pub started: Option<String>,
    /// Wall clock at its seal, RFC 3339, UTC.
    pub sealed: Option<String>,
    /// The workload's name; none of a grade.
    pub workload: Option<String>,
    /// SHA-256 of the workload file; none of a grade.
    pub workload_digest: Option<Digest>,
    /// Names of the models.
    pub models: Vec<String>,
    /// GPUs by product: those of the first completed baseline, else all of the host's.
    pub gpus: Vec<String>,
    /// Names of the loads.
    pub loads: Vec<String>,
    /// Names of the arms that it measures, the baseline first.
    pub arms: Vec<String>,
    /// Rounds that it was planned to have.
    pub rounds: Option<u32>,
    /// Trials that it holds.
    pub trials: Option<u64>,
    /// What the baseline's server is: its image or program, arguments, variables and folders.
    pub baseline_digest: Option<Digest>,
    /// The program that measured or graded: version and digest.
    pub program: Option<String>,
    /// Files that its manifest lists.
    pub files: Option<u64>,
    /// Bytes of those files.
    pub bytes: Option<u64>,
    /// Versions of its formats, as `manifest=1`.
    pub formats: Vec<String>,
    /// Why it could not be read, or not as a whole.
    pub problem: Option<String>,
}

/// Reads every bundle of `RESULTS/<date>/<name>/`, one after another on each thread, and says
/// after each how many of how many are read. No evidence is read, and no link is followed.
pub fn index(results: &Path, seen: impl Fn(usize, usize) + Sync) -> Index {
    let there = |path: &Path, name: &str| fs::symlink_metadata(path.join(name)).is_ok();
    let (bundles, others): (Vec<_>, Vec<_>) = run_folders(results).into_iter().partition(|path| there(path, MANIFEST));
    let unfinished = others.iter().filter(|path| there(path, PLAN)).count() as u64;
    let read = AtomicUsize::new(0);
    let rows = parallel::map(&bundles, |path| {
        let row = Row::of(path);
        seen(read.fetch_add(1, Ordering::Relaxed) + 1, bundles.len());
        row
    });
    Index { format: FORMAT, bundles: rows, unfinished }
}

impl Index {
    /// How many bundles could not be read as a whole.
    pub fn unreadable(&self) -> usize {
        self.bundles.iter().filter(|row| row.problem.is_some()).count()
    }
}

#[cfg(test)]
mod tests;
