//! The largest load that an arm bears: where the share of requests that meet the service
//! levels first falls below the declared one. Rules: `METHOD.md`, section *Ladders*.

use std::collections::{BTreeMap, BTreeSet};

use lab::workload::{Axis, BASELINE, Load, Rung};
use stats::{paired, sum};

use crate::{
    comparison::{self, Claim, pairings},
    judgement::{Capacity, Climb, Effect, Ladder, Overall, Step, Void},
    loads::counted,
    metrics::{Service, service},
    study::{Cell, Study, Trial},
};

/// Every ladder on every model and number of GPUs; none without service levels.
pub fn ladders(study: &Study, voids: &BTreeMap<u32, Void>) -> Vec<Ladder> {
    let Some(slo) = study.workload.slo else { return Vec::new() };
    let places: BTreeSet<(String, u32)> = study.planned().map(|t| (t.model.clone(), t.gpus)).collect();
    let mut names: Vec<&str> = Vec::new();
    for rung in study.workload.loads.iter().filter_map(|l| l.rung.as_ref()) {
        if !names.contains(&rung.ladder.as_str()) {
            names.push(&rung.ladder);
        }
    }
    let mut found = Vec::new();
    for name in names {
        for (model, gpus) in &places {
            let rungs = rungs(study, name, model, *gpus);
            let Some((_, first)) = rungs.first() else { continue };
            let place = Place { study, voids, model, gpus: *gpus, rungs: &rungs, share: slo.share };
            let arms = study.arms().into_iter().filter(|arm| place.is_planned(arm));
            found.push(Ladder {
                ladder: name.to_owned(),
                model: model.clone(),
                gpus: *gpus,
                unit: match first.of {
                    Axis::Rate => "arrivals/s",
                    Axis::Concurrency => "clients",
                },
                share: slo.share,
                arms: arms.map(|arm| place.climb(arm)).collect(),
            });
        }
    }
    found
}

/// The planned steps of a ladder, from the lowest.
fn rungs<'a>(study: &'a Study, ladder: &str, model: &str, gpus: u32) -> Vec<(&'a Load, &'a Rung)> {
    let planned: BTreeSet<&str> = study
        .planned()
        .filter(|t| t.model == model && t.gpus == gpus)
        .flat_map(|t| t.phases.iter().map(|p| p.load.as_str()))
        .collect();
    let all = study.workload.loads.iter().filter_map(|l| Some((l, l.rung.as_ref()?)));
    let mut rungs: Vec<_> = all.filter(|(l, r)| r.ladder == ladder && planned.contains(l.name.as_str())).collect();
    rungs.sort_by_key(|(_, rung)| rung.step);
    rungs
}

/// A ladder on one model and number of GPUs.
struct Place<'a> {
    study: &'a Study,
    voids: &'a BTreeMap<u32, Void>,
    model: &'a str,
    gpus: u32,
    rungs: &'a [(&'a Load, &'a Rung)],
    share: f64,
}

