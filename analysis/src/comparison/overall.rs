//! One number for one arm: the geometric mean over cells of its equal-work speed-up.

use std::collections::{BTreeMap, BTreeSet};

use stats::paired;

use super::{Claim, Speed, effect};
use crate::{
    judgement::{Effect, Reason, Void},
    study::Study,
};

/// A candidate that leaves more than one request of so many undone has no overall speed-up.
const UNDONE: u64 = 10;

/// Fewer of the claimed rounds that count say nothing: who could make rounds void would choose
/// among them.
const COUNTED: (u64, u64) = (3, 4);

/// An arm's overall speed-up, or why there is none or why it claims nothing.
pub struct Overall {
    /// Over the claim's rounds.
    pub effect: Option<Effect>,
    /// Why there is none, or no claim.
    pub note: Option<Reason>,
    /// Each claimed round's mean log speed-up over all cells; none where there is no effect.
    pub logs: Vec<(u32, f64)>,
    /// What it rests on.
    pub claim: Claim,
}

/// The geometric mean over cells of the equal-work speed-up: each round's mean log over all
/// cells, then one interval over rounds. Or why there is none, or why it claims nothing.
pub fn overall(study: &Study, arm: &str, speeds: &[Speed], voids: &BTreeMap<u32, Void>) -> Overall {
    let claim = Claim::of(study, arm);
    let none = |code, text| Overall { effect: None, note: Some(Reason { code, text }), logs: Vec::new(), claim };
    if let Some((code, text)) = hidden(study, arm, speeds, voids, &claim) {
        return none(code, text);
    }
    let cells: Vec<&Speed> = speeds.iter().filter(|s| s.cell.counts).collect();
    let mut rounds = BTreeMap::<u32, Vec<f64>>::new();
    for (round, log) in cells.iter().flat_map(|c| &c.logs) {
        rounds.entry(*round).or_default().push(*log);
    }
    rounds.retain(|_, logs| logs.len() == cells.len());
    let logs: Vec<(u32, f64)> =
        rounds.into_iter().filter_map(|(round, logs)| Some((round, stats::sum::mean(&logs)?))).collect();
    let (counted, claimed) = (logs.len() as u64, u64::from(claim.rounds));
    if counted > 0 && counted * COUNTED.1 < claimed * COUNTED.0 {
        let text = format!("{counted} of {claimed} rounds count, the others are void; three quarters are the least");
        return none("too-many-voids", text);
    }
    let values: Vec<f64> = logs.iter().map(|(_, log)| *log).collect();
    let Some(effect) = effect(&values, &claim) else {
        let mut text = format!(
            "{} of {} with a value in every cell; two that differ are the least",
            logs.len(),
            rounds_text(claim.rounds as usize)
        );
        if let Some(first) = voids.values().next().filter(|_| logs.is_empty()) {
            text += &format!("; {} trials are not counted, the first: {}", voids.len(), first.why);
        }
        return none("no-interval", text);
    };
    let note = (!effect.powered).then(|| {
        let why = match claim.waits_for {
            Some(first) => format!("the first declared look is after {first}"),
            None => format!("{} are the least for a claim about speed", paired::MIN_ROUNDS),
        };
        Reason { code: "not-powered", text: format!("not powered: {}, {why}", rounds_text(logs.len())) }
    });
    Overall { effect: Some(effect), note, logs, claim }
}

/// What the rounds that are left would hide.
fn hidden(
    study: &Study,
    arm: &str,
    speeds: &[Speed],
    voids: &BTreeMap<u32, Void>,
    claim: &Claim,
) -> Option<(&'static str, String)> {
    let blocks: BTreeSet<u32> =
        study.planned().filter(|t| t.arm == arm && claim.covers(t.round)).map(|t| t.block).collect();
    let lacks = study.missing.iter().filter(|t| blocks.contains(&t.block)).count();
    if lacks > 0 {
        let text = format!("the run was sealed before its end: {lacks} trials of its rounds were never measured");
        return Some(("sealed-early", text));
    }
    let own = study.trials.iter().filter(|t| t.plan.arm == arm && claim.covers(t.plan.round));
    let failed = own.filter(|t| !voids.contains_key(&t.plan.n) && !t.completed()).count();
    if failed > 0 {
        let planned = study.planned().filter(|t| t.arm == arm && claim.covers(t.round)).count();
        let text = if failed == planned {
            format!("all {planned} launches failed")
        } else {
            format!("{failed} of {planned} launches failed; the speed of the others would hide that")
        };
        return Some(("fewer-rounds", text));
    }
    let mut cells = speeds.iter().filter(|s| s.cell.counts);
    if let Some(short) = cells.clone().find(|s| s.logs.len() < s.comparable) {
        let text = format!(
            "in {} of load {} no request is complete in the candidate and its baselines with equal work",
            rounds_text(short.comparable - short.logs.len()),
            short.cell.load
        );
        return Some(("fewer-rounds", text));
    }
    let idle = cells.find(|s| s.undone.1 * UNDONE > s.undone.0)?;
    let (done, undone) = idle.undone;
    let text = format!(
        "under load {} the time was over before {undone} of {done} requests that both baselines completed; it had less to do",
        idle.cell.load
    );
    Some(("work-left-undone", text))
}

fn rounds_text(rounds: usize) -> String {
    if rounds == 1 { "1 round".into() } else { format!("{rounds} rounds") }
}

#[cfg(test)]
mod tests;
