//! Numbers in words: words first, numbers second.

use lab::{Nanos, plan::Role, records::Class};

use super::{
    escape,
    input::Cell,
    number::{self, Number},
};
use crate::judgement::{Candidate, Climb, Effect, Judgement, Ladder, Overall, Slo, Verdict};

/// The code of the reason that margins are above the tolerance.
const MARGINS: &str = "margins-above-tolerance";
const SUSPECT: &str = "suspect";

/// A metric's name.
pub(crate) fn metric(code: &'static str) -> &'static str {
    match code {
        "e2el-equal-work" => "E2EL at equal work",
        "ttft" => "TTFT",
        "tpot" => "TPOT",
        "itl" => "ITL",
        "e2el" => "E2EL",
        "ttft-service" => "TTFT, service time",
        "e2el-service" => "E2EL, service time",
        "output-throughput" => "output throughput",
        "output-throughput-steady" => "output throughput, steady",
        "request-throughput" => "request throughput",
        other => other,
    }
}

/// A ladder with its place.
pub(crate) fn ladder(ladder: &Ladder) -> String {
    Cell { model: ladder.model.clone(), gpus: ladder.gpus, load: ladder.ladder.clone() }.to_string()
}

/// The latencies that service levels state, each with its name.
pub(crate) fn levels(slo: &Slo) -> Vec<(&'static str, Nanos)> {
    let all = [("TTFT", slo.ttft_ns), ("TPOT", slo.tpot_ns), ("E2EL", slo.e2el_ns)];
    all.into_iter().filter_map(|(name, most)| Some((name, most?))).collect()
}

/// `14.1 requests/s [13.0, 15.3]`, or in how many rounds it lies beyond the ladder.
pub(crate) fn capacity(capacity: Option<&Overall>, unit: &str) -> String {
    let shown = |value: f64| number::scaled(value).digits().to_owned();
    match capacity {
        None => "no round".into(),
        Some(Overall::Between { mean, interval: None, .. }) => format!("{} {unit}", shown(*mean)),
        Some(Overall::Between { mean, interval: Some((low, high)), .. }) => {
            format!("{} {unit} [{}, {}]", shown(*mean), shown(*low), shown(*high))
        }
        Some(Overall::Beyond { lowest, below, highest, above, rounds }) => {
            let part = |side: &str, end: f64, n: u64| match n {
                0 => None,
                n if n == *rounds => Some(format!("{side} {} {unit}", step(end).digits())),
                n => Some(format!("{side} {} {unit} in {n} of {}", step(end).digits(), counted(*rounds, "round"))),
            };
            let parts: Vec<String> =
                [part("below", *lowest, *below), part("above", *highest, *above)].into_iter().flatten().collect();
            parts.join(", ")
        }
    }
}

/// A candidate's largest load over the baseline's; none for the baseline itself.
pub(crate) fn over_baseline(judgement: &Judgement, climb: &Climb) -> Option<Result<Effect, String>> {
    let candidate = judgement.candidates.iter().find(|c| c.name == climb.arm)?;
    Some(match climb.ratio {
        Some(_) if candidate.verdict == Verdict::Altered => Err(NOT_COUNTED.into()),
        Some(effect) if effect.powered => Ok(effect),
        other => Err(speedup(other.as_ref())),
    })
}

/// A step of a ladder: about three digits, and no zeros after the last of them.
pub(crate) fn step(value: f64) -> Number {
    let scale = libm::pow(10.0, number::decimals(value) as f64);
    number::declared(libm::round(value * scale) / scale)
}

/// The page on the candidate at this place: its file without the ending. Workloads have no other
/// names than those that are kept here.
pub(crate) fn page_of(judgement: &Judgement, place: usize) -> String {
    let name = &judgement.candidates[place].name;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let is_plain = !name.is_empty() && name.len() <= 64 && !name.starts_with(['.', '-']) && name.chars().all(plain);
    if is_plain { format!("candidates/{name}") } else { format!("candidates/candidate-{}", place + 1) }
}

/// What a trial is in its block.
pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Opening => "opening baseline",
        Role::Candidate => "candidate",
        Role::Closing => "closing baseline",
    }
}

