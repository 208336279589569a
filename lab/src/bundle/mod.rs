//! The sealed folder that a run leaves: `results/README.md` specifies it file by file.
//!
//! A trial is the unit of atomicity: built beside, synced, renamed in. The manifest is
//! written last, and its presence is the seal.

mod absent;
mod exchanges;
mod manifest;
mod read;
mod store;
mod stream;
mod tables;
mod verify;
mod weekly;
mod write;

pub use exchanges::{ExchangeWriter, read_exchanges, write_exchanges};
pub use manifest::{EXTERNAL_FROM, FORMAT, File, Kind, Manifest};
pub use read::{Bundle, TrialRecord};
pub use store::{Store, Stores, run_folders};
pub use stream::{Exchanges, Rows};
pub use tables::{MOST_EVIDENCE, TableWriter, read_table, write_table};
pub use verify::{Finding, verify};
pub use weekly::{PassedOver, Shown, Weekly};
pub use write::{RunFolder, TrialFolder};

use serde::de::DeserializeOwned;

use crate::{Problem, Result};

/// `manifest.json`
pub const MANIFEST: &str = "manifest.json";
/// `manifest.dsse.json`: who signed the manifest. It is not part of the bundle.
pub const ENVELOPE: &str = "manifest.dsse.json";
/// No envelope is larger.
pub const LARGEST_ENVELOPE: u64 = 64 << 10;
/// `workload.toml`
pub const WORKLOAD: &str = "workload.toml";
/// `plan.json`
pub const PLAN: &str = "plan.json";
/// `run.json`
pub const RUN: &str = "run.json";
/// `requests.jsonl`
pub const REQUESTS: &str = "requests.jsonl";
/// `schedule.csv`
pub const SCHEDULE: &str = "schedule.csv";
/// `traces`
pub const TRACES: &str = "traces";
/// `environments`
pub const ENVIRONMENTS: &str = "environments";
/// `tokenizers`
pub const TOKENIZERS: &str = "tokenizers";
/// `trials`
pub const TRIALS: &str = "trials";
/// `reference`
pub const REFERENCE: &str = "reference";
/// `grade.json` of a grade bundle.
pub const GRADE: &str = "grade.json";
/// `prompts.csv.zst` of a grade bundle.
pub const PROMPTS: &str = "prompts.csv.zst";
/// `graded.csv` of a grade bundle.
pub const GRADED: &str = "graded.csv";
/// `trial.json` of a trial.
pub const TRIAL: &str = "trial.json";
/// `requests.csv` of a trial.
pub const REQUEST_TABLE: &str = "requests.csv";
/// `chunks.csv.zst` of a trial: its chunks once more, in bundles of format 3 and older.
pub const CHUNK_TABLE: &str = "chunks.csv.zst";
/// `wire.zst` of a trial.
pub const WIRE: &str = "wire.zst";
/// `telemetry.csv` of a trial.
pub const TELEMETRY: &str = "telemetry.csv";
/// `server.log` of a trial.
pub const LOG: &str = "server.log";

/// Reads JSON that carries its `format`; a newer one is refused politely, before its
/// fields are looked at.
pub fn versioned<T: DeserializeOwned>(text: &str, newest: u32, place: &str) -> Result<T> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: u32,
    }
    let broken = |e: serde_json::Error| Problem::broken(format!("not readable: {e}")).at(place);
    let Version { format } = serde_json::from_str(text).map_err(broken)?;
    if format > newest {
        return Err(Problem::broken(format!("format {format} is newer than this program's {newest}"))
            .at(place)
            .next("use the version of bench that wrote it, or a later one"));
    }
    serde_json::from_str(text).map_err(broken)
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
