//! Giving up what a client does not need, and the folder that it writes to.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::host;
use caps::{CapSet, Capability};
use lab::{
    Kind, Problem, Result,
    bundle::{REQUEST_TABLE, WIRE},
};
use nix::unistd::{Gid, Uid, fchown, geteuid, setgroups, setresgid, setresuid};

/// A user and group that own nothing and that nobody else is: what the kernel counts for each
/// user, no server can use up. An image cannot name it, for it is drawn anew.
pub(super) fn nobody() -> Result<u32> {
    Ok(0x4000_0000 | (u32::from_le_bytes(host::random()?) & 0x3fff_ffff))
}

/// Gives up the user, all groups, every capability and the way back, and makes sure of it.
/// Without a privileged user, what is there to give up is given up.
pub(super) fn drop_all(user: u32) -> Result<()> {
    let failed = |what: &str, e: &dyn std::fmt::Display| Problem::machine(format!("the driver cannot {what}: {e}"));
    let root = geteuid().is_root();
    if root {
        for capability in caps::all() {
            // A kernel may not know all of them.
            if caps::has_cap(None, CapSet::Bounding, capability).unwrap_or(false) {
                caps::drop(None, CapSet::Bounding, capability).map_err(|e| failed("give up a capability", &e))?;
            }
        }
        setgroups(&[]).map_err(|e| failed("leave its groups", &e))?;
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(user));
        setresgid(group, group, group).map_err(|e| failed("leave its group", &e))?;
        setresuid(user, user, user).map_err(|e| failed("become nobody", &e))?;
    }
    nix::sys::prctl::set_no_new_privs().map_err(|e| failed("give up new privileges", &e))?;
    for set in [CapSet::Effective, CapSet::Inheritable, CapSet::Permitted] {
        caps::clear(None, set).map_err(|e| failed("give up its capabilities", &e))?;
    }
    let left = |set| caps::read(None, set).map_or(true, |held: std::collections::HashSet<Capability>| !held.is_empty());
    if [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable, CapSet::Ambient].into_iter().any(left)
        || (root && setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok())
    {
        return Err(Problem::machine("the driver still has privileges after it gave them up"));
    }
    Ok(())
}

/// Lets a driver without privileges write into a trial's folder.
pub(super) fn give(folder: &Path, user: u32) -> Result<()> {
    if geteuid().is_root() { own(folder, user) } else { Ok(()) }
}

/// Takes a folder back from a driver: it holds the tables of a trial as plain files and
/// nothing else.
pub(super) fn take_back(folder: &Path) -> Result<()> {
    let failed = |e: &std::io::Error| Problem::io(Kind::Machine, "take back the folder of a driver", folder, e);
    for entry in fs::read_dir(folder).map_err(|e| failed(&e))? {
        let entry = entry.map_err(|e| failed(&e))?;
        let (name, found) = (entry.file_name(), fs::symlink_metadata(entry.path()).map_err(|e| failed(&e))?);
        let ours = [REQUEST_TABLE, WIRE].iter().any(|table| *table == name);
        if !ours || !found.is_file() || found.nlink() != 1 {
            let what = format!("the driver left {} behind, which is no table of a trial", name.to_string_lossy());
            return Err(Problem::machine(what).at(folder.display().to_string()));
        }
        if geteuid().is_root() {
            own(&entry.path(), 0)?;
        }
    }
    if geteuid().is_root() { own(folder, 0) } else { Ok(()) }
}

fn own(path: &Path, user: u32) -> Result<()> {
    let failed = |e: &std::io::Error| Problem::io(Kind::Machine, "hand over", path, e);
    let file = fs::File::open(path).map_err(|e| failed(&e))?;
    fchown(&file, Some(Uid::from_raw(user)), Some(Gid::from_raw(user))).map_err(|e| failed(&e.into()))
}
