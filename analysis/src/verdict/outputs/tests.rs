use lab::records::Class;

use super::*;
use crate::test_support::{Ask, END, Said, Script, answer};

const TOLERANCE: Tolerance = Tolerance { cap_nats: 0.5, mean: 0.02, far: 0.2 };

/// Margins with these upper bounds: of the mean over requests and over tokens, and of the far ones.
fn with(upper_x: f64, upper_x_by_tokens: f64, upper_far: f64) -> Equivalence {
    Equivalence {
        requests: 24,
        tokens: 480,
        launches: 6,
        from_ids: 24,
        mean_margin_nats: 0.0,
        max_margin_nats: 0.0,
        not_first: 0,
        mean_x: 0.0,
        upper_x: Some(upper_x),
        launch_means: Vec::new(),
        mean_x_by_tokens: 0.0,
        upper_x_by_tokens: Some(upper_x_by_tokens),
        far_requests: 0,
        upper_far,
        confidence: 0.95,
        ln_e: 0.0,
        requests_to_suspect: None,
        stages: Vec::new(),
        worst: Vec::new(),
    }
}

fn codes(e: &Equivalence) -> Vec<&'static str> {
    bounds(e, TOLERANCE, "").iter().map(|reason| reason.code).collect()
}

#[test]
fn a_bound_that_equals_its_tolerance_is_not_below_it() {
    let (mean, far) = (TOLERANCE.mean.next_down(), TOLERANCE.far.next_down());
    assert_eq!(codes(&with(mean, mean, far)), [""; 0]);
    assert_eq!(codes(&with(0.02, mean, far)), ["mean-not-below-tolerance"]);
    assert_eq!(codes(&with(mean, 0.02, far)), ["long-answers-not-below-tolerance"]);
    assert_eq!(codes(&with(mean, mean, 0.2)), ["far-not-below-tolerance"]);
}

#[test]
fn long_answers_are_told_only_where_the_mean_over_requests_passes() {
    assert_eq!(codes(&with(0.02, 0.03, 0.1)), ["mean-not-below-tolerance"]);
    assert_eq!(codes(&with(0.03, 0.03, 0.1)), ["mean-not-below-tolerance"]);
}

#[test]
fn without_a_bound_over_launches_the_verdict_is_open() {
    let one = Equivalence { upper_x: None, upper_x_by_tokens: None, launches: 1, ..with(0.0, 0.0, 0.1) };
    assert_eq!(codes(&one), ["one-launch"]);
}

#[test]
fn what_passes_and_what_does_not_is_told_in_numbers() {
    let e = Equivalence {
        mean_x: 0.0125,
        not_first: 1_200,
        max_margin_nats: 4.9,
        far_requests: 3,
        ..with(0.015, 0.0, 0.1)
    };
    assert_eq!(
        within(&e, TOLERANCE),
        "mean capped margin 0.01250, upper bound 0.01500 over 6 launches, tolerance 0.02; 3 far of 24 requests, upper bound 10.00 %, tolerance 20.00 %"
    );
    assert_eq!(
        beyond(&e, TOLERANCE),
        "mean capped margin 0.01250, tolerance 0.02 (shares of 0.5 nats); 1,200 of 480 graded tokens are not the reference's first choice; largest margin 4.90 nats; 3 of 24 requests far"
    );
    let far = &bounds(&with(0.0, 0.0, 0.25), TOLERANCE, "here: ")[0].text;
    assert!(
        far.starts_with(
            "here: 0 far of 24 requests: upper bound 25.00 %, not below the tolerance of 20.00 %; 14 graded"
        ),
        "{far}"
    );
}

#[test]
fn numbers_are_written_as_people_write_them() {
    assert_eq!([0.02, 0.5, 3.0, 0.000_012].map(super::short), ["0.02", "0.5", "3", "0.00001"]);
    assert_eq!(
        [7, 999, 1_000, 3_072, 123_456, 1_234_567].map(grouped),
        ["7", "999", "1,000", "3,072", "123,456", "1,234,567"]
    );
}

