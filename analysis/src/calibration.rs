//! The tolerance that a workload's calibration bundles give. Rules: `METHOD.md`, section
//! *Calibration*.

use std::collections::{BTreeMap, BTreeSet};

use lab::workload::{BASELINE, Control, Tolerance};
use stats::{
    NoAnswer,
    calibration::{self, Configuration, calibrate, configuration_mean, far_count},
    clustered::launch_means,
    equivalence::{self, Seen},
    stages::{CROSSING_LN_E, StageE},
    tolerance,
};

use crate::{
    judgement::{Calibration, ControlFacts},
    margins,
    study::Study,
};

/// What a run's own controls would give to others, or what they lack; none where it has none.
pub(crate) fn of_run(study: &Study) -> Option<Result<Calibration, String>> {
    let declares = study.workload.arms().any(|(_, arm)| arm.control.is_some());
    declares.then(|| of([study]).map(|(_, shown)| shown))
}

/// The tolerance with what it rests on, or why there is none.
pub(crate) fn of<'a>(runs: impl IntoIterator<Item = &'a Study>) -> Result<(Tolerance, Calibration), String> {
    let runs: Vec<&Study> = runs.into_iter().collect();
    let (positive, negative) = (arms(&runs, Control::Positive), arms(&runs, Control::Negative));
    let honest: Vec<Configuration> = positive.values().map(|control| control.launches.clone()).collect();
    let found = calibrate(&honest).map_err(|why| missing(&positive, &why))?;
    let tolerance = Tolerance { cap_nats: found.cap, mean: found.mean.bound, far: found.far.bound };
    let facts = |controls: BTreeMap<String, Launched>| -> Option<Vec<ControlFacts>> {
        controls.into_iter().map(|(name, launched)| control(name, launched, tolerance)).collect()
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

/// What honest configurations lack to be a calibration, and after a semicolon what to do.
fn missing(positive: &BTreeMap<String, Launched>, why: &NoAnswer) -> String {
    let (have, least) = (positive.len(), calibration::MIN_CONFIGURATIONS);
    let names = positive.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let said = match why {
        _ if have == 0 => "none of the honest configurations is graded".to_owned(),
        _ if have == 1 => format!("1 honest configuration is graded ({names})"),
        _ => format!("{have} distinct honest configurations are graded ({names})"),
    };
    match *why {
        NoAnswer::TooFew { .. } if have < least => format!(
            "{said}, and at least {least} are needed; measure and grade {} more, with control = \"positive\", and name that bundle too",
            least - have
        ),
        NoAnswer::Outside(calibration::BELOW_1) => format!(
            "{said}, and they differ so much that their tolerance would allow anything; look whether one of them is no honest configuration, and grade more requests of each"
        ),
        NoAnswer::Outside(tolerance::ABOVE_0) => format!(
            "{said}, and every token of theirs is the reference's first choice, so that nothing tells how far honest ones may be from it; grade more requests of each"
        ),
        ref other => format!("{said}, and their margins have no tolerance bound: {other}"),
    }
}

/// What was measured of one control.
#[derive(Default)]
struct Launched {
    arms: BTreeSet<String>,
    launches: Configuration,
}

/// Launches of every control of a kind that was graded, by configuration. A baseline is an
/// honest configuration like any other.
fn arms(runs: &[&Study], kind: Control) -> BTreeMap<String, Launched> {
    let (mut found, mut servers) = (BTreeMap::<String, Launched>::new(), BTreeMap::<String, String>::new());
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
                let launched = found.entry(name).or_default();
                launched.arms.insert(arm.to_owned());
                launched.launches.extend(launches);
            }
        }
    }
    found
}

/// One control under the tolerance that all of them give.
fn control(name: String, launched: Launched, tolerance: Tolerance) -> Option<ControlFacts> {
    let Launched { arms, launches } = launched;
    let cap = tolerance.cap_nats;
    let seen: Vec<Vec<Seen>> =
        launches.iter().map(|launch| launch.iter().filter_map(|r| Seen::of(r, cap)).collect()).collect();
    let x: Vec<Vec<f64>> = seen.iter().map(|launch| launch.iter().map(|s| s.x).collect()).collect();
    let means = launch_means(&x).ok()?;
    let course = equivalence::evidence(&seen.concat(), margins::limits(tolerance)).ok()?;
    let count = far_count(&launches, cap);
    Some(ControlFacts {
        name,
        arms: arms.into_iter().collect(),
        launches: launches.len() as u64,
        requests: count.trials,
        tokens: launches.iter().flatten().map(|r| r.len() as u64).sum(),
        mean_x: configuration_mean(&launches, cap).ok()?,
        launch_means: (means.iter().copied().reduce(f64::min)?, means.iter().copied().reduce(f64::max)?),
        far_requests: count.hits,
        highest_ln_e: StageE::from(&course).highest_ln,
        requests_to_suspect: course.first_crossing(CROSSING_LN_E).map(|i| i as u64 + 1),
    })
}

#[cfg(test)]
mod tests;
