//! Reports: the verdicts with everything that stands behind them, as one HTML file, as
//! Markdown with pictures, as CSV and as JSON; and the verdict table of a terminal.
//!
//! Pure: an `Input` comes in, bytes go out, and the same input gives the same bytes.
//! Whatever a stranger's server sent is escaped where it is written out, by types that
//! have no other way in.

// Downward: a group uses only those above it, and a module only its group and those.
pub(crate) mod escape; // what others wrote, made safe
mod number; // numbers as text

mod input; // what a report is made from
mod table; // tables as values, and as CSV
mod words; // numbers in words

mod board; // the leaderboard in words
mod floor; // what a calibration comes to

mod controls; // what a run of controls comes to
mod headline; // what came out, in sentences

mod figures; // every picture
mod formulas; // how every number is made
mod tables; // every table

mod document; // a report as a value

mod candidate; // the section on one candidate
mod compared; // two runs against each other, for a terminal
mod content; // what a report says

mod html; // HTML that cannot forget to escape
mod json; // verdicts.json
mod markdown; // report.md
mod page; // index.html
mod terminal; // the verdict table of a terminal

mod explanation; // the evidence behind one verdict, for a terminal

pub use compared::compared;
pub use explanation::explanation;
pub use input::{Cell, Drift, DriftPoint, Input, Series};
pub use terminal::table;

use self::document::{Block, Document};

/// The files of a report, as paths in its folder with their bytes: `index.html`,
/// `report.md`, `verdicts.json`, `csv/*.csv`, `plots/*.svg`.
pub fn render(input: &Input) -> Vec<(String, Vec<u8>)> {
    let tables = tables::Tables::of(input);
    let document = content::document(input, &tables);
    let mut files = vec![
        ("index.html".to_owned(), page::page(&document)),
        ("report.md".to_owned(), markdown::markdown(&document)),
        ("verdicts.json".to_owned(), json::json(input.judgement)),
    ];
    files.extend(tables.all().into_iter().map(|table| (table.file(), table.csv().into_bytes())));
    files.extend(plots(&document));
    files
}

fn plots(document: &Document) -> impl Iterator<Item = (String, Vec<u8>)> {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    blocks.filter_map(|block| match block {
        Block::Figure(figure) => {
            Some((figure.file(), figure.picture.wide.file(&escape::html(&figure.alt)).into_bytes()))
        }
        _ => None,
    })
}
