//! How far outputs are from a trusted reference that read the same prefix. Rules:
//! `METHOD.md`, section *Equivalence*. The candidate's own logprobs are never looked at.

use lab::{records::Source, tokenizer::Tokenizer, workload::Tolerance};
use stats::{
    clustered,
    equivalence::{self, Limits, Seen},
    stages::{self, CROSSING_LN_E, StageE, Standing},
    sum,
};

use crate::{
    judgement::{Equivalence, StageEvidence, WorstToken},
    study::{CountedFrom, Graded, Study, Trial},
};

/// Tokens kept as evidence.
const WORST: usize = 10;

/// The margins of one graded request, in nats.
struct Request<'a> {
    trial: &'a Trial,
    graded: &'a Graded,
    margins: Vec<(u32, f64)>,
    /// Graded from ids that the server sent and that are those of its text.
    from_ids: bool,
}

/// Where to look: all of an arm's trials, or those of one model on one number of GPUs.
pub(crate) type Group<'a> = Option<(&'a str, u32)>;

/// An arm's margins with the numbers of the test. None where nothing was graded.
pub(crate) struct Margins {
    pub(crate) equivalence: Equivalence,
    /// Sampled outputs that came and were not graded.
    pub(crate) ungraded: u64,
    /// Where the evidence of outputs that were graded from ids stands.
    pub(crate) standing: Standing,
    /// Where all evidence stands, whatever was graded.
    pub(crate) standing_of_all: Standing,
}

/// Margins without a tolerance to hold them against.
pub(crate) struct Facts {
    pub(crate) requests: u64,
    pub(crate) tokens: u64,
    pub(crate) not_first: u64,
    pub(crate) mean_nats: f64,
    pub(crate) max_nats: f64,
}

/// The margins of an arm under a tolerance, in the plan's order.
pub(crate) fn of_arm(study: &Study, arm: &str, group: Group<'_>, tolerance: Tolerance) -> Option<Margins> {
    let requests = requests(study, arm, group);
    let facts = facts(&requests)?;
    let seen: Vec<Seen> = requests.iter().map(|r| seen(r, tolerance.cap_nats)).collect::<Option<_>>()?;
    let launches = by_launch(&requests, &seen);
    let stages: Vec<(StageEvidence, [StageE; 2])> =
        by_stage(&requests, &seen).map(|stage| evidence(&stage, limits(tolerance))).collect::<Option<_>>()?;
    let standing = |which: usize| stages::confirmed(&stages.iter().map(|(_, e)| e[which]).collect::<Vec<_>>());
    let confidence = equivalence::confidence(stages.len());
    let (standing, standing_of_all) = (standing(0), standing(1));
    let bounds = equivalence::bounds(&launches, confidence).ok()?;
    let x: Vec<Vec<f64>> = launches.iter().map(|launch| launch.iter().map(|s| s.x).collect()).collect();
    let by_tokens = token_means(&requests, tolerance.cap_nats);
    let stages: Vec<StageEvidence> = stages.into_iter().map(|(stage, _)| stage).collect();
    Some(Margins {
        standing,
        standing_of_all,
        ungraded: ungraded(study, arm, group),
        equivalence: Equivalence {
            requests: facts.requests,
            tokens: facts.tokens,
            launches: launches.len() as u64,
            from_ids: requests.iter().filter(|r| r.from_ids).count() as u64,
            mean_margin_nats: facts.mean_nats,
            max_margin_nats: facts.max_nats,
            not_first: facts.not_first,
            mean_x: bounds.mean_x,
            upper_x: bounds.upper_x,
            launch_means: clustered::launch_means(&x).ok()?,
            mean_x_by_tokens: sum::mean(&by_tokens)?,
            upper_x_by_tokens: clustered::upper_bound(&by_tokens, confidence).ok().map(|bound| bound.upper),
            far_requests: bounds.far_requests,
            upper_far: bounds.upper_far,
            confidence,
            ln_e: stages.iter().map(|stage| stage.ln_e).sum(),
            requests_to_suspect: requests_to_suspect(&stages),
            stages,
            worst: worst(study, &requests),
        },
    })
}

