//! The host a trial ran on. What could not be read is `null`, never guessed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Digest, Result};

/// Version of `environments/<host>.json`. 1: first. 2: endpoints. 3: the container engine,
/// images, bound folders, cores, and more of GPUs. 4: where the program comes from, and pins.
pub const FORMAT: u32 = 4;

/// Hardware, system, program and models of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// [`FORMAT`].
    pub format: u32,
    /// The host's name, made fit for a file name.
    pub host: String,
    /// `PRETTY_NAME` of os-release.
    pub system: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// Processor model.
    pub cpu: Option<String>,
    /// Logical cores this program may use.
    pub cores: u32,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The frequency governor of core 0.
    pub governor: Option<String>,
    /// The kernel's clock source.
    pub clock_source: Option<String>,
    /// GPUs; empty where none was found.
    pub gpus: Vec<Gpu>,
    /// This program.
    pub program: Program,
    /// The pinned environment that belongs to the program; files before version 4 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pins: Option<Pins>,
    /// Servers that were measured and that nobody here started or could describe: base URLs
    /// by arm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<String, String>,
    /// The container engine, where images run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Images by arm, as the engine has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, ImageFacts>,
    /// Tree digests of the host's folders that containers see, by the path inside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub binds: BTreeMap<String, Digest>,
    /// Who runs on which cores, where containers run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Models by name.
    pub models: BTreeMap<String, ModelFacts>,
}

/// One GPU, as the driver's management library describes it. Files before version 3 hold the
/// first three fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// The vendor's unique id: `GPU-` and 32 hexadecimal digits in groups.
    pub uuid: String,
    /// Product name.
    pub name: String,
    /// Driver version.
    pub driver: String,
    /// Version of its firmware.
    #[serde(default)]
    pub vbios: Option<String>,
    /// Where it is on the PCI bus, as the kernel writes it: `0000:3b:00.0`.
    #[serde(default)]
    pub pci: Option<String>,
    /// N of `/dev/nvidiaN`.
    #[serde(default)]
    pub minor: Option<u32>,
    /// The NUMA node that it is attached to, as the kernel says.
    #[serde(default)]
    pub numa_node: Option<u32>,
    /// Memory in bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// The power limit in force, in milliwatts.
    #[serde(default)]
    pub power_limit_mw: Option<u32>,
    /// Whether memory errors are corrected.
    #[serde(default)]
    pub ecc: Option<bool>,
    /// Whether it is split into instances.
    #[serde(default)]
    pub mig: Option<bool>,
    /// Whether the driver stays loaded while nobody uses it.
    #[serde(default)]
    pub persistence: Option<bool>,
    /// Who may use it.
    #[serde(default)]
    pub compute_mode: Option<ComputeMode>,
    /// Generation of the PCIe link at this moment; the link slows down while the GPU idles.
    #[serde(default)]
    pub pcie_generation: Option<u32>,
    /// Lanes of the PCIe link at this moment.
    #[serde(default)]
    pub pcie_width: Option<u32>,
    /// The highest generation that GPU and slot have in common.
    #[serde(default)]
    pub pcie_generation_max: Option<u32>,
    /// The most lanes that GPU and slot have in common.
    #[serde(default)]
    pub pcie_width_max: Option<u32>,
    /// The highest clock of its multiprocessors, in MHz.
    #[serde(default)]
    pub sm_clock_max_mhz: Option<u32>,
    /// The highest clock of its memory, in MHz.
    #[serde(default)]
    pub memory_clock_max_mhz: Option<u32>,
    /// The clock that applications are given, in MHz, where one is set. The library does not
    /// say whether a clock is locked.
    #[serde(default)]
    pub sm_clock_application_mhz: Option<u32>,
    /// The clock of the memory that applications are given, in MHz.
    #[serde(default)]
    pub memory_clock_application_mhz: Option<u32>,
}

impl Gpu {
    /// Without what changes by itself from moment to moment: what is left is the same as long
    /// as nobody changes the machine.
    #[must_use]
    pub fn lasting(&self) -> Self {
        Gpu { pcie_generation: None, pcie_width: None, ..self.clone() }
    }
}

