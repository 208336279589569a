//! From the evidence to three words. Rules: `METHOD.md`, section *Verdicts*.
//!
//! *Altered* disqualifies, so it needs what no honest server does. *Equivalent* is a pass, so
//! it needs every test. Whatever lies between is *undecided*, with all its reasons.

mod outputs;

use std::{cmp::Ordering, collections::BTreeMap};

use lab::{
    bundle::Bundle,
    workload::{BASELINE, BLIND_CONTROL},
};

use crate::{
    METHOD, calibration, comparison, divergence,
    judgement::{Baseline, BundleRef, Candidate, FORMAT, Failure, Judgement, Slo, Void},
    ladder,
    leaderboard::{self, Standing, leaderboard},
    loads, metrics, nodes, score,
    structure::{self, Outcome},
    study::{Study, Trial, outcome_name},
    voids::{self, voids},
};
use outputs::{Decision, Rule};

/// Judges every candidate of a study. The same study gives the same judgement, byte for byte.
pub fn judge(study: &Study) -> Judgement {
    let voids = voids(study);
    let structure = structure::check(study, BASELINE, None);
    let mut rule = Rule::of(study);
    let within = study.workload.score.same_within;
    let (blind, arms): (Vec<&str>, Vec<&str>) =
        study.arms().into_iter().filter(|arm| *arm != BASELINE).partition(|arm| *arm == BLIND_CONTROL);
    let baseline = comparison::speeds(study, BASELINE, &voids);
    let mut selves = Vec::new();
    if !arms.is_empty() || !blind.is_empty() {
        let closing = comparison::overall(study, BASELINE, &baseline, &voids);
        selves.push(comparison::against_itself(leaderboard::CLOSING, closing, within));
    }
    let blind_control = blind.first().map(|arm| {
        let (control, overall) = candidate(study, arm, &voids, &structure, &rule);
        rule.take_blind_control(&control);
        selves.push(comparison::against_itself(leaderboard::CONTROL, overall, within));
        control
    });
    let (mut candidates, mut standings) = (Vec::new(), BTreeMap::new());
    for arm in arms {
        let (candidate, overall) = candidate(study, arm, &voids, &structure, &rule);
        let mode = study.workload.score.mode.name();
        let score = candidate.scores.iter().find(|s| s.mode == mode).and_then(|s| s.score);
        standings.insert(arm.to_owned(), Standing { overall, score });
        candidates.push(candidate);
    }
    candidates.sort_by(order);
    let mut ladders = ladder::ladders(study, &voids);
    comparison::adjust(&mut candidates, &mut ladders);
    let (controls, controls_lack) = match calibration::of_run(study) {
        None => (None, None),
        Some(Ok(calibration)) => (Some(Box::new(calibration)), None),
        Some(Err(why)) => (None, Some(why)),
    };
    let largest =
        |of: fn(&Trial) -> Option<lab::Nanos>| study.trials.iter().filter(|t| t.completed()).filter_map(of).max();
    Judgement {
        format: FORMAT,
        method: METHOD,
        bundles: bundle_refs(study),
        calibration_bundles: study.calibration.iter().flat_map(bundle_refs).collect(),
        workload: study.workload.name.clone(),
        workload_digest: study.workload.digest,
        tolerance: rule.source,
        controls,
        controls_lack,
        slo: study.workload.slo.map(|s| Slo { ttft_ns: s.ttft, tpot_ns: s.tpot, e2el_ns: s.e2el, share: s.share }),
        leaderboard: leaderboard(study, &candidates, &standings, &selves),
        candidates,
        blind_control,
        self_speeds: selves,
        baseline: Baseline {
            opening_closing: cells(baseline),
            equivalence: rule.baseline,
            divergence: divergence::of(study, BASELINE),
            structure: checks(structure),
            client_lag_p99_ns: largest(metrics::client_lag_p99),
            send_lag_p99_ns: largest(metrics::send_lag_p99),
            read_behind_ns: largest(metrics::read_behind),
            nodes: nodes::nodes(study, &voids),
            containers: metrics::overhead(study),
        },
        loads: loads::facts(study, &voids),
        ladders,
        voids: voids.into_values().collect(),
    }
}