impl Place<'_> {
    fn cell(&self, load: &Load) -> Cell {
        Cell { model: self.model.to_owned(), gpus: self.gpus, load: load.name.clone() }
    }

    fn is_planned(&self, arm: &str) -> bool {
        self.study.planned().any(|t| t.arm == arm && t.model == self.model && t.gpus == self.gpus)
    }

    fn climb(&self, arm: &str) -> Climb {
        let steps = self.rungs.iter().map(|(load, rung)| {
            let cell = self.cell(load);
            let trials = counted(self.study, arm, &cell, self.voids);
            let all = trials.filter_map(|t| service(self.study, t, &load.name)).fold(Service::default(), Service::and);
            Step {
                load: load.name.clone(),
                value: rung.value,
                due: all.due,
                met: all.met,
                attainment: all.attainment(),
            }
        });
        let rounds = self.rounds(arm);
        let (ratio, ratios) = if arm == BASELINE { (None, Vec::new()) } else { self.ratio(arm) };
        Climb {
            arm: arm.to_owned(),
            steps: steps.collect(),
            capacity: overall(&rounds, self.ends()),
            rounds,
            ratio,
            ratios,
        }
    }

    fn ends(&self) -> (f64, f64) {
        let value = |at: Option<&(&Load, &Rung)>| at.map_or(0.0, |(_, rung)| rung.value);
        (value(self.rungs.first()), value(self.rungs.last()))
    }

    /// What one trial bears; none where a step has no request to say it.
    fn bears(&self, trial: &Trial) -> Option<Capacity> {
        let step =
            |(load, rung): &(&Load, &Rung)| Some((rung.value, service(self.study, trial, &load.name)?.attainment()?));
        crossing(&self.rungs.iter().map(step).collect::<Option<Vec<_>>>()?, self.share)
    }

    /// What an arm bears in each round; several trials of a round count as their mean log,
    /// and as beyond an end if one of them is.
    fn rounds(&self, arm: &str) -> Vec<(u32, Capacity)> {
        let Some((load, _)) = self.rungs.first() else { return Vec::new() };
        let cell = self.cell(load);
        let mut rounds = BTreeMap::<u32, Vec<Capacity>>::new();
        for trial in counted(self.study, arm, &cell, self.voids) {
            if let Some(capacity) = self.bears(trial) {
                rounds.entry(trial.plan.round).or_default().push(capacity);
            }
        }
        rounds.into_iter().filter_map(|(round, all)| Some((round, together(&all)?))).collect()
    }

    /// Candidate over baseline, round by round. A round whose limit lies beyond the ladder has
    /// no ratio, and without it the others say nothing: they would hide it.
    fn ratio(&self, arm: &str) -> (Option<Effect>, Vec<(u32, f64)>) {
        let Some((load, _)) = self.rungs.first() else { return (None, Vec::new()) };
        let claim = Claim::of(self.study, arm);
        let mut pairings = pairings(self.study, arm, &self.cell(load), self.voids);
        pairings.retain(|p| claim.covers(p.subject.plan.round));
        let comparable: BTreeSet<u32> = pairings.iter().map(|p| p.subject.plan.round).collect();
        let (mut logs, mut whole) = (BTreeMap::<u32, Vec<f64>>::new(), true);
        for pairing in &pairings {
            let at = |trial: &Trial| match self.bears(trial)? {
                Capacity::At(value) => comparison::log(value),
                Capacity::Below(_) | Capacity::Above(_) => None,
            };
            let theirs: Option<Vec<f64>> = pairing.references.iter().map(|t| at(t)).collect();
            match (at(pairing.subject), theirs.and_then(|logs| sum::mean(&logs))) {
                (Some(own), Some(theirs)) => {
                    logs.entry(pairing.subject.plan.round).or_default().push(own - theirs);
                }
                _ => whole = false,
            }
        }
        let own = self.study.trials.iter().filter(|t| t.plan.arm == arm && !self.voids.contains_key(&t.plan.n));
        let here = own.filter(|t| t.plan.model == self.model && t.plan.gpus == self.gpus);
        let failed = here.filter(|t| claim.covers(t.plan.round)).any(|t| !t.completed());
        let logs: Vec<(u32, f64)> =
            logs.into_iter().filter_map(|(round, logs)| Some((round, sum::mean(&logs)?))).collect();
        let values: Vec<f64> = logs.iter().map(|(_, log)| *log).collect();
        let effect = comparison::effect(&values, &claim).filter(|_| whole && !failed && logs.len() == comparable.len());
        (effect, logs.into_iter().map(|(round, log)| (round, libm::exp(log))).collect())
    }
}

/// Where attainment first falls below the share, from below: between the last step that
/// meets it and the first that does not, linear in attainment, in the log of the value.
/// `steps` are value and attainment, by ascending value.
pub fn crossing(steps: &[(f64, f64)], share: f64) -> Option<Capacity> {
    let Some(fails) = steps.iter().position(|(_, attained)| *attained < share) else {
        return steps.last().map(|(value, _)| Capacity::Above(*value));
    };
    let (above, missed) = steps[fails];
    let Some(&(below, met)) = fails.checked_sub(1).and_then(|i| steps.get(i)) else {
        return Some(Capacity::Below(above));
    };
    let part = (met - share) / (met - missed);
    Some(Capacity::At(below * libm::exp(part * comparison::log(above / below)?)))
}

/// Several trials of one round.
fn together(all: &[Capacity]) -> Option<Capacity> {
    let beyond = |wanted: fn(&&Capacity) -> bool| all.iter().find(wanted).copied();
    if let Some(end) = beyond(|c| matches!(c, Capacity::Below(_))).or(beyond(|c| matches!(c, Capacity::Above(_)))) {
        return Some(end);
    }
    let logs: Vec<f64> =
        all.iter().filter_map(|c| if let Capacity::At(value) = c { comparison::log(*value) } else { None }).collect();
    sum::mean(&logs).map(|log| Capacity::At(libm::exp(log)))
}

/// The geometric mean over rounds with its t interval on logs; or how many rounds lie beyond
/// an end of the ladder.
fn overall(rounds: &[(u32, Capacity)], (lowest, highest): (f64, f64)) -> Option<Overall> {
    let count = |wanted: fn(&Capacity) -> bool| rounds.iter().filter(|(_, c)| wanted(c)).count() as u64;
    let below = count(|c| matches!(c, Capacity::Below(_)));
    let above = count(|c| matches!(c, Capacity::Above(_)));
    let all = rounds.len() as u64;
    if below + above > 0 {
        return Some(Overall::Beyond { lowest, below, highest, above, rounds: all });
    }
    let at = |c: &Capacity| if let Capacity::At(value) = c { comparison::log(*value) } else { None };
    let logs: Vec<f64> = rounds.iter().filter_map(|(_, c)| at(c)).collect();
    let interval = paired::paired_t(&logs, comparison::CONFIDENCE).ok().map(|t| (t.low_ratio(), t.high_ratio()));
    sum::mean(&logs).map(|log| Overall::Between { mean: libm::exp(log), interval, rounds: all })
}

#[cfg(test)]
mod tests;
