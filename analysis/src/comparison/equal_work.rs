//! E2EL to token k, where k is the smallest of the arms' token counts of the same request:
//! fixed by counts alone, before any timing is read.

use crate::{
    metrics::stops_early,
    study::{Response, Trial},
};

/// What equal work comes to in one load of one block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EqualWork {
    /// Mean E2EL to token k in ns, of the subject and then of each reference; none where no
    /// request can be compared.
    pub means: Option<Vec<f64>>,
    /// Requests compared.
    pub requests: u64,
    /// Requests that are left out because the subject stopped early.
    pub shorter: u64,
}

/// Compares the requests that are complete in the subject and in all references.
pub fn equal_work(subject: &Trial, references: &[&Trial], load: &str) -> EqualWork {
    let mut work = EqualWork::default();
    let mut totals = vec![0u128; 1 + references.len()];
    for own in subject.of_load(load).filter(|r| r.complete()) {
        let theirs: Option<Vec<&Response>> =
            references.iter().map(|t| t.response(own.request).filter(|r| r.complete())).collect();
        let Some(theirs) = theirs else { continue };
        let shown = theirs.iter().map(|r| r.shown_tokens()).min().unwrap_or(0);
        if stops_early(own.shown_tokens(), shown) {
            work.shorter += 1;
            continue;
        }
        let k = theirs.iter().map(|r| r.tokens()).fold(own.tokens(), u32::min);
        let reached: Option<Vec<u64>> =
            std::iter::once(own).chain(theirs).map(|r| r.reach(k).filter(|_| k > 0).map(|n| n.0)).collect();
        let Some(reached) = reached else { continue };
        totals.iter_mut().zip(reached).for_each(|(total, ns)| *total += u128::from(ns));
        work.requests += 1;
    }
    if work.requests > 0 {
        work.means = Some(totals.iter().map(|total| *total as f64 / work.requests as f64).collect());
    }
    work
}
