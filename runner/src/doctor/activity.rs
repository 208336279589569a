//! What this host does besides: processes, stolen time, swapping.

use std::{collections::BTreeMap, path::Path, time::Duration};

use super::{
    Finding,
    files::{field, processes, text},
};

/// How long it is watched. The kernel counts time in hundredths of a second.
const WATCHED: Duration = Duration::from_secs(1);

pub(super) fn findings(root: &Path) -> Vec<Finding> {
    let before = Snapshot::read(root);
    std::thread::sleep(WATCHED);
    between(
        before.as_ref(),
        Snapshot::read(root).as_ref(),
        &text(root, "proc/loadavg").unwrap_or_default(),
        std::process::id(),
    )
}

/// Counters of the kernel at one moment.
#[derive(Debug, Clone, Default)]
struct Snapshot {
    cores: u32,
    /// Ticks of all cores together, whatever they did.
    all: u64,
    idle: u64,
    stolen: u64,
    /// Ticks by process, which is an id and a start time, with its name.
    processes: BTreeMap<(u32, u64), (u64, String)>,
    /// Pages read from and written to swap.
    swapped: u64,
}

impl Snapshot {
    fn read(root: &Path) -> Option<Self> {
        let stat = text(root, "proc/stat")?;
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        // user nice system idle iowait irq softirq steal; what guests used is in user already.
        let ticks: Vec<u64> = line.split_whitespace().take(8).filter_map(|n| n.parse().ok()).collect();
        let at = |i: usize| ticks.get(i).copied().unwrap_or(0);
        let is_core =
            |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let vmstat = text(root, "proc/vmstat").unwrap_or_default();
        let pages = |key| field(&vmstat, key, ' ').and_then(|n| n.parse().ok()).unwrap_or(0);
        Some(Snapshot {
            cores: stat.lines().filter(is_core).count() as u32,
            all: ticks.iter().sum(),
            idle: at(3) + at(4),
            stolen: at(7),
            processes: processes(root).iter().filter_map(|(id, folder)| of_process(*id, folder)).collect(),
            swapped: pages("pswpin") + pages("pswpout"),
        })
    }
}

type Process = ((u32, u64), (u64, String));

fn of_process(id: u32, folder: &Path) -> Option<Process> {
    let stat = text(folder, "stat")?;
    // A name may hold anything, also spaces and brackets.
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |i: usize| fields.get(i).and_then(|n: &&str| n.parse::<u64>().ok());
    Some(((id, number(19)?), (number(11)? + number(12)?, name.to_owned())))
}

fn between(before: Option<&Snapshot>, after: Option<&Snapshot>, loadavg: &str, own: u32) -> Vec<Finding> {
    let (Some(before), Some(after)) = (before, after) else {
        let found = "its counters are not to be read here";
        return vec![Finding::absent("other work", found, "other work on this host would not be seen")];
    };
    let all = after.all.saturating_sub(before.all);
    if all == 0 || after.cores == 0 {
        return vec![Finding::absent(
            "activity",
            "its counters stand still",
            "other work on this host would not be seen",
        )];
    }
    let cores = |ticks: u64| ticks as f64 / all as f64 * f64::from(after.cores);
    let mut by: Vec<(f64, u32, &str)> = after
        .processes
        .iter()
        .map(|(key, (ticks, name))| {
            let earlier = before.processes.get(key).map_or(0, |(ticks, _)| *ticks);
            (cores(ticks.saturating_sub(earlier)), key.0, name.as_str())
        })
        .collect();
    by.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mine: f64 = by.iter().filter(|(_, id, _)| *id == own).map(|(used, ..)| used).sum();
    let idle = after.idle.saturating_sub(before.idle);
    let stolen = after.stolen.saturating_sub(before.stolen);
    let others = (cores(all.saturating_sub(idle + stolen)) - mine).max(0.0);
    by.retain(|(used, id, _)| *id != own && *used >= 0.01);
    vec![
        work(others, &by, loadavg, after.cores),
        theft(stolen as f64 / all as f64),
        swapping(after.swapped.saturating_sub(before.swapped)),
    ]
}

/// How much of a core others may use, or of all cores if that is more: a note, and spoilt.
const SOME: (f64, f64) = (0.05, 0.01);
const MUCH: (f64, f64) = (0.25, 0.05);

fn work(others: f64, by: &[(f64, u32, &str)], loadavg: &str, cores: u32) -> Finding {
    const SUBJECT: &str = "other work";
    let load: f64 = loadavg.split(' ').next().and_then(|one| one.parse().ok()).unwrap_or(0.0);
    let busiest: Vec<String> = by.iter().take(3).map(|(used, id, name)| format!("{name} ({id}) {used:.2}")).collect();
    let list = if busiest.is_empty() { String::new() } else { format!(", most by {}", busiest.join(", ")) };
    let found = format!("{others:.2} of {cores} cores busy{list}; load of the last minute {load:.2}");
    let above = |(core, share): (f64, f64)| others >= f64::max(core, share * f64::from(cores));
    let means = "it takes time from the client and the server whenever it wants";
    if above(MUCH) {
        Finding::spoils(SUBJECT, found, means).next("stop it, or wait until it is done: `top`")
    } else if above(SOME) {
        Finding::note(SUBJECT, found, means).next("`top`, and stop what is not needed")
    } else if load > f64::from(cores) / 2.0 {
        Finding::note(SUBJECT, found, "quiet now, and was busy a moment ago").next("`top`")
    } else {
        Finding::good(SUBJECT, found, "quiet enough")
    }
}

