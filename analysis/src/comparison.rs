//! Speed at equal work: a candidate against the baselines of its own block, round by round.
//! Rules: `METHOD.md`, section *Speed*.

mod equal_work;

use std::collections::{BTreeMap, BTreeSet};

use lab::{
    plan::Role,
    workload::{BASELINE, Shape},
};
use stats::paired;

pub use equal_work::{EqualWork, equal_work};

use crate::{
    judgement::{CellSpeed, Effect, MetricEffect, Reason, Void},
    metrics::{self, Metric},
    study::{Cell, Study, Trial},
};

/// Two-sided confidence of every interval.
pub(crate) const CONFIDENCE: f64 = 0.95;
/// Power at which the detectable effect is given.
const POWER: f64 = 0.8;

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

/// An arm's speed in one cell, with what [`overall`] goes on with.
pub struct Speed {
    /// As it is printed.
    pub cell: CellSpeed,
    /// Each round's log speed-up at equal work.
    logs: Vec<(u32, f64)>,
    /// Rounds that have a comparable trial, whether or not it has a value.
    comparable: usize,
    /// Requests that both baselines completed, and how many of them the candidate never came
    /// to; of loads that do not slow down with it.
    undone: (u64, u64),
}

/// An arm's speed in each of its cells. For the baseline: the closing one against the
/// opening one of the same block.
pub fn speeds(study: &Study, arm: &str, voids: &BTreeMap<u32, Void>) -> Vec<Speed> {
    let cells = study.cells_of_arm(arm);
    cells.iter().map(|cell| speed(study, cell, &pairings(study, arm, cell, voids))).collect()
}

