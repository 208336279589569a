//! Which requests were served as the workload's `[slo]` asks.

use lab::workload::Slo;

use super::{
    rate::{per_second, phase_time},
    stops_early,
};
use crate::study::{Response, Study, Trial};

/// The requests of one or several load phases against the service levels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Service {
    /// Requests that were due, failed ones with them; without those that stopped early.
    pub due: u64,
    /// Those of them that were complete and met every level.
    pub met: u64,
    /// Requests that are left out: their answer is shorter than nine tenths of the
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
    for response in trial.of_load(load).filter(|r| !r.time_up()) {
        if greedy && response.complete() && is_shorter(response, &beside) {
            found.shorter += 1;
            continue;
        }
        found.due += 1;
        found.met += u64::from(met(response, &slo));
    }
    Some(found)
}

/// Less work is neither good service nor bad.
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