fn seen(request: &Request<'_>, cap: f64) -> Option<Seen> {
    let margins: Vec<f64> = request.margins.iter().map(|(_, m)| *m).collect();
    Seen::of(&margins, cap)
}

/// Each launch's mean capped margin over its tokens, as a share of the cap: a long answer counts
/// for as much work as it is.
fn token_means(requests: &[Request<'_>], cap: f64) -> Vec<f64> {
    let of_launch = requests.chunk_by(|a, b| a.trial.plan.n == b.trial.plan.n);
    of_launch
        .filter_map(|launch| {
            let capped: Vec<f64> = launch.iter().flat_map(|r| &r.margins).map(|(_, m)| m.min(cap) / cap).collect();
            sum::mean(&capped)
        })
        .collect()
}

/// δ and δ_h of a tolerance.
pub(crate) fn limits(tolerance: Tolerance) -> Limits {
    Limits { mean: tolerance.mean, far: tolerance.far }
}

type OfStage<'a> = Vec<(&'a Request<'a>, Seen)>;

fn by_stage<'a>(requests: &'a [Request<'a>], seen: &'a [Seen]) -> impl Iterator<Item = OfStage<'a>> {
    let numbers: std::collections::BTreeSet<usize> = requests.iter().map(|r| r.trial.stage).collect();
    let of = move |number| {
        let pairs = requests.iter().zip(seen.iter().copied());
        pairs.filter(|(r, _)| r.trial.stage == number).collect()
    };
    numbers.into_iter().map(of)
}

/// The e-process of one stage: of outputs graded from ids, and of all of them.
fn evidence(stage: &OfStage<'_>, limits: Limits) -> Option<(StageEvidence, [StageE; 2])> {
    let of_ids: Vec<Seen> = stage.iter().filter(|(r, _)| r.from_ids).map(|(_, seen)| *seen).collect();
    let of_all: Vec<Seen> = stage.iter().map(|(_, seen)| *seen).collect();
    let (ids, all) = (equivalence::evidence(&of_ids, limits).ok()?, equivalence::evidence(&of_all, limits).ok()?);
    let launches: std::collections::BTreeSet<u32> = stage.iter().map(|(r, _)| r.trial.plan.n).collect();
    let shown = StageEvidence {
        stage: stage.first()?.0.trial.stage as u32 + 1,
        requests: stage.len() as u64,
        from_ids: of_ids.len() as u64,
        launches: launches.len() as u64,
        highest_ln_e: StageE::from(&all).highest_ln,
        ln_e: all.final_ln(),
        requests_to_suspect: all.first_crossing(CROSSING_LN_E).map(|i| i as u64 + 1),
    };
    Some((shown, [StageE::from(&ids), StageE::from(&all)]))
}

/// Graded requests until the first stage that made a suspect did.
fn requests_to_suspect(stages: &[StageEvidence]) -> Option<u64> {
    let mut before = 0;
    for stage in stages {
        if let Some(own) = stage.requests_to_suspect {
            return Some(before + own);
        }
        before += stage.requests;
    }
    None
}

/// The margins of an arm: launches of requests of tokens, in nats, in the plan's order.
pub fn launches(study: &Study, arm: &str) -> Vec<Vec<Vec<f64>>> {
    let mut launches: Vec<(u32, Vec<Vec<f64>>)> = Vec::new();
    for request in requests(study, arm, None) {
        let margins = request.margins.iter().map(|(_, m)| *m).collect();
        match launches.last_mut() {
            Some((n, own)) if *n == request.trial.plan.n => own.push(margins),
            _ => launches.push((request.trial.plan.n, vec![margins])),
        }
    }
    launches.into_iter().map(|(_, own)| own).collect()
}

/// What the margins of an arm are, without an opinion.
pub(crate) fn facts_of_arm(study: &Study, arm: &str) -> Option<Facts> {
    facts(&requests(study, arm, None))
}

fn in_group(trial: &Trial, group: Group<'_>) -> bool {
    group.is_none_or(|(model, gpus)| trial.plan.model == model && trial.plan.gpus == gpus)
}

