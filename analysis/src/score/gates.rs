//! The gates that V1 set before its scores, as far as a bundle can tell.

use std::collections::{BTreeMap, BTreeSet};

use stats::score::{self, Top, median};

use super::{Evaluation, evaluations};
use crate::{
    judgement::{Gate, Reason},
    parallel,
    study::{Study, Trial},
};

/// Answers of a round that gates look at, the first ones: V1 asked 12 prompts, and texts take time
/// to compare.
const PROMPTS: usize = 32;

/// What V1 asked of a candidate's outputs.
pub fn gates(study: &Study, arm: &str) -> Vec<Gate> {
    let rounds = parallel::map(&evaluations(study, arm), |evaluation| read(study, evaluation));
    GATES.iter().map(|rule| ask(rule, &rounds)).collect()
}

/// A gate: what it looks at, and whether that passes; or why it cannot.
struct Rule {
    name: &'static str,
    asks: &'static str,
    ask: fn(&Prompts) -> Result<(f64, bool), &'static str>,
}

#[rustfmt::skip]
const GATES: [Rule; 5] = [
    Rule { name: "near-ties", asks: "4 May: 99 % of tokens match, each other one is of the miner's two likeliest by 0.05 nats", ask: near_ties },
    Rule { name: "first-divergence", asks: "8 May: at the first other token the baseline's is of the miner's five likeliest by 0.5 nats", ask: first_divergence },
    Rule { name: "teacher-forcing", asks: "22 and 30 May: a reference gives each answer a mean logprob of −4, no token below −12", ask: teacher_forcing },
    Rule { name: "token-match", asks: "25 May: 25 % of tokens match, and teacher forcing", ask: token_match },
    Rule { name: "text-similarity", asks: "12 June: a mean similarity of texts of 0.40", ask: text_similarity },
];

/// One evaluation's answers: the first [`PROMPTS`], and every graded one.
struct Prompts {
    baseline: Vec<Answer>,
    candidate: Vec<Answer>,
    /// The reference's logprobs of the candidate's graded answers.
    forced: Vec<Vec<f64>>,
    /// Whether tokens are entries of logprobs.
    listed: bool,
}

#[derive(Default)]
struct Answer {
    tokens: Vec<String>,
    tops: Vec<Vec<Top>>,
    text: String,
}

fn read(study: &Study, evaluation: &Evaluation<'_>) -> Prompts {
    let listed = study.workload.sampling.logprobs.is_some();
    let first: BTreeSet<u32> = evaluation.prompts().take(PROMPTS).map(|(_, own)| own.request).collect();
    let claims = |trial: &Trial| if listed { listed_tokens(study, trial, &first) } else { BTreeMap::new() };
    let (theirs, own) = (claims(evaluation.baseline), claims(evaluation.candidate));
    let (mut baseline, mut candidate, mut forced) = (Vec::new(), Vec::new(), Vec::new());
    for (b, c) in evaluation.prompts() {
        let graded = evaluation.candidate.graded.get(&c.request).filter(|g| !g.rows.is_empty());
        forced.extend(graded.map(|g| g.rows.iter().map(|row| row.logprob).collect::<Vec<_>>()));
        if !first.contains(&c.request) {
            continue;
        }
        for (response, claims, into) in [(b, &theirs, &mut baseline), (c, &own, &mut candidate)] {
            let entries = claims.get(&response.request).map_or(&[][..], Vec::as_slice);
            let ids = || response.ids().iter().map(|id| id.to_string()).collect();
            into.push(Answer {
                tokens: if listed { entries.iter().map(|(token, _)| token.clone()).collect() } else { ids() },
                tops: entries.iter().map(|(_, tops)| tops.clone()).collect(),
                text: response.text.clone(),
            });
        }
    }
    Prompts { baseline, candidate, forced, listed }
}

/// A token's text, and what the server says it considered.
type Listed = (String, Vec<Top>);

