//! How far outputs are from a trusted reference that read the same prefix. Rules:
//! `METHOD.md`, section *Equivalence*. The candidate's own logprobs are never looked at.

use lab::{records::Source, tokenizer::Tokenizer, workload::Tolerance};
use stats::{clustered, eprocess, proportion, sum};

use crate::{
    judgement::{Equivalence, WorstToken},
    study::{CountedFrom, Graded, Study, Trial},
};

/// A margin above this many caps is *far*.
pub const FAR_CAPS: f64 = 4.0;
/// ln 10³: the outputs are suspect.
pub const SUSPECT_LN_E: f64 = 6.907755278982137;
/// ln 10⁶: the outputs are altered.
pub const DISQUALIFY_LN_E: f64 = 13.815510557964274;
/// One-sided confidence of both bounds.
pub const CONFIDENCE: f64 = 0.95;

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
    /// Launches graded from ids.
    pub(crate) launches_from_ids: u64,
    /// Requests until E reached [`DISQUALIFY_LN_E`], graded from ids alone.
    pub(crate) altered_after: Option<u64>,
    /// The same for [`SUSPECT_LN_E`], whatever was graded.
    pub(crate) suspect_after: Option<u64>,
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
    let cap = tolerance.cap_nats;
    let x: Vec<f64> = requests.iter().map(|r| capped_mean(r, cap)).collect::<Option<_>>()?;
    let far: Vec<bool> = requests.iter().map(|r| r.margins.iter().any(|(_, m)| *m > FAR_CAPS * cap)).collect();
    let launches = by_launch(&requests, &x);
    let means = clustered::launch_means(&launches).ok()?;
    let far_requests = far.iter().filter(|f| **f).count() as u64;
    let process = |wanted: &dyn Fn(&Request<'_>) -> bool| {
        let chosen = || requests.iter().zip(x.iter().zip(&far)).filter(|(r, _)| wanted(r)).map(|(_, seen)| seen);
        let x: Vec<f64> = chosen().map(|(x, _)| *x).collect();
        let far: Vec<f64> = chosen().map(|(_, far)| f64::from(u8::from(*far))).collect();
        let on_x = eprocess::bet(&x, tolerance.mean, eprocess::GRID).ok()?;
        on_x.averaged(&eprocess::bet(&far, tolerance.far, eprocess::GRID).ok()?).ok()
    };
    let after = |e: &eprocess::EProcess, ln: f64| e.first_crossing(ln).map(|i| i as u64 + 1);
    let all = process(&|_| true)?;
    let ids = process(&|r| r.from_ids)?;
    Some(Margins {
        launches_from_ids: by_launch_count(requests.iter().filter(|r| r.from_ids)),
        altered_after: after(&ids, DISQUALIFY_LN_E),
        suspect_after: after(&all, SUSPECT_LN_E),
        ungraded: ungraded(study, arm, group),
        equivalence: Equivalence {
            requests: facts.requests,
            tokens: facts.tokens,
            launches: launches.len() as u64,
            from_ids: requests.iter().filter(|r| r.from_ids).count() as u64,
            mean_margin_nats: facts.mean_nats,
            max_margin_nats: facts.max_nats,
            not_first: facts.not_first,
            mean_x: sum::mean(&means)?,
            upper_x: clustered::upper_bound(&means, CONFIDENCE).ok().map(|bound| bound.upper),
            far_requests,
            upper_far: proportion::upper_bound(far_requests, facts.requests, CONFIDENCE).ok()?,
            ln_e: all.final_ln(),
            requests_to_threshold: after(&all, DISQUALIFY_LN_E),
            worst: worst(study, &requests),
        },
    })
}

/// What the margins of an arm are, without an opinion.
pub(crate) fn facts_of_arm(study: &Study, arm: &str) -> Option<Facts> {
    facts(&requests(study, arm, None))
}

/// The smallest number of graded requests at which `far` of them pass `limit`; none below
/// a hundred million.
pub(crate) fn requests_needed(far: u64, limit: f64) -> Option<u64> {
    let passes = |n: u64| proportion::upper_bound(far, n, CONFIDENCE).is_ok_and(|bound| bound < limit);
    let mut high = far + 1;
    while !passes(high) {
        high = high.checked_mul(2).filter(|n| *n < 100_000_000)?;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passes(middle) { high = middle } else { low = middle }
    }
    Some(high)
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

fn capped_mean(request: &Request<'_>, cap: f64) -> Option<f64> {
    let capped: Vec<f64> = request.margins.iter().map(|(_, m)| m.min(cap) / cap).collect();
    sum::mean(&capped).map(|x| x.min(1.0))
}

fn by_launch(requests: &[Request<'_>], x: &[f64]) -> Vec<Vec<f64>> {
    let mut launches: Vec<(u32, Vec<f64>)> = Vec::new();
    for (request, x) in requests.iter().zip(x) {
        match launches.last_mut() {
            Some((n, values)) if *n == request.trial.plan.n => values.push(*x),
            _ => launches.push((request.trial.plan.n, vec![*x])),
        }
    }
    launches.into_iter().map(|(_, values)| values).collect()
}

fn by_launch_count<'a>(requests: impl Iterator<Item = &'a Request<'a>>) -> u64 {
    requests.map(|r| r.trial.plan.n).collect::<std::collections::BTreeSet<_>>().len() as u64
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
