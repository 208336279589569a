//! The index as a table.

use lab::{Digest, bundle::Kind};

use super::{Index, Row};
use crate::report::{
    number::count,
    table::{Cell, Table, column},
};

impl Index {
    /// `index.csv`: a header, and a line for each bundle. No cell is a formula to a spreadsheet.
    pub fn csv(&self) -> String {
        let fields: [&'static [&'static str]; 24] = [
            &["week"],
            &["date"],
            &["folder"],
            &["kind"],
            &["id"],
            &["parents"],
            &["stage"],
            &["run"],
            &["started"],
            &["sealed"],
            &["workload"],
            &["workload_digest"],
            &["models"],
            &["gpus"],
            &["loads"],
            &["arms"],
            &["rounds"],
            &["trials"],
            &["baseline_digest"],
            &["program"],
            &["files"],
            &["bytes"],
            &["formats"],
            &["problem"],
        ];
        let table = Table {
            name: "index",
            caption: "The sealed bundles of a folder of results.",
            columns: fields.into_iter().map(|field| column(field[0], field)).collect(),
            rows: self.bundles.iter().map(Row::cells).collect(),
        };
        table.csv()
    }
}

impl Row {
    fn cells(&self) -> Vec<Cell> {
        let text = |text: &Option<String>| text.clone().map_or(Cell::Empty, Cell::Text);
        let code = |digest: Option<Digest>| digest.map_or(Cell::Empty, |d| Cell::Code(d.to_string()));
        let number = |n: Option<u64>| n.map_or(Cell::Empty, |n| Cell::plain(count(n)));
        let parents: Vec<String> = self.parents.iter().map(Digest::to_string).collect();
        vec![
            self.week.map_or(Cell::Empty, |week| Cell::Text(week.to_string())),
            Cell::Text(self.date.clone()),
            Cell::Text(self.folder.clone()),
            self.kind.map_or(Cell::Empty, |kind| Cell::Text(word(kind).to_owned())),
            code(self.id),
            Cell::Text(parents.join(" ")),
            number(self.stage.map(u64::from)),
            text(&self.run),
            text(&self.started),
            text(&self.sealed),
            text(&self.workload),
            code(self.workload_digest),
            Cell::Text(self.models.join(" ")),
            Cell::Text(self.gpus.join(", ")),
            Cell::Text(self.loads.join(" ")),
            Cell::Text(self.arms.join(" ")),
            number(self.rounds.map(u64::from)),
            number(self.trials),
            code(self.baseline_digest),
            text(&self.program),
            number(self.files),
            number(self.bytes),
            Cell::Text(self.formats.join(" ")),
            text(&self.problem),
        ]
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Measure => "measure",
        Kind::Grade => "grade",
    }
}