#[test]
fn a_blind_control_that_is_undecided_stops_margins_and_one_that_is_altered_stops_everything() {
    let control = run(Script::new(short).arm("odd", short)).candidates.remove(0);
    let after = |verdict| {
        let source = judgement::Tolerance::None;
        let mut rule = Rule { source, baseline: None, tolerance: None, failure: None, void: false };
        let reasons = vec![Reason { code: "suspect", text: "it is far off".into() }];
        rule.take_blind_control(&Candidate { verdict, reasons, ..control.clone() });
        (rule.failure.map(|reason| reason.code), rule.void)
    };
    assert_eq!(after(Verdict::Equivalent), (None, false));
    assert_eq!(after(Verdict::Undecided), (Some("blind-control-not-equivalent"), false));
    assert_eq!(after(Verdict::Altered), (Some("blind-control-not-equivalent"), true));
}

fn short(ask: &Ask) -> Said {
    Said::ids(&answer(ask.request, 8), 1_000_000, ask.max_tokens)
}

/// Goes on after its end token.
fn spam(ask: &Ask) -> Said {
    Said::ids(&[answer(ask.request, 8), vec![END], answer(ask.request, 2)].concat(), 1_000_000, ask.max_tokens)
}

/// Two rounds of six requests, without a grade.
fn run(mut script: Script) -> crate::Judgement {
    (script.rounds, script.tolerance, script.grade) = (2, None, false);
    script.seal().judge()
}

#[test]
fn a_structural_check_alters_from_two_requests_in_two_launches_on() {
    // Where it goes on: round, and request of six.
    let verdict = |places: &'static [(u32, u32)]| {
        let odd = move |ask: &Ask| if places.contains(&(ask.round, ask.request % 6)) { spam(ask) } else { short(ask) };
        let odd = run(Script::new(short).arm("odd", odd)).candidates.remove(0);
        assert_eq!(odd.reasons.iter().filter(|r| r.code == "stops-at-end-token").count(), 1, "{:?}", odd.reasons);
        odd.verdict
    };
    assert_eq!(verdict(&[(1, 0)]), Verdict::Undecided);
    assert_eq!(verdict(&[(1, 0), (1, 1), (1, 2)]), Verdict::Undecided);
    assert_eq!(verdict(&[(1, 0), (2, 5)]), Verdict::Altered);
}

#[test]
fn where_the_blind_control_is_altered_nobody_is() {
    let mut script = Script::new(short).arm("odd", spam).arm("blind-control", spam);
    script.blind_control = true;
    let judgement = run(script);
    assert_eq!(judgement.blind_control.unwrap().verdict, Verdict::Altered);
    assert_eq!(judgement.candidates[0].verdict, Verdict::Undecided);
}

#[test]
fn a_suspect_by_text_says_how_much_was_graded_from_text() {
    let margins = |standing, standing_of_all| {
        let equivalence = Equivalence { from_ids: 10, ..with(0.5, 0.5, 0.5) };
        Margins { equivalence, ungraded: 0, standing, standing_of_all }
    };
    let said = |standing, of_all| {
        let (standing, reason) = beyond_tolerance(&margins(standing, of_all), TOLERANCE).unwrap();
        (standing, reason.code, reason.text)
    };
    let (standing, code, text) = said(Standing::Suspect, Standing::Altered);
    assert_eq!((standing, code), (Standing::Suspect, "suspect"));
    assert!(text.ends_with("14 of 24 graded from text alone, which disqualifies nobody"), "{text}");
    assert_eq!(said(Standing::Altered, Standing::Altered).1, "margins-above-tolerance");
    assert_eq!(said(Standing::Suspect, Standing::Suspect).1, "suspect");
    assert!(beyond_tolerance(&margins(Standing::Clear, Standing::Clear), TOLERANCE).is_none());
}

