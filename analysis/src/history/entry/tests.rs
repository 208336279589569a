use super::*;
use crate::test_support::{Ask, Said, Script, answer, honest};

const STEP: u64 = 1_000_000;

/// Opening and closing baselines of other paces: 1 and 4 ms a token.
fn drifting(ask: &Ask) -> Said {
    let step = if ask.role == lab::plan::Role::Closing { 4 * STEP } else { STEP };
    Said::ids(&answer(ask.request, ask.max_tokens), step, ask.max_tokens)
}

fn script() -> Script {
    let mut script = Script::new(drifting).arm("fast", |ask: &Ask| honest(STEP / 2 + u64::from(ask.round))(ask));
    script.program = "vLLM";
    script
}

fn entry(script: &Script) -> Entry {
    let sealed = script.seal();
    let study = sealed.study();
    Entry::of(&study, &crate::judge(&study), "W07/test/").unwrap()
}

#[test]
fn an_entry_keeps_what_the_judgement_says() {
    let sealed = script().seal();
    let (study, judgement) = (sealed.study(), sealed.judge());
    let entry = Entry::of(&study, &judgement, "W07/test/").unwrap();
    assert_eq!(Some(entry.week), Week::of(&entry.started));
    assert_eq!(entry.bundles, judgement.bundles.iter().map(|b| b.id).collect::<Vec<_>>());
    assert_eq!((entry.method.as_str(), entry.workload.as_str()), (crate::METHOD, "test"));
    let [fast] = entry.candidates.as_slice() else { panic!("{entry:?}") };
    let said = &judgement.candidates[0];
    assert_eq!((fast.name.as_str(), fast.verdict, fast.overall), ("fast", said.verdict, said.overall));
    assert_eq!(fast.cells, [(Cell::from(&said.speed[0]), said.speed[0].primary.effect.unwrap())]);
    assert_eq!(entry.board, Board::Led(["fast".to_owned()].into()));
}

#[test]
fn the_baselines_value_is_the_geometric_mean_of_opening_and_closing() {
    let entry = entry(&script());
    let [cell] = entry.cells.as_slice() else { panic!("{entry:?}") };
    assert!((cell.tpot_ns.unwrap() / 2e6 - 1.0).abs() < 1e-5, "{cell:?}");
    // In 1 and in 4 ms: 1,000 and 250 tokens a second, but for the first token of each answer.
    assert!((cell.tokens_per_s.unwrap() / 500.0 - 1.0).abs() < 0.1, "{cell:?}");
    assert!(cell.ttft_ns.is_some());
}

#[test]
fn prompts_drawn_anew_are_the_same_cell_and_other_answers_are_another() {
    let of = |change: fn(&mut Script)| {
        let mut script = script();
        change(&mut script);
        let entry = entry(&script);
        (entry.cells[0].identity(), entry.baseline.unwrap(), entry.bundles)
    };
    let first = of(|_| {});
    // A seed is what is drawn anew; rounds are how often.
    let again = of(|script| script.rounds = 7);
    assert_ne!(first.2, again.2);
    assert_eq!((first.0, first.1), (again.0, again.1));
    let rebased = of(|script| script.program = "vLLM, a version later");
    assert!(rebased.0 == first.0 && rebased.1 != first.1);
    for other in [
        of(|script| script.max_tokens = 21),
        of(|script| script.requests = 7),
        of(|script| script.load = "name = \"c1\"\nclosed = { concurrency = 2 }"),
        of(|script| script.load = "name = \"c2\"\nclosed = { concurrency = 1 }"),
        of(|script| script.gpu = "NVIDIA H100"),
    ] {
        assert!(other.0 != first.0 && other.1 == first.1);
    }
}

#[test]
fn a_baseline_that_nobody_can_name_has_no_digest() {
    let mut unknown = script();
    unknown.program = "";
    let entry = entry(&unknown);
    assert_eq!((entry.baseline, entry.candidates[0].server), (None, None));
}

#[test]
fn controls_are_no_candidates_and_nobody_leads_among_them() {
    let mut controls = script();
    controls.declared = |_| "control = \"positive\"".into();
    let entry = entry(&controls);
    assert!(entry.candidates.is_empty() && entry.board == Board::None);
    assert_eq!(entry.cells.len(), 1, "the baseline's history goes on");
}

#[test]
fn a_plain_measurement_has_no_closing_baseline_and_so_no_value() {
    let mut plain = Script::new(honest(STEP));
    plain.program = "vLLM";
    let entry = entry(&plain);
    let [cell] = entry.cells.as_slice() else { panic!("{entry:?}") };
    assert_eq!((cell.ttft_ns, cell.tpot_ns, cell.tokens_per_s), (None, None, None));
    assert!(entry.baseline.is_some() && entry.candidates.is_empty());
}
