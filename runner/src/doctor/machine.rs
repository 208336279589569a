//! The machine and its kernel.

use std::path::Path;

use super::{
    Finding,
    files::{field, text},
};

pub(super) fn findings(root: &Path) -> Vec<Finding> {
    vec![machine(root), kernel(root)]
}

fn machine(root: &Path) -> Finding {
    const SUBJECT: &str = "machine";
    let names = ["sys_vendor", "product_name"].map(|file| text(root, &format!("sys/class/dmi/id/{file}")));
    let name: Vec<String> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    let cpuinfo = text(root, "proc/cpuinfo").unwrap_or_default();
    let processor = field(&cpuinfo, "model name", ':').map(str::to_owned);
    let words: Vec<String> = name.into_iter().chain(processor).collect();
    let flags = field(&cpuinfo, "flags", ':');
    let below = text(root, "sys/hypervisor/type");
    let with = |kind: &str| if words.is_empty() { kind.to_owned() } else { format!("{kind}: {}", words.join(", ")) };
    if flags.is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")) || below.is_some() {
        return Finding::note(
            SUBJECT,
            with("virtual"),
            "neighbours that are not seen here may take its time and memory bandwidth",
        )
        .next("compare arms of the same run only; publish numbers of hardware of your own");
    }
    match flags {
        Some(_) => Finding::good(SUBJECT, with("hardware"), "nobody is below it"),
        None => Finding::absent(SUBJECT, with("not known whether virtual"), "neighbours may take its time"),
    }
}

fn kernel(root: &Path) -> Finding {
    const SUBJECT: &str = "kernel";
    match text(root, "proc/sys/kernel/osrelease") {
        Some(release) => Finding::good(SUBJECT, release, "recorded with every run"),
        None => Finding::absent(SUBJECT, "not shown here", "it is not recorded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    #[test]
    fn a_virtual_machine_is_a_note() {
        let host = Host::new()
            .with("proc/cpuinfo", "model name\t: Xeon\nflags\t\t: fpu sse hypervisor avx\n")
            .with("sys/class/dmi/id/sys_vendor", "QEMU\n");
        assert_eq!(machine(host.root()).found, "virtual: QEMU, Xeon");
        assert_eq!(machine(host.root()).level, Level::Note);
        let arm = Host::new().with("sys/hypervisor/type", "xen\n");
        assert_eq!(machine(arm.root()).level, Level::Note);
    }

    #[test]
    fn hardware_is_good_and_what_is_not_known_is_absent() {
        assert_eq!(machine(Host::new().with("proc/cpuinfo", "flags\t: fpu sse\n").root()).level, Level::Good);
        assert_eq!(machine(Host::new().root()).level, Level::Absent);
    }

    #[test]
    fn the_kernel_is_named() {
        assert_eq!(kernel(Host::new().with("proc/sys/kernel/osrelease", "6.8.0-1\n").root()).found, "6.8.0-1");
        assert_eq!(kernel(Host::new().root()).level, Level::Absent);
    }
}
