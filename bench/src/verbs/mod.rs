//! One file per verb: arguments in, exit code out.

pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod grade;
pub(crate) mod guard;
pub(crate) mod judge;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod seal;
pub(crate) mod stub;
pub(crate) mod verify;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use lab::{
    Kind, Problem, Result,
    bundle::{Bundle, Store},
};

/// The folder that `{here}` and relative paths in a workload mean.
fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// These bundles and those that their workloads name as their calibration, as far as they
/// are in the same folder of results.
fn with_calibration(bundles: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let (mut all, mut given) = (bundles.to_vec(), BTreeSet::new());
    let opened = bundles.iter().map(|path| Bundle::open(path)).collect::<Result<Vec<_>>>()?;
    given.extend(opened.iter().map(|b| b.id));
    for bundle in opened.iter().filter(|b| b.is_measure()) {
        let workload = bundle.workload()?;
        if workload.calibration().is_empty() {
            continue;
        }
        let store = Store::around(&bundle.path);
        for found in workload.calibration().iter().filter_map(|id| store.find(*id)) {
            let both = std::iter::once(found).chain(store.grade(found.id));
            all.extend(both.filter(|b| given.insert(b.id)).map(|b| b.path.clone()));
        }
    }
    Ok(all)
}

/// Opens bundles that verify, and what calibrates them.
fn open_verified(bundles: &[PathBuf]) -> Result<analysis::Study> {
    analysis::open_verified(&with_calibration(bundles)?)
}

/// A value as JSON, for people and scripts.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain values serialise")
}

/// Writes files into a folder, which need not exist yet.
fn write_all(out: &Path, files: impl IntoIterator<Item = (impl AsRef<Path>, Vec<u8>)>) -> Result<()> {
    let inside = out.ancestors().find(|folder| folder.join(lab::bundle::MANIFEST).exists());
    if let Some(bundle) = inside {
        let what = format!("{} is a sealed bundle, which never changes", bundle.display());
        return Err(Problem::input(what).at(out.display().to_string()).next("name another folder"));
    }
    for (name, bytes) in files {
        let path = out.join(name);
        let folder = path.parent().unwrap_or(out);
        std::fs::create_dir_all(folder).map_err(|e| Problem::io(Kind::Machine, "make the folder", folder, &e))?;
        std::fs::write(&path, bytes).map_err(|e| Problem::io(Kind::Machine, "write", &path, &e))?;
    }
    Ok(())
}

/// This program, which also guards servers.
fn this_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| Problem::machine(format!("cannot find this program's own file: {e}")))
}

/// Computes on a thread of its own until it ends or Ctrl-C comes, which leaves it where it is: the
/// program is about to end.
fn work_until_interrupted<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<Option<T>> {
    until_interrupted(async {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|bug| std::panic::resume_unwind(bug.into_panic()))
    })
}

/// Runs `work` on one thread until it ends or Ctrl-C comes. Dropping the work stops its
/// servers.
fn until_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Problem::machine(format!("cannot start: {e}")))?;
    let outcome = runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .map_err(|e| Problem::machine(format!("cannot handle signals: {e}")))?;
        tokio::select! {
            result = work => result.map(Some),
            _ = tokio::signal::ctrl_c() => Ok(None),
            _ = terminate.recv() => Ok(None),
        }
    });
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_computes_for_ever_ends_with_a_signal() {
        let endless = || {
            let this = std::process::id().to_string();
            std::process::Command::new("kill").args(["-TERM", &this]).status().unwrap();
            loop {
                std::thread::park();
            }
        };
        assert_eq!(work_until_interrupted::<()>(endless).unwrap(), None);
        assert_eq!(work_until_interrupted(|| Ok(1)).unwrap(), Some(1));
    }
}
