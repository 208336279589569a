//! What changed, and what cannot be compared.

use super::{Maker, beside, names, percent};
use crate::report::{
    escape, number,
    table::{Cell, Table, column},
};

impl Maker<'_> {
    pub(super) fn changepoints(&self) -> Table {
        let mut rows: Vec<(usize, Vec<Cell>)> = Vec::new();
        for track in &self.past.tracks {
            for change in track.segments.iter().filter_map(|s| s.changes.as_ref().ok()).flat_map(|c| &c.points) {
                let (at, before) = (track.runs[change.at], track.runs[change.at - 1]);
                let (arm, measure) = names::measure(self.past, track.of);
                rows.push((
                    at,
                    vec![
                        self.week_of(at),
                        Cell::Text(self.names.place(track.of).to_owned()),
                        Cell::Text(arm),
                        Cell::Text(measure.to_owned()),
                        self.measured(change.before, track),
                        self.measured(change.after, track),
                        Cell::Number(percent(change), "%"),
                        Cell::plain(number::small(change.p)),
                        match beside(self.past, before, at) {
                            same if same.is_empty() => Cell::Nothing("nothing on record".into()),
                            differs => Cell::Text(differs),
                        },
                        self.run(at),
                    ],
                ));
            }
        }
        // The newest first; of one run as they are drawn.
        rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Table {
            name: "changepoints",
            caption: "Change points, the newest first: geometric means of the runs before and after, up to the next change or cut",
            columns: vec![
                column("From", &["week"]),
                column("In", &["in"]),
                column("Arm", &["arm"]),
                column("Measure", &["measure"]),
                column("Before", &["before", "before_unit"]),
                column("After", &["after", "after_unit"]),
                column("Change", &["change_percent"]),
                column("p", &["p"]),
                column("Also new there", &["also_new"]),
                column("Run", &["run"]),
            ],
            rows: rows.into_iter().map(|(_, row)| row).collect(),
        }
    }

    pub(super) fn rebases(&self) -> Table {
        let mut rows = Vec::new();
        for cut in self.past.breaks.iter().rev() {
            let (before, after) = (self.past.runs[cut.last], self.past.runs[cut.at]);
            let whole = cut.cells.len() == self.past.cells.len();
            let places: Vec<&str> = cut.cells.iter().map(|cell| self.names.cells[*cell].as_str()).collect();
            let places = if whole { "all cells".to_owned() } else { places.join("; ") };
            let mut row = |what: &str, was: String, is: String| {
                rows.push(vec![
                    self.week_of(cut.at),
                    Cell::Text(what.to_owned()),
                    Cell::Code(was),
                    Cell::Code(is),
                    Cell::Text(places.clone()),
                    self.run(cut.at),
                ]);
            };
            if let (Some(was), Some(is)) = (before.baseline, after.baseline)
                && was != is
            {
                row("baseline", was.to_string(), is.to_string());
            }
            if before.method != after.method {
                row("method", before.method.clone(), after.method.clone());
            }
        }
        Table {
            name: "rebases",
            caption: "Cuts, the newest first",
            columns: vec![
                column("From", &["week"]),
                column("What", &["what"]),
                column("Before", &["before"]),
                column("After", &["after"]),
                column("In", &["in"]),
                column("Run", &["run"]),
            ],
            rows,
        }
    }

    /// The fields in which cells of one name differ.
    pub(super) fn contracts(&self) -> Table {
        let mut rows = Vec::new();
        for (i, ground) in self.past.cells.iter().enumerate() {
            let alike = self.past.cells.iter().filter(|other| other.first.cell == ground.first.cell);
            let alike: Vec<_> = alike.collect();
            for (name, is) in &ground.first.contract {
                let same = |field: &(String, String)| field.0 == *name && field.1 == *is;
                if alike.iter().any(|other| !other.first.contract.iter().any(same)) {
                    rows.push(vec![
                        Cell::Text(self.names.cells[i].clone()),
                        Cell::Text(escape::name(name)),
                        Cell::Text(escape::detail(is)),
                    ]);
                }
            }
        }
        Table {
            name: "contracts",
            caption: "What cells of one name differ in",
            columns: vec![column("Cell", &["cell"]), column("Field", &["field"]), column("Is", &["is"])],
            rows,
        }
    }

    pub(super) fn segments(&self) -> Table {
        let mut rows = Vec::new();
        for track in &self.past.tracks {
            let (arm, measure) = names::measure(self.past, track.of);
            for segment in &track.segments {
                let points = &track.series.points()[segment.runs.clone()];
                let logs: Vec<f64> = points.iter().map(|p| libm::log(p.value)).collect();
                let mean = stats::sum::mean(&logs).map(libm::exp);
                let (found, p, level) = match &segment.changes {
                    Ok(changes) => (
                        Cell::plain(number::count(changes.points.len() as u64)),
                        Some(number::small(changes.p)),
                        Some(number::small(changes.level)),
                    ),
                    Err(why) => (Cell::Nothing(why.to_string()), None, None),
                };
                rows.push(vec![
                    Cell::Text(self.names.place(track.of).to_owned()),
                    Cell::Text(arm.clone()),
                    Cell::Text(measure.to_owned()),
                    self.week_of(track.runs[segment.runs.start]),
                    self.week_of(track.runs[segment.runs.end - 1]),
                    Cell::plain(number::count(points.len() as u64)),
                    mean.map_or(Cell::Empty, |mean| self.measured(mean, track)),
                    found,
                    Cell::maybe(p, ""),
                    Cell::maybe(level, ""),
                ]);
            }
        }
        Table {
            name: "segments",
            caption: "Runs that can be compared; the mean is geometric",
            columns: vec![
                column("In", &["in"]),
                column("Arm", &["arm"]),
                column("Measure", &["measure"]),
                column("First", &["first"]),
                column("Last", &["last"]),
                column("Runs", &["runs"]),
                column("Mean", &["mean", "mean_unit"]),
                column("Changes", &["changes"]),
                column("p", &["p"]),
                column("Level", &["level"]),
            ],
            rows,
        }
    }
}
