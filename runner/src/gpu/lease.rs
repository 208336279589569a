//! GPUs for one run alone: two runs never share one, whoever started them.
//!
//! A GPU is leased by a lock (`flock`) on a file of its own. The lock is of this machine's
//! kernel, goes with the process however it ends, and needs no more than to read the file:
//! nobody has to be able to write what another user made.

use std::{
    collections::BTreeSet,
    fs::{self, File, Metadata, Permissions, TryLockError},
    io::ErrorKind,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use lab::{
    Kind, Problem, Result,
    environment::{ComputeMode, Gpu},
};
use nix::fcntl::OFlag;

use super::nvml::Library;

/// Folders in which every user can make files and nobody can remove another's, in the order
/// in which they are tried. The choice depends on the machine alone, so that all its users
/// choose the same one; `/run/lock` is such a folder on some systems only.
const SHARED: [&str; 2] = ["/run/lock", "/tmp"];

/// Choosing takes milliseconds; who holds everybody up for so long is not choosing.
const PATIENCE: Duration = Duration::from_secs(10);

/// GPUs that are this process's as long as this value lives.
#[derive(Debug)]
pub struct Lease {
    /// Them, in the library's order.
    pub gpus: Vec<Leased>,
    _locks: Vec<File>,
}

/// One leased GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// Its unique id.
    pub uuid: String,
    /// Its number in the library.
    pub index: u32,
    /// N of `/dev/nvidiaN`.
    pub minor: Option<u32>,
    /// Where it is on the PCI bus: `0000:3b:00.0`.
    pub pci: Option<String>,
    /// Its NUMA node.
    pub node: Option<u32>,
}

/// Where all users of this machine lock its GPUs.
pub fn shared_folder() -> Result<PathBuf> {
    let folders = SHARED.map(PathBuf::from);
    first_shared(&folders).cloned().ok_or_else(|| {
        Problem::machine(format!("neither {} is a folder in which all users can make files", SHARED.join(" nor ")))
            .next("chmod 1777 /tmp, or say where GPUs are locked")
    })
}

fn first_shared(folders: &[PathBuf]) -> Option<&PathBuf> {
    const STICKY_AND_FOR_ALL: u32 = 0o1777;
    let is_shared = |m: Metadata| m.is_dir() && m.mode() & STICKY_AND_FOR_ALL == STICKY_AND_FOR_ALL;
    folders.iter().find(|folder| fs::metadata(folder).is_ok_and(is_shared))
}

/// Leases `count` GPUs by locks in `folder`: of one NUMA node and next to each other where
/// that is possible. GPUs that others have leased are passed over; one that is busy, split
/// or closed is refused, for somebody has to decide what becomes of it.
pub fn lease(library: &Library, count: u32, given: Option<&BTreeSet<u32>>, folder: &Path) -> Result<Lease> {
    let mut all = library.numbered();
    if let Some(given) = given {
        all.retain(|(_, gpu)| gpu.minor.is_some_and(|minor| given.contains(&minor)));
    }
    if all.len() < count as usize {
        let has = if all.is_empty() { "none".to_owned() } else { all.len().to_string() };
        let who = if given.is_some() { "this job" } else { "this machine" };
        return Err(Problem::machine(format!("{count} GPUs are needed, {who} has {has}"))
            .next("ask for fewer GPUs, or run on a machine that has them"));
    }
    let _choosing = choosing(&folder.join("bench-gpus.lock"))?;
    let (mut free, mut taken) = (Vec::new(), Vec::new());
    for (index, gpu) in all {
        match try_lock(&folder.join(format!("bench-{}.lock", gpu.uuid)))? {
            Some(lock) => free.push((index, gpu, lock)),
            None => taken.push(gpu.uuid),
        }
    }
    let places: Vec<(u32, Option<u32>)> = free.iter().map(|(index, gpu, _)| (*index, gpu.numa_node)).collect();
    let chosen = choose(&places, count as usize).ok_or_else(|| {
        Problem::machine(format!(
            "{count} GPUs are needed, {} are free; others have leased {}",
            free.len(),
            taken.join(", ")
        ))
        .at(folder.display().to_string())
        .next("wait until the other runs end; lsof on the folder's lock files names their processes")
    })?;
    let (mut gpus, mut locks) = (Vec::new(), Vec::new());
    for (index, gpu, lock) in free.into_iter().filter(|(index, ..)| chosen.contains(index)) {
        usable(&gpu)?;
        idle(library, &gpu.uuid)?;
        gpus.push(Leased { uuid: gpu.uuid, index, minor: gpu.minor, pci: gpu.pci, node: gpu.numa_node });
        locks.push(lock);
    }
    Ok(Lease { gpus, _locks: locks })
}

