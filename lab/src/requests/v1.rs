//! The shape of Cacheon's V1 prompts: an instruction and a passage of literature.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Request, Slot, Wrong, length::MOST_TOKENS};
use crate::{Digest, Problem, Result, tokenizer::Tokenizer};

/// `[requests.v1]`: an instruction to analyse literature, and a passage of a local corpus.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct V1 {
    /// A `.txt` file, or a folder of `.txt` files and nothing else, relative to the workload file.
    pub corpus: PathBuf,
    /// SHA-256 of the file, or tree digest of the folder.
    pub digest: Digest,
    /// What nobody knew beforehand, such as a block's hash, as it is written.
    pub beacon: String,
    /// The model whose tokenizer counts.
    pub model: String,
    /// Tokens of a prompt.
    #[serde(default = "input")]
    pub input: u32,
}

fn input() -> u32 {
    6_144
}

impl V1 {
    /// What is out of range: the field, what is wrong, what to do.
    pub fn check(&self) -> std::result::Result<(), Wrong> {
        if !(128..=MOST_TOKENS).contains(&self.input) {
            let what = format!("{} is not between 128 and {MOST_TOKENS}", self.input);
            return Err(("input", what, "write a number in that range; V1 had 6144"));
        }
        if self.beacon.is_empty() {
            return Err((
                "beacon",
                "it is empty".into(),
                "write a value that nobody knew beforehand, like a block's hash",
            ));
        }
        Ok(())
    }
}

/// One request per slot, from the corpus that `spec` names: file names and texts, sorted
/// by name.
pub fn v1(_spec: &V1, _corpus: &[(String, String)], _tokenizer: &Tokenizer, _slots: &[Slot]) -> Result<Vec<Request>> {
    Err(Problem::input("not made yet"))
}
