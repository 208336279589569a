//! The log held against what lies in its folder of results.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Serialize;

use super::{Chain, Entry, Event, Head};
use crate::{
    Digest,
    bundle::{Bundle, Finding, Store},
};

/// What a log says of a folder of results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Sealed bundles that lie there.
    pub bundles: u64,
    /// What is not as the log says.
    pub findings: Vec<Finding>,
    /// Runs that were begun and have no end.
    pub open: Vec<Open>,
    /// Runs that ended, were not sealed, and did not go on.
    pub given_up: Vec<Open>,
    /// Bundles that the log knows and that do not lie there.
    pub absent: Vec<Absent>,
}

/// A run that is not sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Its folder.
    pub run: String,
    /// The last line about it.
    pub line: u64,
    /// When that was.
    pub at: String,
}

/// A bundle that the log knows and that does not lie in its folder of results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// Its folder, then.
    pub run: String,
    /// Its id.
    pub id: Digest,
    /// The line that says so.
    pub line: u64,
}

/// Version of [`Listing`]. 1: first.
pub const LISTING: u32 = 1;

/// What `bench log --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// [`LISTING`].
    pub format: u32,
    /// How far the log has come.
    pub head: Head,
    /// Its entries, or those that were asked for.
    pub entries: Vec<Entry>,
    /// What stands after the last whole line.
    pub torn: Option<String>,
    /// What a check found; none where nobody asked.
    pub check: Option<Checked>,
}

impl Listing {
    /// Some entries of a log.
    pub fn of(chain: &Chain, entries: &[Entry], check: Option<Checked>) -> Self {
        let (head, entries, torn) = (chain.head(), entries.to_vec(), chain.torn.clone());
        Listing { format: LISTING, head, entries, torn, check }
    }
}

/// Holds a log against the bundles of its folder of results.
pub fn check(chain: &Chain, store: &Store, results: &Path) -> Checked {
    let mut known = BTreeMap::<Digest, (&str, u64)>::new();
    let mut at = BTreeMap::<&str, (Digest, u64)>::new();
    let mut open = BTreeMap::<&str, (Open, bool)>::new();
    let mut plans = BTreeMap::<&str, (Digest, u64)>::new();
    let mut findings = Vec::new();
    for entry in &chain.entries {
        let Some(run) = entry.event.run() else { continue };
        if let Event::Begun { plan, .. } | Event::Stage { plan, .. } = entry.event {
            plans.insert(run, (plan, entry.n));
        }
        match entry.event {
            Event::Begun { .. } | Event::Stage { .. } | Event::Resumed { .. } | Event::Ended { .. } => {
                let ended = matches!(entry.event, Event::Ended { .. });
                open.insert(run, (Open { run: run.to_owned(), line: entry.n, at: entry.at.clone() }, ended));
            }
            _ => drop(open.remove(run)),
        }
        if matches!(entry.event, Event::Sealed { .. }) && !plans.contains_key(run) {
            let what = format!("line {} seals a run that no line begins: a line was made up", entry.n);
            findings.push(Finding { path: run.to_owned(), what });
        }
        if let Some(id) = entry.event.bundle() {
            known.entry(id).or_insert((run, entry.n));
            at.insert(run, (id, entry.n));
        }
    }
    for bundle in store.bundles().iter().filter(|bundle| bundle.is_measure()) {
        let run = place(results, &bundle.path);
        let Some((plan, line)) = plans.get(run.as_str()) else { continue };
        let there = bundle.plan().map(|plan| plan.digest());
        if there.as_ref().is_ok_and(|there| there != plan) {
            let what = format!(
                "line {line} of the log begins another run here, with the plan {plan}: put back its bundle; what else was made belongs into a folder of its own"
            );
            findings.push(Finding { path: run, what });
        }
    }
    for bundle in missing(chain, store) {
        let run = place(results, &bundle.path);
        let what = match at.get(run.as_str()) {
            Some((id, line)) => format!(
                "it is {}, and line {line} of the log knows it as {id}: put back the bundle that was sealed; what else was made belongs into a folder of its own",
                bundle.id
            ),
            None => format!("the log does not know {}: enter it with bench log --adopt", bundle.id),
        };
        findings.push(Finding { path: run, what });
    }
    let unreadable = store.unreadable().iter();
    findings
        .extend(unreadable.map(|(path, problem)| Finding { path: place(results, path), what: problem.what.clone() }));
    let there: BTreeSet<Digest> = store.bundles().iter().map(|bundle| bundle.id).collect();
    let absent = known.iter().filter(|(id, _)| !there.contains(id));
    let mut absent: Vec<Absent> =
        absent.map(|(id, (run, line))| Absent { run: (*run).to_owned(), id: *id, line: *line }).collect();
    absent.sort_by_key(|one| one.line);
    // A sealed bundle that the log lacks is named above.
    let lacked: BTreeSet<&str> = findings.iter().map(|finding| finding.path.as_str()).collect();
    let mut left: Vec<(Open, bool)> = open.into_values().filter(|(o, _)| !lacked.contains(o.run.as_str())).collect();
    left.sort_by_key(|(one, _)| one.line);
    let (given_up, open): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, ended)| *ended);
    let [open, given_up] = [open, given_up].map(|of| of.into_iter().map(|(one, _)| one).collect());
    Checked { bundles: store.bundles().len() as u64, findings, open, given_up, absent }
}

/// The bundles that a log does not know, sorted by path.
pub fn missing<'s>(chain: &Chain, store: &'s Store) -> Vec<&'s Bundle> {
    let known: BTreeSet<Digest> = chain.entries.iter().filter_map(|entry| entry.event.bundle()).collect();
    store.bundles().iter().filter(|bundle| !known.contains(&bundle.id)).collect()
}

/// `DATE/NAME`.
fn place(results: &Path, path: &Path) -> String {
    path.strip_prefix(results).unwrap_or(path).display().to_string()
}
