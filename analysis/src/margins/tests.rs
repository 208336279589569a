use lab::{records::ReferenceRow, workload::Tolerance};

use super::*;
use crate::test_support::{Ask, Said, Script, answer, honest, text_of};

const STEP: u64 = 1_000_000;
const TOLERANCE: Tolerance = Tolerance { cap_nats: 0.5, mean: 0.02, far: 0.2 };

fn margins_of(margin: impl Fn(&Ask, usize) -> f64 + 'static) -> Margins {
    let sealed = Script::new(honest(STEP)).arm("odd", honest(STEP)).margins("odd", margin).seal();
    of_arm(&sealed.study(), "odd", None, TOLERANCE).unwrap()
}

#[test]
fn exact_outputs_have_no_margin() {
    let margins = margins_of(|_, _| 0.0);
    let e = &margins.equivalence;
    assert_eq!((e.requests, e.tokens, e.launches, e.from_ids), (24, 24 * 20, 6, 24));
    assert_eq!((e.mean_x, e.upper_x, e.far_requests, e.not_first), (0.0, Some(0.0), 0, 0));
    assert!(e.ln_e < 0.0 && e.worst.is_empty());
}

#[test]
fn margins_are_capped_in_the_mean_and_counted_as_far_above_four_caps() {
    // One token of twenty at 1 nat: x = 1/20. Above 2 nats it is far, and x stays the same.
    let near = margins_of(|_, position| if position == 3 { 1.0 } else { 0.0 }).equivalence;
    let far = margins_of(|_, position| if position == 3 { 2.001 } else { 0.0 }).equivalence;
    assert!((near.mean_x - 0.05).abs() < 1e-12 && (far.mean_x - 0.05).abs() < 1e-12);
    assert_eq!((near.far_requests, far.far_requests), (0, 24));
    assert_eq!((near.not_first, near.max_margin_nats), (24, 1.0));
    assert!((near.mean_margin_nats - 0.05).abs() < 1e-12);
}

#[test]
fn a_negative_margin_of_rounding_counts_as_none() {
    let e = margins_of(|_, _| -0.01).equivalence;
    assert_eq!((e.mean_x, e.max_margin_nats, e.not_first), (0.0, 0.0, 0));
}

#[test]
fn the_bound_is_over_launches_not_over_requests() {
    // Launch means 0.1, 0.1, 0.1, 0.2, 0.2, 0.2 of the cap: mean 0.15, sd 0.0547723, t(.95; 5) = 2.015048.
    let e = margins_of(|ask, _| if ask.round <= 3 { 0.05 } else { 0.1 }).equivalence;
    assert!((e.mean_x - 0.15).abs() < 1e-12);
    let expected = [0.1, 0.1, 0.1, 0.2, 0.2, 0.2];
    assert!(e.launch_means.len() == 6 && e.launch_means.iter().zip(expected).all(|(m, x)| (m - x).abs() < 1e-12));
    assert!((e.upper_x.unwrap() - (0.15 + 2.015_048_373 * 0.054_772_256 / 6.0_f64.sqrt())).abs() < 1e-8, "{e:?}");
}

#[test]
fn over_tokens_a_long_answer_counts_for_as_much_as_it_is() {
    // Three answers of 20 tokens with half or all of the cap each, three of 5 tokens with nothing.
    let long = |ask: &Ask| ask.request.is_multiple_of(2);
    let margin = move |ask: &Ask, _: usize| match (long(ask), ask.round <= 3) {
        (true, true) => 0.25,
        (true, false) => 0.75,
        (false, _) => 0.0,
    };
    let mut script = Script::new(honest(STEP)).arm("odd", honest(STEP)).margins("odd", margin);
    (script.sample, script.most) = (6, |id: u32| (!id.is_multiple_of(2)).then_some(5));
    let e = of_arm(&script.seal().study(), "odd", None, TOLERANCE).unwrap().equivalence;
    // Launches: half or all of 60 of 75 tokens; mean 0.6, sd 0.2 √1.2, t(.95; 5) = 2.015048.
    assert!(e.tokens == 6 * 75 && (e.mean_x - 0.375).abs() < 1e-12);
    assert!((e.mean_x_by_tokens - 0.6).abs() < 1e-12);
    let upper = 0.6 + 2.015_048_373 * 0.2 * 1.2_f64.sqrt() / 6.0_f64.sqrt();
    assert!((e.upper_x_by_tokens.unwrap() - upper).abs() < 1e-8, "{e:?}");
}

