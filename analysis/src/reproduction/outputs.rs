//! R1: the baseline's answers to the same requests, bit for bit. Information: where they differ, the
//! environment or the order of arithmetic does, and honest servers may.

use lab::workload::BASELINE;
use serde::Serialize;

use crate::study::{Response, Study};

/// How many of the baseline's answers are the same in two runs of one plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SameOutputs {
    /// Answers that are complete in both runs, each in the same trial to the same request.
    pub compared: u64,
    /// Those with the same tokens, or the same text where the server gave no ids.
    pub same: u64,
}

pub(super) fn of_baselines(original: &Study, rerun: &Study) -> SameOutputs {
    let mut found = SameOutputs { compared: 0, same: 0 };
    // A later stage has prompts of its own.
    for trial in original.trials.iter().filter(|t| t.stage == 0 && t.plan.arm == BASELINE) {
        let Some(again) = rerun.trials.iter().find(|t| t.stage == 0 && t.plan == trial.plan) else { continue };
        for (a, b) in trial.responses.iter().filter_map(|a| Some((a, again.response(a.request)?))) {
            if a.complete() && b.complete() {
                found.compared += 1;
                found.same += u64::from(same(a, b));
            }
        }
    }
    found
}

fn same(a: &Response, b: &Response) -> bool {
    if a.received.is_empty() && b.received.is_empty() {
        return a.text == b.text;
    }
    (a.received_count, &a.received) == (b.received_count, &b.received)
}
