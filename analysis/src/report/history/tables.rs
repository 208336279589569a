//! The tables of a page on many runs. Each is a CSV file.

mod changes; // what changed, and what cannot be compared
mod values; // every value
mod weeks; // weeks, runs, who leads, and the candidates

use lab::Week;

use super::{History, Names, names};
use crate::{
    history::{Change, Metric, Of, Past, Track},
    report::{
        escape,
        number::{self, Number},
        table::{Cell, Table},
    },
};

/// All of them.
pub(super) struct Tables {
    pub(super) weeks: Table,
    pub(super) runs: Table,
    pub(super) leaders: Table,
    pub(super) candidates: Table,
    pub(super) changepoints: Table,
    pub(super) rebases: Table,
    pub(super) contracts: Table,
    pub(super) segments: Table,
    pub(super) history: Table,
}

impl Tables {
    /// Of these runs.
    pub(super) fn of(input: &History, past: &Past, names: &Names) -> Self {
        let of = Maker { input, past, names };
        Tables {
            weeks: of.weeks(),
            runs: of.runs(),
            leaders: of.leaders(),
            candidates: of.candidates(),
            changepoints: of.changepoints(),
            rebases: of.rebases(),
            contracts: of.contracts(),
            segments: of.segments(),
            history: of.history(),
        }
    }

    /// In the order of the page.
    pub(super) fn all(&self) -> Vec<&Table> {
        vec![
            &self.weeks,
            &self.runs,
            &self.leaders,
            &self.candidates,
            &self.changepoints,
            &self.rebases,
            &self.contracts,
            &self.segments,
            &self.history,
        ]
    }
}

/// A value of a series, in its unit.
pub(super) fn value(value: f64, unit: &str) -> Number {
    if unit == "×" { number::ratio(value) } else { number::scaled(value) }
}

/// By how much it changes, in percent.
pub(super) fn percent(change: &Change) -> Number {
    number::fixed((change.after / change.before - 1.0) * 100.0, 1)
}

/// The same with its sign, for people.
pub(super) fn signed(change: &Change) -> String {
    format!("{}{} %", if change.after > change.before { "+" } else { "" }, percent(change).typeset())
}

/// Names, in one line.
pub(super) fn listed<'s>(names: impl IntoIterator<Item = &'s String>) -> String {
    let all: Vec<String> = names.into_iter().map(|name| escape::name(name)).collect();
    all.join(", ")
}

/// What a reader should know of two runs, and is not the same.
pub(super) fn beside(past: &Past, before: usize, at: usize) -> String {
    let (before, after) = (past.runs[before], past.runs[at]);
    let shown = |text: &str| lab::text::shown(text, 60);
    let differs = after.context.iter().filter_map(|(name, is)| {
        let was = before.context.iter().find(|(own, _)| own == name).map_or("none", |(_, was)| was);
        (was != is).then(|| format!("{} {} → {}", shown(name), shown(was), shown(is)))
    });
    differs.collect::<Vec<_>>().join(", ")
}

struct Maker<'a> {
    input: &'a History<'a>,
    past: &'a Past<'a>,
    names: &'a Names,
}

impl Maker<'_> {
    /// A week, with its page where there is one.
    fn week(&self, week: Week) -> Cell {
        Cell::Week(week.to_string(), self.input.weeks.contains(&week).then(|| format!("{}/", week.in_year())))
    }

    fn week_of(&self, run: usize) -> Cell {
        self.week(self.past.runs[run].week)
    }

    fn run(&self, run: usize) -> Cell {
        let entry = self.past.runs[run];
        let name = escape::name(&entry.run);
        let ours = entry.report.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        // Runs of controls, and those without candidates, are listed in their week.
        let there = self.input.weeks.contains(&entry.week) && ours && !entry.candidates.is_empty();
        if there { Cell::Link(name, entry.report.clone()) } else { Cell::Text(name) }
    }

    fn measured(&self, of: f64, track: &Track) -> Cell {
        let unit = unit(track.of);
        Cell::Measure(value(of, unit), unit)
    }
}

/// What the values of a series are in.
pub(super) fn unit(of: Of) -> &'static str {
    match of {
        Of::Candidate { .. } => "×",
        Of::Baseline { metric: Metric::Throughput, .. } => "tokens/s",
        Of::Baseline { .. } => "ms",
    }
}
