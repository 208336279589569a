//! The host a trial ran on. What could not be read is `null`, never guessed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Result};

/// Version of `environments/<host>.json`. 1: first. 2: endpoints.
pub const FORMAT: u32 = 2;

/// Hardware, system, program and models of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// The program that measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
