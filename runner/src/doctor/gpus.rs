//! GPUs: what their settings, their neighbours and their links would do to a measurement.

use std::path::Path;

use super::{
    Finding,
    files::{running, text},
};

/// One GPU as its driver describes it. What could not be read is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The vendor's unique id.
    pub uuid: String,
    /// Product name.
    pub name: String,
    /// Driver version.
    pub driver: String,
    /// The memory node that it is attached to.
    pub numa_node: Option<u32>,
    /// Whether the driver stays loaded while nobody uses it.
    pub persistence: Option<bool>,
    /// Whether its clocks can be fixed.
    pub clocks: Option<Clocks>,
    /// Whether it is split into instances.
    pub mig: Option<bool>,
    /// Whether memory errors are corrected.
    pub ecc: Option<bool>,
    /// Processes on it: id and name.
    pub processes: Vec<(u32, String)>,
    /// Generation of the PCIe link at this moment.
    pub pcie_generation: Option<u32>,
    /// The highest generation that GPU and slot have in common.
    pub pcie_generation_max: Option<u32>,
    /// Lanes of the PCIe link at this moment.
    pub pcie_width: Option<u32>,
    /// The most lanes that GPU and slot have in common.
    pub pcie_width_max: Option<u32>,
}

/// Whether a GPU's clocks can be fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clocks {
    /// They are fixed now.
    Locked,
    /// This process may fix them.
    Lockable,
    /// It may not.
    Refused,
}

const SUBJECT: &str = "GPUs";

/// `states` is `None` where the driver's management library was not found.
pub(super) fn findings(root: &Path, states: Option<&[State]>) -> Vec<Finding> {
    let driver = text(root, "proc/driver/nvidia/version").and_then(|version| {
        version.lines().next().map(|line| line.trim_start_matches("NVRM version:").trim().to_owned())
    });
    let mut found = match (states, driver) {
        (None, None) => vec![
            Finding::absent(SUBJECT, "no driver and no management library (NVML)", "servers run without a GPU")
                .next("on a host with NVIDIA GPUs: install the driver, then `nvidia-smi`"),
        ],
        (None, Some(driver)) => vec![
            Finding::absent(
                SUBJECT,
                format!("no management library (NVML) beside the driver: {driver}"),
                "GPUs cannot be told apart, watched or leased",
            )
            .next("install the driver's libraries (libnvidia-ml.so.1), then `nvidia-smi`"),
        ],
        (Some([]), _) => {
            vec![
                Finding::absent(SUBJECT, "the driver knows of none", "servers run without a GPU")
                    .next("`nvidia-smi -L`"),
            ]
        }
        (Some(states), _) => states.iter().enumerate().flat_map(|(n, state)| of(n, state)).collect(),
    };
    if let Some(name) = running(root, &["nvidia-cuda-mps-control", "nvidia-cuda-mps-server"]) {
        found.push(
            Finding::spoils(
                "sharing of GPUs",
                format!("{name} runs"),
                "processes may share a GPU without being seen on it",
            )
            .next("`echo quit | sudo nvidia-cuda-mps-control`"),
        );
    }
    found
}

/// Whether a finding is of a GPU that is there.
pub(super) fn is_one(finding: &Finding) -> bool {
    finding.subject.starts_with(ONE)
}

const ONE: &str = "GPU ";

