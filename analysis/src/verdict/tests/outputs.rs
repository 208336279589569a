//! The verdict on outputs: margins, tolerance, grades, stages and controls.

use super::*;

#[test]
fn int4_like_margins_are_suspect_in_one_stage_and_altered_in_two() {
    let script = Script::new(honest(STEP)).arm("fast", paced(500_000)).margins("fast", int4);
    let sealed = script.seal();
    let judgement = sealed.judge();
    assert_eq!((fast(&judgement).verdict, fast(&judgement).reasons[0].code), (Verdict::Undecided, "suspect"));
    assert!(fast(&judgement).reasons[0].text.contains("another stage"), "{:?}", fast(&judgement).reasons);

    let judgement = sealed.more(&script, 2, &["fast"]).judge();
    let fast = fast(&judgement);
    assert_eq!((fast.verdict, fast.reasons[0].code), (Verdict::Altered, "margins-above-tolerance"));
    let e = fast.equivalence.as_ref().unwrap();
    assert!(e.requests_to_suspect.unwrap() < e.requests);
    assert_eq!((e.worst.len(), e.worst[0].margin_nats, e.from_ids), (10, 4.9, e.requests));
    assert!(e.worst[0].emitted.starts_with(' ') && e.worst[0].best == "token 2");
    let text = &fast.reasons[0].text;
    assert!(text.contains("nats") && text.contains("graded tokens") && text.contains("stage 2"), "{text}");
    assert_eq!(judgement.bundles.iter().map(|b| b.stage).collect::<Vec<_>>(), [1, 1, 2, 2]);
}

#[test]
fn a_suspect_that_the_next_stage_clears_stays_undecided() {
    let script =
        |margin: fn(&Ask, usize) -> f64| Script::new(honest(STEP)).arm("fast", honest(STEP)).margins("fast", margin);
    let judgement = script(int4).seal().more(&script(|_, _| 0.0), 2, &["fast"]).judge();
    let fast = fast(&judgement);
    assert_eq!((fast.verdict, fast.reasons[0].code), (Verdict::Undecided, "suspect"));
    assert!(fast.reasons[0].text.contains("no later stage has confirmed it"), "{:?}", fast.reasons);
}

#[test]
fn a_stage_without_its_grade_is_no_pass() {
    let graded = Script::new(honest(STEP)).arm("fast", honest(STEP));
    let mut ungraded = Script::new(honest(STEP)).arm("fast", honest(STEP));
    ungraded.grade = false;
    let judgement = graded.seal().more(&ungraded, 2, &["fast"]).judge();
    assert_eq!(fast(&judgement).verdict, Verdict::Undecided);
    assert!(codes(fast(&judgement)).contains(&"not-all-graded"));
}

#[test]
fn a_blind_control_is_judged_apart_and_its_failure_leaves_all_undecided() {
    let script = |margin: fn(&Ask, usize) -> f64| {
        let control = Script::new(honest(STEP)).arm("fast", paced(STEP)).arm("blind-control", honest(STEP));
        let mut script = control.margins("blind-control", margin);
        script.blind_control = true;
        script.seal().judge()
    };
    let judgement = script(|_, _| 0.0);
    assert_eq!(judgement.candidates.len(), 1);
    assert_eq!(judgement.blind_control.as_ref().unwrap().verdict, Verdict::Equivalent);
    assert_eq!(fast(&judgement).verdict, Verdict::Equivalent, "{:?}", fast(&judgement).reasons);

    let judgement = script(int4);
    assert_eq!(judgement.blind_control.as_ref().unwrap().verdict, Verdict::Undecided);
    assert_eq!(fast(&judgement).verdict, Verdict::Undecided);
    assert_eq!(codes(fast(&judgement))[0], "blind-control-not-equivalent");
}

#[test]
fn what_is_graded_from_text_is_never_altered() {
    let text = |ask: &Ask| paced(500_000)(ask).text_only();
    let script = Script::new(honest(STEP)).arm("fast", text).margins("fast", int4);
    let judgement = script.seal().more(&script, 2, &["fast"]).judge();
    let fast = fast(&judgement);
    assert_eq!((fast.verdict, fast.reasons[0].code), (Verdict::Undecided, "suspect"));
    assert!(fast.reasons[0].text.contains("from text alone"), "{}", fast.reasons[0].text);
    assert_eq!(fast.equivalence.as_ref().unwrap().from_ids, 0);
}