fn speed(study: &Study, cell: &Cell, pairings: &[Pairing<'_>]) -> Speed {
    let load = cell.load.as_str();
    let rounds: BTreeSet<u32> = pairings.iter().map(|p| p.subject.plan.round).collect();
    let found = |value: &dyn Fn(&Trial) -> Option<f64>| {
        pairings.iter().filter_map(|p| Some((p.subject.plan.round, values(p, value)?))).collect::<Vec<_>>()
    };
    let latency = |metric: Metric| {
        let values = found(&|t| metrics::median(t, load, metric).map(|n| n.0 as f64));
        effect_of(metric.name(), "ns", false, values).0
    };
    // A round without a rate is one in which nothing was done: the others would hide it.
    let rate = |name, unit, value: &dyn Fn(&Trial) -> Option<f64>| {
        let (shown, logs) = effect_of(name, unit, true, found(value));
        MetricEffect { effect: shown.effect.filter(|_| logs.len() == rounds.len()), ..shown }
    };
    let greedy = study.workload.sampling.temperature == 0.0;
    let equal = pairings.iter().filter_map(|p| {
        let means = equal_work(p.subject, &p.references, load, greedy).means?;
        let mean = |i: usize| stats::sum::mean(&means.iter().map(|m| log(m[i])).collect::<Option<Vec<f64>>>()?);
        Some((p.subject.plan.round, Logs { reference: mean(1)?, subject: mean(0)? }))
    });
    let (primary, logs) = effect_of("e2el-equal-work", "ns", false, equal.collect());
    let of_load = study.load(load).map(Metric::of_load).unwrap_or_default();
    let mut beside: Vec<MetricEffect> = of_load.into_iter().map(latency).collect();
    beside.push(rate("output-throughput", "tokens/s", &|t| metrics::output_throughput(t, load)));
    let steady = |t: &Trial| metrics::steady(t, load).and_then(|s| s.throughput());
    beside.push(rate("output-throughput-steady", "tokens/s", &steady));
    beside.push(rate("request-throughput", "requests/s", &|t| metrics::request_throughput(t, load)));
    if study.workload.slo.is_some() {
        beside.push(rate("goodput", "requests/s", &|t| metrics::goodput(study, t, load)));
    }
    let counts =
        study.load(load).is_none_or(|l| l.rung.is_none()) || study.workload.loads.iter().all(|l| l.rung.is_some());
    let (model, gpus) = (cell.model.clone(), cell.gpus);
    let cell = CellSpeed { model, gpus, load: cell.load.clone(), counts, primary, beside };
    Speed { undone: undone(study, load, pairings), cell, logs, comparable: rounds.len() }
}

/// Requests of an open or a trace load that both baselines completed, and those of them that
/// were `time-up` with the candidate. There only the later turns of sessions can be: whoever
/// holds back a first turn is spared the rest of its session.
fn undone(study: &Study, load: &str, pairings: &[Pairing<'_>]) -> (u64, u64) {
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

/// A candidate that leaves more than this share undone has no overall speed-up.
const UNDONE: (u64, u64) = (1, 10);

/// The natural logs of one comparison's two values.
struct Logs {
    reference: f64,
    subject: f64,
}

fn values(pairing: &Pairing<'_>, of: &dyn Fn(&Trial) -> Option<f64>) -> Option<Logs> {
    let references = pairing.references.iter().map(|t| log(of(t)?)).collect::<Option<Vec<f64>>>()?;
    Some(Logs { reference: stats::sum::mean(&references)?, subject: log(of(pairing.subject)?)? })
}

pub(crate) fn log(x: f64) -> Option<f64> {
    (x > 0.0 && x.is_finite()).then(|| libm::log(x))
}

/// The effect over rounds, with each round's log speed-up; several blocks of a round count as
/// their mean log.
fn effect_of(
    metric: &'static str,
    unit: &'static str,
    more_is_better: bool,
    found: Vec<(u32, Logs)>,
) -> (MetricEffect, Vec<(u32, f64)>) {
    let geometric_mean = |logs: Vec<f64>| stats::sum::mean(&logs).map_or(0.0, libm::exp);
    let mut rounds = BTreeMap::<u32, Vec<f64>>::new();
    for (round, logs) in &found {
        let faster = logs.reference - logs.subject;
        rounds.entry(*round).or_default().push(if more_is_better { -faster } else { faster });
    }
    let logs: Vec<(u32, f64)> =
        rounds.into_iter().filter_map(|(round, logs)| Some((round, stats::sum::mean(&logs)?))).collect();
    let shown = MetricEffect {
        metric,
        unit,
        baseline: geometric_mean(found.iter().map(|(_, l)| l.reference).collect()),
        candidate: geometric_mean(found.iter().map(|(_, l)| l.subject).collect()),
        effect: effect(&logs.iter().map(|(_, log)| *log).collect::<Vec<_>>()),
        rounds: logs.iter().map(|(round, log)| (*round, libm::exp(*log))).collect(),
    };
    (shown, logs)
}

/// The paired t interval of per-round log speed-ups; none below two rounds or without
/// spread.
pub(crate) fn effect(logs: &[f64]) -> Option<Effect> {
    let t = paired::paired_t(logs, CONFIDENCE).ok()?;
    let detectable = paired::detectable_log(t.n, t.sd_log, 1.0 - CONFIDENCE, POWER).ok().filter(|x| *x < 300.0);
    Some(Effect {
        rounds: t.n as u64,
        powered: paired::powered(t.n),
        speedup: t.ratio(),
        low: t.low_ratio(),
        high: t.high_ratio(),
        p: t.p,
        sign_flip_p: paired::sign_flip_p(logs).ok(),
        detectable: detectable.map(libm::exp),
    })
}

/// The geometric mean over cells of the equal-work speed-up: each round's mean log over all
/// cells, then one interval over rounds. Or why there is none, or why it claims nothing.
pub fn overall(
    study: &Study,
    arm: &str,
    speeds: &[Speed],
    voids: &BTreeMap<u32, Void>,
) -> (Option<Effect>, Option<Reason>) {
    let reason = |code, text| Some(Reason { code, text });
    let cells: Vec<&Speed> = speeds.iter().filter(|s| s.cell.counts).collect();
    let own = study.trials.iter().filter(|t| t.plan.arm == arm && !voids.contains_key(&t.plan.n));
    let failed = own.filter(|t| !t.completed()).count();
    if failed > 0 {
        let planned = study.planned().filter(|t| t.arm == arm).count();
        let text = if failed == planned {
            format!("all {planned} launches failed")
        } else {
            format!("{failed} of {planned} launches failed; the speed of the others would hide that")
        };
        return (None, reason("fewer-rounds", text));
    }
    if let Some(short) = cells.iter().find(|s| s.logs.len() < s.comparable) {
        let text = format!(
            "in {} of load {} no request is complete in the candidate and its baselines with equal work",
            rounds_text(short.comparable - short.logs.len()),
            short.cell.load
        );
        return (None, reason("fewer-rounds", text));
    }
    if let Some(idle) = cells.iter().find(|s| s.undone.1 * UNDONE.1 > s.undone.0 * UNDONE.0) {
        let (done, undone) = idle.undone;
        let text = format!(
            "under load {} the time was over before {undone} of {done} requests that both baselines completed; it had less to do",
            idle.cell.load
        );
        return (None, reason("work-left-undone", text));
    }
    let mut rounds = BTreeMap::<u32, Vec<f64>>::new();
    for (round, log) in cells.iter().flat_map(|c| &c.logs) {
        rounds.entry(*round).or_default().push(*log);
    }
    rounds.retain(|_, logs| logs.len() == cells.len());
    let logs: Vec<f64> = rounds.values().filter_map(|logs| stats::sum::mean(logs)).collect();
    match effect(&logs) {
        None => {
            let text = format!("{} with a value in every cell; two that differ are the least", rounds_text(logs.len()));
            (None, reason("no-interval", text))
        }
        Some(effect) if !effect.powered => {
            let text = format!(
                "not powered: {}, {} are the least for a claim about speed",
                rounds_text(logs.len()),
                paired::MIN_ROUNDS
            );
            (Some(effect), reason("not-powered", text))
        }
        effect => (effect, None),
    }
}

fn rounds_text(rounds: usize) -> String {
    if rounds == 1 { "1 round".into() } else { format!("{rounds} rounds") }
}

#[cfg(test)]
mod tests;
