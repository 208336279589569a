//! From axes and exclusions to the cells that run.

use std::collections::{BTreeMap, BTreeSet};

use super::{Arm, BLIND_CONTROL, Load, Model, check::Check, written};
use crate::Result;

/// Of models, loads and exclusions a workload has no more, each by itself; and of models, numbers of
/// GPUs and candidates or loads no more combinations: a stranger's file may name very many.
const MOST_VALUES: usize = 4_096;
const MOST_CELLS: usize = 100_000;

/// One model on one number of GPUs, and the candidates that run there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The model's name.
    pub model: String,
    /// GPUs of a server.
    pub gpus: u32,
    /// Candidates, sorted.
    pub candidates: Vec<String>,
    /// Loads by name, in the file's order.
    pub loads: Vec<String>,
}

impl Check<'_> {
    pub(super) fn groups(
        &self,
        matrix: &written::Matrix,
        models: &BTreeMap<String, Model>,
        candidates: &BTreeMap<String, Arm>,
        loads: &[Load],
    ) -> Result<Vec<Group>> {
        let gpus = matrix.gpus.as_deref().unwrap_or(&[0]);
        let wide = candidates.len().max(loads.len()).max(1);
        let cells = models.len().saturating_mul(gpus.len()).saturating_mul(wide);
        if models.len() > MOST_VALUES || loads.len() > MOST_VALUES || matrix.exclude.len() > MOST_VALUES {
            let what = format!("more than {MOST_VALUES} models, loads or exclusions");
            return Err(self.wrong("matrix", &what, "make two workloads of it"));
        }
        if cells > MOST_CELLS {
            let what = format!("{cells} cells are more than {MOST_CELLS}");
            return Err(self.wrong("matrix", &what, "make two workloads of it"));
        }
        let models = self.axis("matrix.models", matrix.models.as_deref(), models.keys().map(String::as_str))?;
        let named = candidates.keys().map(String::as_str).filter(|name| *name != BLIND_CONTROL);
        let mut names = self.axis("matrix.candidates", matrix.candidates.as_deref(), named)?;
        // No axis leaves it out.
        names.extend(candidates.contains_key(BLIND_CONTROL).then(|| BLIND_CONTROL.to_owned()));
        let loads = self.axis("matrix.loads", matrix.loads.as_deref(), loads.iter().map(|l| l.name.as_str()))?;
        for exclude in &matrix.exclude {
            for (axis, value, known) in [("candidate", &exclude.candidate, &names), ("model", &exclude.model, &models)]
            {
                if let Some(value) = value.as_ref().filter(|v| !known.contains(v)) {
                    return Err(self.wrong(
                        "matrix.exclude",
                        &format!("no {axis} of the matrix is named `{value}`"),
                        &format!("write one of {}", known.join(", ")),
                    ));
                }
            }
        }
        let excluded = |candidate: &str, model: &str, gpus: u32| {
            matrix.exclude.iter().any(|x| {
                x.candidate.as_deref().is_none_or(|c| c == candidate)
                    && x.model.as_deref().is_none_or(|m| m == model)
                    && x.gpus.is_none_or(|g| g == gpus)
            })
        };
        let mut groups = Vec::new();
        for model in &models {
            for &gpus in gpus {
                let candidates: Vec<String> = names.iter().filter(|c| !excluded(c, model, gpus)).cloned().collect();
                if !candidates.is_empty() || names.is_empty() {
                    groups.push(Group { model: model.clone(), gpus, candidates, loads: loads.clone() });
                }
            }
        }
        if groups.is_empty() {
            return Err(self.wrong(
                "matrix",
                "the matrix is empty: its axes and exclusions leave no candidate to run",
                "remove an exclusion",
            ));
        }
        Ok(groups)
    }

    /// The chosen values of an axis, or all of them.
    fn axis<'n>(
        &self,
        field: &str,
        chosen: Option<&[String]>,
        known: impl Iterator<Item = &'n str>,
    ) -> Result<Vec<String>> {
        let known: Vec<String> = known.map(str::to_owned).collect();
        let Some(chosen) = chosen else { return Ok(known) };
        let mut seen = BTreeSet::new();
        for value in chosen {
            if !known.contains(value) {
                return Err(self.wrong(
                    field,
                    &format!("`{value}` is not declared"),
                    &format!("write one of {}", known.join(", ")),
                ));
            }
            if !seen.insert(value) {
                return Err(self.wrong(field, &format!("`{value}` stands twice"), "remove one of the two"));
            }
        }
        Ok(chosen.to_vec())
    }
}
