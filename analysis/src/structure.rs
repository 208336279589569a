//! Do the streams hold together? Each check asks one thing of one request; the table
//! `CHECKS` says what its violation means. Rules: `METHOD.md`, section *Structure*.
//!
//! A check whose consequence is *altered* must be one that no honest server can trip, and
//! it counts only where the baseline of the same run does not trip it.

mod checks;
mod degenerate;

use std::collections::{BTreeMap, BTreeSet};

use lab::{plan::Role, tokenizer::Tokenizer, workload::Workload};
use stats::proportion::lower_bound;

use crate::{
    judgement::{Check, Consequence},
    study::{CountedFrom, Response, Study, Trial},
};

/// What a check says of one request.
enum Answer {
    /// It cannot be asked of this request.
    NotAsked,
    /// Nothing is wrong.
    Fine,
    /// What is wrong; may quote the server.
    Violated(String),
}

/// From which violations on a check's consequence holds.
#[derive(Clone, Copy)]
enum From {
    /// A single one.
    Any,
    /// Surely more than this share, in percent, of the requests it was asked of, and more than
    /// twice the share of the baselines against each other.
    AbovePercent(u8),
    /// A larger share than the baseline's.
    AboveBaseline,
}

/// A row of the table.
struct Rule {
    code: &'static str,
    asks: &'static str,
    consequence: Consequence,
    from: From,
    ask: fn(&Asked<'_>) -> Answer,
}

/// One request with what a check may compare it with.
struct Asked<'a> {
    response: &'a Response,
    workload: &'a Workload,
    /// Most output tokens that it asks for.
    most_tokens: u32,
    tokenizer: &'a Tokenizer,
    /// Special tokens with which the baseline ends its answers.
    ends: &'a BTreeSet<u32>,
    /// Prompt tokens as the reference renders the prompt.
    prompt: Option<u64>,
    /// The complete answers of the neighbouring baselines to the same request.
    beside: Vec<&'a Response>,
}

impl Asked<'_> {
    fn has_ids(&self) -> bool {
        self.response.counted_from == CountedFrom::Ids
    }
}

/// A check's outcome over an arm, with the launches that violate it.
pub(crate) struct Outcome {
    pub(crate) check: Check,
    pub(crate) launches: u64,
    /// The first few violations.
    pub(crate) cases: Vec<Case>,
}

/// One violation, and where it can be looked up.
pub(crate) struct Case {
    /// The trial's folder.
    pub(crate) trial: String,
    pub(crate) request: u32,
    /// What is wrong; may quote the server, is cut and printable.
    pub(crate) what: String,
}

use Consequence::{Altered, Information, NotEquivalent};

