//! The same measure of the same cell, run after run: where it changed, and who led when. Rules:
//! `METHOD.md`, section *History*. Nothing here is part of a verdict.

mod changes;
mod entry;
mod leads;
mod past;

use std::ops::Range;

use lab::Digest;
use stats::NoAnswer;

pub use changes::changes;
pub use entry::{Board, Entry, Measured, Rival, Stay};
pub use leads::{Lead, leads};
pub(crate) use past::{Contest, Metric, Of, Past, Track};

/// What one run says of one measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// When the run began, as it is sealed: `2026-11-22T17:02:51Z`. Runs are in this order.
    pub started: String,
    /// Ids of the bundles that the value rests on.
    pub bundles: Vec<Digest>,
    /// The value, above 0, in the unit of its series. Everything is computed from its natural log.
    pub value: f64,
    /// Its limits, where it has an interval. Shown; no change rests on it.
    pub interval: Option<(f64, f64)>,
    /// What the baseline's server was.
    pub baseline: Digest,
    /// The version of the method that it was judged by.
    pub method: String,
}

/// One measure of one cell over runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Which measure of which cell; no other series of the page has this name.
    pub name: String,
    /// Of the values.
    pub unit: String,
    points: Vec<Point>,
}

impl Series {
    /// Of these runs, put into the order in which they began.
    pub fn new(name: impl Into<String>, unit: impl Into<String>, mut points: Vec<Point>) -> Self {
        points.sort_by(|a, b| (&a.started, &a.bundles).cmp(&(&b.started, &b.bundles)));
        Series { name: name.into(), unit: unit.into(), points }
    }

    /// The runs as they began.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Runs of one baseline and one method, and why each part begins where it does.
    fn parts(&self) -> Vec<(Range<usize>, Option<Cut>)> {
        let cuts = self
            .points
            .windows(2)
            .map(|two| Cut { rebase: two[0].baseline != two[1].baseline, method: two[0].method != two[1].method });
        let mut begins: Vec<(usize, Option<Cut>)> = self.points.first().map(|_| (0, None)).into_iter().collect();
        begins.extend(cuts.enumerate().filter(|(_, cut)| cut.rebase || cut.method).map(|(i, cut)| (i + 1, Some(cut))));
        let ends = begins.iter().skip(1).map(|(at, _)| *at).chain([self.points.len()]);
        begins.iter().zip(ends).map(|((from, cut), to)| (*from..to, *cut)).collect()
    }
}

/// Why values on two sides are not of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The baseline's server is another one.
    pub rebase: bool,
    /// The version of the method is another one.
    pub method: bool,
}

/// A part of a series within which values can be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Its runs, as indices of the series' points.
    pub runs: Range<usize>,
    /// What cuts it off from the one before; none for the first.
    pub cut: Option<Cut>,
    /// What was found in it, or why nothing was looked for.
    pub changes: Result<Changes, NoAnswer>,
}

/// What was found in a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// p of "nothing changes in this segment".
    pub p: f64,
    /// What is left of the level for this segment among the others (Holm).
    pub level: f64,
    /// In order.
    pub points: Vec<Change>,
}

/// A place where values change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The first run after it, as index of the series' points.
    pub at: usize,
    /// p of "no part of the segment changes within itself", parts being those known before.
    pub p: f64,
    /// Geometric mean of the runs before it, back to the change or cut before that.
    pub before: f64,
    /// Geometric mean of the runs from it on, up to the next change or cut.
    pub after: f64,
}

#[cfg(test)]
mod tests;
