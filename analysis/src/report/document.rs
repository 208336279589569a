//! A report as a value: pages of sections of blocks. HTML and Markdown are two ways to write the
//! same document.

use super::{figures::Figure, formulas::Formula, table::Table, words::Line};
use crate::judgement::Verdict;

/// Lines of a server's log that are shown.
pub(crate) const LOG_LINES: usize = 40;

/// A page of a report.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Its file in the report's folder, without the ending.
    pub(crate) path: String,
    /// What it says.
    pub(crate) document: Document,
}

impl Page {
    /// Where the report's folder is, as seen from the page.
    pub(crate) fn root(&self) -> String {
        "../".repeat(self.path.matches('/').count())
    }
}

/// The file of a page: of a folder (the report's own has no name) it is the first page of that.
pub(crate) fn file(page: &str, first: &str, ending: &str) -> String {
    if page.is_empty() || page.ends_with('/') { format!("{page}{first}.{ending}") } else { format!("{page}.{ending}") }
}

/// What a page says.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// Its title.
    pub(crate) title: String,
    /// A line above the title.
    pub(crate) above: String,
    /// What it is a part of.
    pub(crate) home: Option<Home>,
    /// What was measured.
    pub(crate) description: String,
    /// What came out, in words.
    pub(crate) headline: Vec<Line>,
    /// What must be known before any number is read; may be empty.
    pub(crate) caution: String,
    /// What somebody wrote into it; may be empty.
    pub(crate) note: String,
    /// The rest.
    pub(crate) sections: Vec<Section>,
}

/// The page above another.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// Its title.
    pub(crate) title: String,
    /// Its folder as seen from the report's, with a slash at its end; the report's own has no name.
    pub(crate) folder: &'static str,
}

/// A section with its heading.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// Names it in links; ours, never a stranger's.
    pub(crate) id: String,
    /// Its heading.
    pub(crate) title: String,
    /// What it says.
    pub(crate) blocks: Vec<Block>,
}

impl Section {
    /// Of these blocks.
    pub(crate) fn new(id: &str, title: &str, blocks: Vec<Block>) -> Self {
        Section { id: id.to_owned(), title: title.to_owned(), blocks }
    }
}

/// A part of a section.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    /// A candidate's verdict and speed in one line.
    Verdict { verdict: Verdict, provisional: bool, speed: String },
    /// A paragraph.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// A table of one row, as pairs of heading and value.
    Facts(Table),
    /// A picture.
    Figure(Box<Figure>),
    /// Something long that may be folded away.
    Fold { summary: String, open: bool, table: Table },
    /// What a server wrote, line by line, at most [`LOG_LINES`].
    Log { title: String, text: String },
    /// Lines for a shell.
    Commands(Vec<String>),
    /// How numbers are made.
    Formulas(&'static [Formula]),
}

impl Block {
    /// A paragraph.
    pub(crate) fn text(text: &str) -> Self {
        Block::Text(text.to_owned())
    }

    /// A table, or a paragraph that says why there is nothing in it.
    pub(crate) fn table_or(table: &Table, otherwise: &str) -> Self {
        if table.rows.is_empty() { Block::text(otherwise) } else { Block::Table(table.clone()) }
    }
}
