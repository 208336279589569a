//! The folder of a report: what people wrote into it is kept, what an earlier report left is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use analysis::report::{markdown_file, note};
use lab::{Kind, Problem, Result};

use crate::verbs::no_link_to;

/// What people wrote into the report that is here, by page.
pub(super) fn notes(out: &Path) -> Result<BTreeMap<String, String>> {
    let pages = fs::read_dir(out.join("candidates")).into_iter().flatten().flatten();
    let pages =
        pages.filter_map(|entry| Some(format!("candidates/{}", entry.file_name().to_str()?.strip_suffix(".md")?)));
    let mut notes = BTreeMap::new();
    for page in pages.chain([String::new()]) {
        let path = out.join(markdown_file(&page));
        no_link_to(out, &path)?;
        let markdown = match fs::read_to_string(&path) {
            Ok(markdown) => markdown,
            Err(absent) if absent.kind() == ErrorKind::NotFound => continue,
            Err(e) => {
                let next = "a note is kept in UTF-8: mend the file, or name another folder";
                return Err(Problem::io(Kind::Input, "read the note", &path, &e).next(next));
            }
        };
        let note = note(&markdown).map_err(|what| {
            Problem::input(what).at(path.display().to_string()).next("restore the marks, or name another folder")
        })?;
        notes.insert(page, note);
    }
    Ok(notes)
}

/// Writes a report's files and returns the path of its first page. Refused where a note would be
/// lost; nothing is written then.
pub(super) fn write(out: &Path, notes: &BTreeMap<String, String>, files: Vec<(String, Vec<u8>)>) -> Result<PathBuf> {
    for page in notes.iter().filter(|(_, note)| !note.is_empty()).map(|(page, _)| markdown_file(page)) {
        if files.iter().all(|(name, _)| *name != page) {
            let what = "the report that is here has a note on a page that the new one has not";
            let place = out.join(page).display().to_string();
            return Err(Problem::input(what).at(place).next("move the note, or name another folder"));
        }
    }
    let names: BTreeSet<PathBuf> = files.iter().map(|(name, _)| out.join(name)).collect();
    let first = out.join("index.html");
    let again = first.exists() && out.join(markdown_file("")).exists();
    super::super::write_all(out, files)?;
    if again {
        remove_others(out, &names)?;
    }
    Ok(first)
}

/// Removes what an earlier report left here and this one has not: pages, tables and pictures, and
/// nothing else.
fn remove_others(out: &Path, names: &BTreeSet<PathBuf>) -> Result<()> {
    for (folder, endings) in [("candidates", &["html", "md"][..]), ("csv", &["csv"]), ("plots", &["svg"])] {
        no_link_to(out, &out.join(folder))?;
        let ours = |path: &PathBuf| path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending));
        let entries = fs::read_dir(out.join(folder)).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| ours(path) && !names.contains(path)) {
            fs::remove_file(&path).map_err(|e| Problem::io(Kind::Machine, "remove", &path, &e))?;
        }
    }
    Ok(())
}
