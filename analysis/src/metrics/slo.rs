//! Which requests were served as the workload's `[slo]` asks.

use lab::workload::{Shape, Slo};

use super::{
    rate::{per_second, phase_time},
    stops_early,
};
use crate::study::{Response, Study, Trial};

/// The requests of one or several load phases against the service levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Service {
    /// Requests that were due, failed ones with them; without those that are left out.
    pub due: u64,
    /// Those of them that were complete and met every level.
    pub met: u64,
    /// Requests that are left out: in time, but with an answer shorter than nine tenths of the
    /// neighbouring baselines'.
    pub shorter: u64,
}

impl Service {
    /// The share of due requests that met every level; none where nothing was due.
    pub fn attainment(&self) -> Option<f64> {
        (self.due > 0).then(|| self.met as f64 / self.due as f64)
    }

    /// Both together.
    pub(crate) fn and(self, other: Service) -> Service {
        Service { due: self.due + other.due, met: self.met + other.met, shorter: self.shorter + other.shorter }
    }
}

/// A trial's requests of a load against the workload's service levels; none where it
/// declares none.
pub fn service(study: &Study, trial: &Trial, load: &str) -> Option<Service> {
    let slo = study.workload.slo?;
    let beside: Vec<&Trial> = study.baselines_beside(trial).collect();
    let greedy = study.workload.sampling.temperature == 0.0;
    let mut found = Service::default();
    let arrives = study.load(load).is_some_and(|l| !matches!(l.shape, Shape::Closed { .. }));
    for response in trial.of_load(load) {
        let never_due = response.time_up() && !(arrives && others_came_to(response, &beside));
        if never_due {
            continue;
        }
        found.due += 1;
        if !met(response, &slo) {
            continue;
        }
        if greedy && is_shorter(response, &beside) {
            found.shorter += 1;
        } else {
            found.met += 1;
        }
    }
    found.shorter = found.shorter.min(MOST_SHORTER.max(found.due / 10));
    found.due -= found.shorter;
    Some(found)
}

/// So many shorter answers of a phase are left out, or a tenth of its requests if that is
/// more: honest servers stop early now and then. The rest are misses, since who cuts answers
/// short under load has less of it.
const MOST_SHORTER: u64 = 2;

/// Whether the baselines beside it all completed a request. Under an open load only the later
/// turns of sessions can be `time-up`: who holds back the turn before is not spared them.
fn others_came_to(response: &Response, beside: &[&Trial]) -> bool {
    let came = |t: &&Trial| t.response(response.request).is_some_and(Response::complete);
    !beside.is_empty() && beside.iter().all(came)
}

/// Less work in time is neither good service nor bad.
fn is_shorter(response: &Response, beside: &[&Trial]) -> bool {
    let theirs = beside.iter().filter_map(|t| t.response(response.request)).filter(|r| r.complete());
    theirs.map(Response::shown_tokens).min().is_some_and(|least| stops_early(response.shown_tokens(), least))
}

/// Whether a request was complete and met every level that is stated. An answer of one token
/// has no time per token to miss.
fn met(response: &Response, slo: &Slo) -> bool {
    response.complete()
        && slo.ttft.is_none_or(|most| response.ttft().is_some_and(|ttft| ttft <= most))
        && slo.tpot.is_none_or(|most| response.tpot().is_none_or(|tpot| tpot <= most))
        && slo.e2el.is_none_or(|most| response.e2el() <= most)
}

/// Requests that met every level per second of the load phase.
pub fn goodput(study: &Study, trial: &Trial, load: &str) -> Option<f64> {
    per_second(service(study, trial, load)?.met, phase_time(trial, load)?)
}