/// Every check. Two rows may share a question: a few violations and many mean different things.
#[rustfmt::skip]
const CHECKS: &[Rule] = &[
    Rule { code: "failed-requests", asks: "every request gets a whole response, as often as with the baseline", consequence: NotEquivalent, from: From::AboveBaseline, ask: checks::complete },
    Rule { code: "done-seen", asks: "a stream ends with [DONE]", consequence: NotEquivalent, from: From::Any, ask: checks::done },
    Rule { code: "ends-for-a-reason", asks: "a whole answer says why it ended, as often as with the baseline", consequence: NotEquivalent, from: From::AboveBaseline, ask: checks::reason },
    Rule { code: "within-max-tokens", asks: "no more ids than were asked for", consequence: Altered, from: From::Any, ask: checks::within_max_ids },
    Rule { code: "within-max-tokens-text", asks: "no more tokens of text than were asked for, one more allowed", consequence: NotEquivalent, from: From::Any, ask: checks::within_max_text },
    Rule { code: "length-is-full", asks: "finish `length` comes with all ids that were asked for, up to four held back", consequence: Altered, from: From::Any, ask: checks::length_ids },
    Rule { code: "length-is-full-text", asks: "finish `length` comes with nine tenths of the tokens that were asked for", consequence: NotEquivalent, from: From::Any, ask: checks::length_text },
    Rule { code: "stops-at-end-token", asks: "no id follows the token with which the baseline ends its answers", consequence: Altered, from: From::Any, ask: checks::nothing_after_end },
    Rule { code: "stop-has-end-token", asks: "finish `stop` comes with the token with which the baseline ends its answers (else the grade adds it)", consequence: Information, from: From::Any, ask: checks::stop_has_end },
    Rule { code: "ids-match-text", asks: "the ids decode to the text", consequence: NotEquivalent, from: From::Any, ask: checks::ids_match_text },
    Rule { code: "ids-of-another-text", asks: "the ids have half of their tokens in common with the text", consequence: Altered, from: From::AbovePercent(25), ask: checks::ids_of_this_text },
    Rule { code: "claimed-output", asks: "the server's count of output tokens is the number of its ids", consequence: NotEquivalent, from: From::Any, ask: checks::claimed_ids },
    Rule { code: "claimed-output-text", asks: "the server's count of output tokens is ours of its text, one more or less allowed", consequence: Information, from: From::Any, ask: checks::claimed_text },
    Rule { code: "claimed-output-text-far", asks: "the server's count of output tokens is within a tenth of ours of its text", consequence: NotEquivalent, from: From::Any, ask: checks::claimed_text_near },
    Rule { code: "claimed-prompt", asks: "the server's count of prompt tokens is the reference's", consequence: NotEquivalent, from: From::Any, ask: checks::claimed_prompt },
    Rule { code: "entries-are-tokens", asks: "no more logprob entries than ids", consequence: Altered, from: From::Any, ask: checks::entries_ids },
    Rule { code: "entries-are-tokens-text", asks: "no more logprob entries than tokens of text, a tenth allowed", consequence: NotEquivalent, from: From::Any, ask: checks::entries_text },
    Rule { code: "no-special-text", asks: "the text spells out no special token", consequence: NotEquivalent, from: From::Any, ask: checks::special_text },
    Rule { code: "coalesced", asks: "no more than half of the tokens come with the last read (equal work is immune)", consequence: Information, from: From::Any, ask: checks::coalesced },
    Rule { code: "early-stop", asks: "an answer has nine tenths of the tokens of the baseline's", consequence: Information, from: From::Any, ask: checks::early_stop },
    Rule { code: "early-stop-often", asks: "nine of ten answers have nine tenths of the tokens of the baseline's", consequence: NotEquivalent, from: From::AbovePercent(10), ask: checks::early_stop },
    Rule { code: "degenerate", asks: "an answer repeats itself no more than the baseline's", consequence: Information, from: From::Any, ask: degenerate::repeats },
    Rule { code: "degenerate-often", asks: "nine of ten answers repeat themselves no more than the baseline's", consequence: NotEquivalent, from: From::AbovePercent(10), ask: degenerate::repeats },
];

/// Whether a violation of this check is a reason that no further request takes away; not so of
/// checks of shares, and of what is no check.
pub(crate) fn stands_for_good(code: &str) -> bool {
    let any = |rule: &Rule| matches!(rule.from, From::Any) && rule.consequence != Information;
    CHECKS.iter().any(|rule| rule.code == code && any(rule))
}

/// How often chance alone makes a check of shares hold where just that share violates it.
const CHANCE: f64 = 0.01;

/// Examples kept of a check.
const EXAMPLES: usize = 5;

