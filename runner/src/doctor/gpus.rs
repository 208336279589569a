//! GPUs: what their settings, their neighbours and their links would do to a measurement.

use std::path::Path;

use lab::environment::Gpu;

use super::{
    Finding,
    files::{running, text},
};
use crate::gpu::nvml::Library;

/// One GPU, and who is on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// As its driver describes it.
    pub(super) gpu: Gpu,
    /// Processes: id and name.
    pub(super) processes: Vec<(u32, String)>,
}

pub(super) const SUBJECT: &str = "GPUs";

/// All GPUs of this host, from the library at `path` or the driver's own; the error says in
/// words why there is none.
pub(super) fn read(root: &Path, path: Option<&Path>) -> Result<Vec<State>, String> {
    let library = Library::open(path)?.below(root);
    let name =
        |pid: u32| text(root, &format!("proc/{pid}/comm")).unwrap_or_else(|| "a process not seen here".to_owned());
    let state = |gpu: Gpu| {
        let running = library.processes(&gpu.uuid).unwrap_or_default();
        State { processes: running.iter().map(|process| (process.pid, name(process.pid))).collect(), gpu }
    };
    Ok(library.facts().into_iter().map(state).collect())
}

pub(super) fn findings(root: &Path, states: Result<&[State], &str>) -> Vec<Finding> {
    const WITHOUT: &str = "servers run without a GPU";
    let driver = text(root, "proc/driver/nvidia/version");
    let mut found = match (states, driver) {
        (Err(why), None) => vec![
            Finding::absent(SUBJECT, format!("no driver; {why}"), WITHOUT)
                .next("on a host with NVIDIA GPUs: install the driver, then `nvidia-smi`"),
        ],
        (Err(why), Some(driver)) => {
            let driver = driver.lines().next().unwrap_or_default().trim_start_matches("NVRM version:").trim();
            let means = "GPUs cannot be told apart, watched or leased";
            vec![
                Finding::note(SUBJECT, format!("{why}; the driver is there: {driver}"), means)
                    .next("install the driver's libraries, of the same version, then `nvidia-smi`"),
            ]
        }
        (Ok([]), _) => vec![Finding::absent(SUBJECT, "the driver knows of none", WITHOUT).next("`nvidia-smi -L`")],
        (Ok(states), _) => {
            states.iter().enumerate().flat_map(|(n, state)| of(n, state)).chain([clocks(states)]).collect()
        }
    };
    if let Some(name) = running(root, &["nvidia-cuda-mps-control", "nvidia-cuda-mps-server"]) {
        let means = "processes may share a GPU without being seen on it";
        found.push(
            Finding::spoils("sharing of GPUs", format!("{name} runs"), means)
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

/// The library says what clocks are asked for, not whether anything holds them there.
fn clocks(states: &[State]) -> Finding {
    const SUBJECT: &str = "clocks of GPUs";
    let words = |state: &State| match (state.gpu.sm_clock_application_mhz, state.gpu.sm_clock_max_mhz) {
        (Some(set), Some(most)) => format!("set to {set} of {most} MHz"),
        (None, Some(most)) => format!("up to {most} MHz"),
        (Some(set), None) => format!("set to {set} MHz"),
        (None, None) => "not shown".to_owned(),
    };
    let mut all: Vec<String> = states.iter().map(words).collect();
    all.dedup();
    let found = format!("{}; whether they are locked is not to be read", all.join(", "));
    Finding::note(SUBJECT, found, "clocks that are not locked follow load and temperature, and so do latencies")
        .next("`sudo nvidia-smi -lgc MHZ`, with a clock of `nvidia-smi -q -d SUPPORTED_CLOCKS`; some hosts refuse it")
}

/// What it is, then all that is not as it should be.
fn of(n: usize, State { gpu, processes }: &State) -> Vec<Finding> {
    let subject = &format!("{ONE}{n}");
    let node = gpu.numa_node.map(|node| format!(", node {node}")).unwrap_or_default();
    let ecc = match gpu.ecc {
        Some(true) => ", ECC on",
        Some(false) => ", ECC off",
        None => "",
    };
    let found = format!("{}, driver {}{node}{ecc}, {}", gpu.name, gpu.driver, gpu.uuid);
    let mut all = vec![Finding::good(subject, found, "recorded with every run")];
    if !processes.is_empty() {
        let who: Vec<String> = processes.iter().map(|(pid, name)| format!("{name} ({pid})")).collect();
        let found = format!("used by {}", who.join(", "));
        all.push(
            Finding::spoils(subject, found, "its memory and time are not the server's alone")
                .next("end these processes, or lease another GPU"),
        );
    }
    if gpu.mig == Some(true) {
        all.push(
            Finding::spoils(subject, "split into instances (MIG)", "a server gets a part of it, beside neighbours")
                .next(format!("`sudo nvidia-smi -i {n} -mig 0`")),
        );
    }
    if let (Some(now), Some(most)) = (gpu.pcie_width, gpu.pcie_width_max)
        && now < most
    {
        let found = format!("its PCIe link has {now} of {most} lanes");
        all.push(
            Finding::spoils(subject, found, "loading and transfers are slower than on others of its kind")
                .next("reseat it, or look at the slot's wiring and firmware settings"),
        );
    }
    if let (Some(now), Some(most)) = (gpu.pcie_generation, gpu.pcie_generation_max)
        && now < most
    {
        let found = format!("its PCIe link is at generation {now} of {most}");
        all.push(
            Finding::note(subject, found, "usual while it idles; while a server works it has to be the highest")
                .next(format!("look while a server works: `nvidia-smi -i {n} -q -d PCIE`")),
        );
    }
    if gpu.ecc == Some(false) {
        let means = "a memory error would pass for an output of the server";
        all.push(
            Finding::note(subject, "memory errors are not corrected", means)
                .next(format!("`sudo nvidia-smi -i {n} -e 1`, then restart")),
        );
    }
    if gpu.persistence == Some(false) {
        let means = "each server's start waits until the driver is loaded again";
        all.push(
            Finding::note(subject, "persistence mode is off", means).next(format!("`sudo nvidia-smi -i {n} -pm 1`")),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Level, tests::Host};

    fn fine() -> Gpu {
        Gpu {
            uuid: "GPU-1".into(),
            name: "H100".into(),
            driver: "580.95.05".into(),
            numa_node: Some(1),
            persistence: Some(true),
            mig: Some(false),
            ecc: Some(true),
            pcie_generation: Some(5),
            pcie_generation_max: Some(5),
            pcie_width: Some(16),
            pcie_width_max: Some(16),
            sm_clock_max_mhz: Some(1980),
            ..Gpu::default()
        }
    }

    #[test]
    fn a_gpu_as_it_should_be_is_one_good_finding() {
        let found = of(0, &State { gpu: fine(), processes: Vec::new() });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].found, "H100, driver 580.95.05, node 1, ECC on, GPU-1");
        assert_eq!(of(0, &State::default()).len(), 1, "what is not known is not blamed");
    }

    #[test]
    fn each_fault_is_a_finding_of_its_own() {
        for (gpu, level, word) in [
            (Gpu { mig: Some(true), ..fine() }, Level::Spoils, "MIG"),
            (Gpu { pcie_width: Some(8), ..fine() }, Level::Spoils, "8 of 16 lanes"),
            (Gpu { pcie_generation: Some(1), ..fine() }, Level::Note, "generation 1 of 5"),
            (Gpu { ecc: Some(false), ..fine() }, Level::Note, "not corrected"),
            (Gpu { persistence: Some(false), ..fine() }, Level::Note, "persistence"),
        ] {
            let found = of(0, &State { gpu, processes: Vec::new() });
            assert_eq!((found.len(), found[1].level), (2, level), "{word}");
            assert!(found[1].found.contains(word) && found[1].next.is_some(), "{}", found[1].found);
        }
        let used = of(0, &State { gpu: fine(), processes: vec![(7, "python\u{1b}[2J".into())] });
        assert_eq!((used[1].level, used[1].found.as_str()), (Level::Spoils, "used by python\\u{1b}[2J (7)"));
    }

    #[test]
    fn clocks_of_equal_gpus_are_one_note() {
        let states = [1980, 1980]
            .map(|most| State { gpu: Gpu { sm_clock_max_mhz: Some(most), ..fine() }, processes: Vec::new() });
        let finding = clocks(&states);
        assert_eq!(finding.level, Level::Note);
        assert!(finding.found.starts_with("up to 1980 MHz; whether"), "{}", finding.found);
    }

    #[test]
    fn no_library_no_driver_and_no_gpu_are_facts() {
        let host = Host::new();
        let why = read(host.root(), Some(Path::new("/nowhere/libnvidia-ml.so.1"))).unwrap_err();
        assert_eq!(findings(host.root(), Err(&why))[0].level, Level::Absent);
        assert_eq!(findings(host.root(), Ok(&[]))[0].level, Level::Absent);
        let version = "NVRM version: NVIDIA UNIX Open Kernel Module  580.95.05\nGCC";
        let host = host.with("proc/driver/nvidia/version", version);
        let finding = &findings(host.root(), Err(&why))[0];
        assert_eq!(finding.level, Level::Note);
        assert!(finding.found.ends_with("580.95.05"), "{}", finding.found);
    }

    #[test]
    fn shared_gpus_spoil() {
        let host = Host::new().with("proc/12/comm", "nvidia-cuda-mps\n");
        assert_eq!(findings(host.root(), Ok(&[]))[1].level, Level::Spoils);
    }
}
