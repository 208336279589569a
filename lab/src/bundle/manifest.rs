use serde::{Deserialize, Serialize};

use crate::{Digest, Result};

/// Version of `manifest.json` and of the bundle's layout. 1: first.
pub const FORMAT: u32 = 1;

/// The list of everything in a bundle. A bundle's id is the digest of this file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// What the bundle holds.
    pub kind: Kind,
    /// Ids of the bundles that this one continues or grades.
    pub parents: Vec<Digest>,
    /// Wall clock at the seal, RFC 3339, UTC.
    pub sealed: String,
    /// Every file but this one, sorted by path.
    pub files: Vec<File>,
}

/// What a bundle holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Trials.
    Measure,
    /// A reference's view of the outputs of another bundle's trials.
    Grade,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Relative to the bundle, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: Digest,
}

/// Files this large, in bytes, are external: repositories do not take them, and their bytes may lie
/// elsewhere.
pub const EXTERNAL_FROM: u64 = 50 << 20;

impl File {
    /// Whether its bytes may lie elsewhere.
    pub fn is_external(&self) -> bool {
        self.size >= EXTERNAL_FROM
    }

    /// Why nothing that needs this file can be said, where it is not here.
    pub(super) fn not_here(&self) -> String {
        if self.is_external() {
            format!(
                "external, and not here, so that nothing can be said of what rests on it: {} bytes, {}",
                self.size, self.sha256
            )
        } else {
            "missing".to_owned()
        }
    }
}

impl Manifest {
    /// `manifest.json`.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("integers and strings serialise") + "\n"
    }

    /// Reads it; refuses a newer format.
    pub fn from_json(text: &str) -> Result<Self> {
        super::versioned(text, FORMAT, super::MANIFEST)
    }

    /// The bundle's id.
    pub fn id(&self) -> Digest {
        Digest::of(self.to_json())
    }
}
