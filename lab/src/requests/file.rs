//! A request set that somebody else made.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Request, Slot};
use crate::{Digest, Problem, Result};

/// `[requests.file]`: a request set in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// JSONL, relative to the workload file.
    pub path: PathBuf,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// Repeat the prompts, each time under another first line.
    #[serde(default)]
    pub nonce: bool,
}

/// One request per slot, from the bytes of the file that `spec` names.
pub fn file(_spec: &File, _bytes: &[u8], _slots: &[Slot]) -> Result<Vec<Request>> {
    Err(Problem::input("not made yet"))
}