/// Refuses a GPU on which any process runs.
pub fn idle(library: &Library, uuid: &str) -> Result<()> {
    let running = library.processes(uuid).map_err(|why| {
        Problem::machine(format!("whether a process runs on the GPU cannot be read: {why}"))
            .at(uuid)
            .next("look at it with nvidia-smi; a GPU that others may use is not measured on")
    })?;
    let Some(first) = running.first() else { return Ok(()) };
    let pids: Vec<String> = running.iter().map(|process| process.pid.to_string()).collect();
    let what = match &pids[..] {
        [pid] => format!("process {pid} runs on this GPU already"),
        pids => format!("processes {} run on this GPU already", pids.join(", ")),
    };
    Err(Problem::machine(what)
        .at(uuid)
        .next(format!("wait until it ends, or stop it (ps -p {} says what it is)", first.pid)))
}

fn usable(gpu: &Gpu) -> Result<()> {
    let refused = |what: &str, next: String| Err(Problem::machine(what).at(&gpu.uuid).next(next));
    if gpu.mig == Some(true) {
        let next = format!("nvidia-smi -i {} -mig 0, or ask for fewer GPUs", gpu.uuid);
        return refused("this GPU is split into instances (MIG)", next);
    }
    if gpu.compute_mode == Some(ComputeMode::Prohibited) {
        let next = format!("nvidia-smi -i {} -c DEFAULT, or ask for fewer GPUs", gpu.uuid);
        return refused("this GPU's compute mode lets nobody use it", next);
    }
    Ok(())
}

