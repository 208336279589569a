//! Who sets the clock of the cores.

use std::{collections::BTreeSet, path::Path};

use super::{Finding, files::text};

pub(super) fn findings(root: &Path) -> Vec<Finding> {
    vec![governor(root), turbo(root)]
}

/// Drivers whose `powersave` still follows the load.
const FOLLOWING: [&str; 3] = ["intel_pstate", "amd-pstate-epp", "amd_pstate_epp"];

fn governor(root: &Path) -> Finding {
    const SUBJECT: &str = "governor";
    const NEXT: &str = "`echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`";
    let folder = root.join("sys/devices/system/cpu");
    let (mut governors, mut drivers) = (BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        governors.extend(text(&entry.path(), "cpufreq/scaling_governor"));
        drivers.extend(text(&entry.path(), "cpufreq/scaling_driver"));
    }
    let found = governors.iter().cloned().collect::<Vec<_>>().join(" and ");
    let follows = drivers.iter().all(|driver| FOLLOWING.contains(&driver.as_str()));
    if governors.is_empty() {
        Finding::absent(
            SUBJECT,
            "none, as in most virtual machines",
            "the clock of the cores is not ours to set or see",
        )
    } else if governors.iter().all(|governor| governor == "performance") {
        Finding::good(SUBJECT, found, "cores do not slow down between requests")
    } else if governors.contains("powersave") && !follows {
        Finding::spoils(SUBJECT, found, "cores stay at their lowest clock").next(NEXT)
    } else {
        Finding::note(SUBJECT, found, "cores slow down between requests, and speed up late").next(NEXT)
    }
}

fn turbo(root: &Path) -> Finding {
    const SUBJECT: &str = "turbo";
    const INTEL: &str = "sys/devices/system/cpu/intel_pstate/no_turbo";
    const OTHERS: &str = "sys/devices/system/cpu/cpufreq/boost";
    let (on, next) = match (text(root, INTEL), text(root, OTHERS)) {
        (Some(off), _) => (off == "0", format!("`echo 1 | sudo tee /{INTEL}`")),
        (None, Some(on)) => (on == "1", format!("`echo 0 | sudo tee /{OTHERS}`")),
        (None, None) => {
            return Finding::absent(SUBJECT, "not shown here", "clocks may depend on temperature and neighbours");
        }
    };
    if on {
        Finding::note(SUBJECT, "on", "clocks depend on temperature and on how many cores work").next(next)
    } else {
        Finding::good(SUBJECT, "off", "clocks are steady")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    fn of(governors: [&str; 2], driver: &str) -> Level {
        let mut host = Host::new();
        for (core, governor) in governors.iter().enumerate() {
            host = host.with(&format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"), governor);
            host = host.with(&format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_driver"), driver);
        }
        governor(host.root()).level
    }

    #[test]
    fn one_slow_core_is_enough_for_a_note() {
        assert_eq!(of(["performance", "performance"], "acpi-cpufreq"), Level::Good);
        assert_eq!(of(["performance", "schedutil"], "acpi-cpufreq"), Level::Note);
        assert_eq!(of(["powersave", "powersave"], "intel_pstate"), Level::Note);
        assert_eq!(of(["powersave", "powersave"], "acpi-cpufreq"), Level::Spoils);
        assert_eq!(governor(Host::new().root()).level, Level::Absent);
    }

    #[test]
    fn turbo_is_read_from_either_place() {
        let at = |path: &str, value: &str| turbo(Host::new().with(path, value).root()).level;
        assert_eq!(at("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n"), Level::Note);
        assert_eq!(at("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"), Level::Good);
        assert_eq!(at("sys/devices/system/cpu/cpufreq/boost", "1\n"), Level::Note);
        assert_eq!(at("sys/devices/system/cpu/cpufreq/boost", "0\n"), Level::Good);
        assert_eq!(turbo(Host::new().root()).level, Level::Absent);
    }
}
