//! The report on a week: one page on all of its runs, beside the report of each.

mod changed;
mod content;
mod tables;

use std::collections::BTreeSet;

use super::{data, document::Page, json, of_page};
use crate::week::{Input, Published};

/// The files of a week's report beside those of its runs, as paths in its folder with their bytes:
/// `index.html`, `report.md`, `verdicts.json`, `csv/*.csv`.
pub fn render_week(input: &Input<'_>) -> Vec<(String, Vec<u8>)> {
    let published = Published::of(input);
    let tables = tables::Tables::of(input, &published);
    let mut files = of_page(&Page { path: String::new(), document: content::document(input, &published, &tables) });
    files.push(("verdicts.json".to_owned(), json::json(&published)));
    files.extend(data(tables.all()));
    files
}

/// Names in words: `a, b and c`.
fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: BTreeSet<String> = names.into_iter().map(|name| super::escape::name(name)).collect();
    let all: Vec<String> = names.into_iter().collect();
    match all.split_last() {
        None => "nobody".into(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