#[test]
fn an_honest_text_only_server_can_be_equivalent() {
    let judgement = Script::new(honest(STEP)).arm("fast", |ask: &Ask| paced(STEP)(ask).text_only()).seal().judge();
    assert_eq!(fast(&judgement).verdict, Verdict::Equivalent, "{:?}", fast(&judgement).reasons);
}

#[test]
fn one_launch_neither_passes_nor_disqualifies() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP)).margins("fast", |_, _| 4.9);
    (script.rounds, script.requests, script.sample) = (1, 40, 40);
    let judgement = script.seal().judge();
    assert_eq!(fast(&judgement).verdict, Verdict::Undecided);
    assert_eq!(codes(fast(&judgement))[0], "suspect");
    assert!(codes(fast(&judgement)).contains(&"one-launch"));
}

#[test]
fn without_a_declared_tolerance_the_verdict_is_undecided() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP)).margins("fast", int4);
    script.tolerance = None;
    let judgement = script.seal().judge();
    assert_eq!(fast(&judgement).verdict, Verdict::Undecided);
    assert_eq!(codes(fast(&judgement)), ["no-tolerance-declared"]);
    assert!(fast(&judgement).reasons[0].text.contains("largest of 4.900 nats"), "{:?}", fast(&judgement).reasons);
}

#[test]
fn without_a_grade_the_verdict_is_undecided() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    script.grade = false;
    assert_eq!(codes(fast(&script.seal().judge())), ["not-graded"]);
}

#[test]
fn sampling_that_is_not_greedy_is_undecided() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    script.sampling = "temperature = 0.7";
    let judgement = script.seal().judge();
    assert!(codes(fast(&judgement)).contains(&"not-greedy"));
    assert_eq!(fast(&judgement).verdict, Verdict::Undecided);
}

#[test]
fn a_baseline_that_fails_its_own_grading_leaves_all_undecided() {
    let script = Script::new(honest(STEP)).margins("baseline", int4);
    let script = script.arm("fast", honest(STEP)).arm("wrong", honest(STEP)).margins("wrong", int4);
    let judgement = script.seal().more(&script, 2, &["fast", "wrong"]).judge();
    for candidate in &judgement.candidates {
        assert_eq!((candidate.verdict, codes(candidate)[0]), (Verdict::Undecided, "reference-not-self-consistent"));
    }
}

#[test]
fn too_few_graded_requests_say_how_many_are_needed() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    script.tolerance = Some((0.5, 0.02, 0.02));
    let judgement = script.seal().judge();
    let fast = fast(&judgement);
    assert_eq!(fast.verdict, Verdict::Undecided);
    let reason = fast.reasons.iter().find(|r| r.code == "far-not-below-tolerance").unwrap();
    let expected = "0 far of 24 requests: upper bound 11.73 %, not below the tolerance of 2.00 %; 149 graded requests in all without a further one would pass";
    assert_eq!(reason.text, expected);
}

#[test]
fn a_structural_check_alone_can_alter_without_tolerance_or_grade() {
    let spam = |ask: &Ask| {
        let mut ids = answer(ask.request, 8);
        ids.push(2);
        ids.extend(answer(ask.request, 4));
        Said::ids(&ids, STEP, ask.max_tokens)
    };
    let short = |ask: &Ask| Said::ids(&answer(ask.request, 8), STEP, ask.max_tokens);
    let mut script = Script::new(short).arm("fast", spam);
    (script.tolerance, script.grade) = (None, false);
    let judgement = script.seal().judge();
    assert_eq!((fast(&judgement).verdict, codes(fast(&judgement))[0]), (Verdict::Altered, "stops-at-end-token"));
}

#[test]
fn each_number_of_gpus_must_pass_by_itself() {
    let odd = |ask: &Ask, _: usize| if ask.gpus == 2 { 0.011 } else { 0.0 };
    let mut script = Script::new(honest(STEP)).arm("fast", paced(STEP)).margins("fast", odd);
    script.matrix = "[matrix]\ngpus = [1, 2]\n";
    let judgement = script.seal().judge();
    let fast = fast(&judgement);
    assert!(fast.equivalence.as_ref().unwrap().mean_x < 0.02, "together they are within the tolerance");
    assert_eq!((fast.verdict, codes(fast)), (Verdict::Undecided, vec!["mean-not-below-tolerance"]));
    assert!(fast.reasons[0].text.starts_with("toy on 2 GPUs: "), "{}", fast.reasons[0].text);
    assert_eq!((fast.speed.len(), fast.overall.unwrap().rounds), (2, 6));
}