/// Judges one arm, its structure beside the baseline's; with its speed, round by round.
fn candidate(
    study: &Study,
    arm: &str,
    voids: &BTreeMap<u32, Void>,
    baseline: &[Outcome],
    rule: &Rule,
) -> (Candidate, comparison::Overall) {
    let structure = structure::check(study, arm, Some(baseline));
    let Decision { verdict, reasons, equivalence } = outputs::decide(study, arm, &structure, rule);
    let speed = comparison::speeds(study, arm, voids);
    let overall = comparison::overall(study, arm, &speed, voids);
    let candidate = Candidate {
        name: arm.to_owned(),
        description: study.workload.arm(arm).map(|a| a.description.clone()).unwrap_or_default(),
        control: study.workload.arm(arm).and_then(|a| a.control),
        verdict,
        provisional: rule.is_provisional(),
        reasons,
        equivalence,
        divergence: divergence::of(study, arm),
        structure: checks(structure),
        speed: cells(speed),
        overall: overall.effect,
        overall_note: overall.note.clone(),
        look: overall.claim.look,
        same_speed: comparison::same_speed(&overall, study.workload.score.same_within),
        scores: score::scores(study, arm),
        gates: score::gates(study, arm),
        notes: voids::client_late(study, arm).into_iter().collect(),
        failures: failures(study, arm),
        outcomes: request_outcomes(study, arm),
    };
    (candidate, overall)
}

fn cells(speeds: Vec<comparison::Speed>) -> Vec<crate::judgement::CellSpeed> {
    speeds.into_iter().map(|s| s.cell).collect()
}

fn checks(outcomes: Vec<Outcome>) -> Vec<crate::judgement::Check> {
    outcomes.into_iter().map(|o| o.check).collect()
}

fn failures(study: &Study, arm: &str) -> Vec<Failure> {
    let of_arm = study.trials.iter().filter(|t| t.plan.arm == arm);
    of_arm
        .filter_map(|t| match &t.record.outcome {
            lab::records::TrialOutcome::Completed => None,
            lab::records::TrialOutcome::Failed { class, detail } => {
                Some(Failure { trial: t.folder.clone(), class: *class, detail: detail.clone() })
            }
        })
        .collect()
}

fn request_outcomes(study: &Study, arm: &str) -> Vec<(String, u64)> {
    let mut counts = BTreeMap::<&'static str, u64>::new();
    for response in study.trials.iter().filter(|t| t.plan.arm == arm).flat_map(|t| &t.responses) {
        *counts.entry(outcome_name(response.outcome)).or_default() += 1;
    }
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

/// By verdict, then by the lower bound of the speed-up, those without one last, then by name.
fn order(a: &Candidate, b: &Candidate) -> Ordering {
    let low = |c: &Candidate| c.overall.map_or(f64::NEG_INFINITY, |e| e.low);
    a.verdict.cmp(&b.verdict).then(low(b).total_cmp(&low(a))).then_with(|| a.name.cmp(&b.name))
}

/// Every bundle of the run, stage by stage, each measurement before its grades.
fn bundle_refs(study: &Study) -> Vec<BundleRef> {
    let of_stage = study.stages.iter().zip(1..);
    of_stage
        .flat_map(|(stage, n)| std::iter::once(&stage.measure).chain(&stage.grades).map(move |b| bundle_ref(b, n)))
        .collect()
}

fn bundle_ref(bundle: &Bundle, stage: u32) -> BundleRef {
    BundleRef {
        id: bundle.id,
        kind: if bundle.is_measure() { "measure" } else { "grade" },
        stage,
        folder: bundle.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        sealed: bundle.manifest.sealed.clone(),
    }
}

#[cfg(test)]
mod tests;
