//! What this process is allowed: processor time, memory, descriptors.

use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, getrlimit};

use super::{
    Finding,
    files::{self, size, text},
};

pub(super) fn findings(root: &Path) -> Vec<Finding> {
    let groups = Groups::of_this_process(root);
    let all = files::memory(&text(root, "proc/meminfo").unwrap_or_default(), "MemTotal");
    let mut found = vec![time(groups.time), memory(groups.memory, all.unwrap_or(u64::MAX))];
    found.extend(getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, hard)| descriptors(soft, hard)));
    found
}

/// The tightest limits of the control groups that this process is in.
#[derive(Debug, Default, PartialEq)]
struct Groups {
    /// Cores' worth of time.
    time: Option<f64>,
    /// Bytes.
    memory: Option<u64>,
}

impl Groups {
    fn of_this_process(root: &Path) -> Self {
        let mut found = Groups::default();
        for line in text(root, "proc/self/cgroup").unwrap_or_default().lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            let base = match controllers {
                "" => "sys/fs/cgroup".to_owned(),
                _ => format!("sys/fs/cgroup/{controllers}"),
            };
            // Inside a container the path may be that of the host, with nothing there; the
            // root is then the container's own group.
            let own = PathBuf::from(path.trim_start_matches('/'));
            for group in own.ancestors() {
                let read = |file: &str| text(root, &format!("{base}/{}", group.join(file).display()));
                found.time = least(found.time, quota(&read), f64::min);
                let bytes = read("memory.max").or_else(|| read("memory.limit_in_bytes"));
                found.memory =
                    least(found.memory, bytes.and_then(|b| b.parse().ok()).filter(|b| *b < NO_LIMIT), u64::min);
            }
        }
        found
    }
}

/// The first control groups write no limit as the largest number of pages.
const NO_LIMIT: u64 = 1 << 60;

fn least<T>(one: Option<T>, other: Option<T>, least: fn(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(least(one, other)),
        (one, other) => one.or(other),
    }
}

/// Cores' worth of time in each period: `cpu.max`, or the two files of the first version.
fn quota(read: &impl Fn(&str) -> Option<String>) -> Option<f64> {
    let line =
        read("cpu.max").or_else(|| Some(format!("{} {}", read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?)))?;
    let (quota, period) = line.split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

fn time(cores: Option<f64>) -> Finding {
    const SUBJECT: &str = "processor limit";
    match cores {
        None => Finding::good(SUBJECT, "none", "this process and its servers may use their cores all the time"),
        Some(cores) => Finding::spoils(
            SUBJECT,
            format!("{cores:.2} cores' worth of time (cpu.max of a control group)"),
            "the kernel stops everything at once, client and server, until the next period",
        )
        .next("start bench outside of this limit (CPUQuota=, `docker run --cpus`, limits of a pod), or give it whole cores"),
    }
}

/// Less is not enough for a client and any real server.
const TIGHT: u64 = 2 << 30;

/// `all` is the memory of this host.
fn memory(bytes: Option<u64>, all: u64) -> Finding {
    const SUBJECT: &str = "memory limit";
    const NEXT: &str = "raise the limit (MemoryMax=, `docker run --memory`, limits of a pod)";
    match bytes {
        None => Finding::good(SUBJECT, "none", "this process and its servers may use all memory"),
        Some(bytes) if bytes >= all && all >= TIGHT => {
            Finding::good(SUBJECT, format!("{}, no less than there is", size(bytes)), "all memory may be used")
        }
        Some(bytes) if bytes < TIGHT => {
            Finding::spoils(SUBJECT, size(bytes), "servers are killed in the middle of a trial").next(NEXT)
        }
        Some(bytes) => Finding::note(SUBJECT, size(bytes), "servers that are commands share it with bench").next(NEXT),
    }
}

/// Fewer do not even let a run begin.
const FEWEST: u64 = 320;
/// What the largest loads that we know of need.
const AMPLE: u64 = 4_096;
/// Descriptors beside those of the streams.
const SPARE: u64 = 256;

fn descriptors(soft: u64, hard: u64) -> Finding {
    const SUBJECT: &str = "descriptors";
    let shown = |n: u64| if n > NO_LIMIT { "unlimited".to_owned() } else { n.to_string() };
    let found = format!("{} soft, {} hard", shown(soft), shown(hard));
    let means = format!("at most {} requests at once", shown(hard.saturating_sub(SPARE)));
    match hard {
        0..FEWEST => Finding::spoils(SUBJECT, found, "too few for a single server and client")
            .next("`ulimit -Hn 65536` as root, then start bench from that shell")
            .stops(),
        FEWEST..AMPLE => Finding::note(SUBJECT, found, means)
            .next("for larger loads: `ulimit -Hn 65536` as root, LimitNOFILE= in a service"),
        _ => Finding::good(SUBJECT, found, means),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    #[test]
    fn the_tightest_group_above_this_process_counts() {
        let host = Host::new()
            .with("proc/self/cgroup", "0::/a/b\n")
            .with("sys/fs/cgroup/a/cpu.max", "150000 100000\n")
            .with("sys/fs/cgroup/a/memory.max", "1073741824\n")
            .with("sys/fs/cgroup/a/b/cpu.max", "max 100000\n")
            .with("sys/fs/cgroup/a/b/memory.max", "8589934592\n");
        assert_eq!(Groups::of_this_process(host.root()), Groups { time: Some(1.5), memory: Some(1 << 30) });
    }

    #[test]
    fn groups_of_the_first_version_are_read_too() {
        let host = Host::new()
            .with("proc/self/cgroup", "4:memory:/x\n1:cpu,cpuacct:/x\n0::/\n")
            .with("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
            .with("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "4294967296\n")
            .with("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
            .with("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
            .with("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "50000\n")
            .with("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
        assert_eq!(Groups::of_this_process(host.root()), Groups { time: Some(0.5), memory: Some(4 << 30) });
    }

    #[test]
    fn no_groups_are_no_limits() {
        assert_eq!(Groups::of_this_process(Host::new().root()), Groups::default());
        assert_eq!((time(None).level, memory(None, 16 << 30).level), (Level::Good, Level::Good));
    }

    #[test]
    fn limits_of_time_and_tight_memory_spoil() {
        assert_eq!(time(Some(1.5)).level, Level::Spoils);
        assert_eq!(memory(Some(1 << 30), 16 << 30).level, Level::Spoils);
        assert_eq!(memory(Some(8 << 30), 16 << 30).level, Level::Note);
        assert_eq!(memory(Some(16 << 30), 16 << 30).level, Level::Good);
    }

    #[test]
    fn descriptors_are_counted_as_requests_at_once() {
        let of = |hard| (descriptors(256, hard).level, descriptors(256, hard).stops);
        assert_eq!(of(256), (Level::Spoils, true));
        assert_eq!(of(1024), (Level::Note, false));
        assert_eq!(of(20_000), (Level::Good, false));
        assert_eq!(descriptors(1024, 20_000).means, "at most 19744 requests at once");
        assert_eq!(descriptors(1024, u64::MAX).found, "1024 soft, unlimited hard");
    }
}
