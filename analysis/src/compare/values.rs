//! What is compared: of each arm and cell, one value a round.

use std::collections::BTreeMap;

use crate::{
    comparison::{self, Claim, Overall, Speed, is_of, log},
    judgement::Void,
    metrics::{self, Metric},
    study::{Cell, Study, Trial},
};

/// An arm's speed, round by round.
pub(super) struct Values<'a> {
    pub(super) claim: Claim,
    pub(super) overall: Overall,
    speeds: Vec<Speed>,
    /// Trials that count, of the claim's rounds, by cell.
    trials: Vec<(Cell, Vec<&'a Trial>)>,
}

/// A metric of one cell, round by round.
pub(super) struct Measured {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) more_is_better: bool,
    /// Each round's mean log; none in a round without a value.
    pub(super) logs: Vec<(u32, f64)>,
    /// Whether a round that counts has no value: the others would hide it.
    pub(super) short: bool,
}

impl<'a> Values<'a> {
    pub(super) fn of(study: &'a Study, arm: &str, voids: &BTreeMap<u32, Void>) -> Self {
        let claim = Claim::of(study, arm);
        let speeds = comparison::speeds(study, arm, voids);
        let overall = comparison::overall(study, arm, &speeds, voids);
        let of_cell = |cell: Cell| {
            let counts = |t: &&Trial| is_of(t, &cell) && !voids.contains_key(&t.plan.n) && claim.covers(t.plan.round);
            let own = study.trials.iter().filter(|t| t.plan.arm == arm && t.completed());
            let trials = own.filter(counts).collect();
            (cell, trials)
        };
        let trials = study.cells_of_arm(arm).into_iter().map(of_cell).collect();
        Values { claim, overall, speeds, trials }
    }

    /// The log speed-up over the own baseline of each round.
    pub(super) fn logs(&self, cell: &Cell) -> &[(u32, f64)] {
        let of = |s: &&Speed| (&s.cell.model, s.cell.gpus, &s.cell.load) == (&cell.model, cell.gpus, &cell.load);
        self.speeds.iter().find(of).map_or(&[], |speed| &speed.logs)
    }

    pub(super) fn metrics(&self, study: &Study, cell: &Cell) -> Vec<Measured> {
        let load = cell.load.as_str();
        let latencies = study.load(load).map(Metric::of_load).unwrap_or_default();
        let median = |metric: Metric| {
            self.measured(cell, metric.name(), "ns", false, &|t| metrics::median(t, load, metric).map(|n| n.0 as f64))
        };
        let mut all: Vec<Measured> = latencies.into_iter().map(median).collect();
        let tokens = |t: &Trial| metrics::output_throughput(t, load);
        all.push(self.measured(cell, "output-throughput", "tokens/s", true, &tokens));
        let requests = |t: &Trial| metrics::request_throughput(t, load);
        all.push(self.measured(cell, "request-throughput", "requests/s", true, &requests));
        if study.workload.slo.is_some() {
            let goodput = |t: &Trial| metrics::goodput(study, t, load);
            all.push(self.measured(cell, "goodput", "requests/s", true, &goodput));
        }
        all
    }

    fn measured(
        &self,
        cell: &Cell,
        name: &'static str,
        unit: &'static str,
        more_is_better: bool,
        of: &dyn Fn(&Trial) -> Option<f64>,
    ) -> Measured {
        let trials = self.trials.iter().find(|(c, _)| c == cell).map_or(&[][..], |(_, trials)| trials);
        let mut rounds = BTreeMap::<u32, Vec<f64>>::new();
        let mut short = self.overall.note.as_ref().is_some_and(|n| n.code == "fewer-rounds");
        for trial in trials {
            match of(trial).and_then(log) {
                Some(value) => rounds.entry(trial.plan.round).or_default().push(value),
                None => short = true,
            }
        }
        let logs = rounds.into_iter().filter_map(|(round, logs)| Some((round, stats::sum::mean(&logs)?))).collect();
        Measured { name, unit, more_is_better, logs, short }
    }
}
