//! What came out, one sentence a line: what a reader sees first.

use super::{
    controls, escape, number,
    words::{self, Line},
};
use crate::judgement::{Candidate, Judgement, LoadFacts, Verdict};

/// Candidates that the headline names one by one.
const NAMED: usize = 6;

/// One sentence on one candidate: verdict, then speed where it may count.
fn sentence(candidate: &Candidate) -> Line {
    let provisional = if candidate.provisional { " (provisional)" } else { "" };
    let reason = words::in_short(candidate);
    let (verb, speed) = words::how_fast(candidate);
    let rest = match candidate.verdict {
        Verdict::Equivalent => format!("{verb} {speed}, outputs equivalent{provisional}."),
        Verdict::Undecided => format!("is undecided: {reason}."),
        Verdict::Altered => format!("altered the outputs{provisional}: {reason}."),
    };
    Line { verdict: Some(candidate.verdict), glyph: "", subject: escape::name(&candidate.name), rest }
}

/// One sentence on one load of a plain measurement.
fn measured(facts: &LoadFacts) -> Line {
    let median = |metric| facts.latencies.iter().find(|l| l.metric == metric).and_then(|l| l.p50_ns);
    let mut parts: Vec<String> =
        facts.tokens_per_s.iter().map(|r| format!("{} tokens/s", number::scaled(*r).digits())).collect();
    for name in ["ttft", "tpot", "e2el"] {
        if let Some(ns) = median(name) {
            parts.push(format!("{} {} ms", words::metric(name), number::millis(ns as f64).digits()));
        }
    }
    let failed = facts.due - facts.complete;
    if failed > 0 {
        parts.push(format!("{failed} of {} failed", words::counted(facts.due, "request")));
    }
    let rest = if parts.is_empty() { "nothing is counted".to_owned() } else { parts.join(", ") };
    let subject = super::input::Cell::from(facts).to_string();
    Line { verdict: None, glyph: "·", subject, rest: format!("{rest}.") }
}

/// The headline, one sentence a line.
pub(crate) fn headline(judgement: &Judgement) -> Vec<Line> {
    if judgement.candidates.is_empty() {
        let loads = judgement.loads.iter().filter(|f| !words::is_step(judgement, &f.load)).map(measured);
        let ladders = words::largest_loads(judgement).into_iter();
        let ladders =
            ladders.map(|(subject, rest)| Line { verdict: None, glyph: "·", subject, rest: format!("{rest}.") });
        return loads.chain(ladders).take(NAMED).collect();
    }
    let candidates: Vec<&Candidate> = judgement.candidates.iter().filter(|c| c.control.is_none()).collect();
    let named = if candidates.len() <= NAMED { candidates.len() } else { NAMED - 1 };
    let mut lines: Vec<_> = candidates[..named].iter().copied().map(sentence).collect();
    if named < candidates.len() {
        let rest = &candidates[named..];
        let of = |verdict| rest.iter().filter(|c| c.verdict == verdict).count();
        let text = format!(
            "more: {} equivalent, {} undecided, {} altered.",
            of(Verdict::Equivalent),
            of(Verdict::Undecided),
            of(Verdict::Altered)
        );
        lines.push(Line { verdict: None, glyph: "+", subject: rest.len().to_string(), rest: text });
    }
    lines.extend(controls::headline(judgement));
    lines
}
