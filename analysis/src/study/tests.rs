mod bounds;
mod latencies;
mod output;

use lab::{Kind, records::Class};

use super::*;
use crate::{
    metrics::Metric,
    test_support::{Ask, Said, Script, honest},
};

fn script() -> Script {
    let mut script = Script::new(honest(1_000_000)).arm("fast", |ask: &Ask| {
        if ask.request.is_multiple_of(4) { Said::error() } else { honest(500_000)(ask).text_only() }
    });
    script.rounds = 2;
    script
}

#[test]
fn frames_hold_one_row_per_timed_request_chunk_and_graded_token() {
    let study = script().seal().study();
    let requests = study.requests_frame().unwrap();
    assert_eq!(requests.height(), 2 * 3 * 6, "two rounds of three trials with six requests, no warm-up");
    let complete: usize = study.trials.iter().flat_map(|t| &t.responses).map(|r| r.steps.len()).sum();
    assert_eq!(study.tokens_frame().unwrap().height(), complete);
    let graded = study.reference_frame().unwrap();
    assert_eq!(graded.get_column_names().len(), 9);
    let rows: usize = study.trials.iter().flat_map(|t| t.graded.values()).map(|g| g.rows.len()).sum();
    assert_eq!(graded.height(), rows);
}

#[test]
fn samples_are_sorted_and_of_complete_requests() {
    let study = script().seal().study();
    assert_eq!(study.arms(), ["baseline", "fast"]);
    let cell = &study.cells()[0];
    assert_eq!((cell.model.as_str(), cell.gpus, cell.load.as_str()), ("toy", 0, "c1"));
    let samples =
        |arm, metric| crate::loads::sample(&study, arm, cell, metric, &BTreeMap::new()).unwrap().sorted_ns().to_vec();
    let e2el = samples("baseline", Metric::E2el);
    assert_eq!(e2el.len(), 4 * 6);
    assert!(e2el.is_sorted() && e2el.iter().all(|n| *n == 20 * 1_000_000 + 100));
    assert_eq!(samples("baseline", Metric::Tpot)[0], (19 * 1_000_000 + 100 + 9) / 19);
    assert_eq!(samples("baseline", Metric::Itl).len(), 4 * 6 * 19);
    assert!(samples("fast", Metric::Ttft).iter().all(|n| *n == 500_000));
}

#[test]
fn without_ids_tokens_are_ours_and_arrive_with_their_share_of_the_text() {
    let study = script().seal().study();
    let response = study.completed("fast").flat_map(|t| &t.responses).find(|r| r.complete()).unwrap();
    assert_eq!((response.counted_from, response.tokens()), (CountedFrom::Text, 20));
    let counts: Vec<u32> = response.steps.iter().filter(|s| s.output).map(|s| s.tokens).collect();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
    assert_eq!(response.reach(20).unwrap().0, 20 * 500_000);
}

#[test]
fn a_failed_trial_keeps_its_facts() {
    let study = script().fails("fast", 1, Class::LoadTimeout).seal().study();
    let failed = study.trials.iter().find(|t| !t.completed()).unwrap();
    assert_eq!((failed.plan.arm.as_str(), failed.responses.len()), ("fast", 0));
    assert_eq!(study.requests_frame().unwrap().height(), (4 + 1) * 6);
}

#[test]
fn a_measurement_alone_opens_too() {
    let mut script = script();
    script.grade = false;
    let study = script.seal().study();
    assert!(!study.is_graded() && study.trials.iter().all(|t| t.graded.is_empty()));
    assert_eq!(study.prompt_tokens(&study.trials[0], 1), None);
}

#[test]
fn nothing_at_all_is_not_comparable() {
    let problem = Study::open(&[]).err().unwrap();
    assert_eq!(problem.kind, Kind::NotComparable);
}

#[test]
fn text_equality_forgives_unfinished_characters_and_outer_space_only() {
    assert!(same_text(" a b\u{fffd}", "a b") && same_text("é\u{fffd}x", "éx"));
    assert!(!same_text("a b", "a  b") && !same_text("a", "b") && same_text("", " "));
}
