use serde::{Deserialize, Serialize};

use crate::{
    Result,
    bundle::{Bundle, TRIAL, TRIALS},
    records::{Class, TrialOutcome},
};

/// What became of the trials of a bundle, all of its plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// They ran to their ends.
    pub complete: u32,
    /// Their servers failed.
    pub failed: u32,
    /// They are not there, or the host failed.
    pub void: u32,
}

impl Counts {
    /// Of a measure bundle.
    pub fn of(bundle: &Bundle) -> Result<Self> {
        let mut counts = Counts::default();
        for trial in bundle.plan()?.trials {
            let folder = trial.folder();
            if !bundle.has(&format!("{TRIALS}/{folder}/{TRIAL}")) {
                counts.void += 1;
                continue;
            }
            match bundle.trial_facts(&folder)?.outcome {
                TrialOutcome::Completed => counts.complete += 1,
                TrialOutcome::Failed { class: Class::Host, .. } => counts.void += 1,
                TrialOutcome::Failed { .. } => counts.failed += 1,
            }
        }
        Ok(counts)
    }
}