/// What it is, then all that is not as it should be.
fn of(n: usize, state: &State) -> Vec<Finding> {
    let subject = &format!("{ONE}{n}");
    let node = state.numa_node.map(|node| format!(", node {node}")).unwrap_or_default();
    let ecc = match state.ecc {
        Some(true) => ", ECC on",
        Some(false) => ", ECC off",
        None => "",
    };
    let locked = if state.clocks == Some(Clocks::Locked) { ", clocks locked" } else { "" };
    let found = format!("{}, driver {}{node}{ecc}{locked}, {}", state.name, state.driver, state.uuid);
    let mut all = vec![Finding::good(subject, found, "recorded with every run")];
    let mut add = |finding: Finding| all.push(finding);
    if !state.processes.is_empty() {
        let who: Vec<String> = state.processes.iter().map(|(pid, name)| format!("{name} ({pid})")).collect();
        add(Finding::spoils(
            subject,
            format!("used by {}", who.join(", ")),
            "its memory and time are not the server's alone",
        )
        .next("end these processes, or lease another GPU"));
    }
    if state.mig == Some(true) {
        add(Finding::spoils(subject, "split into instances (MIG)", "a server gets a part of it, beside neighbours")
            .next(format!("`sudo nvidia-smi -i {n} -mig 0`")));
    }
    if state.ecc == Some(false) {
        add(Finding::note(
            subject,
            "memory errors are not corrected",
            "faster and less safe than the usual setting of servers",
        )
        .next(format!("`sudo nvidia-smi -i {n} -e 1`, then restart")));
    }
    if state.persistence == Some(false) {
        add(Finding::note(
            subject,
            "persistence mode is off",
            "each server start waits until the driver is loaded again",
        )
        .next(format!("`sudo nvidia-smi -i {n} -pm 1`")));
    }
    match state.clocks {
        Some(Clocks::Lockable) => add(Finding::note(
            subject,
            "clocks are not locked",
            "they follow load and temperature, and so do latencies",
        )
        .next(format!("`sudo nvidia-smi -i {n} -lgc MHZ`, with a clock of `nvidia-smi -q -d SUPPORTED_CLOCKS`"))),
        Some(Clocks::Refused) => add(Finding::note(
            subject,
            "clocks cannot be locked by this user",
            "they follow load and temperature, and so do latencies",
        )
        .next("start bench as root, where the host allows it")),
        Some(Clocks::Locked) | None => {}
    }
    if let (Some(now), Some(most)) = (state.pcie_width, state.pcie_width_max)
        && now < most
    {
        add(Finding::spoils(
            subject,
            format!("its PCIe link has {now} of {most} lanes"),
            "loading and transfers are slower than this GPU's",
        )
        .next("reseat the GPU, or look at the slot's wiring and firmware settings"));
    }
    if let (Some(now), Some(most)) = (state.pcie_generation, state.pcie_generation_max)
        && now < most
    {
        let found = format!("its PCIe link is at generation {now} of {most}");
        add(Finding::note(subject, found, "usual while it idles; under load it has to be the highest")
            .next(format!("`nvidia-smi -i {n} -q -d PCIE` while a server works")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    fn fine() -> State {
        State {
            uuid: "GPU-1".into(),
            name: "H100".into(),
            driver: "580.95.05".into(),
            numa_node: Some(1),
            persistence: Some(true),
            clocks: Some(Clocks::Locked),
            mig: Some(false),
            ecc: Some(true),
            processes: Vec::new(),
            pcie_generation: Some(5),
            pcie_generation_max: Some(5),
            pcie_width: Some(16),
            pcie_width_max: Some(16),
        }
    }

    fn all(state: State) -> Vec<Finding> {
        findings(Host::new().root(), Some(&[state]))
    }

    #[test]
    fn a_gpu_as_it_should_be_is_one_good_finding() {
        let found = all(fine());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].found, "H100, driver 580.95.05, node 1, ECC on, clocks locked, GPU-1");
        assert_eq!(all(State { name: "T4".into(), ..State::default() }).len(), 1, "what is not known is not blamed");
    }

    #[test]
    fn each_fault_is_a_finding_of_its_own() {
        for (state, level, word) in [
            (State { processes: vec![(7, "python\u{1b}[2J".into())], ..fine() }, Level::Spoils, "python\\u{1b}[2J (7)"),
            (State { mig: Some(true), ..fine() }, Level::Spoils, "MIG"),
            (State { pcie_width: Some(8), ..fine() }, Level::Spoils, "8 of 16 lanes"),
            (State { pcie_generation: Some(1), ..fine() }, Level::Note, "generation 1 of 5"),
            (State { ecc: Some(false), ..fine() }, Level::Note, "not corrected"),
            (State { persistence: Some(false), ..fine() }, Level::Note, "persistence"),
            (State { clocks: Some(Clocks::Lockable), ..fine() }, Level::Note, "not locked"),
            (State { clocks: Some(Clocks::Refused), ..fine() }, Level::Note, "cannot be locked"),
        ] {
            let found = all(state);
            assert_eq!((found.len(), found[1].level), (2, level), "{word}");
            assert!(found[1].found.contains(word) && found[1].next.is_some(), "{}", found[1].found);
        }
    }

    #[test]
    fn no_library_no_driver_and_no_gpu_are_absent() {
        let host = Host::new();
        assert_eq!(findings(host.root(), None)[0].level, Level::Absent);
        assert_eq!(findings(host.root(), Some(&[]))[0].level, Level::Absent);
        let host =
            host.with("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX Open Kernel Module  580.95.05\nGCC");
        let finding = &findings(host.root(), None)[0];
        assert_eq!(finding.level, Level::Absent);
        assert!(finding.found.ends_with("580.95.05"), "{}", finding.found);
    }

    #[test]
    fn shared_gpus_spoil() {
        let host = Host::new().with("proc/12/comm", "nvidia-cuda-mps\n");
        assert_eq!(findings(host.root(), Some(&[fine()]))[1].level, Level::Spoils);
    }
}
