//! What Slurm says to a process that it started on a node.

use std::{collections::BTreeSet, env};

/// A task that Slurm started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number, which is not that of its array.
    pub id: u64,
    /// The array's number.
    pub array: u64,
}

/// The job that this process is of; none where nobody's batch engine started it.
pub fn job() -> Option<Job> {
    let number = |name: &str| env::var(name).ok()?.parse().ok();
    let id = number("SLURM_JOB_ID")?;
    Some(Job { id, array: number("SLURM_ARRAY_JOB_ID").unwrap_or(id) })
}

/// The node's name, as Slurm knows it.
pub fn node() -> Option<String> {
    job()?;
    env::var("SLURMD_NODENAME").ok().filter(|name| !name.is_empty())
}

/// N of the `/dev/nvidiaN` that the job has; none where the engine gave out no GPUs, and all of
/// them are this process's to choose from.
pub fn gpus() -> Option<BTreeSet<u32>> {
    job()?;
    let given = ["SLURM_STEP_GPUS", "SLURM_JOB_GPUS"].into_iter().find_map(|name| env::var(name).ok())?;
    numbers(&given)
}

/// `0,2,4-6`.
fn numbers(text: &str) -> Option<BTreeSet<u32>> {
    let mut all = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        all.extend(first..=last.min(first.saturating_add(1023)));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_one_by_one_and_as_ranges() {
        assert_eq!(numbers("0,2,4-6"), Some([0, 2, 4, 5, 6].into()));
        assert_eq!(numbers("3"), Some([3].into()));
        assert_eq!(numbers(""), Some(BTreeSet::new()));
        assert_eq!(numbers("GPU-1"), None);
    }
}
