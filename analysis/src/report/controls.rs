//! A run of controls in words: what is known of its arms, and what they calibrate.

use lab::workload::Control;

use super::{
    escape, floor, number,
    words::{Line, counted, in_short},
};
use crate::judgement::{Calibration, Candidate, ControlFacts, Judgement, Tolerance};

/// What E has to reach, as ln E is shown.
const CROSSING: &str = "6.9";

/// Whether everybody that was measured is a control: then nobody is judged.
pub(crate) fn only(judgement: &Judgement) -> bool {
    !judgement.candidates.is_empty() && judgement.candidates.iter().all(|c| c.control.is_some())
}

/// What is known of a control.
pub(crate) fn kind(control: Control) -> &'static str {
    match control {
        Control::Positive => "honest control",
        Control::Negative => "altered control",
    }
}

/// Whether a control has no verdict, since nothing in its run judges outputs.
pub(crate) fn unjudged(judgement: &Judgement, candidate: &Candidate) -> Option<Control> {
    candidate.control.filter(|_| matches!(judgement.tolerance, Tolerance::None))
}

/// What a control is and shows, in a sentence; none of other candidates.
pub(crate) fn sentence(judgement: &Judgement, candidate: &Candidate) -> Option<String> {
    let kind = kind(candidate.control?);
    let shown = shows(judgement, candidate)?;
    Some(if shown.is_empty() { kind.into() } else { format!("{kind}: {shown}") })
}

/// What a control shows, which may be nothing; none of other candidates.
pub(crate) fn shows(judgement: &Judgement, candidate: &Candidate) -> Option<String> {
    let control = candidate.control?;
    let of = |c: &'_ Calibration| -> Option<ControlFacts> {
        let all = if control == Control::Positive { &c.positive } else { &c.negative };
        all.iter().find(|facts| facts.arms.contains(&candidate.name)).cloned()
    };
    Some(match (judgement.controls.as_deref(), judgement.controls.as_deref().and_then(of)) {
        (Some(_), Some(facts)) => seen(control, &facts),
        // Without a calibration nothing is known of it but what went wrong.
        _ if candidate.reasons.first().is_some_and(|r| r.code == "no-tolerance-declared") => String::new(),
        _ => in_short(candidate),
    })
}

fn seen(control: Control, facts: &ControlFacts) -> String {
    let requests = counted(facts.requests, "graded request");
    let ln_e = format!("highest ln E {} of {CROSSING}", number::fixed(facts.highest_ln_e, 1).digits());
    match (control, facts.requests_to_suspect) {
        (Control::Negative, Some(n)) => format!("found after {n} of {requests}"),
        (Control::Negative, None) => format!("not found in {requests}, {ln_e}"),
        (Control::Positive, Some(n)) => format!("suspect after {n} of {requests}, so it may not be honest"),
        (Control::Positive, None) => {
            format!("mean x {} over {requests}, {ln_e}", number::small(facts.mean_x).digits())
        }
    }
}

/// What a run's controls come to: a sentence on the whole, and sentences on the parts. None
/// where it has no controls.
pub(crate) fn calibration(judgement: &Judgement) -> Option<(String, Vec<String>)> {
    if let Some(lack) = &judgement.controls_lack {
        let (what, next) = lack.split_once("; ").unwrap_or((lack, ""));
        let next = if next.is_empty() { Vec::new() } else { vec![escape::detail(next)] };
        return Some((format!("no calibration: {}", escape::detail(what)), next));
    }
    let mut sentences = floor::sentences(judgement.controls.as_deref()?);
    let first = format!("calibration of {}", sentences.remove(0));
    Some((first, sentences))
}

/// The headline of a run of controls.
pub(crate) fn headline(judgement: &Judgement) -> Vec<Line> {
    let Some((first, sentences)) = calibration(judgement) else { return Vec::new() };
    let glyph = if judgement.controls.is_some() { "✓" } else { "?" };
    let line = |glyph: &'static str, sentence: &str| {
        let (subject, rest) = sentence.split_once(": ").unwrap_or((sentence, ""));
        let end = if sentence.ends_with('?') { "" } else { "." };
        let colon = if rest.is_empty() { "" } else { ":" };
        Line { verdict: None, glyph, subject: format!("{}{colon}", capital(subject)), rest: format!("{rest}{end}") }
    };
    std::iter::once(line(glyph, &first)).chain(sentences.iter().map(|s| line("·", s))).collect()
}

/// With a capital at its beginning.
pub(crate) fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