/// A thousandth is seen in the highest percentiles, a hundredth everywhere.
const SEEN: f64 = 0.001;
const EVERYWHERE: f64 = 0.01;

fn theft(share: f64) -> Finding {
    const SUBJECT: &str = "stolen time";
    let found = format!("{:.2} %", share * 100.0);
    let means = "the host below this machine ran somebody else instead";
    if share >= EVERYWHERE {
        Finding::spoils(SUBJECT, found, means).next("use a machine with dedicated cores")
    } else if share >= SEEN {
        Finding::note(SUBJECT, found, means).next("use a machine with dedicated cores")
    } else {
        Finding::good(SUBJECT, found, "the cores were ours all the time")
    }
}

fn swapping(pages: u64) -> Finding {
    const SUBJECT: &str = "swapping";
    if pages == 0 {
        return Finding::good(SUBJECT, "none", "memory is in memory");
    }
    Finding::spoils(SUBJECT, format!("{pages} pages in a second"), "whoever waits for such a page waits for a disk")
        .next("make room in memory, then `sudo swapoff -a`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    /// A host of two cores after 100 ticks of each, of which process 9 had `busy`.
    fn moment(ticks: u64, busy: u64, steal: u64, swapped: u64) -> Snapshot {
        let idle = ticks - busy - steal;
        let stat = |ticks: u64| format!("9 (a) b(c) R 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 77 0 0\n");
        let host = Host::new()
            .with("proc/stat", &format!("cpu  {busy} 0 0 {idle} 0 0 0 {steal} 0 0\ncpu0 1 1\ncpu1 1 1\nctxt 5\n"))
            .with("proc/vmstat", &format!("pgfree 8\npswpin {swapped}\npswpout 0\n"))
            .with("proc/9/stat", &stat(busy));
        Snapshot::read(host.root()).unwrap()
    }

    fn watched(busy: u64, steal: u64, swapped: u64, load: &str, own: u32) -> [Finding; 3] {
        let found =
            between(Some(&moment(1000, 10, 0, 7)), Some(&moment(1200, 10 + busy, steal, 7 + swapped)), load, own);
        found.try_into().unwrap()
    }

    #[test]
    fn a_quiet_host_is_good_throughout() {
        let found = watched(0, 0, 0, "0.10 0.20 0.30 1/99 7", 1);
        assert!(found.iter().all(|finding| finding.level == Level::Good), "{found:?}");
    }

    #[test]
    fn a_busy_process_spoils_and_is_named() {
        let [work, ..] = watched(100, 0, 0, "1.00 0.20 0.30 1/99 7", 1);
        assert_eq!(work.level, Level::Spoils);
        assert_eq!(work.found, "1.00 of 2 cores busy, most by a) b(c (9) 1.00; load of the last minute 1.00");
        assert_eq!(watched(10, 0, 0, "", 1)[0].level, Level::Note);
    }

    #[test]
    fn this_process_does_not_count() {
        assert_eq!(watched(100, 0, 0, "0.50", 9)[0].level, Level::Good);
    }

    #[test]
    fn a_host_that_was_busy_is_a_note() {
        assert_eq!(watched(0, 0, 0, "1.50 0.20 0.30 1/99 7", 1)[0].level, Level::Note);
    }

    #[test]
    fn on_a_large_host_a_little_work_is_lost_in_it() {
        assert_eq!(work(0.9, &[], "0.9", 128).level, Level::Good);
        assert_eq!(work(2.0, &[], "2.0", 128).level, Level::Note);
        assert_eq!(work(7.0, &[], "7.0", 128).level, Level::Spoils);
    }

    #[test]
    fn stolen_time_and_swapping_are_seen() {
        assert_eq!(watched(0, 4, 0, "", 1)[1].level, Level::Spoils);
        assert_eq!(theft(0.005).level, Level::Note);
        assert_eq!(watched(0, 0, 3, "", 1)[2].level, Level::Spoils);
    }

    #[test]
    fn counters_that_are_not_there_or_stand_still_are_absent() {
        assert!(Snapshot::read(Host::new().root()).is_none());
        assert_eq!(between(None, None, "", 1)[0].level, Level::Absent);
        let still = moment(1000, 10, 0, 0);
        assert_eq!(between(Some(&still), Some(&still), "", 1)[0].level, Level::Absent);
    }
}
