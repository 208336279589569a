mod codes;
mod odd;

use lab::{Kind, records::Class};

use crate::{
    judgement::{Candidate, Judgement, Verdict},
    test_support::{Ask, Said, Script, answer, honest},
};

const STEP: u64 = 1_100_000;

/// A server whose pace differs a little from round to round.
fn paced(step_ns: u64) -> impl Fn(&Ask) -> Said {
    move |ask| {
        let wobble = u64::from(ask.round % 3) * step_ns / 200;
        Said::ids(&answer(ask.request, ask.max_tokens), step_ns + wobble, ask.max_tokens)
    }
}

fn fast(judgement: &Judgement) -> &Candidate {
    judgement.candidates.iter().find(|c| c.name == "fast").unwrap()
}

fn codes(candidate: &Candidate) -> Vec<&'static str> {
    candidate.reasons.iter().map(|r| r.code).collect()
}

/// Margins of weights that were rounded to four bits: mean 0.25 nats, largest near 5.
fn int4(ask: &Ask, position: usize) -> f64 {
    match (ask.request as usize * 31 + position * 7) % 20 {
        0 => 4.9,
        1 | 2 => 0.05,
        _ => 0.0,
    }
}

#[test]
fn an_honest_and_faster_candidate_is_equivalent() {
    let judgement = Script::new(paced(STEP)).arm("fast", honest(1_000_000)).seal().judge();
    let fast = fast(&judgement);
    assert_eq!((fast.verdict, codes(fast)), (Verdict::Equivalent, vec!["within-tolerance"]), "{:#?}", fast.reasons);
    assert!(fast.provisional);
    assert!(fast.overall.unwrap().speedup > 1.09);
    assert!(judgement.voids.is_empty());
    assert_eq!(judgement.self_speeds.iter().map(|s| s.of).collect::<Vec<_>>(), ["closing-opening"]);
}

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
        "cost_per_million_tokens",
        "joules_per_token",
        "score",
        "why",
        "equivalence",
        "overall",
        "overall_note",
        "effect",
        "upper_x",
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
fn equivalent_stands_first_and_altered_last() {
    let script = Script::new(honest(STEP))
        .arm("a-wrong", paced(STEP))
        .margins("a-wrong", int4)
        .arm("b-slow", paced(2 * STEP))
        .arm("c-quick", paced(STEP / 2))
        .arm("d-odd", |ask: &Ask| Said { done: false, ..honest(STEP)(ask) });
    let sealed = script.seal().more(&script, 2, &["a-wrong"]);
    let names: Vec<_> = sealed.judge().candidates.iter().map(|c| c.name.clone()).collect();
    assert_eq!(names, ["c-quick", "b-slow", "d-odd", "a-wrong"]);
}

#[test]
fn the_same_bundles_in_any_order_give_the_same_bytes() {
    let sealed = Script::new(paced(STEP)).arm("fast", honest(STEP)).margins("fast", int4).seal();
    let bytes = |paths: &[std::path::PathBuf]| serde_json::to_vec(&super::judge_bundles(paths).unwrap()).unwrap();
    let mut paths = sealed.paths();
    let first = bytes(&paths);
    paths.reverse();
    assert_eq!(first, bytes(&paths));
}

#[test]
fn a_forged_audit_sample_is_broken() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    script.reveal = [8; 32];
    let problem = crate::Study::open(&script.seal().paths()).err().unwrap();
    assert_eq!(problem.kind, Kind::Broken);
    assert!(problem.to_string().contains("committed to"), "{problem}");
}

#[test]
fn another_runs_grade_and_two_measurements_are_not_comparable() {
    let (a, b) =
        (Script::new(honest(STEP)).arm("fast", honest(STEP)), Script::new(honest(STEP)).arm("other", honest(STEP)));
    let (a, b) = (a.seal(), b.seal());
    for paths in [
        vec![a.measure.clone(), b.grade.clone().unwrap()],
        vec![a.measure.clone(), b.measure.clone()],
        vec![a.grade.clone().unwrap()],
        vec![a.measure.clone(), a.grade.clone().unwrap(), a.grade.clone().unwrap()],
    ] {
        let problem = crate::Study::open(&paths).err().unwrap();
        assert_eq!(problem.kind, Kind::NotComparable, "{problem}");
        assert!(problem.next.is_some());
    }
}

