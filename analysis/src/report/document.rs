//! A report as a value: sections of blocks. HTML and Markdown are two ways to write the
//! same document.

use super::{figures::Figure, formulas::Formula, table::Table, words::Line};
use crate::judgement::Verdict;

/// Lines of a server's log that are shown.
pub(crate) const LOG_LINES: usize = 40;

/// A report.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// Its title.
    pub(crate) title: String,
    /// A line above the title.
    pub(crate) above: String,
    /// What was measured.
    pub(crate) description: String,
    /// What came out, in words.
    pub(crate) headline: Vec<Line>,
    /// What must be known before any number is read; may be empty.
    pub(crate) caution: String,
    /// The rest.
    pub(crate) sections: Vec<Section>,
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

/// A part of a section.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    /// A heading within a section, with its own link.
    Heading { id: String, text: String },
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