fn half_off(_: &Ask, position: usize) -> f64 {
    if position.is_multiple_of(2) { 0.5 } else { 0.0 }
}

#[test]
fn evidence_grows_with_every_request_until_it_is_suspect() {
    let margins = margins_of(half_off);
    let after = margins.equivalence.requests_to_suspect.unwrap();
    assert!(after < 24);
    assert_eq!((margins.standing, margins.standing_of_all), (Standing::Suspect, Standing::Suspect));
    let [stage] = margins.equivalence.stages.as_slice() else { panic!("one stage") };
    assert_eq!((stage.stage, stage.requests, stage.launches), (1, 24, 6));
    assert!(stage.highest_ln_e >= CROSSING_LN_E && stage.ln_e == margins.equivalence.ln_e);
}

/// Requests with every second token half a nat off until their evidence reaches a thousand.
fn needed() -> u64 {
    let seen = Seen { x: 0.5, far: false };
    let reaches = |n: &usize| {
        let e = equivalence::evidence(&vec![seen; *n], limits(TOLERANCE)).unwrap();
        e.final_ln() >= libm::log(1e3)
    };
    (1..24).find(reaches).unwrap() as u64
}

#[test]
fn a_suspect_is_found_with_the_request_whose_evidence_reaches_a_thousand() {
    let e = margins_of(half_off).equivalence;
    assert_eq!((e.requests_to_suspect, e.stages[0].requests_to_suspect), (Some(needed()), Some(needed())));
    assert_eq!(margins_of(|_, _| 0.0).equivalence.requests_to_suspect, None);
}

#[test]
fn requests_of_the_stages_before_count_until_a_suspect_is_found() {
    let script =
        |margin: fn(&Ask, usize) -> f64| Script::new(honest(STEP)).arm("odd", honest(STEP)).margins("odd", margin);
    let study = script(|_, _| 0.0).seal().more(&script(half_off), 2, &["odd"]).study();
    let e = of_arm(&study, "odd", None, TOLERANCE).unwrap().equivalence;
    assert_eq!((e.requests_to_suspect, e.stages[1].requests_to_suspect), (Some(24 + needed()), Some(needed())));
}

#[test]
fn each_stage_begins_its_evidence_at_one() {
    let script = Script::new(honest(STEP)).arm("odd", honest(STEP)).margins("odd", half_off);
    let study = script.seal().more(&script, 2, &["odd"]).study();
    let margins = of_arm(&study, "odd", None, TOLERANCE).unwrap();
    assert_eq!(margins.standing, Standing::Altered);
    let [one, two] = margins.equivalence.stages.as_slice() else { panic!("two stages") };
    assert_eq!((one.requests, two.requests, two.stage, two.launches), (24, 8, 2, 2));
    assert_eq!(one.requests_to_suspect, two.requests_to_suspect, "every request is like the others");
    assert!((margins.equivalence.ln_e - one.ln_e - two.ln_e).abs() < 1e-12);
    assert_eq!((margins.equivalence.launches, margins.equivalence.confidence), (8, 0.975));
}

#[test]
fn where_the_end_token_is_ignored_padding_with_special_tokens_is_still_graded() {
    let on = |ask: &Ask| {
        let ids = [answer(ask.request, 9), vec![2], answer(ask.request, 10)].concat();
        Said::ids(&ids, STEP, ask.max_tokens)
    };
    let mut script = Script::new(on).arm("odd", on).margins("odd", |_, position| if position == 9 { 9.0 } else { 0.0 });
    script.sampling = "ignore_eos = true";
    let e = of_arm(&script.seal().study(), "odd", None, TOLERANCE).unwrap().equivalence;
    assert_eq!((e.tokens, e.max_margin_nats, e.far_requests), (24 * 20, 9.0, 24));
}

