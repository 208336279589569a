//! The leaderboard and the baseline against itself, in words.

use super::{escape, input::Cell as Place, number, words};
use crate::{
    judgement::{Entry, Judgement, SameSpeed, Sameness, SelfSpeed},
    nodes::Node,
};

/// What the order is by, and how to read the letters.
pub(crate) fn heading(mode: &str) -> String {
    let by = match mode {
        "paired" => "the lower limit of the speed-up".to_owned(),
        mode => format!("the score {mode}"),
    };
    format!("leaderboard, by {by}; who shares a letter is not shown to differ")
}

/// `1 a fast 1.24× [1.21, 1.27]`
pub(crate) fn entry(entry: &Entry, mode: &str) -> String {
    let score = if mode == "paired" { String::new() } else { format!("score {}, ", score(entry.score).digits()) };
    let name = escape::name(&entry.name);
    format!("{} {} {name} {score}{}", entry.place, entry.letters, words::speedup(Some(&entry.overall)))
}

/// A score: a share.
pub(crate) fn score(score: f64) -> number::Number {
    number::fixed(score, 4)
}

/// One sentence on each comparison of the baseline with itself, and on each slow host.
pub(crate) fn selves(judgement: &Judgement) -> Vec<String> {
    let slow = judgement.baseline.nodes.iter().filter(|node| node.slow);
    judgement.self_speeds.iter().map(itself).chain(slow.filter_map(slow_node)).collect()
}

fn slow_node(node: &Node) -> Option<String> {
    let percent = |ratio: f64| number::percent_of(ratio - 1.0).digits().to_owned();
    Some(format!(
        "{} is slow: its baselines take {} % longer than those of the other hosts [{}, {}] ({})",
        escape::name(&node.host),
        percent(node.ratio?),
        percent(node.low?),
        percent(node.high?),
        Place { model: node.model.clone(), gpus: node.gpus, load: node.load.clone() }
    ))
}

fn itself(it: &SelfSpeed) -> String {
    let who = who(it.of);
    let (Some(effect), Some(rejects)) = (&it.effect, it.rejects) else {
        let why = it.note.as_ref().map(|n| escape::detail(&n.text)).unwrap_or_default();
        return format!("{who}: no claim ({why})");
    };
    let word = if rejects { "shown to differ" } else { "not shown to differ" };
    let same = it.same.as_ref().map(|s| format!(", {}", same(s))).unwrap_or_default();
    format!("{who}: {} {word}{same}", words::speedup(Some(effect)))
}

/// Which comparison of the baseline with itself it is.
pub(crate) fn who(of: &str) -> &'static str {
    if of == crate::leaderboard::CONTROL { "blind control over baseline" } else { "closing over opening baseline" }
}

/// `the same within 5 %`
pub(crate) fn same(same: &SameSpeed) -> String {
    let within = number::declared_percent(same.within);
    let within = within.digits();
    match same.word {
        Sameness::Same => format!("the same within {within} %"),
        Sameness::Different => format!("different by more than {within} %"),
        Sameness::Inconclusive => format!("neither the same nor different by {within} %"),
    }
}
