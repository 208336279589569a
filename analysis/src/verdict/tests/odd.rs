//! Studies at the edges of what can be judged: each has a named outcome, none is a pass by
//! default, and no file made of them holds a number that is none.

use lab::records::Class;

use super::*;
use crate::{Study, test_support::Sealed};

/// Judges, and looks through every file that is made of the judgement.
fn judged(script: &Script) -> Judgement {
    let sealed: Sealed = script.seal();
    let study: Study = sealed.study();
    let judgement = crate::judge(&study);
    let mut files = crate::report_of(&study, &judgement, &Default::default()).unwrap();
    files.extend(crate::export(&study).unwrap().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)));
    files.push(("judge".into(), crate::report::table(&judgement, 100, false).into_bytes()));
    files.push(("judge --json".into(), serde_json::to_vec_pretty(&judgement).unwrap()));
    for candidate in &judgement.candidates {
        let explanation = crate::explain(&study, &judgement, &candidate.name).unwrap();
        files.push(("judge --explain".into(), crate::report::explanation(&explanation, 80, false).into_bytes()));
        files.push(("judge --explain --json".into(), serde_json::to_vec_pretty(&explanation).unwrap()));
    }
    assert!(files.len() > 15, "every kind of file is made");
    for (name, bytes) in files {
        let text = String::from_utf8(bytes).unwrap();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let none = words.find(|w| ["nan", "inf", "infinity"].contains(&w.to_ascii_lowercase().as_str()));
        assert_eq!(none, None, "{name}");
        assert!(!text.contains('∞'), "{name}");
    }
    judgement
}

fn reasons(judgement: &Judgement) -> (Verdict, &'static str) {
    let fast = fast(judgement);
    (fast.verdict, codes(fast)[0])
}

#[test]
fn a_candidate_without_a_successful_request() {
    let judgement = judged(&Script::new(honest(STEP)).arm("fast", |_: &Ask| Said::error()));
    assert_eq!(reasons(&judgement), (Verdict::Undecided, "no-successful-request"));
}

#[test]
fn a_candidate_that_says_nothing_and_says_that_it_stopped() {
    let silent = |ask: &Ask| Said { parts: Vec::new(), finish: "stop", ..Said::ids(&[], STEP, ask.max_tokens) };
    let judgement = judged(&Script::new(honest(STEP)).arm("fast", silent));
    assert_eq!(reasons(&judgement).0, Verdict::Undecided, "{:?}", codes(fast(&judgement)));
    assert_eq!(fast(&judgement).overall, None, "no work is no speed");
}

#[test]
fn a_candidate_whose_every_launch_failed() {
    let script = (1..=6)
        .fold(Script::new(honest(STEP)).arm("fast", honest(STEP)), |s, round| s.fails("fast", round, Class::Start));
    let judgement = judged(&script);
    assert_eq!(reasons(&judgement), (Verdict::Undecided, "no-successful-request"));
    assert_eq!(fast(&judgement).overall_note.as_ref().unwrap().code, "fewer-rounds");
}

#[test]
fn a_baseline_whose_every_launch_failed() {
    let script = (1..=6)
        .fold(Script::new(honest(STEP)).arm("fast", honest(STEP)), |s, round| s.fails("baseline", round, Class::Start));
    let judgement = judged(&script);
    assert_eq!(reasons(&judgement), (Verdict::Undecided, "reference-not-self-consistent"));
    assert_eq!(fast(&judgement).overall, None);
}

#[test]
fn one_round() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP / 2));
    (script.rounds, script.requests, script.sample) = (1, 30, 30);
    let judgement = judged(&script);
    // The baseline has two launches in its block, the candidate one.
    assert_eq!(reasons(&judgement), (Verdict::Undecided, "one-launch"));
    let fast = fast(&judgement);
    assert_eq!((fast.overall, fast.overall_note.as_ref().unwrap().code), (None, "no-interval"));
}

#[test]
fn one_round_of_one_request_of_one_token() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    (script.rounds, script.requests, script.max_tokens, script.sample) = (1, 1, 1, 1);
    let judgement = judged(&script);
    // The baseline is graded twice: no bound on two requests is below a tolerance of 20 %.
    assert_eq!(reasons(&judgement), (Verdict::Undecided, "reference-not-self-consistent"));
    assert!(codes(fast(&judgement)).contains(&"one-launch"));
}