/// Who may use a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComputeMode {
    /// Any number of processes.
    Default,
    /// One thread; no driver of today has it.
    ExclusiveThread,
    /// Nobody.
    Prohibited,
    /// One process.
    ExclusiveProcess,
}

/// The container engine, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Its version.
    pub version: String,
    /// The version of its interface that was spoken.
    pub api: String,
    /// Where its images are: `overlay2`, or a snapshotter of containerd.
    pub storage: Option<String>,
    /// Version of the control groups that limit containers.
    pub cgroup: Option<String>,
    /// The runtime that starts containers, with its version where it says one.
    pub runtime: Option<String>,
    /// What confines every container: `seccomp`, `apparmor`, `userns`, `rootless`.
    pub security: Vec<String>,
    /// Cores that the engine's own process may run on, where this host shows it.
    pub cores: Option<String>,
}

/// An image as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// As the workload names it: by manifest digest, or an archive by its file's digest.
    pub asked: String,
    /// What the engine calls it.
    pub id: Digest,
    /// What that digest is of: `config` or `manifest`, by the kind of the engine's store.
    pub id_of: String,
    /// The manifest's digest, where it came from a registry and the engine confirms it.
    pub manifest: Option<Digest>,
    /// Bytes unpacked, as the engine counts them.
    pub bytes: u64,
    /// Digests of its unpacked layers, lowest first.
    pub layers: Vec<Digest>,
    /// What about it a reader should know: that it wants root, volumes, ports or variables.
    pub wants: Vec<String>,
}

/// Who runs on which cores.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The servers.
    pub server: Vec<u32>,
    /// The threads that send and read.
    pub client: Vec<u32>,
    /// Everything else of this program: its display, logs and samples.
    pub rest: Vec<u32>,
    /// The memory nodes of the servers.
    pub nodes: Vec<u32>,
    /// Why they share cores, where they do.
    pub shared: Option<String>,
}

/// The program that measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// SHA-256 of the executable.
    pub digest: Option<Digest>,
    /// Where Nix put it: a name that follows from everything that it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_path: Option<String>,
    /// The commit that it was built from, with `-dirty` where its sources differed. Nix builds
    /// have none: they know their sources, but not in which commits these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// The pinned environment that a program was built with: what a rerun elsewhere would take. Which
/// of it a server ran from, its image or command says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// `narHash` of nixpkgs in `flake.lock`.
    pub nixpkgs: String,
    /// SHA-256 of each list of wheels in `nix/wheels`, by its name.
    pub wheels: BTreeMap<String, Digest>,
}

/// A model as found on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Tree digest of its folder.
    pub digest: Digest,
    /// Bytes of the folder.
    pub bytes: u64,
    /// SHA-256 of `tokenizer.json`.
    pub tokenizer: Digest,
}

impl Environment {
    /// As stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("integers and strings serialise") + "\n"
    }

    /// Reads it; refuses a newer format.
    pub fn from_json(text: &str) -> Result<Self> {
        crate::bundle::versioned(text, FORMAT, "environments")
    }
}

