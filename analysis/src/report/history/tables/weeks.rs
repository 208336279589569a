//! Weeks, runs, who leads, and the candidates.

use std::collections::{BTreeMap, BTreeSet};

use lab::Week;

use super::{Maker, listed};
use crate::{
    history::{Board, Entry, Rival},
    judgement::Verdict,
    report::{
        escape, number,
        table::{Cell, Table, column},
    },
};

/// Who leads in a run.
fn led(entry: &Entry) -> String {
    match &entry.board {
        Board::None => String::new(),
        Board::Void(_) => "void".into(),
        Board::Empty => "nobody".into(),
        Board::Led(names) => listed(names),
    }
}

impl Maker<'_> {
    pub(super) fn weeks(&self) -> Table {
        let mut weeks: BTreeMap<Week, Vec<&Entry>> = self.input.weeks.iter().map(|week| (*week, Vec::new())).collect();
        let mut all: Vec<&Entry> = self.input.entries.iter().collect();
        all.sort_by(|a, b| (&a.started, &a.bundles).cmp(&(&b.started, &b.bundles)));
        all.into_iter().for_each(|entry| weeks.entry(entry.week).or_default().push(entry));
        let row = |(week, runs): (Week, Vec<&Entry>)| {
            let rivals: Vec<&Rival> = runs.iter().flat_map(|entry| &entry.candidates).collect();
            let of =
                |verdict| Cell::plain(number::count(rivals.iter().filter(|r| r.verdict == verdict).count() as u64));
            let mut leads: Vec<String> =
                runs.iter().map(|entry| led(entry)).filter(|leads| !leads.is_empty()).collect();
            leads.dedup();
            vec![
                self.week(week),
                if leads.is_empty() { Cell::Empty } else { Cell::Text(leads.join("; ")) },
                Cell::plain(number::count(runs.len() as u64)),
                Cell::plain(number::count(rivals.len() as u64)),
                of(Verdict::Equivalent),
                of(Verdict::Undecided),
                of(Verdict::Altered),
            ]
        };
        Table {
            name: "weeks",
            caption: "The newest week first, each with its own report",
            columns: vec![
                column("Week", &["week"]),
                column("Leads", &["leads"]),
                column("Runs", &["runs"]),
                column("Candidates", &["candidates"]),
                column("Equivalent", &["equivalent"]),
                column("Undecided", &["undecided"]),
                column("Altered", &["altered"]),
            ],
            rows: weeks.into_iter().rev().map(row).collect(),
        }
    }

    pub(super) fn runs(&self) -> Table {
        let row = |(run, entry): (usize, &&Entry)| {
            let leads = led(entry);
            vec![
                self.week_of(run),
                self.run(run),
                Cell::Text(escape::name(&entry.started)),
                Cell::Text(escape::name(&entry.workload)),
                Cell::plain(number::count(entry.candidates.len() as u64)),
                if leads.is_empty() { Cell::Empty } else { Cell::Text(leads) },
                entry.baseline.map_or(Cell::Nothing("not known".into()), |digest| Cell::Code(digest.to_string())),
                Cell::Code(entry.method.clone()),
                Cell::Text(entry.bundles.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
            ]
        };
        Table {
            name: "runs",
            caption: "The newest run first",
            columns: vec![
                column("Week", &["week"]),
                column("Run", &["run"]),
                column("Began", &["started"]),
                column("Workload", &["workload"]),
                column("Candidates", &["candidates"]),
                column("Leads", &["leads"]),
                column("Baseline", &["baseline_digest"]),
                column("Method", &["method"]),
                column("Bundles", &["bundles"]),
            ],
            rows: self.past.runs.iter().enumerate().rev().map(row).collect(),
        }
    }

    pub(super) fn leaders(&self) -> Table {
        let mut rows = Vec::new();
        for (contest, on) in self.past.contests.iter().zip(&self.names.contests) {
            let names =
                |names: &BTreeSet<String>| if names.is_empty() { Cell::Empty } else { Cell::Text(listed(names)) };
            for (i, lead) in contest.leads.iter().enumerate().rev() {
                let end = contest.leads.get(i + 1).map_or(usize::MAX, |next| next.since);
                let held = contest
                    .runs
                    .iter()
                    .filter(|run| (lead.since..end).contains(*run) && self.past.settles(**run))
                    .count();
                rows.push(vec![
                    Cell::Text(on.clone()),
                    self.week_of(lead.since),
                    names(&lead.leaders),
                    names(&lead.gained),
                    names(&lead.lost),
                    Cell::plain(number::count(held as u64)),
                    self.run(lead.since),
                ]);
            }
        }
        Table {
            name: "leaders",
            caption: "Who leads since when, the newest first, and in how many runs",
            columns: vec![
                column("On", &["on"]),
                column("Since", &["since"]),
                column("Leads", &["leads"]),
                column("New", &["gained"]),
                column("No longer", &["lost"]),
                column("Runs", &["runs"]),
                column("Run", &["run"]),
            ],
            rows,
        }
    }

    pub(super) fn candidates(&self) -> Table {
        let mut rows = Vec::new();
        for (i, contest) in self.past.contests.iter().enumerate() {
            let mut own = Vec::new();
            for (n, name) in contest.names.iter().enumerate() {
                let seen: Vec<(usize, &Rival)> =
                    contest.runs.iter().filter_map(|run| Some((*run, self.past.rival(i, *run, n)?))).collect();
                let (Some((first, _)), Some((last, rival))) = (seen.first(), seen.last()) else { continue };
                let speed =
                    rival.overall.filter(|effect| self.past.claims_nothing(*last, rival.verdict, effect).is_none());
                let row = vec![
                    Cell::Text(self.names.workload(self.past, i, *last)),
                    Cell::Text(escape::name(name)),
                    Cell::Verdict(rival.verdict, rival.provisional),
                    speed.map_or(Cell::Nothing("no claim".into()), |e| {
                        Cell::Interval(number::ratio(e.speedup), number::ratio(e.low), number::ratio(e.high))
                    }),
                    Cell::maybe(speed.map(|e| number::declared_percent(e.confidence)), "%"),
                    self.week_of(*first),
                    self.week_of(*last),
                    Cell::plain(number::count(seen.len() as u64)),
                    rival.server.map_or(Cell::Nothing("not known".into()), |digest| Cell::Code(digest.to_string())),
                ];
                own.push((*last, row));
            }
            // Those of the newest run first; of one run as they came.
            own.sort_by_key(|(last, _)| std::cmp::Reverse(*last));
            rows.extend(own.into_iter().map(|(_, row)| row));
        }
        Table {
            name: "candidates",
            caption: "Each candidate in its newest run, those of the newest run first",
            columns: vec![
                column("On", &["on"]),
                column("Candidate", &["candidate"]),
                column("Outputs", &["verdict", "standing"]),
                column("Speed-up", &["speedup", "speedup_low", "speedup_high"]),
                column("Confidence", &["confidence_percent"]),
                column("First", &["first"]),
                column("Newest", &["newest"]),
                column("Runs", &["runs"]),
                column("Server", &["server_digest"]),
            ],
            rows,
        }
    }
}