/// What a trial's server listed for these requests; only the raw bytes hold it.
fn listed_tokens(study: &Study, trial: &Trial, requests: &BTreeSet<u32>) -> BTreeMap<u32, Vec<Listed>> {
    let Ok(exchanges) = study.stages[trial.stage].measure.exchanges(&trial.folder) else { return BTreeMap::new() };
    let asked = exchanges.map_while(Result::ok).filter(|e| requests.contains(&e.request));
    let timed = asked.filter(|e| trial.response(e.request).is_some_and(|r| r.load == e.phase)).take(requests.len());
    let top = |c: lab::wire::Considered| Top { token: c.token, logprob: c.logprob };
    let read = |bytes: &[u8]| {
        let entries = lab::wire::entries(bytes).into_iter();
        entries.map(|e| (e.token, e.tops.into_iter().map(top).collect())).collect()
    };
    timed.map(|e| (e.request, read(&e.bytes.bytes()))).collect()
}

fn ask(rule: &Rule, rounds: &[Prompts]) -> Gate {
    let mut why = rounds.is_empty().then_some("no round has both an opening baseline and this candidate");
    let (mut values, mut passed) = (Vec::new(), 0);
    for prompts in rounds {
        match (rule.ask)(prompts) {
            Ok((value, passes)) => {
                values.push(value);
                passed += u64::from(passes);
            }
            Err(text) => why = why.or(Some(text)),
        }
    }
    let why = why.filter(|_| values.is_empty()).map(|text| Reason { code: "not-asked", text: text.into() });
    Gate { code: rule.name, asks: rule.asks, rounds: values.len() as u64, passed, value: median(values), why }
}

const NO_LOGPROBS: &str = "the workload asked for no logprobs";

fn pairs(prompts: &Prompts) -> impl Iterator<Item = (&Answer, &Answer)> {
    prompts.baseline.iter().zip(&prompts.candidate)
}

/// The mean over prompts; 0 where there is none, as V1 had it.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    stats::sum::mean(&values.collect::<Vec<_>>()).unwrap_or(0.0)
}

fn matched(prompts: &Prompts) -> f64 {
    mean(pairs(prompts).map(|(b, c)| score::match_rate(&b.tokens, &c.tokens)))
}

fn words(answer: &Answer) -> Vec<&str> {
    answer.tokens.iter().map(String::as_str).collect()
}

fn near_ties(prompts: &Prompts) -> Result<(f64, bool), &'static str> {
    let passes = |(b, c): (&Answer, &Answer)| score::near_ties(&words(b), &words(c), &c.tops);
    if prompts.listed { Ok((matched(prompts), pairs(prompts).all(passes))) } else { Err(NO_LOGPROBS) }
}

/// Its number is the share of prompts that pass.
fn first_divergence(prompts: &Prompts) -> Result<(f64, bool), &'static str> {
    let passes = |(b, c): (&Answer, &Answer)| score::first_divergence(&words(b), &words(c), &c.tops);
    let share = mean(pairs(prompts).map(|pair| f64::from(u8::from(passes(pair)))));
    if prompts.listed { Ok((share, share == 1.0)) } else { Err(NO_LOGPROBS) }
}

/// Of the graded sample: V1 asked for every answer.
fn teacher_forcing(prompts: &Prompts) -> Result<(f64, bool), &'static str> {
    let forced: Option<Vec<_>> = prompts.forced.iter().map(|logprobs| score::teacher_forcing(logprobs)).collect();
    let forced = forced.filter(|all| !all.is_empty()).ok_or("no answer of it is graded")?;
    Ok((mean(forced.iter().map(|f| f.mean)), forced.iter().all(score::Forced::passes)))
}

fn token_match(prompts: &Prompts) -> Result<(f64, bool), &'static str> {
    let (_, forced) = teacher_forcing(prompts)?;
    let matched = matched(prompts);
    Ok((matched, matched >= 0.25 && forced))
}

fn text_similarity(prompts: &Prompts) -> Result<(f64, bool), &'static str> {
    let all: Option<Vec<f64>> = pairs(prompts).map(|(b, c)| score::similarity(&b.text, &c.text)).collect();
    let value = mean(all.ok_or("its texts are too long to compare")?.into_iter());
    Ok((value, value >= 0.40))
}