#[test]
fn going_on_where_the_reference_would_end_is_left_out_where_the_end_token_is_ignored() {
    let tokenizer = Tokenizer::from_bytes(crate::test_support::tokenizer_json().as_bytes()).unwrap();
    let row =
        |id, best_id| ReferenceRow { request: 0, position: 0, id, logprob: -9.0, rank: 2, best_id, best_logprob: -0.1 };
    let rows = vec![row(10, 2), row(2, 10), row(10, 11)];
    let graded = Graded { source: Source::Ids, failure: String::new(), rows };
    assert_eq!(super::margins(&graded, Some(&tokenizer)).len(), 2, "only the first is left out");
    assert_eq!(super::margins(&graded, None).len(), 3);
}

#[test]
fn what_came_and_was_not_graded_is_counted_and_what_never_came_is_not() {
    // Of six requests one fails, one is answered with nothing, and two with what the reference refuses.
    let mixed = |ask: &Ask| match ask.request % 6 {
        0 => Said::error(),
        1 => Said { parts: Vec::new(), finish: "stop", ..Said::ids(&[], STEP, ask.max_tokens) },
        2 | 3 => Said::ids(&[answer(ask.request, 18), vec![1]].concat(), STEP, ask.max_tokens),
        _ => honest(STEP)(ask),
    };
    let mut script = Script::new(honest(STEP)).arm("odd", mixed);
    (script.sample, script.refuses) = (6, |id| id == 1);
    let margins = of_arm(&script.seal().study(), "odd", None, TOLERANCE).unwrap();
    assert_eq!((margins.equivalence.requests, margins.ungraded), (2 * 6, 2 * 6));
}

#[test]
fn a_group_is_judged_by_its_own_launches() {
    let odd = |ask: &Ask, _: usize| if ask.gpus == 2 { 0.1 } else { 0.0 };
    let mut script = Script::new(honest(STEP)).arm("odd", honest(STEP)).margins("odd", odd);
    (script.matrix, script.rounds) = ("[matrix]\ngpus = [1, 2]\n", 2);
    let study = script.seal().study();
    let of = |group| of_arm(&study, "odd", group, TOLERANCE).map(|m| (m.equivalence.launches, m.equivalence.mean_x));
    assert_eq!((of(Some(("toy", 1))), of(Some(("toy", 2))).unwrap().0), (Some((2, 0.0)), 2));
    assert!((of(Some(("toy", 2))).unwrap().1 - 0.2).abs() < 1e-12 && (of(None).unwrap().1 - 0.1).abs() < 1e-12);
    assert_eq!((of(Some(("other", 1))), of(Some(("toy", 4)))), (None, None));
}

#[test]
fn the_worst_tokens_are_those_with_the_largest_margins() {
    let e = margins_of(|ask, position| match position {
        3 if ask.round == 1 => 1.0,
        7 => 0.5,
        _ => 0.0,
    });
    let worst = e.equivalence.worst;
    let seen: Vec<_> = worst.iter().map(|w| (w.position, w.margin_nats)).collect();
    assert_eq!(seen, [[(3, 1.0); 4].as_slice(), &[(7, 0.5); 6]].concat());
    for token in &worst {
        let emitted = answer(token.request, 20)[token.position as usize];
        assert_eq!((token.emitted.as_str(), token.best.as_str()), (text_of(emitted).as_str(), "token 2"));
    }
}

#[test]
fn ids_that_are_not_those_of_the_text_are_no_evidence() {
    let lies = |ask: &Ask| {
        let mut said = honest(STEP)(ask);
        said.parts[2].text = " zz".into();
        said
    };
    let script = Script::new(honest(STEP)).arm("odd", lies).margins("odd", |_, _| 5.0);
    let margins = of_arm(&script.seal().study(), "odd", None, TOLERANCE).unwrap();
    assert_eq!((margins.equivalence.from_ids, margins.standing), (0, Standing::Clear));
    assert_eq!(margins.standing_of_all, Standing::Suspect);
}
