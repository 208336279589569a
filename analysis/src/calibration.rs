//! The tolerance that a workload's calibration bundles give. Rules: `METHOD.md`, section
//! *Calibration*.

use std::collections::{BTreeMap, BTreeSet};

use lab::workload::{BASELINE, Control, Tolerance};
use stats::{
    calibration::{self, Configuration, calibrate, configuration_mean, far_count},
    clustered::launch_means,
    equivalence::{self, Seen},
    stages::{CROSSING_LN_E, StageE},
};

use crate::{
    judgement::{Calibration, ControlFacts},
    margins,
    study::Study,
};

/// What a run's own controls would give to others; none where it has none, or too few.
pub(crate) fn of_run(study: &Study) -> Option<Calibration> {
    let declares = study.workload.arms().any(|(_, arm)| arm.control.is_some());
    declares.then(|| of([study]).ok().map(|(_, shown)| shown)).flatten()
}

/// The tolerance with what it rests on, or why there is none.
pub(crate) fn of<'a>(runs: impl IntoIterator<Item = &'a Study>) -> Result<(Tolerance, Calibration), String> {
    let runs: Vec<&Study> = runs.into_iter().collect();
    let (positive, negative) = (arms(&runs, Control::Positive), arms(&runs, Control::Negative));
    let found = calibrate(&positive.values().cloned().collect::<Vec<_>>()).map_err(|why| {
        let least = calibration::MIN_CONFIGURATIONS;
        format!("{} distinct honest configurations are graded, at least {least} are needed: {why}", positive.len())
    })?;
    let tolerance = Tolerance { cap_nats: found.cap, mean: found.mean.bound, far: found.far.bound };
    let facts = |controls: BTreeMap<String, Configuration>| -> Option<Vec<ControlFacts>> {
        controls.into_iter().map(|(name, margins)| control(name, &margins, tolerance)).collect()
    };
    let shown = Calibration {
        bundles: runs.iter().flat_map(|run| &run.stages).map(|stage| stage.measure.id).collect(),
        cap_nats: found.cap,
        tokens: found.tokens,
        mean: found.mean.bound,
        factor: found.mean.k,
        raised: found.mean.raised as u64,
        far: found.far.bound,
        positive: facts(positive).ok_or("a positive control is outside of what can be tested")?,
        negative: facts(negative).ok_or("a negative control is outside of what can be tested")?,
    };
    Ok((tolerance, shown))
}

/// Launches of every control of a kind that was graded, by configuration. A baseline is an
/// honest configuration like any other.
fn arms(runs: &[&Study], kind: Control) -> BTreeMap<String, Configuration> {
    let (mut found, mut servers) = (BTreeMap::<String, Configuration>::new(), BTreeMap::<String, String>::new());
    for run in runs {
        let planned: BTreeSet<&str> = run.arms().into_iter().collect();
        for arm in planned {
            let declared = run.workload.arm(arm);
            let control = if arm == BASELINE { Some(Control::Positive) } else { declared.and_then(|a| a.control) };
            let launches = margins::launches(run, arm);
            if control == Some(kind) && !launches.is_empty() {
                let name = declared.and_then(|a| a.configuration.as_deref()).unwrap_or(arm);
                // The same server under two names is one configuration.
                let server = declared.map(|a| format!("{:?} {:?}", a.server, a.env)).unwrap_or_default();
                let name = servers.entry(server).or_insert_with(|| name.to_owned()).clone();
                found.entry(name).or_default().extend(launches);
            }
        }
    }
    found
}

/// One control under the tolerance that all of them give.
fn control(name: String, launches: &Configuration, tolerance: Tolerance) -> Option<ControlFacts> {
    let cap = tolerance.cap_nats;
    let seen: Vec<Vec<Seen>> =
        launches.iter().map(|launch| launch.iter().filter_map(|r| Seen::of(r, cap)).collect()).collect();
    let x: Vec<Vec<f64>> = seen.iter().map(|launch| launch.iter().map(|s| s.x).collect()).collect();
    let means = launch_means(&x).ok()?;
    let course = equivalence::evidence(&seen.concat(), margins::limits(tolerance)).ok()?;
    let count = far_count(launches, cap);
    Some(ControlFacts {
        name,
        launches: launches.len() as u64,
        requests: count.trials,
        tokens: launches.iter().flatten().map(|r| r.len() as u64).sum(),
        mean_x: configuration_mean(launches, cap).ok()?,
        launch_means: (means.iter().copied().reduce(f64::min)?, means.iter().copied().reduce(f64::max)?),
        far_requests: count.hits,
        highest_ln_e: StageE::from(&course).highest_ln,
        requests_to_suspect: course.first_crossing(CROSSING_LN_E).map(|i| i as u64 + 1),
    })
}

#[cfg(test)]
mod tests;
