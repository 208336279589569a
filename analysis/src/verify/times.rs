//! Whether times can have been: requests when the schedule wanted them, reads in order, no
//! answer before its question.

use std::collections::BTreeMap;

use lab::{
    Nanos,
    plan::{self, Phase},
    records::{Exchange, Outcome, RequestRow, Trial},
    schedule::{self, Due},
    wire::End,
    workload::Shape,
};

use crate::study::Contract;

/// Findings of one kind of a trial that are named; more say no more.
pub(super) const NAMED: usize = 3;

/// The first format of a plan whose rows say when the client turned to a request.
const STARTS: u32 = 2;

/// Whether a request was sent, or at least tried.
pub(super) fn was_sent(row: &RequestRow) -> bool {
    !matches!(row.outcome, Outcome::NotSent | Outcome::TimeUp)
}

/// What is wrong with the times of a trial's timed requests.
pub(super) fn of_rows(contract: &Contract, planned: &plan::Trial, record: &Trial, rows: &[RequestRow]) -> Vec<String> {
    let due: BTreeMap<u32, &Due> = contract.schedule.iter().map(|d| (d.request, d)).collect();
    let rows: BTreeMap<u32, &RequestRow> = rows.iter().map(|r| (r.request, r)).collect();
    let mut found = Vec::new();
    for phase in &planned.phases {
        let Some(stage) = record.stages.phases.iter().find(|s| s.load == phase.load) else { continue };
        let span = phase.requests.ids();
        let of_span = contract.requests.get(span.start as usize..span.end as usize).unwrap_or_default();
        let clock = PhaseClock { phase, start: stage.start_ns, due: &due, rows: &rows };
        let turns = span.zip(schedule::turns(of_span));
        let wrong = turns.filter_map(|(id, turn)| clock.wrong(rows.get(&id)?, turn, contract.plan.format));
        found.extend(wrong.take(NAMED));
        found.extend(clock.time_up_too_soon());
    }
    found
}

/// One phase of one trial.
struct PhaseClock<'a> {
    phase: &'a Phase,
    start: Nanos,
    due: &'a BTreeMap<u32, &'a Due>,
    rows: &'a BTreeMap<u32, &'a RequestRow>,
}

impl PhaseClock<'_> {
    fn wrong(&self, row: &RequestRow, turn: u32, format: u32) -> Option<String> {
        let id = row.request;
        let due = self.due.get(&id);
        let due_ns = due.and_then(|d| d.due_ns);
        if row.outcome == Outcome::TimeUp {
            return match (self.phase.time_ns, due_ns) {
                (None, _) => Some(format!("request {id} is `time-up`, and its phase declares no time")),
                (Some(time), Some(due)) if due < time => {
                    Some(format!("request {id} is `time-up`, and was due at {due} of {time}"))
                }
                _ => None,
            };
        }
        if row.outcome == Outcome::NotSent {
            return None;
        }
        if let Some(due_ns) = due_ns
            && row.intended_ns.0.checked_sub(self.start.0) != Some(due_ns.0)
        {
            let wanted = Nanos(self.start.0.saturating_add(due_ns.0));
            return Some(format!(
                "request {id} was intended at {} ns, the schedule says {}",
                row.intended_ns.0, wanted.0
            ));
        }
        if row.intended_ns < self.start {
            return Some(format!("request {id} was intended before its phase began"));
        }
        if let Some(before) = self.rows.get(&id.wrapping_sub(1)).filter(|_| turn > 0).filter(|r| was_sent(r)) {
            let think = due.map_or(0, |d| d.think_ns.0);
            let wanted = before.end_ns.0.saturating_add(think);
            // In a closed load the client must first be free again; else it is the schedule.
            let exact = !matches!(self.phase.shape, Shape::Closed { .. });
            if row.intended_ns.0 < wanted || exact && row.intended_ns.0 != wanted {
                return Some(format!(
                    "request {id} was intended at {} ns; the turn before it and the pause ended at {wanted}",
                    row.intended_ns.0
                ));
            }
        }
        match row.started_ns {
            None if format >= STARTS => Some(format!("request {id} does not say when its client turned to it")),
            Some(started) if started < row.intended_ns => {
                Some(format!("request {id} was started before it was intended"))
            }
            Some(started) if row.sent_ns < started && row.outcome != Outcome::NoConnection => {
                Some(format!("request {id} was sent before it was started"))
            }
            _ => None,
        }
    }

    /// A client that was free before the declared time was over had to take the next request.
    fn time_up_too_soon(&self) -> Option<String> {
        let (Shape::Closed { .. }, Some(time)) = (self.phase.shape, self.phase.time_ns) else { return None };
        let own = || self.phase.requests.ids().filter_map(|id| self.rows.get(&id));
        let scheduled = self.phase.requests.ids().any(|id| self.due.contains_key(&id));
        let late = own().filter(|r| was_sent(r)).map(|r| r.end_ns.0).max().unwrap_or(self.start.0);
        let first = own().find(|r| r.outcome == Outcome::TimeUp).filter(|_| !scheduled)?;
        (late < self.start.0.saturating_add(time.0))
            .then(|| format!("request {} is `time-up`, and every client was free before {time}", first.request))
    }
}

/// What is wrong with the reads of a request: they follow each other, and the send.
pub(super) fn wrong_reads(exchange: &Exchange) -> Option<String> {
    if matches!(exchange.end, End::NotSent | End::TimeUp) {
        return None;
    }
    let id = exchange.request;
    let (mut before, mut arrived) = (Nanos(0), Nanos(0));
    for read in &exchange.reads {
        if read.at < before || read.arrived() < arrived || read.arrived() > exchange.end_ns {
            return Some(format!("the reads of request {id} are not in the order of time"));
        }
        // Bytes that came before the question are an outcome of their own.
        if read.arrived() < exchange.sent_ns && exchange.end != End::Early {
            return Some(format!("bytes of request {id} arrived before it was sent"));
        }
        (before, arrived) = (read.at, read.arrived());
    }
    if exchange.end == End::Complete && exchange.started_ns.is_some() && arrived != exchange.end_ns {
        return Some(format!("request {id} did not end when its last bytes arrived"));
    }
    (exchange.end_ns < exchange.intended_ns).then(|| format!("request {id} ended before it was intended"))
}
