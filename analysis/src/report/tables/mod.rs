//! Every table of a report. Each is a CSV file; the documents show them whole or in parts.

/// What the tolerance rests on.
mod calibration;
/// Percentiles, distributions, drift.
mod latency;
/// Who is ahead, and the baseline against itself.
pub(super) mod leaderboard;
/// Rates, service levels, ladders.
pub(super) mod loads;
/// The hosts of a run against each other.
mod nodes;
/// Bundles, hosts, digests, voids.
pub(super) mod origin;
/// Margins, structure, worst tokens, outcomes, failures.
mod outputs;
/// The public scores of Cacheon V1.
mod scores;
/// Verdicts, speed, rounds, the baseline against itself.
pub(super) mod speed;
/// Throughput and latency under each load; margins of each launch.
mod tradeoff;

pub(crate) use latency::{FEWER_PARTS, decimals, steps};

use super::{input::Input, table::Table};

/// All tables.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) verdicts: Table,
    pub(crate) reasons: Table,
    pub(crate) leaderboard: Table,
    pub(crate) unranked: Table,
    pub(crate) pairs: Table,
    pub(crate) selves: Table,
    pub(crate) speed: Table,
    pub(crate) rounds: Table,
    pub(crate) baseline: Table,
    pub(crate) nodes: Table,
    pub(crate) equivalence: Table,
    pub(crate) launch_margins: Table,
    pub(crate) stages: Table,
    pub(crate) controls: Table,
    pub(crate) own_controls: Table,
    pub(crate) tolerances: Table,
    pub(crate) divergence: Table,
    pub(crate) partings: Table,
    pub(crate) structure: Table,
    pub(crate) worst: Table,
    pub(crate) outcomes: Table,
    pub(crate) failures: Table,
    pub(crate) loads: Table,
    pub(crate) ladders: Table,
    pub(crate) steps: Table,
    pub(crate) load_latency: Table,
    pub(crate) percentiles: Table,
    pub(crate) distributions: Table,
    pub(crate) drift: Table,
    pub(crate) scores: Table,
    pub(crate) gates: Table,
    pub(crate) voids: Table,
    pub(crate) bundles: Table,
    pub(crate) environment: Table,
}

impl Tables {
    /// Of an input.
    pub(crate) fn of(input: &Input) -> Self {
        let judgement = input.judgement;
        Tables {
            verdicts: speed::verdicts(judgement),
            reasons: speed::reasons(judgement),
            leaderboard: leaderboard::leaderboard(judgement),
            unranked: leaderboard::unranked(judgement),
            pairs: leaderboard::pairs(judgement),
            selves: leaderboard::selves(judgement),
            speed: speed::speed(judgement),
            rounds: speed::rounds(judgement),
            baseline: speed::baseline(judgement),
            nodes: nodes::nodes(judgement),
            equivalence: outputs::equivalence(judgement),
            launch_margins: tradeoff::launch_margins(judgement),
            stages: outputs::stages(judgement),
            controls: calibration::controls(judgement),
            own_controls: calibration::own_controls(judgement),
            tolerances: calibration::tolerances(judgement),
            divergence: outputs::divergence(judgement),
            partings: outputs::partings(judgement),
            structure: outputs::structure(judgement),
            worst: outputs::worst(judgement),
            outcomes: outputs::outcomes(judgement),
            failures: outputs::failures(judgement),
            loads: loads::loads(judgement),
            ladders: loads::ladders(judgement),
            steps: loads::steps(judgement),
            load_latency: tradeoff::load_latency(judgement),
            percentiles: latency::percentiles(input.series),
            distributions: latency::distributions(input.series),
            drift: latency::drift(input.drift),
            scores: scores::scores(judgement),
            gates: scores::gates(judgement),
            voids: origin::voids(judgement),
            bundles: origin::bundles(judgement),
            environment: origin::environment(input),
        }
    }

    /// In the order of the report.
    pub(crate) fn all(&self) -> Vec<&Table> {
        vec![
            &self.verdicts,
            &self.reasons,
            &self.leaderboard,
            &self.unranked,
            &self.pairs,
            &self.selves,
            &self.speed,
            &self.rounds,
            &self.baseline,
            &self.nodes,
            &self.equivalence,
            &self.launch_margins,
            &self.stages,
            &self.controls,
            &self.own_controls,
            &self.tolerances,
            &self.divergence,
            &self.partings,
            &self.structure,
            &self.worst,
            &self.outcomes,
            &self.failures,
            &self.loads,
            &self.ladders,
            &self.steps,
            &self.load_latency,
            &self.percentiles,
            &self.distributions,
            &self.drift,
            &self.scores,
            &self.gates,
            &self.voids,
            &self.bundles,
            &self.environment,
        ]
    }
}
