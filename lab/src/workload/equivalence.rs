//! How outputs are graded, and what is tolerated of them.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Arm, check::Check, written};
use crate::{Digest, Result};

/// How outputs are graded.
#[derive(Debug, Clone)]
pub struct Equivalence {
    /// The trusted server that scores outputs; the baseline's where none is declared.
    pub reference: Option<Arm>,
    /// Graded requests of each trial.
    pub sample: u32,
    /// The declared tolerance, for verdicts without calibration.
    pub tolerance: Option<Tolerance>,
    /// Ids of the measure bundles whose controls set the tolerance instead.
    pub calibration: Vec<Digest>,
    /// Rounds of the stage that a run adds by itself where a candidate is suspect.
    pub confirm: Option<u32>,
}

/// A numerics budget that the workload's author declares. Verdicts from it are
/// *provisional*: no calibration stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// c: margins are capped here, in nats.
    pub cap_nats: f64,
    /// δ: the tolerated mean of capped margins, as a share of the cap.
    pub mean: f64,
    /// δ_h: the tolerated share of requests with a margin above four caps.
    pub far: f64,
}

impl Check<'_> {
    /// Asked of files and not of sealed bundles: some of them say `calibration = []`.
    pub(super) fn calibration_is_named(&self) -> Result<()> {
        let table: toml::Table = toml::from_str(self.source).unwrap_or_default();
        let named = table.get("equivalence").and_then(|e| e.get("calibration"));
        if named.and_then(toml::Value::as_array).is_some_and(Vec::is_empty) {
            let next = "write the ids of measure bundles of controls, or remove it and declare equivalence.tolerance";
            return Err(self.wrong("equivalence.calibration", "[] names no bundle", next));
        }
        Ok(())
    }

    pub(super) fn equivalence(&self, e: written::Equivalence) -> Result<Equivalence> {
        self.in_range("equivalence.sample", e.sample, 1..=1 << 20)?;
        if let Some(t) = e.tolerance {
            let inside =
                t.cap_nats > 0.0 && t.cap_nats < 100.0 && t.mean > 1e-9 && t.mean < 1.0 && t.far > 1e-9 && t.far < 1.0;
            if !inside {
                return Err(self.wrong(
                    "equivalence.tolerance",
                    "a tolerance lies outside its range",
                    "cap_nats lies above 0, mean and far between 10⁻⁹ and 1",
                ));
            }
        }
        let reference = e.reference.map(|arm| self.arm("equivalence.reference", arm)).transpose()?;
        if let Some(confirm) = e.confirm {
            self.in_range("equivalence.confirm", confirm, 1..=1_000)?;
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = e.calibration.iter().find(|id| !seen.insert(**id)) {
            return Err(self.wrong(
                "equivalence.calibration",
                &format!("{twice} stands twice"),
                "remove one of the two",
            ));
        }
        if e.tolerance.is_some() && !e.calibration.is_empty() {
            let what = "a tolerance is declared and calibrated, and only one can hold";
            return Err(self.wrong("equivalence.calibration", what, "remove equivalence.tolerance"));
        }
        let (calibration, confirm) = (e.calibration, e.confirm);
        Ok(Equivalence { reference, sample: e.sample, tolerance: e.tolerance, calibration, confirm })
    }
}
