//! Every value.

use super::{Maker, names, unit, value};
use crate::{
    history::{Metric, Of, Rival},
    report::{
        escape, number,
        table::{Cell, Table, column, word},
    },
};

impl Maker<'_> {
    pub(super) fn history(&self) -> Table {
        let mut rows: Vec<(usize, Vec<Cell>)> = Vec::new();
        for (cell, ground) in self.past.cells.iter().enumerate() {
            for metric in Metric::ALL {
                let of = Of::Baseline { cell, metric };
                for run in &ground.runs {
                    let Some(measured) = self.past.baseline(*run, cell, metric) else { continue };
                    let shown = Cell::Limit(value(measured, unit(of)), None, unit(of));
                    rows.push((*run, self.value_row(*run, of, shown, None, self.past.tells_nothing(*run))));
                }
            }
        }
        for (contest, of) in self.past.contests.iter().enumerate() {
            let several = of.cells.iter().copied().filter(|_| of.cells.len() > 1).map(Some);
            for cell in std::iter::once(None).chain(several) {
                for run in &of.runs {
                    for name in 0..of.names.len() {
                        let Some(rival) = self.past.rival(contest, *run, name) else { continue };
                        let place = cell.map(|cell| &self.past.cells[cell].first.cell);
                        let Some(effect) = rival.effect(place) else { continue };
                        let ends = (number::ratio(effect.low), number::ratio(effect.high));
                        let shown =
                            Cell::Limit(number::ratio(effect.speedup), Some(ends).filter(|_| effect.powered), "×");
                        let why = self.past.claims_nothing(*run, rival.verdict, &effect);
                        let what = Of::Candidate { contest, name, cell };
                        rows.push((*run, self.value_row(*run, what, shown, Some(rival), why)));
                    }
                }
            }
        }
        rows.sort_by_key(|(run, _)| std::cmp::Reverse(*run));
        Table {
            name: "history",
            caption: "What each run says, the newest first",
            columns: vec![
                column("Week", &["week"]),
                column("Run", &["run"]),
                column("Began", &["started"]),
                column("In", &["in"]),
                column("Arm", &["arm"]),
                column("Measure", &["measure"]),
                column("Value", &["value", "low", "high", "unit"]),
                column("Outputs", &["verdict"]),
                column("Counts", &["counts"]),
                column("Server", &["server_digest"]),
                column("Baseline", &["baseline_digest"]),
                column("Method", &["method"]),
            ],
            rows: rows.into_iter().map(|(_, row)| row).collect(),
        }
    }

    fn value_row(&self, run: usize, of: Of, value: Cell, rival: Option<&Rival>, why: Option<&str>) -> Vec<Cell> {
        let entry = self.past.runs[run];
        let (arm, measure) = names::measure(self.past, of);
        let server = rival.map_or(entry.baseline, |rival| rival.server);
        let digest = |digest: Option<lab::Digest>| digest.map_or(Cell::Empty, |digest| Cell::Code(digest.to_string()));
        let counts = match why {
            Some(why) => format!("no, {why}"),
            None if server.is_none() || entry.baseline.is_none() => "no, server not known".into(),
            None => "yes".into(),
        };
        vec![
            self.week_of(run),
            self.run(run),
            Cell::Text(escape::name(&entry.started)),
            Cell::Text(self.names.place(of).to_owned()),
            Cell::Text(arm),
            Cell::Text(measure.to_owned()),
            value,
            rival.map_or(Cell::Empty, |rival| Cell::Text(word(rival.verdict).to_owned())),
            Cell::Text(counts),
            digest(server),
            digest(entry.baseline),
            Cell::Code(entry.method.clone()),
        ]
    }
}