/// The graded requests of completed trials that have at least one token, in the plan's order.
fn requests<'a>(study: &'a Study, arm: &'a str, group: Group<'_>) -> Vec<Request<'a>> {
    let mut found = Vec::new();
    for trial in study.completed(arm).filter(|t| in_group(t, group)) {
        let tokenizer = study.tokenizer(&trial.plan.model);
        for response in &trial.responses {
            let Some(graded) = trial.graded.get(&response.request) else { continue };
            let margins = margins(graded, tokenizer.filter(|_| study.workload.sampling.ignore_eos));
            let from_ids = graded.source == Source::Ids && response.counted_from == CountedFrom::Ids;
            if !margins.is_empty() {
                found.push(Request { trial, graded, margins, from_ids });
            }
        }
    }
    found
}

/// logp(best) − logp(emitted) by position, never below 0. Under `ignore_eos` positions are left
/// out where the reference would end and the server, as it may, went on.
fn margins(graded: &Graded, ignore_eos: Option<&Tokenizer>) -> Vec<(u32, f64)> {
    let went_on = |row: &&lab::records::ReferenceRow, t: &Tokenizer| t.is_special(row.best_id) && !t.is_special(row.id);
    let kept = graded.rows.iter().filter(|row| !ignore_eos.is_some_and(|t| went_on(row, t)));
    kept.map(|row| (row.position, (row.best_logprob - row.logprob).clamp(0.0, f64::MAX))).collect()
}

fn by_launch(requests: &[Request<'_>], seen: &[Seen]) -> Vec<Vec<Seen>> {
    let mut launches: Vec<(u32, Vec<Seen>)> = Vec::new();
    for (request, seen) in requests.iter().zip(seen) {
        match launches.last_mut() {
            Some((n, own)) if *n == request.trial.plan.n => own.push(*seen),
            _ => launches.push((request.trial.plan.n, vec![*seen])),
        }
    }
    launches.into_iter().map(|(_, own)| own).collect()
}

fn ungraded(study: &Study, arm: &str, group: Group<'_>) -> u64 {
    let trials = study.completed(arm).filter(|t| in_group(t, group));
    let sampled = trials.flat_map(|t| t.graded.iter().map(move |(id, graded)| (t.response(*id), graded)));
    let came =
        sampled.filter(|(r, graded)| r.is_some_and(|r| r.complete() && r.tokens() > 0) && graded.rows.is_empty());
    came.count() as u64
}

fn facts(requests: &[Request<'_>]) -> Option<Facts> {
    let all: Vec<f64> = requests.iter().flat_map(|r| r.margins.iter().map(|(_, m)| *m)).collect();
    let firsts = requests.iter().flat_map(|r| &r.graded.rows).filter(|row| row.id == row.best_id).count() as u64;
    let graded = requests.iter().map(|r| r.graded.rows.len() as u64).sum::<u64>();
    Some(Facts {
        requests: requests.len() as u64,
        tokens: all.len() as u64,
        not_first: graded - firsts,
        mean_nats: sum::mean(&all)?,
        max_nats: all.iter().copied().reduce(f64::max)?,
    })
}

/// The largest margins, ties in the plan's order.
fn worst(study: &Study, requests: &[Request<'_>]) -> Vec<WorstToken> {
    let mut all: Vec<(f64, &Request<'_>, u32)> = requests
        .iter()
        .flat_map(|r| r.margins.iter().map(move |(position, m)| (*m, r, *position)))
        .filter(|(m, _, _)| *m > 0.0)
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.truncate(WORST);
    let text = |request: &Request<'_>, id: u32| {
        let text = study.tokenizer(&request.trial.plan.model).map(|t| t.decode(&[id])).unwrap_or_default();
        if text.is_empty() { format!("token {id}") } else { text }
    };
    all.into_iter()
        .filter_map(|(margin_nats, request, position)| {
            let row = request.graded.rows.iter().find(|row| row.position == position)?;
            Some(WorstToken {
                trial: request.trial.folder.clone(),
                request: row.request,
                position,
                emitted: text(request, row.id),
                best: text(request, row.best_id),
                margin_nats,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
