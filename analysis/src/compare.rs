//! Two runs, or two arms, against each other: is what differs between them speed, and by how
//! much. Rules: `METHOD.md`, section *Comparing bundles*.

mod context;
mod contrast;
mod values;

use lab::{Digest, Kind, Problem, Result, workload::BASELINE};
use serde::Serialize;

pub(crate) use context::{contract, environments, telling};
pub use contrast::{Contrast, Ratio};

pub use crate::stack::Difference;

use crate::{
    METHOD,
    judgement::{Judgement, Verdict},
    study::{Cell, Study},
    verdict::judge,
    voids::voids,
};
use contrast::Pairing;
use values::Values;

/// Version of the JSON that `bench compare --json` prints. 1: first.
pub const FORMAT: u32 = 1;

/// One side of a comparison.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its run.
    pub study: &'a Study,
    /// One of its arms; none for all that both sides have.
    pub arm: Option<&'a str>,
}

/// What `bench compare` says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// [`FORMAT`].
    pub format: u32,
    /// The method's version, see `METHOD.md`.
    pub method: &'static str,
    /// The first side.
    pub a: SideRef,
    /// The second side.
    pub b: SideRef,
    /// Whether rounds of both sides are rounds of one run, and are compared one by one.
    pub paired: bool,
    /// Speeds that differ by less are the same: the smaller of what the two workloads declare.
    pub same_within: f64,
    /// What does not have to be equal, and is not.
    pub differences: Vec<Difference>,
    /// Each pair of arms: the baselines first, then by name.
    pub arms: Vec<Arms>,
}

/// Which run, and which of its arms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SideRef {
    /// Digest of the manifest of its first stage.
    pub bundle: Digest,
    /// Name of its folder.
    pub folder: String,
    /// The arm, where one is named.
    pub arm: Option<String>,
}

/// Two arms against each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arms {
    /// The arm of the first side.
    pub a: String,
    /// The arm of the second side.
    pub b: String,
    /// The verdicts on their outputs; none of a baseline. Speed of altered outputs does not count.
    pub verdicts: (Option<Verdict>, Option<Verdict>),
    /// The overall speed-up over its own baseline of the one over that of the other: the ratio
    /// of ratios. None between baselines, and where a side has none.
    pub overall: Option<Contrast>,
    /// Why there is no overall comparison.
    pub note: Option<String>,
    /// Cell by cell.
    pub cells: Vec<CellContrast>,
}

/// One cell that both have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellContrast {
    /// The model.
    pub model: String,
    /// GPUs.
    pub gpus: u32,
    /// The load.
    pub load: String,
    /// The speed-ups at equal work over the own baseline; none between baselines.
    pub over_baseline: Option<Contrast>,
    /// Latencies and rates as they were measured.
    pub metrics: Vec<Contrast>,
}

/// Compares two sides.
///
/// # Errors
/// `NotComparable` where a field that has to be equal is not, naming it and both values, or
/// where an arm is not in its run.
pub fn compare(a: Side<'_>, b: Side<'_>) -> Result<Comparison> {
    let paired = id(a.study) == id(b.study);
    let differences = if paired { Vec::new() } else { context::refuse_unequal(a.study, b.study)? };
    let within = a.study.workload.score.same_within.min(b.study.workload.score.same_within);
    let judgements = (judge(a.study), judge(b.study));
    let mut arms = Vec::new();
    for (of_a, of_b) in pairs_of_arms(a, b)? {
        let sides = ((a.study, of_a, &judgements.0), (b.study, of_b, &judgements.1));
        arms.push(two_arms(sides, paired, within)?);
    }
    contrast::adjust(&mut arms);
    let side = |side: Side<'_>| SideRef {
        bundle: id(side.study),
        folder: folder(side.study),
        arm: side.arm.map(str::to_owned),
    };
    Ok(Comparison {
        format: FORMAT,
        method: METHOD,
        a: side(a),
        b: side(b),
        paired,
        same_within: within,
        differences,
        arms,
    })
}

