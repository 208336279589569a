//! What is not counted, and what is only told. Rules: `METHOD.md`, section *Speed*.
//!
//! Nothing that a candidate does can take away one of its own bad rounds: only a trial that
//! is not there, this host, and the baseline can.

use std::collections::BTreeMap;

use lab::{
    Nanos,
    records::{Class, TrialOutcome},
    workload::BASELINE,
};

use crate::{
    judgement::{Reason, Void},
    metrics::{MOST_LAG, client_lag_p99},
    study::{Study, Trial},
};

/// Trials that are not counted, by their number, each with the reason. A candidate's own
/// failure never is one, nor is a client that was late while it ran.
pub fn voids(study: &Study) -> BTreeMap<u32, Void> {
    let mut voids = BTreeMap::new();
    for planned in &study.missing {
        let why = format!("{} is not in the bundle", planned.folder());
        voids.insert(planned.n, Void { round: planned.round, block: planned.block, why });
    }
    for trial in &study.trials {
        if let Some(why) = why_void(trial) {
            voids.insert(trial.plan.n, Void { round: trial.plan.round, block: trial.plan.block, why });
        }
    }
    voids
}

fn why_void(trial: &Trial) -> Option<String> {
    let baseline = trial.plan.arm == BASELINE;
    match &trial.record.outcome {
        TrialOutcome::Failed { class, .. } if *class == Class::Host || baseline => {
            Some(format!("{} failed ({})", trial.folder, class_name(*class)))
        }
        TrialOutcome::Completed if baseline => {
            let lag = late(trial)?;
            Some(format!(
                "the client was late in {}: p99 of its lag {}, at most {}",
                trial.folder,
                shown(lag),
                shown(MOST_LAG)
            ))
        }
        TrialOutcome::Failed { .. } | TrialOutcome::Completed => None,
    }
}

/// The p99 of the client's lag, where it is above the limit.
fn late(trial: &Trial) -> Option<Nanos> {
    client_lag_p99(trial).filter(|lag| *lag > MOST_LAG)
}

/// Milliseconds with two digits more than the limit has.
fn shown(lag: Nanos) -> String {
    format!("{:.2} ms", lag.0 as f64 / 1e6)
}

/// A late client while a candidate ran: its latencies count from the intended send, so that
/// it can only look slower for it, and its rounds stay.
pub fn client_late(study: &Study, arm: &str) -> Option<Reason> {
    let launches = study.completed(arm).count();
    let late: Vec<(&Trial, Nanos)> = study.completed(arm).filter_map(|t| Some((t, late(t)?))).collect();
    let (worst, lag) = late.iter().max_by_key(|(_, lag)| *lag)?;
    let text = format!(
        "in {} of {launches} launches the client was late: p99 of its lag up to {} ({}), above {}; the lag is part of the latencies, and these rounds count",
        late.len(),
        shown(*lag),
        worst.folder,
        shown(MOST_LAG)
    );
    Some(Reason { code: "client-late", text })
}

/// The stored name of a class.
pub(crate) fn class_name(class: Class) -> &'static str {
    match class {
        Class::Host => "host",
        Class::Image => "image",
        Class::Start => "start",
        Class::LoadTimeout => "load-timeout",
        Class::Protocol => "protocol",
        Class::Deadline => "deadline",
    }
}

#[cfg(test)]
mod tests;
