//! Cores and memory nodes of this host, and who runs where.

mod layout;
mod list;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use lab::{Problem, Result};
use nix::{sched::CpuSet, unistd::Pid};

pub use layout::layout;
pub use list::{read, written};

/// Cores and memory nodes, as far as this process may use them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// Logical cores that are online and that this process may run on.
    pub allowed: Vec<u32>,
    /// Logical cores that are online.
    pub online: Vec<u32>,
    /// The logical cores of each physical core that this process may run on, lowest first.
    pub physical: Vec<Vec<u32>>,
    /// Memory nodes and their logical cores; empty where the kernel knows of none.
    pub nodes: Vec<(u32, Vec<u32>)>,
    /// Cores that the kernel schedules nothing on unless it is asked to.
    pub isolated: Vec<u32>,
}

impl Topology {
    /// Of this host and this process.
    pub fn here() -> Result<Self> {
        Self::read(Path::new("/"), &allowed()?)
    }

    /// Of the host whose `sys` is below `root`, for a process that may run on `allowed`.
    pub fn read(root: &Path, allowed: &[u32]) -> Result<Self> {
        let system = root.join("sys/devices/system");
        let cores_in = |path: PathBuf| fs::read_to_string(path).ok().and_then(|text| read(&text));
        let online = cores_in(system.join("cpu/online")).unwrap_or_else(|| sorted(allowed));
        let allowed: Vec<u32> = online.iter().copied().filter(|core| allowed.contains(core)).collect();
        if allowed.is_empty() {
            return Err(Problem::machine(format!(
                "this process may run on no core that is online ({})",
                written(&online)
            )));
        }
        let mut physical: Vec<Vec<u32>> = Vec::new();
        for core in &allowed {
            if physical.iter().any(|known| known.contains(core)) {
                continue;
            }
            let siblings = cores_in(system.join(format!("cpu/cpu{core}/topology/thread_siblings_list")));
            let mut threads = siblings.unwrap_or_default();
            threads.retain(|thread| thread != core && allowed.contains(thread));
            threads.push(*core);
            physical.push(sorted(&threads));
        }
        let mut nodes: Vec<(u32, Vec<u32>)> = Vec::new();
        for entry in fs::read_dir(system.join("node")).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let node = name.to_str().and_then(|name| name.strip_prefix("node")).and_then(|n| n.parse().ok());
            if let (Some(node), Some(cores)) = (node, cores_in(entry.path().join("cpulist"))) {
                nodes.push((node, cores));
            }
        }
        nodes.sort_unstable();
        let isolated = cores_in(system.join("cpu/isolated")).unwrap_or_default();
        Ok(Topology { allowed, online, physical, nodes, isolated })
    }

    /// The memory node of a core, where the kernel knows of nodes.
    pub fn node_of(&self, core: u32) -> Option<u32> {
        self.nodes.iter().find(|(_, cores)| cores.contains(&core)).map(|(node, _)| *node)
    }

    /// Whether some physical core runs more than one thread at once.
    pub fn has_siblings(&self) -> bool {
        self.physical.iter().any(|threads| threads.len() > 1)
    }
}

/// Cores that the calling thread may run on.
pub fn allowed() -> Result<Vec<u32>> {
    let set = nix::sched::sched_getaffinity(Pid::from_raw(0))
        .map_err(|e| Problem::machine(format!("the allowed cores cannot be read: {e}")))?;
    let is_in = |core: &u32| set.is_set(*core as usize).unwrap_or(false);
    Ok((0..CpuSet::count() as u32).filter(is_in).collect())
}

/// Refuses cores of the client that this process may not run on.
pub fn check(cores: &[u32]) -> Result<()> {
    let allowed = allowed()?;
    match cores.iter().find(|core| !allowed.contains(core)) {
        None => Ok(()),
        Some(core) => Err(Problem::machine(format!("this process may not run on core {core}"))
            .at("client.cores")
            .next("name cores of this machine, or leave client.cores out")),
    }
}

/// The processes that a container engine on this host consists of.
const DAEMONS: [&str; 2] = ["dockerd", "containerd"];

/// Cores that the container engine's own processes may run on; `None` where this process
/// sees none of them.
pub fn engine_cores(root: &Path) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for process in fs::read_dir(root.join("proc")).ok()?.flatten() {
        let text = |file| fs::read_to_string(process.path().join(file)).unwrap_or_default();
        if !DAEMONS.contains(&text("comm").trim_end()) {
            continue;
        }
        let status = text("status");
        let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).and_then(read);
        found.extend(cores.unwrap_or_default());
    }
    (!found.is_empty()).then(|| sorted(&found))
}

fn sorted(cores: &[u32]) -> Vec<u32> {
    let mut cores = cores.to_vec();
    cores.sort_unstable();
    cores.dedup();
    cores
}
