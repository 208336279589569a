//! The runs of a week, judged: what a week's report is made from.

mod changes;

use std::collections::{BTreeMap, BTreeSet};

use lab::Week;
use serde::{Deserialize, Serialize};

pub use changes::{Change, What, changes};

use crate::{history::Entry, judgement::Judgement};

/// Version of [`Published`]. 1: first. 2: settings in the words of the workload file, GPUs, `provisional`.
pub const FORMAT: u32 = 2;

/// A judged run of a week.
#[derive(Debug)]
pub struct Run {
    /// What later weeks remember of it.
    pub entry: Entry,
    /// Everything that it was judged by.
    pub judgement: Judgement,
    /// What was measured, in a sentence or two.
    pub description: String,
}

impl Run {
    /// Whether the week has a report of it: one that measured candidates which are no controls.
    pub fn is_reported(&self) -> bool {
        self.judgement.candidates.iter().any(|candidate| candidate.control.is_none())
    }
}

/// A run, or a bundle, that belongs to the week and could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unjudged {
    /// Its folder below the folder of results.
    pub place: String,
    /// Why, in words.
    pub problem: String,
}

/// Everything that a week's report shows.
#[derive(Debug)]
pub struct Input<'a> {
    /// Which week.
    pub week: Week,
    /// Its runs, in the order in which they began.
    pub runs: &'a [Run],
    /// What belongs to it and has no judgement.
    pub unjudged: &'a [Unjudged],
    /// The published weeks before it, oldest first.
    pub before: &'a [Published],
    /// What people wrote into it, by page: its file without the ending, and nothing for the first.
    pub notes: &'a BTreeMap<String, String>,
}

/// A week's `verdicts.json`: what the weeks after it know of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// [`FORMAT`].
    pub format: u32,
    /// Which week.
    pub week: Week,
    /// The version of the method.
    pub method: String,
    /// Its runs, in the order in which they began.
    pub runs: Vec<Entry>,
    /// What is not as it was before.
    pub changes: Vec<Change>,
    /// What belongs to it and has no judgement.
    pub unjudged: Vec<Unjudged>,
}

impl Published {
    /// What is wrong with a week that somebody wrote into this folder's file; nothing where it can be
    /// what [`Published::of`] gave.
    pub fn mistake(&self, folder: &str) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!("its format is {}, this program reads {FORMAT}", self.format));
        }
        if self.week.in_year() != folder {
            return Some(format!("it says that it is {}", self.week));
        }
        let mut bundles = BTreeSet::new();
        self.runs.iter().find_map(|run| {
            let told = run.week == self.week && run.report == format!("{folder}/{}/", run.run) && plain(&run.run);
            let twice = run.bundles.iter().any(|id| !bundles.insert(*id));
            let wrong = if !told || Week::begun(&run.started).is_err() {
                "is no run of this week"
            } else if twice {
                "has bundles of another run"
            } else if !values(run).all(|value| (1e-12..=1e24).contains(&value)) {
                "has a value that nothing measures"
            } else {
                return None;
            };
            Some(format!("its run `{}` {wrong}", lab::text::shown(&run.run, 100)))
        })
    }
}

/// Whether it is the name of one folder and needs no care anywhere.
fn plain(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(fine)
}

/// Every measured value of an entry.
fn values(run: &Entry) -> impl Iterator<Item = f64> {
    let cells = run.cells.iter().flat_map(|cell| [cell.ttft_ns, cell.tpot_ns, cell.tokens_per_s]).flatten();
    let rivals = run.candidates.iter();
    let effects = rivals.flat_map(|rival| rival.overall.iter().chain(rival.cells.iter().map(|(_, effect)| effect)));
    cells.chain(effects.flat_map(|effect| [effect.speedup, effect.low, effect.high]))
}

/// The command that makes a week's report again, from the folder in which `results/` lies.
pub fn command(week: Week) -> String {
    let text = week.to_string();
    let year = text.split_once('-').map_or("", |(year, _)| year);
    format!("bench report results --week {week} --out reports/{year}")
}

impl Published {
    /// What a week publishes.
    pub fn of(input: &Input<'_>) -> Self {
        let runs: Vec<Entry> = input.runs.iter().map(|run| run.entry.clone()).collect();
        Published {
            format: FORMAT,
            week: input.week,
            method: crate::METHOD.to_owned(),
            changes: changes(input.before, &runs),
            runs,
            unjudged: input.unjudged.to_vec(),
        }
    }
}
