//! Memory, swap and huge pages.

use std::path::Path;

use super::{
    Finding,
    files::{self, size, text},
};

pub(super) fn findings(root: &Path) -> Vec<Finding> {
    let table = text(root, "proc/meminfo").unwrap_or_default();
    let bytes = |key| files::memory(&table, key);
    vec![
        available(bytes("MemAvailable"), bytes("MemTotal")),
        swap(bytes("SwapTotal"), bytes("SwapFree")),
        huge_pages(root),
    ]
}

/// Less is not enough for a client and any real server.
const TIGHT: u64 = 2 << 30;

fn available(available: Option<u64>, total: Option<u64>) -> Finding {
    const SUBJECT: &str = "memory";
    let (Some(available), Some(total)) = (available, total) else {
        return Finding::absent(SUBJECT, "not shown here", "it may be too little");
    };
    let found = format!("{} of {} available", size(available), size(total));
    if available < TIGHT {
        return Finding::spoils(SUBJECT, found, "servers are killed, or wait for a disk")
            .next("`ps aux --sort=-rss | head`");
    }
    Finding::good(SUBJECT, found, "servers have to fit in it")
}

fn swap(total: Option<u64>, free: Option<u64>) -> Finding {
    const SUBJECT: &str = "swap";
    let (Some(total), Some(free)) = (total, free) else {
        return Finding::absent(SUBJECT, "not shown here", "memory may be on a disk");
    };
    let used = total.saturating_sub(free);
    match (total, used) {
        (0, _) => Finding::good(SUBJECT, "none", "memory is in memory"),
        (_, 0) => Finding::good(SUBJECT, format!("{}, unused", size(total)), "memory is in memory"),
        _ => Finding::note(
            SUBJECT,
            format!("{} of {} used", size(used), size(total)),
            "some memory is on a disk, perhaps a server's",
        )
        .next("`sudo swapoff -a` while measuring"),
    }
}

fn huge_pages(root: &Path) -> Finding {
    const SUBJECT: &str = "huge pages";
    let modes = text(root, "sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    match modes.split(['[', ']']).nth(1) {
        None => Finding::absent(SUBJECT, "not shown here", "the kernel may join pages at any time"),
        Some("always") => {
            Finding::note(SUBJECT, "always", "the kernel joins pages of all programs, and stops them for it")
                .next("`echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled`")
        }
        Some(mode) => Finding::good(SUBJECT, mode, "only programs that ask for them have them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    fn of(meminfo: &str, pages: &str) -> [(Level, String); 3] {
        let host = Host::new().with("proc/meminfo", meminfo).with("sys/kernel/mm/transparent_hugepage/enabled", pages);
        let found = findings(host.root());
        let [a, b, c] = &found[..] else { panic!("{found:?}") };
        [a, b, c].map(|finding| (finding.level, finding.found.clone()))
    }

    #[test]
    fn much_memory_without_swap_is_good() {
        let found = of(
            "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
            "always [madvise] never",
        );
        assert_eq!(found[0], (Level::Good, "8.0 GiB of 16.0 GiB available".into()));
        assert_eq!(found[1], (Level::Good, "none".into()));
        assert_eq!(found[2], (Level::Good, "madvise".into()));
    }

    #[test]
    fn little_memory_spoils_and_used_swap_is_a_note() {
        let found = of(
            "MemTotal: 16777216 kB\nMemAvailable: 1048576 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n",
            "[always] madvise never",
        );
        assert_eq!(found.clone().map(|(level, _)| level), [Level::Spoils, Level::Note, Level::Note]);
        assert_eq!(found[1].1, "1 MiB of 2 MiB used");
        assert_eq!(of("SwapTotal: 2048 kB\nSwapFree: 2048 kB\n", "")[1], (Level::Good, "2 MiB, unused".into()));
    }

    #[test]
    fn what_is_not_shown_is_absent() {
        let found = findings(Host::new().root());
        assert!(found.iter().all(|finding| finding.level == Level::Absent), "{found:?}");
    }
}
