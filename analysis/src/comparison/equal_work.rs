//! E2EL to token k, where k is the smallest of the arms' token counts of the same request:
//! fixed by counts alone, before any timing is read. Who stops early or fails does not choose
//! which requests count: those have a value that never flatters. Rules: `METHOD.md`, section
//! *Speed*.

use crate::{
    metrics::stops_early,
    study::{Response, Trial},
};

/// What equal work comes to in one load of one block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EqualWork {
    /// Against each reference the mean E2EL to token k in ns, the subject's and its own; none
    /// where no request was done by all.
    pub means: Option<Vec<[f64; 2]>>,
    /// Requests compared.
    pub requests: u64,
    /// Those of them whose answer stopped early, so that the subject's value is imputed.
    pub shorter: u64,
    /// Those of them that failed with the subject and with no reference.
    pub failed: u64,
}

/// A request that every reference completed.
struct Work<'a> {
    own: &'a Response,
    theirs: Vec<&'a Response>,
    /// The token at which times are read.
    k: u32,
    done: Done,
}

/// What the subject made of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Token k of all.
    Whole,
    /// Fewer than nine tenths of the tokens of the shortest reference; k is that one's count.
    Shorter,
    /// No whole response; k is the shortest reference's count.
    Failed,
}

/// Compares the requests that are complete in all references. Where decoding is `greedy`, an
/// answer that stops early has an imputed value; else lengths are chance, and it is left out.
pub fn equal_work(subject: &Trial, references: &[&Trial], load: &str, greedy: bool) -> EqualWork {
    let counts = |w: &Work<'_>| greedy || w.done != Done::Shorter;
    let all: Vec<Work<'_>> = subject.of_load(load).filter_map(|own| work(own, references)).filter(counts).collect();
    let of = |done| all.iter().filter(|w| w.done == done).count() as u64;
    let (requests, shorter, failed) = (all.len() as u64, of(Done::Shorter), of(Done::Failed));
    let means = (of(Done::Whole) > 0).then(|| (0..references.len()).map(|i| against(&all, i)).collect());
    EqualWork { means, requests, shorter, failed }
}

fn work<'a>(own: &'a Response, references: &[&'a Trial]) -> Option<Work<'a>> {
    let theirs: Option<Vec<&Response>> =
        references.iter().map(|t| t.response(own.request).filter(|r| r.complete())).collect();
    let theirs = theirs.filter(|_| !own.time_up())?;
    let most = theirs.iter().map(|r| r.tokens()).min()?;
    let shown = theirs.iter().map(|r| r.shown_tokens()).min()?;
    let (done, k) = match own.complete() {
        false => (Done::Failed, most),
        true if stops_early(own.shown_tokens(), shown) => (Done::Shorter, most),
        true => (Done::Whole, most.min(own.tokens())),
    };
    (k > 0).then_some(Work { own, theirs, k, done })
}

/// The means of the subject and of reference `i` over all requests.
fn against(all: &[Work<'_>], i: usize) -> [f64; 2] {
    let time = |response: &Response, k: u32| response.reach(k).map_or(0, |n| n.0);
    let sum = |of: &dyn Fn(&Work<'_>) -> u64| all.iter().map(|w| u128::from(of(w))).sum::<u128>();
    let whole = |w: &Work<'_>| w.done == Done::Whole;
    let own = sum(&|w| if whole(w) { time(w.own, w.k) } else { 0 });
    let same = sum(&|w| if whole(w) { time(w.theirs[i], w.k) } else { 0 });
    // Less work is no gain: no faster than the reference, and than it does the others.
    let pace = if same > 0 { (own as f64 / same as f64).max(1.0) } else { 1.0 };
    let usual = |w: &Work<'_>| libm::ceil(pace * time(w.theirs[i], w.k) as f64) as u64;
    let of = |done: Done, value: &dyn Fn(&Work<'_>) -> u64| sum(&|w| if w.done == done { value(w) } else { 0 });
    let failed = of(Done::Failed, &|w| usual(w).max(w.own.e2el().0));
    // All together, so that what is only noise of single requests evens out.
    let finished = of(Done::Shorter, &|w| w.own.e2el().0.saturating_add(missing(w.own, w.theirs[i], w.k)));
    let shorter = finished.max(of(Done::Shorter, &usual));
    let theirs = sum(&|w| time(w.theirs[i], w.k));
    [own + failed + shorter, theirs].map(|total| total as f64 / all.len() as f64)
}

/// What the tokens of an answer that are missing up to token k take: at its own time per token
/// or as long as with the reference, whichever is longer.
fn missing(own: &Response, reference: &Response, k: u32) -> u64 {
    let (came, until) = (own.tokens().min(k), |k: u32| reference.reach(k).map_or(0, |n| n.0));
    let before = if came > 0 { until(came) } else { 0 };
    let paced = own.tpot().map_or(0, |tpot| tpot.0.saturating_mul(u64::from(k - came)));
    paced.max(until(k).saturating_sub(before))
}

#[cfg(test)]
mod tests;
