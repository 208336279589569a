//! What a first page shows one by one: of many candidates the first, and of many cells no
//! distributions. Everything stands on the candidates' own pages and in `csv/`.

use std::collections::BTreeSet;

use super::{figures, table::Table};
use crate::judgement::{Candidate, Judgement};

/// Candidates in a picture of several lines, which has as many colours.
const LINES: usize = 7;
/// Candidates in a picture or a table with a row for each.
const ROWS: usize = 40;
/// Cells whose distributions are drawn.
const CELLS: usize = 2;

/// The candidates with a row of their own in pictures, in the order of the verdicts.
pub(crate) fn rows(judgement: &Judgement) -> &[Candidate] {
    &judgement.candidates[..judgement.candidates.len().min(ROWS)]
}

/// The candidates with a line of their own.
pub(crate) fn lines(judgement: &Judgement) -> &[Candidate] {
    &judgement.candidates[..judgement.candidates.len().min(LINES)]
}

/// Whether an arm has a line of its own.
pub(crate) fn has_line(judgement: &Judgement, arm: &str) -> bool {
    !judgement.candidates.iter().skip(LINES).any(|candidate| candidate.name == arm)
}

/// Whether there are so few cells that each is drawn in full.
pub(crate) fn few_cells(judgement: &Judgement) -> bool {
    judgement.candidates.is_empty() || figures::cells(judgement).len() <= CELLS
}

/// A table without the rows of candidates, in the column of this title, that have no line.
pub(crate) fn of_lines(judgement: &Judgement, table: &Table, title: &str) -> Table {
    let hidden: BTreeSet<&str> = judgement.candidates.iter().skip(LINES).map(|c| c.name.as_str()).collect();
    if hidden.is_empty() { table.clone() } else { table.only(title, |arm| !hidden.contains(arm)) }
}

/// What is said where not all are shown; nothing where they are.
pub(crate) fn note(judgement: &Judgement, shown: &[Candidate]) -> Option<String> {
    let (shown, all) = (shown.len(), judgement.candidates.len());
    (shown < all).then(|| {
        format!("Of {all} candidates the first {shown} in the order of the verdicts are shown here, each on its own page, and all in csv/.")
    })
}