/// The manifest's digest of a run's first stage.
fn id(study: &Study) -> Digest {
    study.stages[0].measure.id
}

/// The name of its folder.
pub(crate) fn folder(study: &Study) -> String {
    let name = study.stages[0].measure.path.file_name();
    lab::text::shown(&name.map(|n| n.to_string_lossy()).unwrap_or_default(), 120)
}

/// Which arms are compared: the two that are named, or every arm that both have.
fn pairs_of_arms<'s>(a: Side<'s>, b: Side<'s>) -> Result<Vec<(&'s str, &'s str)>> {
    if a.arm.or(b.arm).is_none() {
        let of_b = b.study.arms();
        return Ok(a.study.arms().into_iter().filter(|arm| of_b.contains(arm)).map(|arm| (arm, arm)).collect());
    }
    let named = |side: Side<'s>, other: Side<'s>| {
        let arm = side.arm.or(other.arm).unwrap_or(BASELINE);
        let known = side.study.arms();
        if known.contains(&arm) {
            return Ok(arm);
        }
        let what = format!("no arm of {} is named `{}`", folder(side.study), lab::text::shown(arm, 80));
        Err(Problem::new(Kind::NotComparable, what).next(format!("name one of {}", known.join(", "))))
    };
    Ok(vec![(named(a, b)?, named(b, a)?)])
}

type Of<'s> = (&'s Study, &'s str, &'s Judgement);

fn two_arms((a, b): (Of<'_>, Of<'_>), paired: bool, within: f64) -> Result<Arms> {
    let values = (Values::of(a.0, a.1, &voids(a.0)), Values::of(b.0, b.1, &voids(b.0)));
    let claims = [values.0.claim, values.1.claim];
    let confidence = claims[0].confidence().max(claims[1].confidence());
    let reached = claims.iter().all(|claim| claim.waits_for.is_none());
    let pairing = Pairing { paired, within, confidence, reached };
    let baselines = a.1 == BASELINE || b.1 == BASELINE;
    let note = [(&values.0, a), (&values.1, b)].into_iter().find_map(|(values, side)| {
        let why = values.overall.note.as_ref().filter(|_| values.overall.effect.is_none())?;
        (side.1 != BASELINE).then(|| format!("{} in {}: {}", side.1, folder(side.0), why.text))
    });
    let overall = (!baselines).then(|| pairing.speed_ups(&values.0.overall.logs, &values.1.overall.logs));
    let shared: Vec<Cell> = a.0.cells_of_arm(a.1).into_iter().filter(|c| b.0.cells_of_arm(b.1).contains(c)).collect();
    if shared.is_empty() {
        let what = format!("{} and {} have no model, number of GPUs and load in common", a.1, b.1);
        return Err(Problem::new(Kind::NotComparable, what).next("compare arms that were measured under one load"));
    }
    let cells = shared.into_iter().map(|cell| {
        let over = (!baselines).then(|| pairing.speed_ups(values.0.logs(&cell), values.1.logs(&cell)));
        let metrics = values.0.metrics(a.0, &cell).into_iter().filter_map(|own| {
            let other = values.1.metrics(b.0, &cell).into_iter().find(|m| m.name == own.name)?;
            Some(pairing.metric(&own, &other))
        });
        CellContrast {
            over_baseline: over,
            metrics: metrics.collect(),
            model: cell.model,
            gpus: cell.gpus,
            load: cell.load,
        }
    });
    let verdict = |(_, arm, judgement): Of<'_>| {
        let all = judgement.candidates.iter().chain(&judgement.blind_control);
        all.filter(|c| c.name == arm).map(|c| c.verdict).next()
    };
    Ok(Arms {
        a: a.1.to_owned(),
        b: b.1.to_owned(),
        verdicts: (verdict(a), verdict(b)),
        overall: overall.filter(|_| note.is_none()),
        note,
        cells: cells.collect(),
    })
}

#[cfg(test)]
mod tests;
