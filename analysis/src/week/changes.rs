//! What is not as it was the last time that the same workload ran.

use std::collections::BTreeSet;

use lab::Digest;
use serde::{Deserialize, Serialize};

use super::Published;
use crate::{
    history::{Board, Entry, Measured, Rival},
    judgement::{Effect, Verdict},
};

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The workload, by its name.
    pub workload: String,
    /// The run in which it is so.
    pub run: String,
    /// The run in which it was not; none where nothing of that name ran before.
    pub since: Option<String>,
    /// What changed.
    pub what: What,
}

/// What can change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// No workload of this name ran before.
    New,
    /// A workload of this name ran before and measured something else: nothing is compared.
    Contract {
        /// The settings that are other ones, by name; none where one of the two measured no cell.
        fields: Vec<String>,
    },
    /// The same run was told before, with fewer stages or grades.
    Evidence,
    /// The baseline's server is another one: speed-ups are over something else.
    Rebased,
    /// The version of the method is another one.
    Method {
        /// Before.
        from: String,
        /// Now.
        to: String,
    },
    /// Others are in the first place.
    Leader {
        /// Before; nobody where it is empty.
        from: BTreeSet<String>,
        /// Now.
        to: BTreeSet<String>,
    },
    /// A candidate ran for the first time.
    Joined {
        /// Its name.
        candidate: String,
    },
    /// A candidate ran before, and not now.
    Left {
        /// Its name.
        candidate: String,
    },
    /// A candidate's verdict is another one.
    Verdict {
        /// Its name.
        candidate: String,
        /// Before.
        from: Verdict,
        /// Now.
        to: Verdict,
    },
    /// A candidate's speed-up is another one: the intervals do not meet, over the same baseline.
    Speed {
        /// Its name.
        candidate: String,
        /// Before.
        from: Effect,
        /// Now.
        to: Effect,
    },
}

/// What differs in each of a week's runs from the one before it: of the same run as it was told in an
/// earlier week; else of the last run of the same workload's name that measured the same cells, in
/// the weeks before, oldest first, or earlier in the week.
pub fn changes(before: &[Published], runs: &[Entry]) -> Vec<Change> {
    let judged = |run: &&Entry| !run.candidates.is_empty();
    let all: Vec<&Entry> = before.iter().flat_map(|week| &week.runs).chain(runs).collect();
    let alone = |run: &Entry| !all.iter().any(|other| run.shares_gpu_with(other));
    let mut told: Vec<&Entry> = before.iter().flat_map(|week| &week.runs).filter(judged).collect();
    let mut found = Vec::new();
    for run in runs.iter().filter(judged) {
        found.extend(of_run(&told, run, &alone));
        told.push(run);
    }
    found
}

/// What a run is held against.
enum Earlier<'a> {
    /// Itself, with fewer stages.
    Itself(&'a Entry),
    /// Another run of the same cells.
    Alike(&'a Entry),
    /// A run of the same name, of other cells.
    Other(&'a Entry),
}

fn earlier<'a>(told: &[&'a Entry], run: &Entry) -> Option<Earlier<'a>> {
    let last = |wanted: &dyn Fn(&Entry) -> bool| told.iter().rev().copied().find(|entry| wanted(entry));
    let itself = last(&|entry| entry.bundles.first() == run.bundles.first()).map(Earlier::Itself);
    let of_name = |entry: &Entry| entry.workload == run.workload;
    let alike = || last(&|entry| of_name(entry) && !run.cells.is_empty() && ground(entry) == ground(run));
    itself.or_else(|| alike().map(Earlier::Alike)).or_else(|| last(&of_name).map(Earlier::Other))
}

/// Its cells, with all that has to be equal for another run to have measured them.
fn ground(run: &Entry) -> BTreeSet<Digest> {
    run.cells.iter().map(Measured::identity).collect()
}

/// The settings in which the cells of two runs differ.
fn settings(a: &Entry, b: &Entry) -> Vec<String> {
    if a.cells.is_empty() || b.cells.is_empty() {
        return Vec::new();
    }
    let of = |run: &Entry| -> BTreeSet<(String, String)> {
        let cells = run.cells.iter().map(|measured| ("cells".to_owned(), measured.cell.to_string()));
        cells.chain(run.cells.iter().flat_map(|measured| measured.contract.iter().cloned())).collect()
    };
    let (a, b) = (of(a), of(b));
    let names: BTreeSet<&String> = a.symmetric_difference(&b).map(|(name, _)| name).collect();
    names.into_iter().cloned().collect()
}

/// `alone` says whether a run had its GPUs to itself: the speeds of others are not compared.
fn of_run(told: &[&Entry], run: &Entry, alone: &dyn Fn(&Entry) -> bool) -> Vec<Change> {
    let earlier = earlier(told, run);
    let since = earlier.as_ref().map(|(Earlier::Itself(of) | Earlier::Alike(of) | Earlier::Other(of))| *of);
    let change = |what| Change {
        workload: run.workload.clone(),
        run: run.run.clone(),
        since: since.map(|since| since.run.clone()),
        what,
    };
    let (earlier, mut found) = match earlier {
        None => return vec![change(What::New)],
        Some(Earlier::Other(other)) => return vec![change(What::Contract { fields: settings(other, run) })],
        Some(Earlier::Itself(itself)) if itself.bundles == run.bundles => (itself, Vec::new()),
        Some(Earlier::Itself(itself)) => (itself, vec![What::Evidence]),
        Some(Earlier::Alike(alike)) => (alike, Vec::new()),
    };
    if earlier.baseline != run.baseline {
        found.push(What::Rebased);
    }
    // Of a baseline that nobody can name nobody can say that it is the same.
    let same_baseline = run.baseline.is_some() && earlier.baseline == run.baseline;
    let comparable = same_baseline && alone(run) && alone(earlier);
    if earlier.method != run.method {
        found.push(What::Method { from: earlier.method.clone(), to: run.method.clone() });
    }
    let (from, to) = (first(&earlier.board), first(&run.board));
    if from != to {
        found.push(What::Leader { from, to });
    }
    for now in &run.candidates {
        match earlier.candidates.iter().find(|then| then.name == now.name) {
            None => found.push(What::Joined { candidate: now.name.clone() }),
            Some(then) => found.extend(of_candidate(then, now, comparable)),
        }
    }
    let gone = earlier.candidates.iter().filter(|then| run.candidates.iter().all(|now| now.name != then.name));
    found.extend(gone.map(|then| What::Left { candidate: then.name.clone() }));
    found.into_iter().map(change).collect()
}

fn of_candidate(then: &Rival, now: &Rival, comparable: bool) -> Vec<What> {
    let candidate = || now.name.clone();
    let mut found = Vec::new();
    if then.verdict != now.verdict {
        found.push(What::Verdict { candidate: candidate(), from: then.verdict, to: now.verdict });
    }
    let counts = |rival: &Rival| rival.overall.filter(|e| e.powered && rival.verdict == Verdict::Equivalent);
    if let (true, Some(from), Some(to)) = (comparable, counts(then), counts(now))
        && (to.low > from.high || to.high < from.low)
    {
        found.push(What::Speed { candidate: candidate(), from, to });
    }
    found
}

fn first(board: &Board) -> BTreeSet<String> {
    match board {
        Board::Led(by) => by.clone(),
        Board::None | Board::Void(_) | Board::Empty => BTreeSet::new(),
    }
}