/// Whose failure a failure is.
pub(crate) fn class(class: Class) -> &'static str {
    match class {
        Class::Host => "host",
        Class::Image => "image",
        Class::Start => "start",
        Class::LoadTimeout => "load timeout",
        Class::Protocol => "protocol",
        Class::Deadline => "deadline",
    }
}

/// Why there is no interval.
pub(crate) fn not_powered(rounds: u64) -> String {
    format!("not powered ({})", counted(rounds, "round"))
}

/// `1 round`, `3 rounds`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `1.24× [1.19, 1.30]`, or why not.
pub(crate) fn speedup(effect: Option<&Effect>) -> String {
    match effect {
        Some(e) if e.powered => format!(
            "{}× [{}, {}]",
            number::ratio(e.speedup).digits(),
            number::ratio(e.low).digits(),
            number::ratio(e.high).digits()
        ),
        Some(e) => not_powered(e.rounds),
        None => "no claim".into(),
    }
}

/// What stands where the speed of an altered candidate would: it did other work.
pub(crate) const NOT_COUNTED: &str = "does not count";

/// The overall speed-up of a candidate in a few words.
pub(crate) fn claim(candidate: &Candidate) -> String {
    match (candidate.verdict, &candidate.overall) {
        (Verdict::Altered, Some(_)) => NOT_COUNTED.into(),
        (_, Some(_)) if candidate.reasons.first().is_some_and(|r| r.code == SUSPECT) => "does not count yet".into(),
        (_, overall) => speedup(overall.as_ref()),
    }
}

/// The decisive reason, without what stands after its first semicolon: the whole of it is in
/// the candidate's section.
pub(crate) fn in_short(candidate: &Candidate) -> String {
    let Some(reason) = candidate.reasons.first() else { return String::new() };
    let early = candidate.structure.iter().find(|c| c.code == "early-stop" && 2 * c.violations > c.asked);
    if let Some(check) = early.filter(|_| candidate.verdict != Verdict::Equivalent) {
        let (n, of) = (number::count(check.violations), number::count(check.asked));
        return format!("{} of {} answers are cut short", n.digits(), of.digits());
    }
    if [MARGINS, SUSPECT].contains(&reason.code) {
        let share = candidate.equivalence.as_ref().and_then(|e| number::percent(e.not_first, e.tokens));
        if let Some(share) = share {
            let suspect = if reason.code == SUSPECT { "suspect, not confirmed by a second stage: " } else { "" };
            return format!("{suspect}{} % of graded tokens are not the reference's first choice", share.digits());
        }
    }
    let text = escape::detail(&reason.text);
    text.split(';').next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The geometric mean over cells of the speed-up in a metric beside the primary one, if
/// every cell has it and the primary one supports a claim.
pub(crate) fn beside(candidate: &Candidate, metric: &str) -> Option<f64> {
    candidate.overall.filter(|e| e.powered && candidate.verdict != Verdict::Altered)?;
    let mut logs = Vec::new();
    for cell in candidate.speed.iter().filter(|c| c.counts) {
        let found = cell.beside.iter().find(|m| m.metric == metric)?;
        logs.push(libm::log(found.effect.filter(|e| e.speedup > 0.0)?.speedup));
    }
    (!logs.is_empty()).then(|| libm::exp(logs.iter().sum::<f64>() / logs.len() as f64))
}

/// A ratio's distance from 1 in percent: whole from ten on.
fn percent(ratio: f64) -> Number {
    let percent = ((ratio - 1.0) * 100.0).abs();
    number::fixed(percent, if percent < 9.95 { 1 } else { 0 })
}

/// How fast a candidate is: a verb, and what follows it.
pub(crate) fn how_fast(candidate: &Candidate) -> (&'static str, String) {
    match (&candidate.overall, &candidate.overall_note) {
        (Some(e), _) if e.powered => faster(e),
        (_, Some(note)) => ("has", format!("no speed claim ({})", escape::detail(&note.text))),
        (Some(e), None) => ("has", format!("no speed claim ({})", not_powered(e.rounds))),
        (None, None) => ("has", "no measured speed".into()),
    }
}

/// The same of an effect that supports a claim.
pub(crate) fn faster(e: &Effect) -> (&'static str, String) {
    let confidence = number::declared_percent(e.confidence);
    let between = |low: f64, high: f64| {
        format!("{} % interval {}–{} %", confidence.digits(), percent(low).digits(), percent(high).digits())
    };
    let point = percent(e.speedup);
    if e.low > 1.0 {
        ("is", format!("{} % faster than the baseline ({})", point.digits(), between(e.low, e.high)))
    } else if e.high < 1.0 {
        ("is", format!("{} % slower than the baseline ({})", point.digits(), between(e.high, e.low)))
    } else {
        ("shows", format!("no speed difference from the baseline ({})", speedup(Some(e))))
    }
}

/// A sentence of the headline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Of whom it speaks; none for the rest of a long list, and for a load.
    pub(crate) verdict: Option<Verdict>,
    /// What stands before it where no verdict does.
    pub(crate) glyph: &'static str,
    /// How it starts: a name or a number.
    pub(crate) subject: String,
    /// How it goes on.
    pub(crate) rest: String,
}