#[test]
fn rounds_without_any_variance() {
    let judgement = judged(&Script::new(honest(STEP)).arm("fast", honest(STEP / 2)));
    let fast = fast(&judgement);
    assert_eq!(fast.verdict, Verdict::Equivalent, "twice as fast, the same outputs");
    assert_eq!(
        (fast.overall, fast.overall_note.as_ref().unwrap().code),
        (None, "no-interval"),
        "a spread of none bounds nothing"
    );
}

#[test]
fn nothing_but_ties() {
    let judgement = judged(&Script::new(honest(STEP)).arm("fast", honest(STEP)));
    let fast = fast(&judgement);
    assert_eq!(reasons(&judgement), (Verdict::Equivalent, "within-tolerance"));
    let equivalence = fast.equivalence.as_ref().unwrap();
    assert_eq!((equivalence.mean_x, equivalence.upper_x, equivalence.not_first), (0.0, Some(0.0), 0));
    assert_eq!(fast.overall, None, "no difference in any round has no interval");
}

#[test]
fn margins_as_large_as_they_can_be() {
    let judgement = judged(&Script::new(honest(STEP)).arm("fast", honest(STEP)).margins("fast", |_, _| 1e300));
    assert_eq!(reasons(&judgement), (Verdict::Undecided, "suspect"));
}

#[test]
fn ids_outside_of_the_vocabulary() {
    let outside = |text: &'static str| {
        move |ask: &Ask| {
            let mut said = honest(STEP)(ask);
            for part in said.parts.iter_mut() {
                part.ids = vec![u32::MAX];
                part.text = text.to_owned();
            }
            said
        }
    };
    for text in ["", " word"] {
        let mut script = Script::new(honest(STEP)).arm("fast", outside(text));
        // A server refuses to score what is no token.
        script.refuses = |id| id == u32::MAX;
        let judgement = judged(&script);
        let fast = fast(&judgement);
        assert_eq!(fast.verdict, Verdict::Undecided, "{text}: {:?}", codes(fast));
        assert!(codes(fast).contains(&"not-graded"), "{text}: {:?}", codes(fast));
    }
}

#[test]
fn a_reference_that_finds_the_baseline_unlikely() {
    let judgement = judged(&Script::new(honest(STEP)).arm("fast", honest(STEP)).margins("baseline", |_, _| 2.0));
    assert_eq!(reasons(&judgement), (Verdict::Undecided, "reference-not-self-consistent"));
}

#[test]
fn a_candidate_without_a_successful_request_is_undecided_and_has_no_nan() {
    let judgement = Script::new(honest(STEP)).arm("fast", |_: &Ask| Said::error()).seal().judge();
    let fast = fast(&judgement);
    assert_eq!((fast.verdict, codes(fast)[0]), (Verdict::Undecided, "no-successful-request"));
    assert_eq!((fast.overall, fast.overall_note.as_ref().unwrap().code), (None, "fewer-rounds"));
    assert_eq!(fast.outcomes, [("http-error".to_owned(), 36)]);
    assert!(codes(fast).contains(&"failed-requests"));
    let value = serde_json::to_value(&judgement).unwrap();
    assert_eq!(nulls_where_numbers_belong(&value), 0, "{value:#}");
}

/// serde_json writes NaN and infinity as null.
fn nulls_where_numbers_belong(value: &serde_json::Value) -> usize {
    const OPTIONAL: &[&str] = &[
        "control",
        "controls_lack",
        "cost_per_million_tokens",
        "joules_per_token",
        "score",
        "why",
        "equivalence",
        "overall",
        "overall_note",
        "effect",
        "upper_x",
        "value",
        "sign_flip_p",
        "detectable",
        "requests_to_suspect",
        "blind_control",
        "controls",
        "divergence",
        "median_shared_characters",
        "slo",
        "service",
        "requests_per_s",
        "steady_tokens_per_s",
        "steady_share",
        "adjusted_p",
        "note",
        "rejects",
        "same",
        "same_speed",
        "void",
    ];
    match value {
        serde_json::Value::Object(map) => map
            .iter()
            .map(|(k, v)| {
                if v.is_null() && k.starts_with('p') && k.ends_with("_ns") {
                    0
                } else if v.is_null() {
                    usize::from(!OPTIONAL.contains(&k.as_str()))
                } else {
                    nulls_where_numbers_belong(v)
                }
            })
            .sum(),
        serde_json::Value::Array(values) => {
            values.iter().map(|v| usize::from(v.is_null()) + nulls_where_numbers_belong(v)).sum()
        }
        _ => 0,
    }
}
