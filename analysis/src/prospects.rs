//! What a further stage can change, said before it costs anything. Rules: `METHOD.md`, sections
//! *Speed* (claims), *Equivalence* (stages) and *Verdicts*.

use std::collections::BTreeSet;

use lab::workload::{BLIND_CONTROL, Look, Workload};
use stats::{equivalence, proportion};

use crate::{
    comparison::Claim,
    judgement::{Candidate, Judgement, Reason, Verdict},
    structure,
    study::Study,
};

/// What a further stage can come to for one candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prospect {
    /// The candidate.
    pub candidate: String,
    /// What can become of the verdict on its outputs.
    pub outputs: String,
    /// What can become of the claim on its speed.
    pub speed: String,
    /// Whether it can change a verdict or a claim at all.
    pub open: bool,
}

/// What `rounds` more rounds of these candidates can change.
pub fn prospects(study: &Study, judgement: &Judgement, rounds: u32, candidates: &[String]) -> Vec<Prospect> {
    let chosen = judgement.candidates.iter().filter(|c| candidates.contains(&c.name) && c.name != BLIND_CONTROL);
    let prospect = |candidate: &Candidate| {
        let (outputs, first) = outputs(study, judgement, rounds, candidate);
        let (speed, second) = speed(study, candidate, rounds);
        Prospect { candidate: candidate.name.clone(), outputs, speed, open: first || second }
    };
    chosen.map(prospect).collect()
}

/// Reasons that no further request takes away.
const FOR_GOOD: [&str; 4] = ["no-tolerance-declared", "calibration-failed", "not-greedy", "not-all-graded"];

/// Whether a reason stays, whatever more is measured. The baseline passes its own grading with
/// more requests too, unless E once spoke against it.
fn stays(reason: &Reason, judgement: &Judgement) -> bool {
    let mut own = judgement.baseline.equivalence.iter().flat_map(|e| &e.stages);
    let against = reason.code == "reference-not-self-consistent" && own.any(|s| s.requests_to_suspect.is_some());
    FOR_GOOD.contains(&reason.code) || structure::stands_for_good(reason.code) || against
}

/// What can become of a verdict, and whether it can change.
fn outputs(study: &Study, judgement: &Judgement, rounds: u32, candidate: &Candidate) -> (String, bool) {
    let reasons = &candidate.reasons;
    let suspect = reasons.iter().any(|r| r.code == "suspect");
    let confidence = equivalence::confidence(candidate.equivalence.as_ref().map_or(1, |e| e.stages.len() + 1));
    let bounds = format!("its bounds are then held at {} %", percent(confidence));
    if candidate.control.is_some() && judgement.tolerance.limits().is_none() {
        let text = "a control: these launches calibrate where this stage's bundle is named beside the first";
        return (text.into(), true);
    }
    match candidate.verdict {
        Verdict::Altered => ("altered for good: no further evidence takes that back".into(), false),
        Verdict::Equivalent => (format!("equivalent already, and can lose that: {bounds}"), true),
        Verdict::Undecided if suspect => {
            ("suspect: this can confirm it (altered), and nothing can clear it any more".into(), true)
        }
        Verdict::Undecided => match reasons.iter().find(|reason| stays(reason, judgement)) {
            Some(why) if ["no-tolerance-declared", "calibration-failed"].contains(&why.code) => {
                (format!("stays undecided whatever comes: {}", why.text), false)
            }
            Some(why) => (format!("can become altered, and no more equivalent: {}", why.text), true),
            None => {
                let needs = needed(study, judgement, rounds, candidate, confidence);
                (format!("undecided, and can be decided; {bounds}{}", needs.unwrap_or_default()), true)
            }
        },
    }
}

/// How many graded requests the bound on far requests needs, beside how many there will be.
fn needed(study: &Study, judgement: &Judgement, rounds: u32, candidate: &Candidate, confidence: f64) -> Option<String> {
    let (_, _, far) = judgement.tolerance.limits()?;
    let seen = candidate.equivalence.as_ref()?;
    let needs = proportion::trials_needed(seen.far_requests, far, confidence).ok()?;
    let most = seen.requests + u64::from(rounds) * graded_a_round(&study.workload, &candidate.name);
    let too_few = if most < needs { ", so that it cannot pass with this stage alone" } else { "" };
    Some(format!(
        "; a pass needs at least {needs} graded requests without a further far one, {} are there and this stage brings them to at most {most}{too_few}",
        seen.requests
    ))
}

/// Requests of a candidate that are graded in a round.
fn graded_a_round(workload: &Workload, candidate: &str) -> u64 {
    let sample = workload.equivalence.as_ref().map_or(0, |e| u64::from(e.sample));
    let groups = workload.groups.iter().filter(|g| g.candidates.iter().any(|name| name == candidate));
    let trial = |loads: &[String]| {
        workload.loads.iter().filter(|l| loads.contains(&l.name)).map(|l| u64::from(l.requests)).sum::<u64>()
    };
    groups.map(|group| trial(&group.loads).min(sample)).sum()
}

/// What can become of a claim on speed, and whether it can change.
fn speed(study: &Study, candidate: &Candidate, rounds: u32) -> (String, bool) {
    let planned = |arm: &str| -> BTreeSet<u32> { study.planned().filter(|t| t.arm == arm).map(|t| t.round).collect() };
    let own = planned(&candidate.name);
    let all = study.planned().map(|t| t.round).max().unwrap_or(0);
    let lost = candidate.overall_note.as_ref().filter(|n| ["fewer-rounds", "sealed-early"].contains(&n.code));
    let declared = study.workload.rounds;
    if candidate.verdict == Verdict::Altered {
        return ("does not count".into(), false);
    }
    if let Some(why) = lost {
        return (format!("none, and none to come: {}", why.text), false);
    }
    if study.workload.looks.is_empty() {
        let measured =
            if declared == 1 { "round 1, which is".into() } else { format!("rounds 1 to {declared}, which are") };
        return (format!("rests on {measured} measured; further rounds are shown and no part of it"), false);
    }
    if own.len() < all as usize {
        return ("cannot reach a further look, since a stage before left this candidate out".into(), false);
    }
    look(&study.workload.looks, Claim::of(study, &candidate.name).look, all, rounds)
}

/// The look that `rounds` more rounds after `all` reach.
fn look(looks: &[Look], rests_on: Option<u32>, all: u32, rounds: u32) -> (String, bool) {
    let rests = rests_on.map_or("rests on no look yet".into(), |n| format!("rests on look {n}"));
    let Some(next) = looks.iter().find(|look| look.rounds > all) else {
        return (
            format!(
                "{rests}, and all {} declared looks are used: further rounds are shown and no part of it",
                looks.len()
            ),
            false,
        );
    };
    let reached = looks.iter().zip(1_u32..).take_while(|(look, _)| look.rounds <= all.saturating_add(rounds)).last();
    match reached.filter(|(_, n)| Some(*n) != rests_on) {
        Some((reached, n)) => {
            let text = format!(
                "{rests}; this reaches look {n}, which takes its place whatever it says: rounds 1 to {}, at {} %",
                reached.rounds,
                percent(1.0 - reached.alpha)
            );
            (text, true)
        }
        None => {
            let text = format!(
                "{rests}, and this reaches no other: the next is after {} rounds, --more {}",
                next.rounds,
                next.rounds - all
            );
            (text, false)
        }
    }
}

/// `97.5`
fn percent(share: f64) -> String {
    let text = format!("{:.2}", 100.0 * share);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
