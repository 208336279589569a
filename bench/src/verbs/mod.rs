//! One file per verb: arguments in, exit code out.

pub(crate) mod cancel;
pub(crate) mod check;
mod cluster;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod export;
pub(crate) mod grade;
pub(crate) mod guard;
pub(crate) mod index;
pub(crate) mod judge;
pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod reproduce;
pub(crate) mod run;
pub(crate) mod seal;
pub(crate) mod sign;
pub(crate) mod status;
pub(crate) mod stub;
pub(crate) mod verify;

use std::{
    collections::BTreeSet,
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use lab::{
    Kind, Problem, Result,
    bundle::{Bundle, Stores},
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
fn with_calibration(stores: &mut Stores, bundles: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let (mut all, mut given) = (bundles.to_vec(), BTreeSet::new());
    let opened = bundles.iter().map(|path| Bundle::open(path)).collect::<Result<Vec<_>>>()?;
    given.extend(opened.iter().map(|b| b.id));
    for bundle in opened.iter().filter(|b| b.is_measure()) {
        let workload = bundle.workload()?;
        if workload.calibration().is_empty() {
            continue;
        }
        let store = stores.around(&bundle.path);
        for found in workload.calibration().iter().filter_map(|id| store.find(*id)) {
            let both = std::iter::once(found).chain(store.grade(found.id));
            all.extend(both.filter(|b| given.insert(b.id)).map(|b| b.path.clone()));
        }
    }
    Ok(all)
}

/// Opens bundles that verify, and what calibrates them.
fn open_verified(bundles: &[PathBuf]) -> Result<analysis::Study> {
    open_verified_of(&mut Stores::default(), bundles)
}

/// The same for one of several runs, whose folders of results are read once for all of them.
fn open_verified_of(stores: &mut Stores, bundles: &[PathBuf]) -> Result<analysis::Study> {
    analysis::open_verified(&with_calibration(stores, bundles)?)
}

/// A value as JSON, for people and scripts.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain values serialise")
}

/// Refuses to write into a bundle.
fn outside_of_bundles(out: &Path) -> Result<()> {
    // As far as it is there, where links lead.
    let there = out.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let place = there.canonicalize().unwrap_or_else(|_| there.to_owned());
    let mut around = out.ancestors().chain(place.ancestors());
    let Some(bundle) = around.find(|folder| folder.join(lab::bundle::MANIFEST).exists()) else { return Ok(()) };
    let what = format!("{} is a sealed bundle, which never changes", bundle.display());
    Err(Problem::input(what).at(out.display().to_string()).next("name another folder"))
}

/// Writes files into a folder, which need not exist yet. Each file is there as it was or as it will
/// be; a link below the folder is not followed.
fn write_all(out: &Path, files: impl IntoIterator<Item = (impl AsRef<Path>, Vec<u8>)>) -> Result<()> {
    outside_of_bundles(out)?;
    for (name, bytes) in files {
        let path = out.join(name.as_ref());
        let folder = path.parent().unwrap_or(out);
        no_link_to(out, folder)?;
        fs::create_dir_all(folder).map_err(|e| Problem::io(Kind::Machine, "make the folder", folder, &e))?;
        replace(&path, &bytes)?;
    }
    Ok(())
}

/// Refuses a path that leads through a link below a folder.
fn no_link_to(out: &Path, path: &Path) -> Result<()> {
    let is_link = |path: &&Path| fs::symlink_metadata(path).is_ok_and(|facts| facts.is_symlink());
    match path.ancestors().take_while(|folder| *folder != out).find(is_link) {
        None => Ok(()),
        Some(link) => {
            let next = "remove it, or name another folder";
            Err(Problem::input("a link, which is not followed").at(link.display().to_string()).next(next))
        }
    }
}

/// Writes a file where its bytes are others: the whole new ones or the old ones, never a part. A
/// link in its place is replaced, not followed.
fn replace(file: &Path, bytes: &[u8]) -> Result<bool> {
    let as_long = fs::symlink_metadata(file).is_ok_and(|m| m.is_file() && m.len() == bytes.len() as u64);
    if as_long && fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let new = file.with_added_extension(format!("{}.new", std::process::id()));
    let write = || {
        // What is there was left by a process that is no more.
        fs::remove_file(&new).or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
        let mut out = fs::File::options().write(true).create_new(true).open(&new)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        fs::rename(&new, file)
    };
    write().map(|()| true).map_err(|e| {
        // What is left of it helps nobody; that it was never made is no failure either.
        let _ = fs::remove_file(&new);
        Problem::io(Kind::Machine, "write", file, &e)
    })
}

/// This program, which also guards servers.
fn this_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| Problem::machine(format!("cannot find this program's own file: {e}")))
}

/// The commit that this program was built from; a program that Nix built has a store path instead.
fn revision() -> Option<&'static str> {
    Some(env!("BENCH_REVISION")).filter(|revision| !revision.is_empty())
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

/// A value that a plan awaited, in its only form.
fn public_value(text: &str) -> std::result::Result<String, String> {
    let form = "write it as 16 hexadecimal digits or more, as a hash is";
    lab::audit::canonical(text).ok_or_else(|| form.to_owned())
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
