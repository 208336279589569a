//! The public scores of Cacheon V1, for comparison with published rounds. They decide nothing.
//! Rules: `METHOD.md`, section *Scores*.
//!
//! One round is one V1 evaluation: the opening baseline of the block against the candidate, the
//! same requests. What V1 rewarded beyond speed (bursts, stuffed entries, forged logprobs, cut
//! answers) stands in these numbers as it stood in V1's.

mod gates;
mod stream;

use std::collections::BTreeMap;

use lab::{plan::Role, workload::ScoreMode};
use stats::score::{self, median};

pub use gates::gates;

use crate::{
    comparison::{counts, is_of},
    judgement::{Reason, Score},
    study::{Cell, Response, Study, Trial},
    voids::voids,
};
use stream::Stream;

/// The three public scores of a candidate.
pub fn scores(study: &Study, arm: &str) -> Vec<Score> {
    let evaluations = evaluations(study, arm);
    let why = unfit(study, arm, &evaluations);
    let read = |e: &Evaluation<'_>| (e.candidate.plan.round, streams(study, e));
    let rounds: Vec<_> = evaluations.iter().map(read).collect();
    let modes: [(ScoreMode, Formula); 3] = [
        (ScoreMode::V1Launch, score::v1_launch),
        (ScoreMode::V1AlignedTps, score::v1_aligned_tps),
        (ScoreMode::V1E2e, score::v1_e2e),
    ];
    let entries = if study.workload.sampling.logprobs.is_some() { "logprobs" } else { "tokens" };
    let of = |(mode, formula): (ScoreMode, Formula)| of_mode(mode, formula, &rounds, entries, why.clone());
    modes.map(of).into()
}

type Formula = fn(&[score::Pair<'_>]) -> Option<f64>;
/// Both streams of every prompt.
type Streams = Vec<(Stream, Stream)>;

fn of_mode(
    mode: ScoreMode,
    formula: Formula,
    found: &[(u32, Result<Streams, Reason>)],
    entries: &'static str,
    unfit: Option<Reason>,
) -> Score {
    let mut rounds = BTreeMap::<u32, Vec<Option<f64>>>::new();
    for (round, streams) in found {
        let score = streams.as_ref().ok().and_then(|all| formula(&all.iter().map(pair).collect::<Vec<_>>()));
        rounds.entry(*round).or_default().push(score);
    }
    let mean = |all: Vec<Option<f64>>| stats::sum::mean(&all.into_iter().collect::<Option<Vec<_>>>()?);
    let rounds: Vec<(u32, f64)> = rounds.into_iter().filter_map(|(round, all)| Some((round, mean(all)?))).collect();
    let why = unfit.or_else(|| found.iter().find_map(|(_, streams)| streams.as_ref().err().cloned()));
    let score = median(rounds.iter().map(|(_, score)| *score).collect()).filter(|_| why.is_none());
    Score { mode: mode.name(), score, rounds, entries, why }
}

fn pair((baseline, candidate): &(Stream, Stream)) -> score::Pair<'_> {
    score::Pair { baseline: baseline.view(), candidate: candidate.view() }
}

/// What V1 would not have scored at all.
fn unfit(study: &Study, arm: &str, evaluations: &[Evaluation<'_>]) -> Option<Reason> {
    let voids = voids(study);
    let own = || study.trials.iter().filter(|t| t.plan.arm == arm && !voids.contains_key(&t.plan.n));
    let failed = own().filter(|t| !t.completed()).count();
    if failed > 0 {
        let text = format!("{failed} of {} launches failed, which V1 disqualified", own().count());
        return Some(Reason { code: "launch-failed", text });
    }
    let text = "no round has both an opening baseline and this candidate".into();
    evaluations.is_empty().then_some(Reason { code: "no-round", text })
}

/// One V1 evaluation: two trials of a block under one load.
struct Evaluation<'a> {
    baseline: &'a Trial,
    candidate: &'a Trial,
    cell: Cell,
}

/// Every evaluation of a candidate, in the plan's order; steps of a ladder are none where the
/// workload has other loads.
fn evaluations<'a>(study: &'a Study, arm: &'a str) -> Vec<Evaluation<'a>> {
    let voids = voids(study);
    let counted = |t: &&Trial| t.completed() && !voids.contains_key(&t.plan.n);
    let cells: Vec<Cell> = study.cells_of_arm(arm).into_iter().filter(|cell| counts(study, &cell.load)).collect();
    let own = study.completed(arm).filter(counted);
    own.flat_map(|candidate| {
        let mut beside = study.baselines_beside(candidate).filter(counted);
        let opening = beside.find(|t| t.plan.role == Role::Opening);
        let ran = cells.iter().filter(|cell| is_of(candidate, cell)).cloned();
        ran.filter_map(move |cell| Some(Evaluation { baseline: opening?, candidate, cell })).collect::<Vec<_>>()
    })
    .collect()
}

impl<'a> Evaluation<'a> {
    /// The baseline's and the candidate's responses to each request that was due in both.
    fn prompts(&self) -> impl Iterator<Item = (&'a Response, &'a Response)> {
        let (baseline, candidate) = (self.baseline, self.candidate);
        let load = self.cell.load.clone();
        let both = candidate.responses.iter().filter(move |r| r.load == load);
        both.filter_map(move |own| Some((baseline.response(own.request)?, own)))
            .filter(|(theirs, own)| !theirs.time_up() && !own.time_up())
    }
}

/// Both streams of every prompt as V1 read them; the reason why V1 had no score where it had none.
fn streams(study: &Study, evaluation: &Evaluation<'_>) -> Result<Streams, Reason> {
    let asked = study.workload.sampling.logprobs.is_some();
    let all = evaluation.prompts().map(|(theirs, own)| {
        let refused = |who: &str, trial: &Trial| Reason {
            code: "failed-request",
            text: format!(
                "request {} has no answer of {who} in {}: V1 scored no such round",
                own.request, trial.folder
            ),
        };
        let baseline = Stream::read(theirs, asked).ok_or_else(|| refused("the baseline", evaluation.baseline))?;
        Ok((baseline, Stream::read(own, asked).ok_or_else(|| refused("this candidate", evaluation.candidate))?))
    });
    all.collect()
}

#[cfg(test)]
mod tests;
