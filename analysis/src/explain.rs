//! From a verdict to the tokens and requests that caused it.

use std::collections::BTreeMap;

use lab::{
    Problem, Result,
    bundle::{REFERENCE, REQUEST_TABLE, TRIALS},
    workload::BASELINE,
};

use crate::{
    METHOD,
    judgement::{
        BaselineAnswer, Candidate, Consequence, EXPLANATION_FORMAT, Equivalence, Explained, ExplainedRequest,
        ExplainedToken, Explanation, Judgement, Place, Reason, TokenSeen, WorstToken,
    },
    structure::{self, Outcome},
    study::{CountedFrom, Response, Study, Trial, outcome_name},
};

/// Requests that are shown of a check.
const REQUESTS: usize = 3;
/// Launches that are shown.
const LAUNCHES: usize = 3;
/// Characters of a prompt's end and of the text before a token.
const CONTEXT: usize = 120;
/// Characters of an answer.
const ANSWER: usize = 2_000;

/// What a candidate's verdict rests on.
///
/// # Errors
/// `Input` where the study has no such candidate, with the names of those that it has; a
/// bundle's own problem where its requests cannot be read.
pub fn explain(study: &Study, judgement: &Judgement, name: &str) -> Result<Explanation> {
    let candidate = all(judgement).find(|c| c.name == name).ok_or_else(|| unknown(judgement, name))?;
    let source = Source::new(study)?;
    let baseline = structure::check(study, BASELINE, None);
    let checks = structure::check(study, name, Some(&baseline));
    let mut reasons: Vec<Explained> = Vec::new();
    for reason in &candidate.reasons {
        let mut explained = source.explained(candidate, judgement, &checks, reason);
        // The same tokens stand behind several reasons: they are shown with the first.
        if reasons.iter().any(|before| before.tokens == explained.tokens) {
            explained.tokens.clear();
        }
        reasons.push(explained);
    }
    Ok(Explanation {
        format: EXPLANATION_FORMAT,
        method: METHOD,
        candidate: candidate.name.clone(),
        verdict: candidate.verdict,
        provisional: candidate.provisional,
        reasons,
    })
}

/// The candidates, and the blind control after them.
fn all(judgement: &Judgement) -> impl Iterator<Item = &Candidate> {
    judgement.candidates.iter().chain(&judgement.blind_control)
}

fn unknown(judgement: &Judgement, name: &str) -> Problem {
    let names: Vec<String> = all(judgement).map(|c| lab::text::shown(&c.name, 80)).collect();
    let next = if names.is_empty() {
        "this measurement has no candidates".to_owned()
    } else {
        format!("name one of: {}", names.join(", "))
    };
    Problem::input(format!("there is no candidate `{}`", lab::text::shown(name, 80))).next(next)
}

/// Where evidence is looked up.
struct Source<'a> {
    study: &'a Study,
    /// The last words of each stage's prompts, by request.
    prompts: Vec<BTreeMap<u32, String>>,
}

impl<'a> Source<'a> {
    fn new(study: &'a Study) -> Result<Self> {
        let of_stage = |stage: &crate::study::Stage| {
            let end =
                |r: lab::requests::Request| (r.id, r.messages.last().map(|m| end_of(&m.content)).unwrap_or_default());
            Ok(stage.measure.requests()?.into_iter().map(end).collect())
        };
        Ok(Source { study, prompts: study.stages.iter().map(of_stage).collect::<Result<_>>()? })
    }

    fn explained(
        &self,
        candidate: &Candidate,
        judgement: &Judgement,
        checks: &[Outcome],
        reason: &Reason,
    ) -> Explained {
        let mut explained =
            Explained { reason: reason.clone(), tokens: Vec::new(), requests: Vec::new(), launches: Vec::new() };
        let check = checks.iter().find(|o| o.check.code == reason.code);
        match (reason.code, check) {
            (_, Some(outcome)) if outcome.check.consequence != Consequence::Information => {
                explained.requests =
                    outcome.cases.iter().take(REQUESTS).filter_map(|case| self.request(case)).collect();
            }
            (
                "margins-above-tolerance"
                | "suspect"
                | "mean-not-below-tolerance"
                | "far-not-below-tolerance"
                | "within-tolerance",
                _,
            ) => explained.tokens = self.tokens(candidate.equivalence.as_ref()),
            ("reference-not-self-consistent", _) => {
                explained.tokens = self.tokens(judgement.baseline.equivalence.as_ref());
            }
            ("blind-control-not-equivalent", _) => {
                let control = judgement.blind_control.as_ref();
                explained.tokens = self.tokens(control.and_then(|c| c.equivalence.as_ref()));
            }
            ("no-successful-request", _) => {
                let seen = |f: &crate::judgement::Failure| (f.trial.clone(), beginning(&f.detail, ANSWER));
                explained.launches = candidate.failures.iter().take(LAUNCHES).map(seen).collect();
            }
            _ => {}
        }
        explained
    }