/// The largest load of each arm, one line for each ladder.
pub(crate) fn largest_loads(judgement: &Judgement) -> Vec<(String, String)> {
    let line = |l: &Ladder| {
        let arms = l.arms.iter().map(|a| format!("{} {}", escape::name(&a.arm), capacity(a.capacity.as_ref(), l.unit)));
        (ladder(l), arms.collect::<Vec<_>>().join("; "))
    };
    judgement.ladders.iter().map(line).collect()
}

/// Loads that are steps of a ladder: a report shows the ladder and not each of them.
pub(crate) fn is_step(judgement: &Judgement, load: &str) -> bool {
    judgement.ladders.iter().flat_map(|l| &l.arms).flat_map(|a| &a.steps).any(|s| s.load == load)
}

/// The cells that are steps of ladders.
pub(crate) fn steps(judgement: &Judgement) -> Vec<String> {
    let of = |l: &Ladder| {
        let place = |load: &str| Cell { model: l.model.clone(), gpus: l.gpus, load: load.to_owned() };
        let steps = l.arms.iter().flat_map(|a| &a.steps);
        steps.map(|s| place(&s.load).to_string()).collect::<Vec<_>>()
    };
    judgement.ladders.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(speedup: f64, low: f64, high: f64, rounds: u64) -> Effect {
        Effect {
            rounds,
            powered: rounds >= 6,
            speedup,
            low,
            high,
            confidence: 0.95,
            p: 0.01,
            adjusted_p: None,
            sign_flip_p: None,
            detectable: None,
        }
    }

    #[test]
    fn speed_is_said_in_percent_with_its_interval() {
        assert_eq!(
            faster(&effect(1.24, 1.19, 1.304, 10)),
            ("is", "24 % faster than the baseline (95 % interval 19–30 %)".into())
        );
        assert_eq!(
            faster(&effect(0.87, 0.84, 0.9, 10)),
            ("is", "13 % slower than the baseline (95 % interval 10–16 %)".into())
        );
    }

    #[test]
    fn no_claim_is_made_where_the_interval_holds_1_or_rounds_are_few() {
        assert_eq!(
            faster(&effect(1.01, 0.98, 1.04, 10)),
            ("shows", "no speed difference from the baseline (1.01× [0.98, 1.04])".into())
        );
        assert_eq!(speedup(Some(&effect(1.5, 1.4, 1.6, 3))), "not powered (3 rounds)");
        assert_eq!(speedup(None), "no claim");
    }
}
