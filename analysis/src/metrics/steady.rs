//! The part of a load phase in which the load was what it says: without its beginning, while
//! clients still come, and without its end, while they find no more work.

use lab::{Nanos, workload::Shape};

use super::rate::{per_second, phase_time};
use crate::study::{Response, Trial};

/// A window shorter than this share of its phase says nothing.
const LEAST: (u64, u64) = (1, 10);

/// The steady window of one load phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steady {
    /// Its start.
    pub from: Nanos,
    /// Its end.
    pub to: Nanos,
    /// Output tokens of complete requests that came after its start and no later than its end.
    pub tokens: u64,
}

impl Steady {
    /// Its length.
    pub fn time(&self) -> Nanos {
        Nanos(self.to.0 - self.from.0)
    }

    /// Its tokens per second.
    pub fn throughput(&self) -> Option<f64> {
        per_second(self.tokens, self.time())
    }
}

/// The steady window of a trial's load; none where it is empty, or shorter than a tenth of
/// the phase.
pub fn steady(trial: &Trial, load: &str) -> Option<Steady> {
    let phase = phase_time(trial, load)?;
    let shape = trial.plan.phases.iter().find(|p| p.load == load)?.shape;
    let sent: Vec<&Response> = trial.of_load(load).filter(|r| r.was_sent()).collect();
    let from = match shape {
        Shape::Closed { .. } => fullest(&sent)?,
        Shape::Open { .. } | Shape::Trace { .. } => sent.iter().map(|r| r.intended_ns).min()?,
    };
    let to = sent.iter().map(|r| r.intended_ns).max()?;
    if to <= from || u128::from(to.0 - from.0) * u128::from(LEAST.1) < u128::from(phase.0) * u128::from(LEAST.0) {
        return None;
    }
    let complete = sent.iter().filter(|r| r.complete());
    let tokens = complete.map(|r| u64::from(came_by(r, to) - came_by(r, from))).sum();
    Some(Steady { from, to, tokens })
}

/// When the number of requests in flight, each from its intended send to its end, first is
/// the largest of the phase. A client that ends one and begins the next at the same time has
/// one.
fn fullest(sent: &[&Response]) -> Option<Nanos> {
    let mut events: Vec<(Nanos, i32)> =
        sent.iter().flat_map(|r| [(r.intended_ns, 1), (r.end_ns.max(r.intended_ns), -1)]).collect();
    events.sort_unstable();
    let (mut now, mut most, mut at) = (0, 0, None);
    for (time, change) in events {
        now += change;
        if now > most {
            (most, at) = (now, Some(time));
        }
    }
    at
}

/// Tokens that had come by then.
fn came_by(response: &Response, time: Nanos) -> u32 {
    response.steps.iter().filter(|s| s.offset_ns <= time).map(|s| s.tokens).max().unwrap_or(0)
}