/// Arms that have the same image, or images that share layers: in words, those that
/// share the most first. A layer that was packed anew is another.
pub fn alike(images: &BTreeMap<String, ImageFacts>) -> Vec<String> {
    let arms = |like: &dyn Fn(&ImageFacts) -> bool| -> Vec<&str> {
        images.iter().filter(|(_, image)| like(image)).map(|(arm, _)| arm.as_str()).collect()
    };
    let ids: BTreeSet<Digest> = images.values().map(|image| image.id).collect();
    let same = ids.into_iter().map(|id| arms(&|image| image.id == id)).filter(|arms| arms.len() > 1);
    let mut lines: Vec<String> = same.map(|arms| format!("{} have the same image", arms.join(", "))).collect();

    let layers = |image: &ImageFacts| -> BTreeSet<Digest> { image.layers.iter().copied().collect() };
    let pairs = images.values().flat_map(|a| images.values().map(move |b| (a, b))).filter(|(a, b)| a.id != b.id);
    let shared: BTreeSet<BTreeSet<Digest>> = pairs.map(|(a, b)| &layers(a) & &layers(b)).collect();
    let mut shared: Vec<BTreeSet<Digest>> = shared.into_iter().filter(|layers| !layers.is_empty()).collect();
    shared.sort_by_key(|layers| std::cmp::Reverse(layers.len()));
    for common in shared {
        let arms = arms(&|image| common.is_subset(&layers(image)));
        let what = if common.len() == 1 { "layer" } else { "layers" };
        lines.push(format!("images of {} share {} {what}", arms.join(", "), common.len()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_of_version_2_is_read_and_says_nothing_that_it_did_not_say() {
        let old = r#"{ "uuid": "GPU-1", "name": "H100", "driver": "580.95.05" }"#;
        let gpu: Gpu = serde_json::from_str(old).unwrap();
        let three = Gpu { uuid: "GPU-1".into(), name: "H100".into(), driver: "580.95.05".into(), ..Gpu::default() };
        assert_eq!(gpu, three);
    }

    #[test]
    fn a_file_of_version_3_says_nothing_of_pins_and_stays_as_it_was() {
        let program = Program { version: "0.1.0".into(), digest: Some(Digest::of("bench")), ..Program::default() };
        let three = Environment { format: 3, host: "here".into(), program, ..Environment::default() };
        let old = three.to_json();
        assert!(!["pins", "store_path", "revision"].iter().any(|field| old.contains(field)), "{old}");
        let read = Environment::from_json(&old).unwrap();
        assert_eq!((&read.pins, &read.program.revision, &read.program.store_path), (&None, &None, &None));
        assert_eq!(read.to_json(), old);
    }

    #[test]
    fn pins_are_read_as_they_were_written() {
        let pins = Pins { nixpkgs: "sha256-abc=".into(), wheels: [("cuda".to_owned(), Digest::of("list"))].into() };
        let program = Program { revision: Some("cac10d9-dirty".into()), ..Program::default() };
        let four = Environment { format: FORMAT, pins: Some(pins), program, ..Environment::default() };
        assert_eq!(Environment::from_json(&four.to_json()).unwrap(), four);
    }

    #[test]
    fn what_could_not_be_read_of_a_gpu_is_stored_as_null() {
        let text = serde_json::to_string(&Gpu { ecc: Some(true), ..Gpu::default() }).unwrap();
        assert!(text.contains(r#""ecc":true,"mig":null"#), "{text}");
    }

    #[test]
    fn a_link_that_has_slowed_down_is_no_other_gpu() {
        let busy = Gpu { uuid: "GPU-1".into(), pcie_generation: Some(5), ecc: Some(true), ..Gpu::default() };
        let idle = Gpu { pcie_generation: Some(1), ..busy.clone() };
        assert_eq!(busy.lasting(), idle.lasting());
        assert_ne!(busy.lasting(), Gpu { ecc: Some(false), ..busy.clone() }.lasting());
    }

    fn image(id: &str, layers: &[&str]) -> ImageFacts {
        ImageFacts {
            asked: String::new(),
            id: Digest::of(id),
            id_of: "config".into(),
            manifest: None,
            bytes: 0,
            layers: layers.iter().map(Digest::of).collect(),
            wants: Vec::new(),
        }
    }

    #[test]
    fn copied_images_and_shared_layers_are_named() {
        let images = [
            ("base", image("1", &["os", "vllm"])),
            ("copy", image("1", &["os", "vllm"])),
            ("on-top", image("2", &["os", "vllm", "patch"])),
            ("again", image("3", &["os", "vllm", "patch", "more"])),
            ("hidden", image("4", &["empty", "os", "vllm"])),
            ("other", image("5", &["alpine"])),
        ];
        let images = images.into_iter().map(|(arm, facts)| (arm.to_owned(), facts)).collect();
        assert_eq!(
            alike(&images),
            [
                "base, copy have the same image",
                "images of again, on-top share 3 layers",
                "images of again, base, copy, hidden, on-top share 2 layers",
            ]
        );
    }
}
