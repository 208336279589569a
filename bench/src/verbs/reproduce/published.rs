//! The folder of a published report, as bytes. A stranger's folder too: no link is followed, and
//! nothing large is read.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use analysis::{
    Study,
    report::{markdown_file, note},
    reproduction::Published,
};
use lab::{Kind, Problem, Result};

/// No file of a report is larger, nor are all of them four times as large.
const LARGEST: u64 = 64 << 20;

/// What was read.
pub(super) struct Files {
    files: BTreeMap<String, Vec<u8>>,
    notes: BTreeMap<String, String>,
}

impl Files {
    pub(super) fn of(&self) -> Published<'_> {
        Published { files: &self.files, notes: &self.notes }
    }
}

/// Reads a run's report, or the one on this run in the folder of a week.
pub(super) fn read(folder: &Path, study: &Study) -> Result<Files> {
    let folder = of_run(folder, study);
    let wrong = |path: &Path, what: &str| {
        let next = "name the folder that bench report wrote for this run";
        Err(Problem::input(what).at(path.display().to_string()).next(next))
    };
    let names =
        lab::digest::files_below(&folder).map_err(|e| Problem::io(Kind::Input, "read the report", &folder, &e))?;
    let (mut files, mut room) = (BTreeMap::new(), 4 * LARGEST);
    for name in names {
        let path = folder.join(&name);
        let size = match fs::symlink_metadata(&path) {
            Ok(file) if file.is_file() => file.len(),
            _ => return wrong(&path, "this is no plain file, and a report has no other"),
        };
        if size > LARGEST.min(room) {
            return wrong(&path, "this is too large to be a file of a report");
        }
        room -= size;
        let bytes = lab::plain::read(&path, LARGEST).map_err(|e| Problem::io(Kind::Input, "read", &path, &e))?;
        files.insert(name, bytes);
    }
    let mut notes = BTreeMap::new();
    for name in files.keys().filter_map(|name| name.strip_suffix(".md")) {
        let page = if markdown_file("") == format!("{name}.md") { "" } else { name };
        let markdown = files.get(&markdown_file(page)).map(|bytes| String::from_utf8_lossy(bytes));
        // Where the marks are not as they were made, the page is no longer the same in any case.
        let note = markdown.and_then(|markdown| note(&markdown).ok()).unwrap_or_default();
        notes.insert(page.to_owned(), note);
    }
    Ok(Files { files, notes })
}

/// In a week's folder each run's report lies in a folder of the run's name.
fn of_run(folder: &Path, study: &Study) -> PathBuf {
    let name = study.stages[0].measure.path.file_name().unwrap_or_default();
    let own = folder.join(name);
    if own.join("verdicts.json").is_file() { own } else { folder.to_owned() }
}