#[test]
fn why_nothing_is_graded_is_told() {
    let reasons = |grade: bool, odd: fn(&Ask) -> Said| {
        let mut script = Script::new(short).arm("odd", odd);
        (script.rounds, script.grade, script.refuses) = (2, grade, |id| id == 1);
        let odd = script.seal().judge().candidates.remove(0);
        odd.reasons.into_iter().map(|r| (r.code, r.text)).collect::<Vec<_>>()
    };
    let refused = |ask: &Ask| Said::ids(&[answer(ask.request, 7), vec![1]].concat(), 1_000_000, ask.max_tokens);
    let told = |of: &[(&'static str, String)]| of.iter().find(|(code, _)| *code == "not-graded").map(|r| r.1.clone());
    assert_eq!(told(&reasons(false, short)).unwrap(), "no grade bundle was given: run bench grade");
    assert_eq!(told(&reasons(true, refused)).unwrap(), "none of its sampled outputs could be graded");
    let failed = reasons(true, |_| Said::error());
    assert!(failed[0].0 == "no-successful-request" && told(&failed).is_none(), "{failed:?}");
}

#[test]
fn failed_launches_are_counted_and_the_first_ones_detail_is_told_without_its_last_words() {
    let script = Script::new(short).arm("odd", |_: &Ask| Said::error());
    let mut script = script.fails("odd", 2, Class::LoadTimeout).fails("odd", 3, Class::Start);
    (script.rounds, script.grade) = (3, false);
    let sealed = script.seal();
    let reason = sealed.judge().candidates.remove(0).reasons.remove(0);
    let text = "2 of 3 launches failed, the first by `load-timeout`: scripted";
    assert_eq!((reason.code, reason.text.as_str()), ("no-successful-request", text));
    let mut study = sealed.study();
    assert_eq!(launches_failed(&study, BASELINE), None);
    let first = study.trials.iter_mut().find(|t| t.plan.arm == "odd" && t.plan.round == 2).unwrap();
    let detail = "it exited; its last words:\nout of memory".into();
    first.record.outcome = TrialOutcome::Failed { class: Class::Protocol, detail };
    let text = "2 of 3 launches failed, the first by `protocol`: it exited";
    assert_eq!(launches_failed(&study, "odd").as_deref(), Some(text));
}

#[test]
fn outputs_that_came_and_were_not_graded_are_no_pass() {
    // Two of six in each of two launches.
    let refused = |ask: &Ask| match ask.request % 3 {
        0 => Said::ids(&[answer(ask.request, 7), vec![1]].concat(), 1_000_000, ask.max_tokens),
        _ => short(ask),
    };
    let mut script = Script::new(short).arm("odd", refused);
    (script.rounds, script.sample, script.refuses) = (2, 6, |id| id == 1);
    let odd = script.seal().judge().candidates.remove(0);
    let reason = odd.reasons.iter().find(|r| r.code == "not-all-graded").unwrap();
    assert_eq!(reason.text, "4 sampled outputs came and were not graded");
}

#[test]
fn every_number_of_gpus_must_pass_also_where_there_is_no_candidate() {
    let odd = |ask: &Ask, _: usize| if ask.gpus == 2 { 0.011 } else { 0.0 };
    let mut script = Script::new(short).margins("baseline", odd);
    (script.matrix, script.rounds) = ("[matrix]\ngpus = [1, 2]\n", 4);
    let text = |script: Script| self_consistency(&script.seal().study(), TOLERANCE).1.map(|r| r.text);
    let why = text(script).unwrap();
    assert!(why.starts_with("the baseline does not pass its own grading: toy on 2 GPUs: mean"), "{why}");
    assert!(!why.contains("toy on 1 GPUs"), "{why}");
    let mut script = Script::new(short).margins("baseline", |_, _| 0.011);
    script.rounds = 4;
    assert!(text(script).unwrap().starts_with("the baseline does not pass its own grading: mean"));
}
