//! The study's rows as polars frames: for tables, joins and files. No verdict is computed
//! from them; they show what it was computed from.

use lab::Nanos;
use polars::prelude::*;

use super::{CountedFrom, Response, Study, Trial};

type Rows<'a> = Vec<(&'a Trial, &'a Response)>;

impl Study {
    fn rows(&self) -> Rows<'_> {
        let completed = self.trials.iter().filter(|t| t.completed());
        completed.flat_map(|t| t.responses.iter().map(move |r| (t, r))).collect()
    }

    /// One row per timed request of every completed trial.
    pub fn requests_frame(&self) -> PolarsResult<DataFrame> {
        let rows = self.rows();
        let trial = |f: fn(&Trial) -> u32| rows.iter().map(|(t, _)| f(t)).collect::<Vec<_>>();
        let name = |f: fn(&Trial) -> &str| rows.iter().map(|(t, _)| f(t).to_owned()).collect::<Vec<_>>();
        let said = |f: fn(&Response) -> String| rows.iter().map(|(_, r)| f(r)).collect::<Vec<_>>();
        let at = |f: fn(&Response) -> Nanos| rows.iter().map(|(_, r)| f(r).0).collect::<Vec<_>>();
        let maybe = |f: fn(&Response) -> Option<u64>| rows.iter().map(|(_, r)| f(r)).collect::<Vec<_>>();
        df!(
            "trial" => trial(|t| t.plan.n),
            "folder" => name(|t| &t.folder),
            "round" => trial(|t| t.plan.round),
            "block" => trial(|t| t.plan.block),
            "role" => rows.iter().map(|(t, _)| role(t)).collect::<Vec<_>>(),
            "arm" => name(|t| &t.plan.arm),
            "model" => name(|t| &t.plan.model),
            "gpus" => trial(|t| t.plan.gpus),
            "load" => said(|r| r.load.clone()),
            "request" => rows.iter().map(|(_, r)| r.request).collect::<Vec<_>>(),
            "outcome" => said(|r| outcome_name(r.outcome).to_owned()),
            "intended_ns" => at(|r| r.intended_ns),
            "started_ns" => maybe(|r| r.started_ns.map(|n| n.0)),
            "sent_ns" => at(|r| r.sent_ns),
            "head_ns" => maybe(|r| r.head_ns.map(|n| n.0)),
            "first_ns" => maybe(|r| r.first_ns.map(|n| n.0)),
            "last_ns" => maybe(|r| r.last_ns.map(|n| n.0)),
            "end_ns" => at(|r| r.end_ns),
            "tokens" => rows.iter().map(|(_, r)| r.tokens()).collect::<Vec<_>>(),
            "counted_from" => said(|r| match r.counted_from { CountedFrom::Ids => "ids", CountedFrom::Text => "text" }.into()),
            "ttft_ns" => maybe(|r| r.ttft().map(|n| n.0)),
            "e2el_ns" => at(Response::e2el),
            "tpot_ns" => maybe(|r| r.tpot().map(|n| n.0)),
            "behind_ns" => at(|r| r.behind_ns),
            "finish" => said(|r| r.finish.clone()),
            "done" => rows.iter().map(|(_, r)| r.done).collect::<Vec<_>>(),
            "claimed_prompt" => maybe(|r| r.claimed_prompt),
            "claimed_output" => maybe(|r| r.claimed_output),
        )
    }

    /// One row per chunk of those requests, with the tokens that had come by then.
    pub fn tokens_frame(&self) -> PolarsResult<DataFrame> {
        let rows = self.rows();
        let steps = || rows.iter().flat_map(|(t, r)| r.steps.iter().map(move |s| (t.plan.n, r.request, s)));
        df!(
            "trial" => steps().map(|(trial, _, _)| trial).collect::<Vec<_>>(),
            "request" => steps().map(|(_, request, _)| request).collect::<Vec<_>>(),
            "event" => steps().map(|(_, _, s)| s.event).collect::<Vec<_>>(),
            "offset_ns" => steps().map(|(_, _, s)| s.offset_ns.0).collect::<Vec<_>>(),
            "tokens" => steps().map(|(_, _, s)| s.tokens).collect::<Vec<_>>(),
            "output" => steps().map(|(_, _, s)| s.output).collect::<Vec<_>>(),
        )
    }

    /// One row per graded token.
    pub fn reference_frame(&self) -> PolarsResult<DataFrame> {
        let graded =
            || self.trials.iter().flat_map(|t| t.graded.values().flat_map(move |g| &g.rows).map(move |r| (t, r)));
        df!(
            "trial" => graded().map(|(t, _)| t.plan.n).collect::<Vec<_>>(),
            "arm" => graded().map(|(t, _)| t.plan.arm.clone()).collect::<Vec<_>>(),
            "request" => graded().map(|(_, r)| r.request).collect::<Vec<_>>(),
            "position" => graded().map(|(_, r)| r.position).collect::<Vec<_>>(),
            "id" => graded().map(|(_, r)| r.id).collect::<Vec<_>>(),
            "logprob" => graded().map(|(_, r)| r.logprob).collect::<Vec<_>>(),
            "rank" => graded().map(|(_, r)| r.rank).collect::<Vec<_>>(),
            "best_id" => graded().map(|(_, r)| r.best_id).collect::<Vec<_>>(),
            "best_logprob" => graded().map(|(_, r)| r.best_logprob).collect::<Vec<_>>(),
        )
    }
}

fn role(trial: &Trial) -> &'static str {
    match trial.plan.role {
        lab::plan::Role::Opening => "opening",
        lab::plan::Role::Candidate => "candidate",
        lab::plan::Role::Closing => "closing",
    }
}

/// The stored name of an outcome.
pub(crate) fn outcome_name(outcome: lab::records::Outcome) -> &'static str {
    use lab::records::Outcome;
    match outcome {
        Outcome::Complete => "complete",
        Outcome::HttpError => "http-error",
        Outcome::Malformed => "malformed",
        Outcome::Closed => "closed",
        Outcome::Reset => "reset",
        Outcome::Deadline => "deadline",
        Outcome::TooLarge => "too-large",
        Outcome::NoConnection => "no-connection",
        Outcome::NotSent => "not-sent",
        Outcome::TimeUp => "time-up",
    }
}
