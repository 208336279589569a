//! Whether a run comes out again, for a terminal: the word first, then what it rests on.

use lab::text::shown;

use super::{escape, number, terminal::wrapped, words};
use crate::{
    judgement::Verdict,
    reproduction::{Candidate, Part, Recomputed, Reproduction, Word},
    stack::StackContrast,
};

/// What is said of a reproduction, at most `width` characters wide (if that is at least 60). Ends
/// in a newline.
pub fn reproduced(found: &Reproduction, width: usize) -> String {
    let mut out = Lines { out: String::new(), width: width.clamp(40, 100) };
    let runs: Vec<String> =
        found.bundles.iter().filter(|b| b.kind == "measure").map(|b| escape::name(&b.folder)).collect();
    out.say(0, &format!("{}: {}", found.word.name(), runs.join(", ")));
    out.say(2, &shown(&found.why, 600));
    out.gap();
    out.say(0, "from the bundles alone, by this program");
    found.parts.iter().for_each(|part| out.say(2, &told(part)));
    if let Some(host) = &found.host {
        stack(&mut out, found, host);
    }
    if let Some(outputs) = found.baseline_outputs {
        out.gap();
        let (same, all) = (outputs.same, words::counted(outputs.compared, "answer"));
        out.say(0, &format!("the baseline's outputs: {same} of {all} the same, token for token (information)"));
    }
    if !found.candidates.is_empty() {
        let within = found
            .same_within
            .map_or_else(String::new, |w| format!(", the same within {} %", number::declared_percent(w).digits()));
        out.gap();
        out.say(0, &format!("speed-ups over the own baseline{within}"));
        found.candidates.iter().for_each(|candidate| of_candidate(&mut out, candidate));
    }
    if !found.rerun.is_empty() {
        let made: Vec<String> = found.rerun.iter().map(|bundle| escape::name(&bundle.folder)).collect();
        out.gap();
        out.say(0, &format!("the run that was made for it: {}", made.join(", ")));
    }
    out.out
}

struct Lines {
    out: String,
    width: usize,
}

impl Lines {
    fn gap(&mut self) {
        self.out.push('\n');
    }

    /// A paragraph.
    fn say(&mut self, indent: usize, text: &str) {
        for line in wrapped(text, self.width - indent) {
            self.out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
        }
    }
}

fn told(part: &Part) -> String {
    let is = match part.is {
        Recomputed::Same => "the same",
        Recomputed::Differs => "DIFFERS",
        Recomputed::NotRecomputed => "not compared",
    };
    format!("{}: {is}: {}", part.part, shown(&part.note, 400))
}

fn stack(out: &mut Lines, found: &Reproduction, host: &StackContrast) {
    out.gap();
    out.say(0, "what it was made with (A) against this host (B)");
    for difference in &found.unequal {
        out.say(2, &format!("has to be equal and is not: {}", difference.field));
        out.say(4, &format!("A {}", difference.a));
        out.say(4, &format!("B {}", difference.b));
    }
    for difference in host.differs.iter().filter(|d| !found.unequal.iter().any(|u| u.field == d.field)) {
        out.say(2, &format!("differs: {}", difference.field));
        out.say(4, &format!("A {}", difference.a));
        out.say(4, &format!("B {}", difference.b));
    }
    let names: Vec<&str> = host.same.iter().map(|field| field.field.as_str()).collect();
    if !names.is_empty() {
        out.say(2, &format!("the same: {}", names.join(", ")));
    }
}

fn of_candidate(out: &mut Lines, candidate: &Candidate) {
    let verdict = |verdict: Option<Verdict>| match verdict {
        Some(Verdict::Equivalent) => "equivalent",
        Some(Verdict::Undecided) => "undecided",
        Some(Verdict::Altered) => "altered",
        None => "no verdict",
    };
    let (then, now) = (verdict(candidate.verdicts.0), verdict(candidate.verdicts.1));
    let outputs = if then == now { then.to_owned() } else { format!("{then}, now {now}") };
    let counts = !matches!(candidate.verdicts, (Some(Verdict::Altered), Some(Verdict::Altered)));
    let speed = candidate.speed_up.as_ref().filter(|_| counts).and_then(|speed| {
        let times = |value: Option<f64>| value.map(|v| number::fine_ratio(v).digits().to_owned());
        let ratio = speed.ratio.map(|r| {
            let digits = |v: f64| number::fine_ratio(v).digits().to_owned();
            format!(", ratio {} [{}, {}]", digits(r.ratio), digits(r.low), digits(r.high))
        });
        Some(format!("; {}×, now {}×{}", times(speed.a)?, times(speed.b)?, ratio.unwrap_or_default()))
    });
    let word = if candidate.word == Word::Contradicted { "CONTRADICTED" } else { candidate.word.name() };
    out.say(2, &format!("{}: {word}: {outputs}{}", escape::name(&candidate.name), speed.unwrap_or_default()));
    out.say(4, &shown(&candidate.why, 400));
}