/// All checks over the completed trials of an arm. `baseline` is the baseline's own outcome,
/// none while that is what is asked for.
pub(crate) fn check(study: &Study, arm: &str, baseline: Option<&[Outcome]>) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = CHECKS.iter().map(empty).collect();
    let models: BTreeSet<&str> = study.completed(arm).map(|t| t.plan.model.as_str()).collect();
    let ends: BTreeMap<&str, BTreeSet<u32>> = models.into_iter().map(|m| (m, end_tokens(study, m))).collect();
    for trial in study.completed(arm) {
        let model = trial.plan.model.as_str();
        let (Some(tokenizer), Some(ends)) = (study.tokenizer(model), ends.get(model)) else { continue };
        let neighbours: Vec<&Trial> = study.baselines_beside(trial).collect();
        let mut hit = vec![false; CHECKS.len()];
        for response in &trial.responses {
            let asked = Asked {
                response,
                workload: &study.workload,
                most_tokens: study.most_tokens(trial, response.request),
                tokenizer,
                ends,
                prompt: study.prompt_tokens(trial, response.request),
                beside: neighbours
                    .iter()
                    .filter_map(|t| t.response(response.request))
                    .filter(|r| r.complete())
                    .collect(),
            };
            for ((rule, outcome), hit) in CHECKS.iter().zip(&mut outcomes).zip(&mut hit) {
                *hit |= note(outcome, (rule.ask)(&asked), &trial.folder, response.request);
            }
        }
        outcomes.iter_mut().zip(hit).for_each(|(outcome, hit)| outcome.launches += u64::from(hit));
    }
    for (i, (rule, outcome)) in CHECKS.iter().zip(&mut outcomes).enumerate() {
        conclude(rule, outcome, baseline.map(|all| &all[i].check));
    }
    outcomes
}

fn empty(rule: &Rule) -> Outcome {
    let check = Check {
        code: rule.code,
        asks: rule.asks,
        consequence: rule.consequence,
        asked: 0,
        violations: 0,
        holds: false,
        examples: Vec::new(),
    };
    Outcome { check, launches: 0, cases: Vec::new() }
}

/// Counts an answer; whether it was a violation.
fn note(outcome: &mut Outcome, answer: Answer, folder: &str, request: u32) -> bool {
    let check = &mut outcome.check;
    check.asked += u64::from(!matches!(answer, Answer::NotAsked));
    let Answer::Violated(what) = answer else { return false };
    check.violations += 1;
    if check.examples.len() < EXAMPLES {
        let what = lab::text::shown(&what, 200);
        check.examples.push(format!("{folder}/{request}: {what}"));
        outcome.cases.push(Case { trial: folder.to_owned(), request, what });
    }
    true
}

/// Whether the violations are enough, and what they mean beside the baseline's.
fn conclude(rule: &Rule, outcome: &mut Outcome, baseline: Option<&Check>) {
    let check = &mut outcome.check;
    let theirs = baseline.map_or((0, 0), |b| (b.violations, b.asked));
    check.holds = match rule.from {
        From::Any => check.violations > 0,
        From::AbovePercent(percent) => {
            let twice_theirs = check.violations * theirs.1.max(1) > 2 * theirs.0 * check.asked;
            surely_above(f64::from(percent) / 100.0, check) && twice_theirs
        }
        From::AboveBaseline => check.violations * theirs.1.max(1) > theirs.0 * check.asked,
    };
    // What the run's own baseline does, an honest server does.
    if check.consequence == Altered && theirs.0 > 0 {
        check.consequence = NotEquivalent;
    }
}

/// Whether chance does not explain the violations where each answer is one with this probability:
/// so many or more had one of at most [`CHANCE`].
fn surely_above(share: f64, check: &Check) -> bool {
    lower_bound(check.violations, check.asked, 1.0 - CHANCE).is_ok_and(|least| least >= share)
}

/// The special ids with which the baseline's answers stop: what ends a turn is not written in
/// a tokenizer's file.
fn end_tokens(study: &Study, model: &str) -> BTreeSet<u32> {
    let Some(tokenizer) = study.tokenizer(model) else { return BTreeSet::new() };
    study
        .trials
        .iter()
        .filter(|t| t.plan.role != Role::Candidate && t.plan.model == model && t.completed())
        .flat_map(|t| &t.responses)
        .filter(|r| r.complete() && r.finish == "stop")
        .filter_map(|r| r.last_received)
        .filter(|id| tokenizer.is_special(*id))
        .collect()
}

#[cfg(test)]
mod tests;
