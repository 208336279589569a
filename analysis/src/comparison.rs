//! Speed at equal work: a candidate against the baselines of its own block, round by round.
//! Rules: `METHOD.md`, section *Speed*.

mod claim;
mod effect;
mod equal_work;
mod multiplicity;
mod overall;
mod same;

use std::collections::{BTreeMap, BTreeSet};

use lab::{
    plan::Role,
    workload::{BASELINE, Shape},
};

pub use claim::Claim;
pub(crate) use effect::{CONFIDENCE, Logs, effect, effect_of, log};
pub use equal_work::{EqualWork, equal_work};
pub use multiplicity::adjust;
pub use overall::{Overall, overall};
pub use same::{against_itself, same_speed};

use crate::{
    judgement::{CellSpeed, MetricEffect, Void},
    metrics::{self, Metric},
    study::{Cell, Study, Trial},
};

/// A trial and those it is compared with.
pub(crate) struct Pairing<'a> {
    pub(crate) subject: &'a Trial,
    pub(crate) references: Vec<&'a Trial>,
}

/// Every candidate trial of a cell that can be compared: completed, not void, between two
/// baselines that are neither.
pub(crate) fn pairings<'a>(study: &'a Study, arm: &str, cell: &Cell, voids: &BTreeMap<u32, Void>) -> Vec<Pairing<'a>> {
    let counted = |t: &&Trial| t.completed() && !voids.contains_key(&t.plan.n) && is_of(t, cell);
    let counts = study.trials.iter().filter(counted);
    let wanted = if arm == BASELINE { Role::Closing } else { Role::Candidate };
    counts
        .filter(|t| t.plan.arm == arm && t.plan.role == wanted)
        .map(|subject| {
            let references = study.baselines_beside(subject).filter(counted).collect();
            Pairing { subject, references }
        })
        .filter(|p| p.references.len() == if arm == BASELINE { 1 } else { 2 })
        .collect()
}

/// Whether a trial runs a cell's load.
pub(crate) fn is_of(trial: &Trial, cell: &Cell) -> bool {
    trial.plan.model == cell.model
        && trial.plan.gpus == cell.gpus
        && trial.plan.phases.iter().any(|p| p.load == cell.load)
}

/// Whether a load is part of what is said over all loads: the steps of a ladder are not, where
/// there are other loads.
pub(crate) fn counts(study: &Study, load: &str) -> bool {
    study.load(load).is_none_or(|l| l.rung.is_none()) || study.workload.loads.iter().all(|l| l.rung.is_some())
}

/// An arm's speed in one cell, with what [`overall`] goes on with: the claim's rounds only.
pub struct Speed {
    /// As it is printed.
    pub cell: CellSpeed,
    /// Each round's log speed-up at equal work.
    pub(crate) logs: Vec<(u32, f64)>,
    /// Rounds that have a comparable trial, whether or not it has a value.
    comparable: usize,
    /// Requests that both baselines completed, and how many of them the candidate never came
    /// to; of loads that do not slow down with it.
    undone: (u64, u64),
}

/// An arm's speed in each of its cells. For the baseline: the closing one against the
/// opening one of the same block.
pub fn speeds(study: &Study, arm: &str, voids: &BTreeMap<u32, Void>) -> Vec<Speed> {
    let claim = Claim::of(study, arm);
    let cells = study.cells_of_arm(arm);
    cells.iter().map(|cell| speed(study, cell, &pairings(study, arm, cell, voids), &claim)).collect()
}

fn speed(study: &Study, cell: &Cell, pairings: &[Pairing<'_>], claim: &Claim) -> Speed {
    let load = cell.load.as_str();
    let claimed: Vec<&Pairing<'_>> = pairings.iter().filter(|p| claim.covers(p.subject.plan.round)).collect();
    let rounds: BTreeSet<u32> = claimed.iter().map(|p| p.subject.plan.round).collect();
    let found = |value: &dyn Fn(&Trial) -> Option<f64>| {
        pairings.iter().filter_map(|p| Some((p.subject.plan.round, values(p, value)?))).collect::<Vec<_>>()
    };
    let latency = |metric: Metric| {
        let values = found(&|t| metrics::median(t, load, metric).map(|n| n.0 as f64));
        effect_of(metric.name(), "ns", false, values, claim).0
    };
    // A round without a rate is one in which nothing was done: the others would hide it.
    let rate = |name, unit, value: &dyn Fn(&Trial) -> Option<f64>| {
        let (shown, logs) = effect_of(name, unit, true, found(value), claim);
        MetricEffect { effect: shown.effect.filter(|_| logs.len() == rounds.len()), ..shown }
    };
    let greedy = study.workload.sampling.temperature == 0.0;
    let equal = pairings.iter().filter_map(|p| {
        let means = equal_work(p.subject, &p.references, load, greedy).means?;
        let mean = |i: usize| stats::sum::mean(&means.iter().map(|m| log(m[i])).collect::<Option<Vec<f64>>>()?);
        Some((p.subject.plan.round, Logs { reference: mean(1)?, subject: mean(0)? }))
    });
    let (primary, logs) = effect_of("e2el-equal-work", "ns", false, equal.collect(), claim);
    let of_load = study.load(load).map(Metric::of_load).unwrap_or_default();
    let mut beside: Vec<MetricEffect> = of_load.into_iter().map(latency).collect();
    beside.push(rate("output-throughput", "tokens/s", &|t| metrics::output_throughput(t, load)));
    let steady = |t: &Trial| metrics::steady(t, load).and_then(|s| s.throughput());
    beside.push(rate("output-throughput-steady", "tokens/s", &steady));
    beside.push(rate("request-throughput", "requests/s", &|t| metrics::request_throughput(t, load)));
    if study.workload.slo.is_some() {
        beside.push(rate("goodput", "requests/s", &|t| metrics::goodput(study, t, load)));
    }
    let counts = counts(study, load);
    let (model, gpus) = (cell.model.clone(), cell.gpus);
    let cell = CellSpeed { model, gpus, load: cell.load.clone(), counts, primary, beside };
    Speed { undone: undone(study, load, &claimed), cell, logs, comparable: rounds.len() }
}

/// Requests of an open or a trace load that both baselines completed, and those of them that
/// were `time-up` with the candidate. There only the later turns of sessions can be: whoever
/// holds back a first turn is spared the rest of its session.
fn undone(study: &Study, load: &str, pairings: &[&Pairing<'_>]) -> (u64, u64) {
    let shape = study.load(load).map(|l| l.shape);
    if !matches!(shape, Some(Shape::Open { .. } | Shape::Trace { .. })) {
        return (0, 0);
    }
    let (mut done, mut undone) = (0, 0);
    for pairing in pairings {
        for own in pairing.subject.of_load(load) {
            let theirs = pairing.references.iter().map(|t| t.response(own.request));
            if theirs.into_iter().all(|r| r.is_some_and(|r| r.complete())) {
                done += 1;
                undone += u64::from(own.time_up());
            }
        }
    }
    (done, undone)
}

fn values(pairing: &Pairing<'_>, of: &dyn Fn(&Trial) -> Option<f64>) -> Option<Logs> {
    let references = pairing.references.iter().map(|t| log(of(t)?)).collect::<Option<Vec<f64>>>()?;
    Some(Logs { reference: stats::sum::mean(&references)?, subject: log(of(pairing.subject)?)? })
}

#[cfg(test)]
mod tests;
