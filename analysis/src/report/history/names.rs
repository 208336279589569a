//! What cells, contests and series are called: short, and no two alike.

use std::collections::BTreeMap;

use crate::{
    history::{Contest, Metric, Of, Past},
    report::{escape, words},
};

/// A name for each.
pub(super) struct Names {
    /// Of [`Past::cells`].
    pub(super) cells: Vec<String>,
    /// Of [`Past::contests`].
    pub(super) contests: Vec<String>,
    /// What tells a contest from others of its name.
    apart: Vec<String>,
}

impl Names {
    /// Of everything that a page speaks of.
    pub(super) fn of(past: &Past) -> Self {
        let cells = past.cells.iter().map(|ground| ground.first.cell.to_string()).collect();
        let workload = |contest: &Contest| {
            let mut all: Vec<&str> = contest.runs.iter().rev().map(|run| past.runs[*run].workload.as_str()).collect();
            all.dedup();
            let newest = escape::name(all.first().unwrap_or(&""));
            if all.len() > 1 { format!("{newest} and its like") } else { newest }
        };
        let alike: Vec<String> = past.contests.iter().map(workload).collect();
        let contests = told_apart(alike.clone());
        let apart = contests.iter().zip(&alike).map(|(name, alike)| name[alike.len()..].to_owned()).collect();
        Names { cells: told_apart(cells), contests, apart }
    }

    /// The workload of one run of a contest.
    pub(super) fn workload(&self, past: &Past, contest: usize, run: usize) -> String {
        format!("{}{}", escape::name(&past.runs[run].workload), self.apart[contest])
    }

    /// Where a series is: a cell, or all cells of a contest.
    pub(super) fn place(&self, of: Of) -> &str {
        match of {
            Of::Baseline { cell, .. } | Of::Candidate { cell: Some(cell), .. } => &self.cells[cell],
            Of::Candidate { contest, cell: None, .. } => &self.contests[contest],
        }
    }
}

/// The arm and the measure of a series.
pub(super) fn measure(past: &Past, of: Of) -> (String, &'static str) {
    match of {
        Of::Baseline { metric, .. } => ("baseline".to_owned(), metric_name(metric)),
        Of::Candidate { contest, name, .. } => (escape::name(past.contests[contest].names[name]), "speed-up"),
    }
}

pub(super) fn metric_name(metric: Metric) -> &'static str {
    words::metric(metric.code())
}

/// Those that are alike, numbered.
fn told_apart(names: Vec<String>) -> Vec<String> {
    let mut counts = BTreeMap::<String, u32>::new();
    names.iter().for_each(|name| *counts.entry(name.clone()).or_default() += 1);
    let mut seen = BTreeMap::<String, u32>::new();
    let told = names.into_iter().map(|name| {
        let n = seen.entry(name.clone()).or_default();
        *n += 1;
        if counts[&name] > 1 { format!("{name}, contract {n}") } else { name }
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::told_apart;

    #[test]
    fn names_that_are_alike_are_numbered_and_others_are_left_alone() {
        let names = ["chat", "code", "chat"].map(str::to_owned).into();
        assert_eq!(told_apart(names), ["chat, contract 1", "code", "chat, contract 2"]);
    }
}
