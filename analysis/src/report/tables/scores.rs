//! The public scores of Cacheon V1, always beside the speed-up that counts.

use crate::{
    judgement::{Candidate, Gate, Judgement, Score, Verdict},
    report::{
        controls, escape, number,
        table::{Cell, Table, column, word},
    },
};

/// Each score of each candidate.
pub(crate) fn scores(judgement: &Judgement) -> Table {
    let row = |candidate: &Candidate, score: &Score| {
        let shown = match (score.score, &score.why) {
            (Some(value), _) => Cell::plain(number::fixed(value, 4)),
            (None, Some(why)) => Cell::Nothing(escape::detail(&why.text)),
            (None, None) => Cell::Empty,
        };
        let least = score.rounds.iter().map(|(_, value)| *value).reduce(f64::min);
        let most = score.rounds.iter().map(|(_, value)| *value).reduce(f64::max);
        vec![
            Cell::Text(escape::name(&candidate.name)),
            paired(judgement, candidate),
            Cell::Text(score.mode.to_owned()),
            shown,
            Cell::maybe(least.map(|v| number::fixed(v, 4)), ""),
            Cell::maybe(most.map(|v| number::fixed(v, 4)), ""),
            Cell::plain(number::count(score.rounds.len() as u64)),
            Cell::Text(score.entries.to_owned()),
        ]
    };
    Table {
        name: "scores",
        caption: "Information, for comparison with published rounds: medians over rounds, each one V1 evaluation",
        columns: vec![
            column("Candidate", &["candidate"]),
            column("Speed-up", &["paired_speedup", "paired_speedup_low", "paired_speedup_high"]),
            column("Formula", &["mode"]),
            column("Score", &["score"]),
            column("Least", &["score_least"]),
            column("Most", &["score_most"]),
            column("Rounds", &["rounds"]),
            column("Counted", &["entries"]),
        ],
        rows: judgement.candidates.iter().flat_map(|c| c.scores.iter().map(move |s| row(c, s))).collect(),
    }
}

/// What counts: the overall speed-up, of equivalent outputs only.
fn paired(judgement: &Judgement, candidate: &Candidate) -> Cell {
    match candidate.verdict {
        _ if controls::unjudged(judgement, candidate).is_some() => Cell::Nothing("not judged".into()),
        Verdict::Equivalent => super::speed::effect(candidate.overall.as_ref(), number::ratio),
        other => Cell::Nothing(word(other).into()),
    }
}

/// What V1 asked of outputs.
pub(crate) fn gates(judgement: &Judgement) -> Table {
    let row = |candidate: &Candidate, gate: &Gate| {
        let passed = format!("{} of {}", gate.passed, gate.rounds);
        vec![
            Cell::Text(escape::name(&candidate.name)),
            Cell::Code(gate.code.to_owned()),
            Cell::Text(gate.asks.to_owned()),
            gate.why.as_ref().map_or(Cell::Text(passed), |why| Cell::Nothing(escape::detail(&why.text))),
            Cell::maybe(gate.value.map(number::small), ""),
        ]
    };
    Table {
        name: "v1-gates",
        caption: "Of the first 32 answers of each round; passing says little, see METHOD",
        columns: vec![
            column("Candidate", &["candidate"]),
            column("Gate", &["gate"]),
            column("Asked", &["asks"]),
            column("Rounds passed", &["rounds_passed"]),
            column("Number", &["value"]),
        ],
        rows: judgement.candidates.iter().flat_map(|c| c.gates.iter().map(move |g| row(c, g))).collect(),
    }
}