/// The numbers of `count` of the free GPUs, which are given by number and NUMA node, in
/// order: the closest together of one node, else of all; of equally close ones the first.
fn choose(free: &[(u32, Option<u32>)], count: usize) -> Option<Vec<u32>> {
    let closest = |numbers: &[u32]| -> Option<Vec<u32>> {
        let runs = numbers.windows(count).min_by_key(|run| run[count - 1] - run[0]);
        runs.map(<[u32]>::to_vec)
    };
    if count == 0 {
        return Some(Vec::new());
    }
    let mut nodes: Vec<Option<u32>> = free.iter().map(|(_, node)| *node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let of_node = |node: &Option<u32>| -> Option<Vec<u32>> {
        let numbers: Vec<u32> = free.iter().filter(|(_, n)| n == node).map(|(number, _)| *number).collect();
        closest(&numbers)
    };
    let all: Vec<u32> = free.iter().map(|(number, _)| *number).collect();
    let of_one = nodes.iter().filter_map(of_node).min_by_key(|run| (run[count - 1] - run[0], run[0]));
    of_one.or_else(|| closest(&all))
}

/// One chooses at a time, so that two never hold each other's second GPU.
fn choosing(path: &Path) -> Result<File> {
    let began = Instant::now();
    loop {
        if let Some(lock) = try_lock(path)? {
            return Ok(lock);
        }
        if began.elapsed() > PATIENCE {
            return Err(Problem::machine("another process has been choosing GPUs for more than ten seconds")
                .at(path.display().to_string())
                .next("lsof on this file names it"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The locked file, or none while another process holds it.
fn try_lock(path: &Path) -> Result<Option<File>> {
    let failed = |doing: &str, e: &std::io::Error| {
        Problem::io(Kind::Machine, doing, path, e).next("let the file's owner make it readable for all, or remove it")
    };
    loop {
        let file = match open(path) {
            Ok(file) => file,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) && has_folder(path) => {
                continue;
            }
            Err(e) => return Err(failed("open the lock file", &e)),
        };
        let own = file.metadata().map_err(|e| failed("look at the lock file", &e))?;
        if !own.is_file() {
            return Err(Problem::machine("this is not a plain file, and nobody can lock it")
                .at(path.display().to_string())
                .next("find out who put it there, and remove it"));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(failed("lock", &e)),
        }
        // Whoever removed it meanwhile has made room for another's lock beside this one.
        if fs::symlink_metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (own.dev(), own.ino())) {
            return Ok(Some(file));
        }
    }
}

fn has_folder(path: &Path) -> bool {
    path.parent().is_some_and(Path::is_dir)
}

/// Opens it for reading, or makes it readable for all. A file that is there is not opened
/// for making: where all users can write, kernels refuse that for files of others. Links are
/// not followed, and a pipe keeps nobody waiting.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    match File::options().read(true).custom_flags(flags).open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let file = File::options().read(true).write(true).create_new(true).custom_flags(flags).open(path)?;
            file.set_permissions(Permissions::from_mode(0o644))?;
            Ok(file)
        }
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(free: &[(u32, Option<u32>)], count: usize) -> Option<Vec<u32>> {
        choose(free, count)
    }

    #[test]
    fn gpus_of_one_node_come_first_and_then_those_closest_together() {
        let two = |n: u32| (n, Some(n / 4));
        let all: Vec<_> = (0..8).map(two).collect();
        assert_eq!(chosen(&all, 1), Some(vec![0]));
        assert_eq!(chosen(&all, 4), Some(vec![0, 1, 2, 3]));
        assert_eq!(chosen(&all, 8), Some((0..8).collect()));
        // 0 is taken: the other node still has four.
        assert_eq!(chosen(&all[1..], 4), Some(vec![4, 5, 6, 7]));
        // 0, 2 and 5 are taken: next to each other beats first.
        let some: Vec<_> = [1, 3, 4, 6, 7].map(two).to_vec();
        assert_eq!(chosen(&some, 2), Some(vec![6, 7]));
        assert_eq!(chosen(&some, 4), Some(vec![3, 4, 6, 7]), "no node has four, these are the closest");
        assert_eq!(chosen(&some, 6), None);
    }

    #[test]
    fn a_machine_that_names_no_nodes_has_one() {
        assert_eq!(chosen(&[(0, None), (2, None), (3, None)], 2), Some(vec![2, 3]));
        assert_eq!(chosen(&[], 0), Some(Vec::new()));
    }

    #[test]
    fn locks_are_where_all_users_can_make_files_and_nobody_can_remove_anothers() {
        let temp = tempfile::tempdir().unwrap();
        let folder = |name: &str, mode: u32| {
            let path = temp.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        };
        let (own, loose, shared) = (folder("own", 0o755), folder("loose", 0o777), folder("shared", 0o1777));
        let file = temp.path().join("file");
        fs::write(&file, "").unwrap();
        let all = [temp.path().join("none"), file, own, loose, shared.clone()];
        assert_eq!(first_shared(&all), Some(&shared));
        assert_eq!(first_shared(&all[..4]), None);
    }

    #[test]
    fn a_lock_goes_with_its_holder_and_a_removed_file_locks_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.lock");
        let held = try_lock(&path).unwrap().unwrap();
        assert!(try_lock(&path).unwrap().is_none());
        drop(held);
        let held = try_lock(&path).unwrap().unwrap();
        assert_eq!(held.metadata().unwrap().mode() & 0o777, 0o644, "other users can lock it");
    }

    #[test]
    fn links_and_pipes_are_no_locks() {
        let temp = tempfile::tempdir().unwrap();
        let (link, pipe) = (temp.path().join("link"), temp.path().join("pipe"));
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(try_lock(&link).is_err());
        assert!(!temp.path().join("elsewhere").exists());
        assert!(try_lock(&pipe).unwrap_err().to_string().contains("not a plain file"));
        assert!(try_lock(&temp.path().join("no/such/folder")).unwrap_err().to_string().contains("cannot open"));
    }
}
