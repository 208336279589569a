//! What is known about the outputs.

use crate::{
    judgement::{Check, Consequence, Divergence, Equivalence, Judgement, Parting, StageEvidence},
    report::{
        escape, number,
        table::{Cell, Table, column},
        words,
    },
};

const BASELINE: &str = "baseline";

/// Each arm with its margins: candidates, then the baseline.
fn arms(judgement: &Judgement) -> impl Iterator<Item = (&str, Option<&Equivalence>, &[Check])> {
    let candidates = judgement.candidates.iter();
    let baseline = &judgement.baseline;
    candidates.map(|c| (c.name.as_str(), c.equivalence.as_ref(), c.structure.as_slice())).chain([(
        BASELINE,
        baseline.equivalence.as_ref(),
        baseline.structure.as_slice(),
    )])
}

/// The teacher-forced margins.
pub(crate) fn equivalence(judgement: &Judgement) -> Table {
    let row = |arm: &str, e: &Equivalence| {
        vec![
            Cell::Text(escape::name(arm)),
            Cell::plain(number::count(e.requests)),
            Cell::plain(number::count(e.tokens)),
            Cell::plain(number::count(e.launches)),
            Cell::plain(number::count(e.from_ids)),
            Cell::plain(number::count(e.not_first)),
            Cell::maybe(number::percent(e.not_first, e.tokens), "%"),
            Cell::plain(number::small(e.mean_x)),
            e.upper_x.map_or_else(|| Cell::Nothing("n/a (one launch)".into()), |x| Cell::plain(number::small(x))),
            Cell::plain(number::count(e.far_requests)),
            Cell::Number(number::percent_of(e.upper_far), "%"),
            Cell::Number(number::small(e.mean_margin_nats), "nats"),
            Cell::Number(number::small(e.max_margin_nats), "nats"),
            Cell::plain(number::fixed(e.ln_e, 1)),
            Cell::maybe(e.requests_to_suspect.map(number::count), ""),
        ]
    };
    Table {
        name: "equivalence",
        caption: "How far each arm's output is from the reference",
        columns: vec![
            column("Arm", &["arm"]),
            column("Graded requests", &["requests"]),
            column("Graded tokens", &["tokens"]),
            column("Launches", &["launches"]),
            column("Graded from ids", &["graded_from_ids"]),
            column("Not first choice", &["tokens_not_first"]),
            column("Not first choice, share", &["tokens_not_first_percent"]),
            column("Mean x", &["mean_x"]),
            column("Upper bound of x", &["upper_x"]),
            column("Far requests", &["far_requests"]),
            column("Far, upper bound", &["far_upper_percent"]),
            column("Mean margin", &["mean_margin_nats"]),
            column("Largest margin", &["max_margin_nats"]),
            column("ln E", &["ln_e"]),
            column("Requests until suspect", &["requests_to_suspect"]),
        ],
        rows: arms(judgement).filter_map(|(arm, e, _)| Some(row(arm, e?))).collect(),
    }
}

/// The evidence of each stage, of arms that more than one stage measured.
pub(crate) fn stages(judgement: &Judgement) -> Table {
    let several = arms(judgement).filter_map(|(arm, e, _)| Some((arm, &e?.stages))).filter(|(_, all)| all.len() > 1);
    let row = |arm: &str, s: &StageEvidence| {
        vec![
            Cell::Text(escape::name(arm)),
            Cell::plain(number::count(s.stage.into())),
            Cell::plain(number::count(s.requests)),
            Cell::plain(number::count(s.launches)),
            Cell::plain(number::fixed(s.highest_ln_e, 1)),
            Cell::plain(number::fixed(s.ln_e, 1)),
            Cell::maybe(s.requests_to_suspect.map(number::count), ""),
        ]
    };
    Table {
        name: "stages",
        caption: "The evidence of each stage: prompts drawn anew, launches of its own",
        columns: vec![
            column("Arm", &["arm"]),
            column("Stage", &["stage"]),
            column("Graded requests", &["requests"]),
            column("Launches", &["launches"]),
            column("Highest ln E", &["highest_ln_e"]),
            column("ln E", &["ln_e"]),
            column("Requests until E ≥ 10³", &["requests_to_suspect"]),
        ],
        rows: several.flat_map(|(arm, all)| all.iter().map(move |s| row(arm, s))).collect(),
    }
}

/// Texts beside the opening baseline's.
pub(crate) fn divergence(judgement: &Judgement) -> Table {
    let candidates = judgement.candidates.iter().map(|c| (c.name.as_str(), c.divergence.as_ref()));
    let all = candidates.chain([("baseline", judgement.baseline.divergence.as_ref())]);
    let row = |arm: &str, d: &Divergence| {
        vec![
            Cell::Text(escape::name(arm)),
            Cell::plain(number::count(d.requests)),
            Cell::plain(number::count(d.identical)),
            Cell::maybe(number::percent(d.identical, d.requests), "%"),
            Cell::maybe(d.median_shared_characters.map(number::count), ""),
        ]
    };
    Table {
        name: "divergence",
        caption: "Texts that are the baseline's, character by character",
        columns: vec![
            column("Arm", &["arm"]),
            column("Requests", &["requests"]),
            column("Identical", &["identical"]),
            column("Identical, share", &["identical_percent"]),
            column("Characters until they part, median", &["median_shared_characters"]),
        ],
        rows: all.filter_map(|(arm, d)| Some(row(arm, d?))).collect(),
    }
}

