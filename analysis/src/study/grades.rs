//! Grade bundles: a trusted reference's view of sampled outputs. The sample must be the one
//! that the run's committed seed draws, and the tokens those that were received.

use std::collections::BTreeMap;

use lab::{
    Digest, Problem, Result, audit,
    bundle::{Bundle, GRADE, GRADED, PROMPTS},
    records::{GradedRow, PromptRow, ReferenceRow, Source},
    tokenizer::Tokenizer,
};

use super::{Contract, Trial};

/// One sampled output as the reference sees it.
#[derive(Debug, Clone)]
pub struct Graded {
    /// What was graded.
    pub source: Source,
    /// Why nothing was; empty where it was.
    pub failure: String,
    /// Each graded token, by position.
    pub rows: Vec<ReferenceRow>,
}

/// The reference's rendering of prompts: number of ids by model and request.
pub(super) type Prompts = BTreeMap<(String, u32), u64>;

/// Reads all grade bundles into the trials they grade; gives the prompts' lengths.
pub(super) fn read(
    grades: &[Bundle],
    measure: Digest,
    contract: &Contract,
    trials: &mut [Trial],
    tokenizers: &BTreeMap<String, Tokenizer>,
) -> Result<Prompts> {
    let mut prompts = Prompts::new();
    for bundle in grades {
        one(bundle, measure, contract, trials, tokenizers, &mut prompts)?;
    }
    let ungraded = trials.iter().find(|t| t.completed() && !t.sampled);
    match ungraded {
        Some(trial) if !grades.is_empty() => Err(Problem::broken(format!(
            "no grade bundle grades {}, so what was graded is a choice and not a sample",
            trial.folder
        ))
        .next("grade the whole run with bench grade")),
        _ => Ok(prompts),
    }
}

fn one(
    bundle: &Bundle,
    measure: Digest,
    contract: &Contract,
    trials: &mut [Trial],
    tokenizers: &BTreeMap<String, Tokenizer>,
    prompts: &mut Prompts,
) -> Result<()> {
    let at = |file: &str| bundle.path.join(file).display().to_string();
    let broken = |file: &str, what: String| Problem::broken(what).at(at(file)).next("grade the run again");
    let grade = bundle.grade()?;
    let asked = contract.workload.equivalence.as_ref().map(|e| e.sample);
    if asked != Some(grade.sample) {
        let what = format!("it graded {} requests of each trial, its workload asks for another number", grade.sample);
        return Err(broken(GRADE, what));
    }
    let seed = audit::seed_from_hex(&grade.audit_seed)
        .ok_or_else(|| broken(GRADE, "the audit seed is not 64 hexadecimal digits".into()))?;
    if audit::commitment(&seed) != contract.run.audit_commitment {
        return Err(broken(GRADE, "the revealed audit seed is not the one that the run committed to".into()));
    }
    if let Some(what) = audit::mismatch(contract.plan.awaits.as_deref(), grade.value.as_deref()) {
        return Err(broken(GRADE, what));
    }
    let seed = audit::completed(&seed, grade.value.as_deref());
    for row in bundle.table::<PromptRow>(PROMPTS)? {
        prompts.insert((row.model, row.request), row.ids.0.len() as u64);
    }
    let mut by_trial = BTreeMap::<String, Vec<GradedRow>>::new();
    for row in bundle.table::<GradedRow>(GRADED)? {
        by_trial.entry(row.trial.clone()).or_default().push(row);
    }
    for (folder, rows) in by_trial {
        let shown = lab::text::shown(&folder, 80);
        let trial = trials
            .iter_mut()
            .find(|t| t.folder == folder)
            .ok_or_else(|| broken(GRADED, format!("the run has no trial `{shown}`")))?;
        if trial.sampled {
            return Err(Problem::new(lab::Kind::NotComparable, format!("two grade bundles grade {folder}"))
                .at(at(GRADED))
                .next("judge with one of them"));
        }
        let mut ids: Vec<u32> = rows.iter().map(|r| r.request).collect();
        ids.sort_unstable();
        if ids != audit::sample(&seed, measure, &trial.plan, grade.sample) {
            let what = format!("the graded requests of {folder} are not the sample that the audit seed draws");
            return Err(broken(GRADED, what));
        }
        trial.sampled = true;
        let mut reference = BTreeMap::<u32, Vec<ReferenceRow>>::new();
        for row in bundle.reference(&folder)? {
            reference.entry(row.request).or_default().push(row);
        }
        let ignore_eos = contract.workload.sampling.ignore_eos;
        for row in rows {
            let seen = reference.remove(&row.request).unwrap_or_default();
            let place = format!("{}/{folder}, request {}", lab::bundle::REFERENCE, row.request);
            let tokenizer = &tokenizers[&trial.plan.model];
            let skips = |id: u32| ignore_eos && tokenizer.is_special(id);
            let response = trial.response(row.request);
            let emitted = response.map(|r| match row.source {
                Source::Ids => r.received.clone(),
                _ => tokenizer.encode(&r.text),
            });
            let ended = emitted.iter().flatten().last().is_some_and(|id| tokenizer.is_special(*id));
            check(&row, &seen, emitted.as_deref(), ended, skips).map_err(|what| broken(&place, what))?;
            trial.graded.insert(row.request, Graded { source: row.source, failure: row.failure, rows: seen });
        }
        if let Some(request) = reference.keys().next() {
            return Err(broken(GRADED, format!("{folder} has reference rows of request {request}, not sampled")));
        }
    }
    Ok(())
}

/// In nats: no probability is above 1, and no token more likely than the first choice, but
/// for rounding.
const MOST_ROUNDING: f64 = 0.05;

/// Whether the reference looked at the tokens that were received, all of them, in order.
fn check(
    row: &GradedRow,
    seen: &[ReferenceRow],
    emitted: Option<&[u32]>,
    ended: bool,
    skips: impl Fn(u32) -> bool,
) -> std::result::Result<(), String> {
    if seen.len() != row.tokens as usize {
        return Err(format!("{} reference rows, {} says {}", seen.len(), GRADED, row.tokens));
    }
    if !seen.iter().all(|r| r.logprob.is_finite() && r.best_logprob.is_finite()) {
        return Err("a logprob is not a finite number".into());
    }
    if let Some(r) = seen.iter().find(|r| r.logprob - r.best_logprob > MOST_ROUNDING || r.best_logprob > MOST_ROUNDING)
    {
        return Err(format!("token {}: a first choice of {} after {}", r.position, r.best_logprob, r.logprob));
    }
    if let Some(r) = seen.iter().find(|r| r.id == r.best_id && r.best_logprob - r.logprob > MOST_ROUNDING) {
        return Err(format!(
            "token {} is its own first choice and has a logprob of {} beside {}",
            r.position, r.logprob, r.best_logprob
        ));
    }
    if row.source == Source::None {
        return if seen.is_empty() { Ok(()) } else { Err("rows of an output that was not graded".into()) };
    }
    let emitted = emitted.ok_or("this output was never received")?;
    let mut rows = seen.iter().peekable();
    for (position, id) in emitted.iter().enumerate() {
        match rows.next_if(|r| r.position as usize == position) {
            Some(r) if r.id == *id => {}
            Some(r) => return Err(format!("token {position} is {}, received was {id}", r.id)),
            None if skips(*id) => {}
            None => return Err(format!("token {position} is not graded")),
        }
    }
    // An end token may stand after what came without one: the server said that it stopped.
    match rows.next() {
        Some(r) if ended || rows.next().is_some() => Err(format!("token {} was never received", r.position)),
        _ => Ok(()),
    }
}
