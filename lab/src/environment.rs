//! The host a trial ran on. What could not be read is `null`, never guessed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Result};

/// Version of `environments/<host>.json`. 1: first. 2: endpoints. 3: the container engine,
/// images, bound folders, cores, and more of GPUs.
pub const FORMAT: u32 = 3;

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

/// One GPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// The vendor's unique id.
    pub uuid: String,
    /// Product name.
    pub name: String,
    /// Driver version.
    pub driver: String,
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