/// Where texts part, with the words around it.
pub(crate) fn partings(judgement: &Judgement) -> Table {
    let candidates = judgement.candidates.iter().map(|c| (c.name.as_str(), c.divergence.as_ref()));
    let all = candidates.chain([("baseline", judgement.baseline.divergence.as_ref())]);
    let row = |arm: &str, parting: &Parting| {
        vec![
            Cell::Text(escape::name(arm)),
            Cell::Code(escape::name(&parting.trial)),
            Cell::plain(number::count(u64::from(parting.request))),
            Cell::plain(number::count(parting.shared_characters)),
            Cell::Code(escape::token(&parting.shared)),
            Cell::Code(escape::token(&parting.own)),
            Cell::Code(escape::token(&parting.baseline)),
        ]
    };
    let rows = all.flat_map(|(arm, d)| d.into_iter().flat_map(move |d| d.examples.iter().map(move |p| row(arm, p))));
    Table {
        name: "first-divergences",
        caption: "Where texts part from the baseline's, the earliest first; honest servers diverge, too",
        columns: vec![
            column("Arm", &["arm"]),
            column("Trial", &["trial"]),
            column("Request", &["request"]),
            column("Characters shared", &["shared_characters"]),
            column("Last shared", &["shared"]),
            column("Goes on", &["own"]),
            column("Baseline goes on", &["baseline"]),
        ],
        rows: rows.collect(),
    }
}

fn consequence(check: &Check) -> &'static str {
    match check.consequence {
        Consequence::Altered => "altered",
        Consequence::NotEquivalent => "not equivalent",
        Consequence::Information => "information",
    }
}

/// Structural checks: of each arm those that were asked, violated ones first.
pub(crate) fn structure(judgement: &Judgement) -> Table {
    let mut rows = Vec::new();
    for (arm, _, checks) in arms(judgement) {
        let mut asked: Vec<&Check> = checks.iter().filter(|c| c.asked > 0).collect();
        asked.sort_by_key(|c| (!c.holds, c.violations == 0));
        for check in asked {
            let examples: Vec<String> = check.examples.iter().map(|e| escape::name(e)).collect();
            rows.push(vec![
                Cell::Text(escape::name(arm)),
                Cell::Text(check.asks.to_owned()),
                Cell::plain(number::count(check.violations)),
                Cell::plain(number::count(check.asked)),
                Cell::Text(if check.holds { "yes" } else { "no" }.to_owned()),
                Cell::Text(consequence(check).to_owned()),
                Cell::Text(examples.join(" · ")),
                Cell::Code(check.code.to_owned()),
            ]);
        }
    }
    Table {
        name: "structure",
        caption: "Violated checks first; enough says whether the violations are enough for the consequence",
        columns: vec![
            column("Arm", &["arm"]),
            column("Check", &["asks"]),
            column("Violations", &["violations"]),
            column("Requests", &["asked"]),
            column("Enough", &["holds"]),
            column("Consequence", &["consequence"]),
            column("Examples", &["examples"]),
            column("Code", &["code"]),
        ],
        rows,
    }
}

/// The tokens that a person can look up.
pub(crate) fn worst(judgement: &Judgement) -> Table {
    let mut rows = Vec::new();
    for (arm, equivalence, _) in arms(judgement) {
        for token in equivalence.map(|e| e.worst.as_slice()).unwrap_or_default() {
            rows.push(vec![
                Cell::Text(escape::name(arm)),
                Cell::Code(escape::name(&token.trial)),
                Cell::plain(number::count(u64::from(token.request))),
                Cell::plain(number::count(u64::from(token.position))),
                Cell::Code(escape::token(&token.emitted)),
                Cell::Code(escape::token(&token.best)),
                Cell::Number(number::fixed(token.margin_nats, 2), "nats"),
            ]);
        }
    }
    Table {
        name: "worst-tokens",
        caption: "Output tokens farthest from the reference",
        columns: vec![
            column("Arm", &["arm"]),
            column("Trial", &["trial"]),
            column("Request", &["request"]),
            column("Position", &["position"]),
            column("Emitted", &["emitted"]),
            column("Reference's best", &["best"]),
            column("Margin", &["margin_nats"]),
        ],
        rows,
    }
}

/// Timed requests by outcome.
pub(crate) fn outcomes(judgement: &Judgement) -> Table {
    let rows = judgement.candidates.iter().flat_map(|candidate| {
        candidate.outcomes.iter().map(|(outcome, n)| {
            vec![
                Cell::Text(escape::name(&candidate.name)),
                Cell::Text(escape::name(outcome)),
                Cell::plain(number::count(*n)),
            ]
        })
    });
    Table {
        name: "outcomes",
        caption: "Timed requests by outcome",
        columns: vec![
            column("Candidate", &["candidate"]),
            column("Outcome", &["outcome"]),
            column("Requests", &["requests"]),
        ],
        rows: rows.collect(),
    }
}

/// Trials that failed.
pub(crate) fn failures(judgement: &Judgement) -> Table {
    let rows = judgement.candidates.iter().flat_map(|candidate| {
        candidate.failures.iter().map(|failure| {
            vec![
                Cell::Text(escape::name(&candidate.name)),
                Cell::Code(escape::name(&failure.trial)),
                Cell::Text(words::class(failure.class).to_owned()),
                Cell::Code(escape::detail(&failure.detail)),
            ]
        })
    });
    Table {
        name: "failures",
        caption: "Trials that failed",
        columns: vec![
            column("Candidate", &["candidate"]),
            column("Trial", &["trial"]),
            column("Class", &["class"]),
            column("Seen", &["seen"]),
        ],
        rows: rows.collect(),
    }
}
