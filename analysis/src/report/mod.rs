//! Reports: the verdicts with everything that stands behind them, as pages of HTML, as
//! Markdown with pictures, as CSV and as JSON; and the verdict table of a terminal.
//!
//! Pure: an `Input` comes in, bytes go out, and the same input gives the same bytes.
//! Whatever a stranger's server sent is escaped where it is written out, by types that
//! have no other way in.

// Downward: a group uses only those above it, and a module only its group and those.
pub(crate) mod escape; // what others wrote, made safe
pub(crate) mod number; // numbers as text

mod input; // what a report is made from
pub(crate) mod table; // tables as values, and as CSV
mod words; // numbers in words

mod board; // the leaderboard in words
mod floor; // what a calibration comes to

mod controls; // what a run of controls comes to
mod headline; // what came out, in sentences

mod shown; // what a first page shows of many

mod figures; // every picture
mod formulas; // how every number is made
mod tables; // every table

mod notes; // what people wrote into it

mod document; // a report as a value

mod candidate; // the page on one candidate
mod compared; // two runs against each other, for a terminal
mod content; // what a report's first page says, and which pages there are
mod history; // the page on many runs
mod week; // the page on a week's runs

mod html; // HTML that cannot forget to escape
mod json; // verdicts.json
mod markdown; // the same in Markdown
mod page; // pages in HTML
mod terminal; // the verdict table of a terminal

mod explanation; // the evidence behind one verdict, for a terminal
mod reproduced; // whether a run comes out again, for a terminal

pub use compared::compared;
pub use explanation::explanation;
pub use history::{History, render_history};
pub use input::{Cell, Drift, DriftPoint, Input, Series};
pub use notes::note;
pub use reproduced::reproduced;
pub use terminal::table;
pub use week::render_week;

use self::document::{Block, Page};
use crate::parallel;

/// The files of a report, as paths in its folder with their bytes: `index.html` and `report.md`,
/// the same for each candidate in `candidates/`, `verdicts.json`, `csv/*.csv`, `plots/*.svg`.
pub fn render(input: &Input) -> Vec<(String, Vec<u8>)> {
    let tables = tables::Tables::of(input);
    let pages = content::pages(input, &tables);
    let mut files = parallel::map(&pages, of_page).concat();
    files.push(("verdicts.json".to_owned(), json::json(input.judgement)));
    files.extend(data(tables.all()));
    files
}

/// The Markdown file of a page of a report: of its file without the ending, and of nothing for the
/// first page.
pub fn markdown_file(page: &str) -> String {
    document::file(page, "report", "md")
}

/// Tables as their CSV files.
fn data<'t>(tables: impl IntoIterator<Item = &'t table::Table>) -> impl Iterator<Item = (String, Vec<u8>)> {
    tables.into_iter().map(|table| (table.file(), table.csv().into_bytes()))
}

/// A page as HTML and as Markdown, with its pictures.
fn of_page(page: &Page) -> Vec<(String, Vec<u8>)> {
    let html = document::file(&page.path, "index", "html");
    let markdown = markdown_file(&page.path);
    let mut files = vec![(html, page::page(page)), (markdown, markdown::markdown(page))];
    for block in page.document.sections.iter().flat_map(|section| &section.blocks) {
        if let Block::Figure(figure) = block {
            files.push((figure.file(), figure.picture.wide.file(&escape::html(&figure.alt)).into_bytes()));
        }
    }
    files
}
