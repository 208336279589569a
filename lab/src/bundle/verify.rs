use std::{collections::BTreeMap, fmt, fs, io::Read, path::Path};

use super::{ENVELOPE, LARGEST_ENVELOPE, MANIFEST, Manifest};
use crate::{Digest, Result, plain, problem::Problem};

/// One way in which a folder is not what its manifest says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The file, relative to the bundle.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", crate::text::shown(&self.path, 200), crate::text::shown(&self.what, 500))
    }
}

/// So many findings are told, and how many there are beyond them.
const MOST_FINDINGS: usize = 1_000;

/// Compares every byte of a bundle with its manifest. An error means that there is no
/// readable manifest; findings mean that something is changed, missing or extra.
pub fn verify(bundle: &Path) -> Result<(Manifest, Vec<Finding>)> {
    let manifest = super::read::manifest(bundle)?;
    let mut findings = Vec::new();
    let mut more = 0u64;
    let mut report = |path: &str, what: String| {
        if findings.len() < MOST_FINDINGS {
            findings.push(Finding { path: path.to_owned(), what });
        } else {
            more += 1;
        }
    };
    let mut listed = BTreeMap::new();
    for file in &manifest.files {
        if !is_inside(&file.path) {
            report(&file.path, "the manifest names a path that leads out of the bundle".into());
        } else if listed.insert(file.path.as_str(), file).is_some() {
            report(&file.path, "the manifest names it twice".into());
        }
    }
    let present = list(bundle, &mut report)?;
    for path in &present {
        let Some(file) = listed.remove(path.as_str()) else {
            // Who signed it may be said later, which changes nothing in it.
            if path != MANIFEST && !is_envelope(bundle, path) {
                report(path, "extra: the manifest does not name it".into());
            }
            continue;
        };
        let size = fs::symlink_metadata(bundle.join(path)).map(|m| m.len()).unwrap_or(0);
        if size != file.size {
            report(path, format!("changed: {size} bytes, the manifest says {}", file.size));
            continue;
        }
        match plain::open(&bundle.join(path)).and_then(|bytes| Digest::of_reader(bytes.take(file.size))) {
            Ok((digest, _)) if digest == file.sha256 => {}
            Ok((digest, _)) => {
                report(path, format!("changed: its digest is {digest}, the manifest says {}", file.sha256))
            }
            Err(e) => report(path, format!("cannot be read: {e}")),
        }
    }
    for (path, file) in &listed {
        report(path, file.not_here());
    }
    findings.sort_by(|a, b| a.path.cmp(&b.path));
    if more > 0 {
        findings.push(Finding { path: MANIFEST.to_owned(), what: format!("{more} findings more") });
    }
    Ok((manifest, findings))
}

fn is_envelope(bundle: &Path, path: &str) -> bool {
    path == ENVELOPE && fs::symlink_metadata(bundle.join(path)).is_ok_and(|m| m.len() <= LARGEST_ENVELOPE)
}

/// Every regular file below `root`; anything else is reported and not entered.
fn list(root: &Path, report: &mut impl FnMut(&str, String)) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let here = root.join(&folder);
        let entries = fs::read_dir(&here).map_err(|e| Problem::io(crate::Kind::Broken, "list", &here, &e))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            match entry.file_type() {
                Ok(t) if t.is_dir() => folders.push(path),
                Ok(t) if t.is_file() => found.push(path),
                _ => report(&path, "neither a file nor a folder; a bundle holds no links".into()),
            }
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.contains(['\\', '\0'])
}
