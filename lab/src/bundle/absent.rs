//! What is said where somebody names a path that is no bundle.

use std::path::{Path, PathBuf};

use super::{MANIFEST, PLAN, store::folders};
use crate::Problem;

/// Bundles that are named where somebody names a folder above them.
const NAMED: usize = 6;

const LOOKS: &str =
    "name a sealed bundle, a folder with manifest.json, like results/DATE/RUN or results/DATE/RUN-grade";

/// Why a path without a manifest is no bundle, and where bundles are.
pub(super) fn no_bundle(path: &Path) -> Problem {
    let place = path.display().to_string();
    if !path.is_dir() {
        let what = if path.exists() { "this is no folder" } else { "there is no such folder" };
        return Problem::input(what).at(place).next(LOOKS);
    }
    let next = if path.join(PLAN).exists() {
        "its run is not finished: continue it with bench run FILE --resume".to_owned()
    } else {
        below(path).unwrap_or_else(|| LOOKS.to_owned())
    };
    Problem::broken("this folder is no sealed bundle: it has no manifest.json").at(place).next(next)
}

/// The bundles in a folder, or in the folders of its days; none where there are none.
fn below(path: &Path) -> Option<String> {
    let days = folders(path).into_iter().flat_map(|day| [folders(&day), vec![day]].concat());
    let mut bundles: Vec<PathBuf> = days.filter(|folder| folder.join(MANIFEST).is_file()).collect();
    bundles.sort();
    let named: Vec<String> = bundles.iter().take(NAMED).map(|bundle| bundle.display().to_string()).collect();
    let more = bundles.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", or one of {more} more") } else { String::new() };
    (!named.is_empty()).then(|| format!("name bundles below it: {}{more}", named.join(", ")))
}