#[test]
fn a_dead_candidate_is_listed_and_voids_nothing() {
    let script = Script::new(honest(STEP)).arm("fast", paced(STEP)).arm("other", paced(STEP));
    let judgement = script.fails("fast", 2, Class::Start).seal().judge();
    assert!(judgement.voids.is_empty());
    let fast = fast(&judgement);
    assert_eq!((fast.failures.len(), fast.failures[0].class), (1, Class::Start));
    assert_eq!((fast.overall, fast.overall_note.as_ref().unwrap().code), (None, "fewer-rounds"));
    let other = judgement.candidates.iter().find(|c| c.name == "other").unwrap();
    assert_eq!(other.overall.unwrap().rounds, 6);
}

#[test]
fn a_host_failure_voids_its_trial_and_nothing_else() {
    let script = Script::new(honest(STEP)).arm("fast", paced(STEP)).arm("other", paced(STEP));
    let judgement = script.fails("fast", 2, Class::Host).seal().judge();
    assert_eq!(judgement.voids.len(), 1);
    assert!(judgement.voids[0].why.contains("host"), "{:?}", judgement.voids);
    assert_eq!(fast(&judgement).overall.unwrap().rounds, 5);
}

#[test]
fn waiting_for_a_connection_counts_and_voids_nothing() {
    let late = |ask: &Ask| Said { lag_ns: if ask.round == 2 { 1_000_000_000 } else { 0 }, ..paced(STEP)(ask) };
    let judgement = Script::new(honest(STEP)).arm("fast", late).seal().judge();
    assert_eq!(judgement.voids.len(), 0, "{:?}", judgement.voids);
    let rounds = &fast(&judgement).speed[0].primary.rounds;
    assert_eq!(rounds.len(), 6);
    assert!(rounds[1].1 < rounds[0].1 / 10.0, "a second before each send is a second of latency: {rounds:?}");
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

#[test]
fn two_blocks_of_a_round_are_one_round() {
    let mut script = Script::new(paced(STEP));
    for name in ["a", "b", "c", "d", "e"] {
        script = script.arm(name, honest(1_000_000));
    }
    let judgement = script.seal().judge();
    assert!(judgement.candidates.iter().all(|c| c.overall.unwrap().rounds == 6));
    assert_eq!(judgement.baseline.opening_closing[0].primary.rounds.len(), 6);
}

#[test]
fn the_rule_book_names_its_version() {
    let book = include_str!("../../METHOD.md");
    assert!(book.contains(&format!("Version `{}`", crate::METHOD)));
    assert!(book.contains(&format!("### {}\n", crate::METHOD)), "the changelog names it");
}

/// A client that turns to one request of a trial so late.
fn late(of: fn(&Ask) -> bool, late_ns: u64) -> impl Fn(&Ask) -> Said {
    move |ask| Said { late_ns: if of(ask) { late_ns } else { 0 }, ..paced(STEP)(ask) }
}

#[test]
fn a_late_client_voids_the_block_of_a_baseline() {
    // One request of six: below a hundred the 99th percentile is the largest.
    let once = |ask: &Ask| ask.round == 2 && ask.role == lab::plan::Role::Opening && ask.request % 7 == 3;
    for (lag, voids, rounds) in [(1_000_000, 0, 6), (1_000_001, 1, 5)] {
        let judgement = Script::new(late(once, lag)).arm("fast", honest(STEP)).seal().judge();
        assert_eq!(judgement.voids.len(), voids, "{:?}", judgement.voids);
        assert_eq!(fast(&judgement).overall.unwrap().rounds, rounds);
        assert_eq!(judgement.baseline.client_lag_p99_ns.unwrap().0, lag);
    }
}

#[test]
fn a_late_client_takes_no_round_from_a_candidate_that_it_made_slow() {
    let second = |ask: &Ask| ask.round == 2;
    let judgement = Script::new(honest(STEP)).arm("fast", late(second, 5_000_000)).seal().judge();
    assert!(judgement.voids.is_empty());
    let fast = fast(&judgement);
    assert_eq!(fast.speed[0].primary.rounds.len(), 6);
    assert!(fast.speed[0].primary.rounds[1].1 < 0.9, "it looks slower: {:?}", fast.speed[0].primary.rounds);
    assert_eq!((fast.notes.len(), fast.notes[0].code), (1, "client-late"));
    assert!(fast.notes[0].text.starts_with("in 1 of 6 launches the client was late: p99 of its lag up to 5.00 ms"));
}

#[test]
fn one_late_request_of_two_hundred_is_within_the_99th_percentile() {
    let late_ones = |n: u32| {
        move |ask: &Ask| Said { late_ns: if ask.request % 201 <= n { 9_000_000 } else { 0 }, ..honest(1_000)(ask) }
    };
    for (n, voids) in [(2, 0), (3, 2)] {
        let mut script = Script::new(late_ones(n)).arm("fast", honest(1_000));
        (script.rounds, script.requests, script.grade) = (1, 200, false);
        assert_eq!(script.seal().judge().voids.len(), voids, "{n} of 200");
    }
}

#[test]
fn old_bundles_do_not_say_how_late_the_client_was() {
    let mut script = Script::new(late(|_| true, 9_000_000)).arm("fast", honest(STEP));
    script.old = true;
    let judgement = script.seal().judge();
    assert!(judgement.voids.is_empty());
    assert_eq!(
        (judgement.baseline.client_lag_p99_ns, judgement.baseline.send_lag_p99_ns.unwrap().0),
        (None, 9_000_000)
    );
}

#[test]
fn what_was_never_due_is_no_failure() {
    // At 22 ms a request, six take 132 ms: the baseline has three in 50 ms, a slow one two.
    let mut script = Script::new(paced(STEP)).arm("fast", honest(2 * STEP));
    script.load = "name = \"c1\"\ntime = \"50ms\"\nclosed = { concurrency = 1 }";
    script.sample = 6;
    let judgement = script.seal().judge();
    let fast = fast(&judgement);
    assert_eq!(fast.outcomes, [("complete".to_owned(), 2 * 6), ("time-up".to_owned(), 4 * 6)]);
    let check = fast.structure.iter().find(|c| c.code == "failed-requests").unwrap();
    assert_eq!((check.asked, check.violations), (2 * 6, 0));
    assert!(!codes(fast).contains(&"not-all-graded"), "{:?}", fast.reasons);
    // It did two thirds of the work, and at the work that both did it is half as fast.
    let overall = fast.overall.unwrap();
    assert!(overall.speedup < 0.51, "{overall:?}");
    let rate = fast.speed[0].beside.iter().find(|m| m.metric == "request-throughput").unwrap();
    assert!(rate.effect.unwrap().speedup < 0.8, "{rate:?}");
}

#[test]
fn who_holds_back_first_turns_to_be_spared_the_others_has_no_speed() {
    // Two sessions of three turns, 5 ms apart; after 60 ms nothing more is sent.
    let script = |candidate: fn(&Ask) -> Said| {
        let mut script = Script::new(paced(STEP / 4)).arm("fast", candidate);
        script.load = "name = \"s\"\ntime = \"60ms\"\nopen = { rate = 200.0, arrivals = \"constant\" }";
        script.session = |id| (!id.is_multiple_of(7)).then(|| id / 7 * 10 + (id % 7 - 1) / 3);
        script.seal().judge()
    };
    let honest = script(|ask| paced(STEP / 5)(ask));
    assert!(fast(&honest).overall.is_some(), "{:?}", fast(&honest).overall_note);
    let holding =
        script(|ask| Said { lag_ns: if ask.request % 7 == 1 { 70_000_000 } else { 0 }, ..paced(STEP / 9)(ask) });
    let fast = fast(&holding);
    assert_eq!((fast.overall, fast.overall_note.as_ref().unwrap().code), (None, "work-left-undone"));
    let text = &fast.overall_note.as_ref().unwrap().text;
    assert!(text.contains("12 of 36 requests"), "{text}");
}

#[test]
fn without_candidates_a_run_is_a_plain_measurement() {
    let mut script = Script::new(honest(STEP));
    (script.rounds, script.tolerance) = (2, None);
    let judgement = script.seal().judge();
    assert!(judgement.candidates.is_empty() && judgement.voids.is_empty() && judgement.self_speeds.is_empty());
    let [load] = judgement.loads.as_slice() else { panic!("{:?}", judgement.loads) };
    assert_eq!((load.arm.as_str(), load.launches, load.due, load.complete), ("baseline", 2, 12, 12));
    assert_eq!(load.shape, "1 client");
    // The median of twelve needs eleven.
    let ttft = &load.latencies[0];
    assert_eq!((ttft.metric, ttft.values, ttft.p50_ns, ttft.p90_ns), ("ttft", 12, Some(STEP), None));
}
