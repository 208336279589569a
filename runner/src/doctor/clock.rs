//! The clock that times are read from, and whether somebody keeps the date right.

use std::path::Path;

use super::{
    Finding,
    files::{running, text},
};

pub(super) fn findings(root: &Path) -> Vec<Finding> {
    vec![source(root), date(root)]
}

const READ_BY_THE_PROCESSOR: [&str; 4] = ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"];
const READ_FROM_A_DEVICE: [&str; 4] = ["acpi_pm", "hpet", "jiffies", "refined-jiffies"];

fn source(root: &Path) -> Finding {
    const SUBJECT: &str = "clock source";
    const FOLDER: &str = "sys/devices/system/clocksource/clocksource0";
    let Some(name) = text(root, &format!("{FOLDER}/current_clocksource")) else {
        return Finding::absent(SUBJECT, "not shown here", "reading the time may be slow");
    };
    if READ_BY_THE_PROCESSOR.contains(&name.as_str()) {
        return Finding::good(SUBJECT, name, "reading the time costs tens of nanoseconds");
    }
    if READ_FROM_A_DEVICE.contains(&name.as_str()) {
        let others = text(root, &format!("{FOLDER}/available_clocksource")).unwrap_or_default();
        let next = if others.split_whitespace().any(|other| other == "tsc") {
            format!("`echo tsc | sudo tee /{FOLDER}/current_clocksource`")
        } else {
            "see why the kernel gave up the processor's own clock: `sudo dmesg | grep -i tsc`".to_owned()
        };
        return Finding::spoils(SUBJECT, name, "reading the time costs microseconds, in client and server").next(next);
    }
    Finding::note(SUBJECT, name, "reading the time may enter the kernel each time")
}

/// Programs that keep the date right.
const KEEPERS: [&str; 6] = ["chronyd", "systemd-timesyncd", "ntpd", "ntp-daemon", "ptp4l", "phc2sys"];

fn date(root: &Path) -> Finding {
    const SUBJECT: &str = "date";
    const MEANS: &str = "latencies do not need it; the dates of bundles do";
    if text(root, "run/systemd/timesync/synchronized").is_some() {
        return Finding::good(SUBJECT, "synchronised by systemd-timesyncd", MEANS);
    }
    match running(root, &KEEPERS) {
        Some(name) => Finding::good(SUBJECT, format!("kept by {name}"), MEANS),
        None => {
            Finding::absent(SUBJECT, "nothing seen that keeps it right", MEANS).next("`timedatectl`, or start chronyd")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    const SOURCE: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
    const OTHERS: &str = "sys/devices/system/clocksource/clocksource0/available_clocksource";

    #[test]
    fn clocks_of_the_processor_are_good_and_those_of_devices_spoil() {
        for (name, level) in [
            ("tsc", Level::Good),
            ("kvm-clock", Level::Good),
            ("hpet", Level::Spoils),
            ("acpi_pm", Level::Spoils),
            ("xen", Level::Note),
        ] {
            assert_eq!(source(Host::new().with(SOURCE, &format!("{name}\n")).root()).level, level, "{name}");
        }
        assert_eq!(source(Host::new().root()).level, Level::Absent);
    }

    #[test]
    fn the_command_is_given_only_where_it_works() {
        let host = Host::new().with(SOURCE, "hpet\n").with(OTHERS, "hpet acpi_pm\n");
        assert!(source(host.root()).next.unwrap().contains("dmesg"));
        let host = host.with(OTHERS, "tsc hpet acpi_pm\n");
        assert!(source(host.root()).next.unwrap().starts_with("`echo tsc | sudo tee /sys/devices"));
    }

    #[test]
    fn whoever_keeps_the_date_is_named() {
        assert_eq!(date(Host::new().root()).level, Level::Absent);
        let timesyncd = Host::new().with("run/systemd/timesync/synchronized", "");
        assert_eq!(date(timesyncd.root()).level, Level::Good);
        let chrony = Host::new().with("proc/7/comm", "chronyd\n");
        assert_eq!(date(chrony.root()).found, "kept by chronyd");
        let cut = Host::new().with("proc/8/comm", "systemd-timesyn\n");
        assert_eq!(date(cut.root()).found, "kept by systemd-timesyncd");
    }
}