    fn trial(&self, folder: &str) -> Option<&'a Trial> {
        self.study.trials.iter().find(|t| t.folder == folder)
    }

    fn place(&self, trial: &Trial, request: u32, graded: bool) -> Place {
        let stage = &self.study.stages[trial.stage];
        let reference = format!("{REFERENCE}/{}.csv.zst", trial.folder);
        let grade = stage.grades.iter().find(|g| graded && g.has(&reference));
        let bundle = grade.unwrap_or(&stage.measure);
        Place {
            bundle: bundle.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            file: if grade.is_some() { reference } else { format!("{TRIALS}/{}/{REQUEST_TABLE}", trial.folder) },
            trial: trial.folder.clone(),
            request,
            prompt_end: self.prompts[trial.stage].get(&request).cloned().unwrap_or_default(),
        }
    }

    fn tokens(&self, equivalence: Option<&Equivalence>) -> Vec<ExplainedToken> {
        equivalence.iter().flat_map(|e| &e.worst).filter_map(|worst| self.token(worst)).collect()
    }

    fn token(&self, worst: &WorstToken) -> Option<ExplainedToken> {
        let trial = self.trial(&worst.trial)?;
        let rows = &trial.graded.get(&worst.request)?.rows;
        let row = rows.iter().find(|row| row.position == worst.position)?;
        let before: Vec<u32> = rows.iter().take_while(|r| r.position < worst.position).map(|r| r.id).collect();
        let tokenizer = self.study.tokenizer(&trial.plan.model)?;
        Some(ExplainedToken {
            place: self.place(trial, worst.request, true),
            position: worst.position,
            before: end_of(&tokenizer.decode(&before)),
            emitted: TokenSeen { id: row.id, text: worst.emitted.clone(), logprob: row.logprob },
            rank: row.rank,
            best: TokenSeen { id: row.best_id, text: worst.best.clone(), logprob: row.best_logprob },
            margin_nats: worst.margin_nats,
        })
    }

    fn request(&self, case: &structure::Case) -> Option<ExplainedRequest> {
        let trial = self.trial(&case.trial)?;
        let response = trial.response(case.request)?;
        let answers = self.study.baselines_beside(trial).filter_map(|t| t.response(case.request));
        let shortest = answers.filter(|r| r.complete()).min_by_key(|r| r.shown_tokens());
        let answer = |r: &Response| BaselineAnswer { tokens: r.tokens(), text: beginning(&r.text, ANSWER) };
        Some(ExplainedRequest {
            place: self.place(trial, case.request, false),
            what: case.what.clone(),
            outcome: outcome_name(response.outcome),
            finish: beginning(&response.finish, CONTEXT),
            text: beginning(&response.text, ANSWER),
            tokens: response.tokens(),
            most_tokens: self.study.most_tokens(trial, case.request),
            counted_from: match response.counted_from {
                CountedFrom::Ids => "ids",
                CountedFrom::Text => "text",
            },
            ids: response.received_count,
            claimed_output: response.claimed_output,
            claimed_prompt: response.claimed_prompt,
            prompt_tokens: self.study.prompt_tokens(trial, case.request),
            logprob_entries: response.entries,
            baseline: shortest.map(answer),
        })
    }
}

/// The first characters; an ellipsis where there are more.
fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The last characters; an ellipsis where there are more.
fn end_of(text: &str) -> String {
    match text.char_indices().rev().nth(CONTEXT - 1) {
        Some((at, _)) if at > 0 => format!("…{}", &text[at..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
