use crate::{
    judgement::Candidate,
    test_support::{Ask, Said, Script, answer, honest},
};

const STEP: u64 = 1_100_000;

fn fast(script: Script) -> Candidate {
    script.seal().judge().candidates.remove(0)
}

/// One million ns a token, 2 % quicker to 2 % slower over six rounds.
fn six_rounds(ask: &Ask) -> Said {
    let step = [980_000, 990_000, 1_000_000, 1_000_000, 1_010_000, 1_020_000][ask.round as usize - 1];
    Said::ids(&answer(ask.request, ask.max_tokens), step, ask.max_tokens)
}

#[test]
fn a_tenth_faster_is_a_speedup_of_1_10_with_the_hand_worked_interval() {
    let fast = fast(Script::new(honest(STEP)).arm("fast", six_rounds));
    let primary = &fast.speed[0].primary;
    let effect = primary.effect.unwrap();
    // ln 1.1 less the mean of ln .98 … 1.02, which is −8.3348e-5; sd 0.0141440, t(.975; 5) = 2.570582.
    assert!((effect.speedup - 1.100_091_7).abs() < 1e-6, "{effect:?}");
    assert!((effect.low - 1.083_883_3).abs() < 1e-6, "{effect:?}");
    assert!((effect.high - 1.116_542_4).abs() < 1e-6, "{effect:?}");
    assert!(effect.powered && effect.rounds == 6 && effect.sign_flip_p == Some(2.0 / 64.0));
    assert!((primary.baseline - 22_000_000.0).abs() < 1e-3, "twenty tokens at 1.1 ms");
    // One candidate is a family of one; one cell of several metrics is not.
    let overall = fast.overall.unwrap();
    assert_eq!(overall.adjusted_p, Some(overall.p));
    assert!(effect.adjusted_p.unwrap() >= effect.p);
    assert_eq!(crate::judgement::Effect { adjusted_p: effect.adjusted_p, ..overall }, effect);
}

#[test]
fn truncated_answers_never_speed_up() {
    let short = |ask: &Ask| Said::ids(&answer(ask.request, ask.max_tokens / 2), STEP, ask.max_tokens);
    let fast = fast(Script::new(honest(STEP)).arm("fast", short));
    assert_eq!(fast.overall, None);
    assert!(fast.speed[0].primary.rounds.is_empty());
    let check = fast.structure.iter().find(|c| c.code == "early-stop-often").unwrap();
    assert!(check.holds && check.violations == 36);
}

#[test]
fn answers_a_little_shorter_are_compared_at_the_shorter_length() {
    // 19 of 20 tokens at the baseline's pace: E2EL is smaller, equal work is the same.
    let shorter = |ask: &Ask| {
        let step = STEP + u64::from(ask.round) * 100;
        Said::ids(&answer(ask.request, 18), step, ask.max_tokens)
    };
    let fast = fast(Script::new(honest(STEP)).arm("fast", shorter));
    let primary = fast.speed[0].primary.effect.unwrap();
    assert!(primary.speedup < 1.0 && primary.speedup > 0.99, "{primary:?}");
    let e2el = fast.speed[0].beside.iter().find(|m| m.metric == "e2el").unwrap();
    assert!(e2el.effect.unwrap().speedup > 1.04);
}

#[test]
fn a_burst_at_the_end_gains_nothing_at_equal_work() {
    let burst = |ask: &Ask| {
        let mut said = honest(STEP)(ask);
        let last = said.parts.last().unwrap().at_ns + u64::from(ask.round) * 10;
        said.parts.iter_mut().for_each(|p| p.at_ns = last);
        said
    };
    let fast = fast(Script::new(honest(STEP)).arm("fast", burst));
    assert!(fast.speed[0].primary.effect.unwrap().speedup <= 1.0);
    assert!(fast.structure.iter().any(|c| c.code == "coalesced" && c.violations == 36));
}

#[test]
fn too_few_rounds_are_not_powered() {
    let mut script = Script::new(honest(STEP)).arm("fast", six_rounds);
    script.rounds = 5;
    let fast = fast(script);
    assert!(!fast.overall.unwrap().powered);
    assert_eq!(fast.overall_note.unwrap().text, "not powered: 5 rounds, 6 are the least for a claim about speed");
}

#[test]
fn a_round_in_which_every_request_failed_is_not_hidden() {
    let flaky = |ask: &Ask| if ask.round == 3 { Said::error() } else { six_rounds(ask) };
    let fast = fast(Script::new(honest(STEP)).arm("fast", flaky));
    assert_eq!((fast.overall, fast.overall_note.unwrap().code), (None, "fewer-rounds"));
}

#[test]
fn a_rate_has_no_effect_where_a_round_is_without_one() {
    let beside = |fails_in: u32| {
        let say = move |ask: &Ask| if ask.round == fails_in { Said::error() } else { six_rounds(ask) };
        let mut script = Script::new(honest(STEP)).arm("fast", say);
        script.more = "[slo]\nttft = \"5ms\"";
        fast(script).speed.remove(0).beside
    };
    for (whole, flaky) in beside(0).iter().zip(&beside(3)) {
        let has_effect = (whole.effect.is_some(), flaky.effect.is_some());
        // A latency is that of the answers there are; how many there are is what a rate says.
        assert_eq!(has_effect, (true, whole.unit == "ns"), "{}", whole.metric);
        assert_eq!((whole.rounds.len(), flaky.rounds.len()), (6, 5), "{}", whole.metric);
    }
}

#[test]
fn a_candidate_is_held_against_the_mean_log_of_both_baselines() {
    let drifting = |ask: &Ask| {
        let step = if ask.role == lab::plan::Role::Opening { 1_000_000 } else { 4_000_000 };
        Said::ids(&answer(ask.request, ask.max_tokens), step, ask.max_tokens)
    };
    let fast = fast(Script::new(drifting).arm("fast", |ask: &Ask| honest(2_000_000 + u64::from(ask.round))(ask)));
    let speedup = fast.speed[0].primary.effect.unwrap().speedup;
    assert!((speedup - 1.0).abs() < 1e-5, "the geometric mean of 1 and 4 ms is 2 ms: {speedup}");
}

#[test]
fn closing_against_opening_is_the_a_a_comparison() {
    let sealed = Script::new(|ask: &Ask| {
        let step = if ask.role == lab::plan::Role::Closing { 1_010_000 } else { 1_000_000 + u64::from(ask.round) };
        Said::ids(&answer(ask.request, ask.max_tokens), step, ask.max_tokens)
    })
    .arm("fast", honest(STEP))
    .seal();
    let judgement = sealed.judge();
    let aa = judgement.baseline.opening_closing[0].primary.effect.unwrap();
    assert!((aa.speedup - 1.0 / 1.01).abs() < 1e-4, "{aa:?}");
}

#[test]
fn throughput_counts_as_a_speedup_when_it_rises() {
    let fast = fast(Script::new(honest(STEP)).arm("fast", six_rounds));
    let throughput = fast.speed[0].beside.iter().find(|m| m.metric == "output-throughput").unwrap();
    assert!(throughput.effect.unwrap().speedup > 1.09 && throughput.candidate > throughput.baseline);
    assert!((throughput.baseline - 909.0).abs() < 2.0, "{throughput:?}");
}

#[test]
fn a_look_has_its_own_level_and_needs_no_other_number_of_rounds() {
    let mut script = Script::new(honest(STEP)).arm("fast", six_rounds);
    script.looks = "looks = [{ rounds = 6, alpha = 0.02 }, { rounds = 12, alpha = 0.03 }]";
    let fast = fast(script);
    let effect = fast.overall.unwrap();
    // As above, with t(.99; 5) = 3.364930 in place of 2.570582.
    assert!((effect.low - 1.078_923).abs() < 2e-6 && (effect.high - 1.121_675).abs() < 1e-5, "{effect:?}");
    assert_eq!((fast.look, effect.confidence, effect.powered), (Some(1), 0.98, true));
    assert_eq!(fast.same_speed.unwrap().confidence, 0.96);
}

/// Half a percent quicker and slower around a pace, without a drift.
fn around(step: u64) -> impl Fn(&Ask) -> Said {
    move |ask| honest(step * [1_000, 1_005, 995, 1_000, 995, 1_005][(ask.round as usize - 1) % 6] / 1_000)(ask)
}

#[test]
fn holm_holds_the_overall_speed_ups_and_benjamini_hochberg_the_rest() {
    let script = Script::new(honest(STEP)).arm("a", six_rounds).arm("b", around(STEP)).arm("c", around(STEP * 9 / 10));
    let candidates = script.seal().judge().candidates;
    let raw: Vec<f64> = candidates.iter().map(|c| c.overall.unwrap().p).collect();
    let adjusted: Vec<f64> = candidates.iter().map(|c| c.overall.unwrap().adjusted_p.unwrap()).collect();
    assert_eq!(adjusted, stats::multiple::holm(&raw).unwrap());
    let beside: Vec<_> = candidates.iter().flat_map(|c| &c.speed[0].beside).filter_map(|m| m.effect).collect();
    assert!(beside.len() > 12 && beside.iter().all(|e| e.adjusted_p.unwrap() >= e.p));
    assert!(beside.iter().any(|e| e.adjusted_p.unwrap() > e.p));
}

#[test]
fn the_same_pace_is_the_same_speed_within_the_declared_margin_only() {
    let same = |step, more| {
        let mut script = Script::new(honest(STEP)).arm("fast", around(step));
        script.more = more;
        fast(script).same_speed.unwrap()
    };
    let word = |step, more| same(step, more).word;
    assert_eq!(word(STEP, ""), crate::judgement::Sameness::Same);
    assert_eq!(word(STEP * 2, ""), crate::judgement::Sameness::Different);
    assert_eq!(word(STEP, "[score]\nsame_within = 0.001\n"), crate::judgement::Sameness::Inconclusive);
    let within = same(STEP, "");
    // Rounds 1 ± 0, 1/2, 1/2 percent: sd of the logs 0.0044722, t(.95; 5) = 2.015048.
    assert!((within.high - libm::exp(0.003_679)).abs() < 2e-5, "{within:?}");
    assert_eq!((within.within, within.confidence), (0.05, 0.9));
}

#[test]
fn the_baseline_against_itself_is_told_overall_and_a_drift_is_a_rejection() {
    let of = |closing: u64| {
        let baseline = move |ask: &Ask| {
            let drift = if ask.role == lab::plan::Role::Closing { closing } else { 1_000 };
            honest(STEP * drift / 1_000 + u64::from(ask.round) * u64::from(ask.round % 2) * 1_000)(ask)
        };
        let noisy = move |ask: &Ask| {
            if ask.round.is_multiple_of(3) && ask.role == lab::plan::Role::Closing {
                honest(STEP * 1_001 / 1_000)(ask)
            } else {
                baseline(ask)
            }
        };
        let judgement = Script::new(noisy).arm("fast", honest(STEP)).seal().judge();
        assert_eq!(judgement.self_speeds.len(), 1);
        judgement.self_speeds[0].clone()
    };
    let drift = of(1_100);
    assert_eq!((drift.of, drift.rejects), ("closing-opening", Some(true)));
    assert!(drift.effect.unwrap().speedup < 0.97 && drift.effect.unwrap().adjusted_p.is_none());
    let still = of(1_000);
    assert_eq!((still.rejects, still.same.unwrap().word), (Some(false), crate::judgement::Sameness::Same));
}

#[test]
fn a_further_stage_moves_a_claim_only_where_a_look_was_declared() {
    const LOOKS: &str = "looks = [{ rounds = 6, alpha = 0.02 }, { rounds = 12, alpha = 0.03 }]";
    for (looks, rounds, further, looked, confidence, speedup) in
        [("", 6, 6, (None, None), 0.95, 1.0), (LOOKS, 12, 0, (Some(2), Some(1)), 0.97, std::f64::consts::SQRT_2)]
    {
        let script = |step: u64| {
            let mut script = Script::new(honest(STEP)).arm("fast", around(step)).arm("other", around(STEP * 2));
            script.looks = looks;
            script
        };
        // It is twice as fast in rounds 7 to 12, and the other is not in them.
        let judgement = script(STEP).seal().more(&script(STEP / 2), 6, &["fast"]).judge();
        let of = |name: &str| judgement.candidates.iter().find(|c| c.name == name).unwrap();
        let (fast, other) = (of("fast"), of("other"));
        let effect = fast.overall.unwrap();
        assert_eq!((effect.rounds, fast.speed[0].primary.further.len()), (rounds, further), "{looks}");
        assert!(
            (effect.speedup - speedup).abs() < 0.001 && (effect.confidence - confidence).abs() < 1e-12,
            "{effect:?}"
        );
        assert_eq!((fast.look, other.look), looked);
        assert_eq!((other.overall.unwrap().rounds, other.speed[0].primary.further.len()), (6, 0));
        let pair = &judgement.leaderboard.unwrap().pairs[0];
        assert_eq!(pair.rounds, 6, "they are compared at the look that both reach");
    }
}

/// The rounds in which an arm can be compared, cell by cell.
fn compared(study: &crate::Study, arm: &str) -> Vec<Vec<u32>> {
    let (voids, cells) = (crate::voids::voids(study), study.cells_of_arm(arm));
    let rounds = |cell| super::pairings(study, arm, cell, &voids).iter().map(|p| p.subject.plan.round).collect();
    cells.iter().map(rounds).collect()
}

#[test]
fn who_failed_and_whose_baseline_is_void_is_not_compared() {
    use lab::records::Class;
    // A client that is late before the baseline of round 3 makes it void, though it completed.
    let late = |ask: &Ask| Said { late_ns: if ask.round == 3 { 2_000_000 } else { 0 }, ..honest(STEP)(ask) };
    let script = Script::new(late).arm("fast", honest(STEP));
    let study = script.fails("fast", 2, Class::Start).fails("fast", 4, Class::Host).seal().study();
    assert_eq!(compared(&study, "fast"), [[1, 5, 6]]);
    assert_eq!(compared(&study, "baseline"), [[1, 2, 4, 5, 6]]);
}

#[test]
fn a_trial_is_compared_in_its_own_cell_only() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    (script.matrix, script.rounds) = ("[matrix]\ngpus = [1, 2]\n", 3);
    let study = script.seal().study();
    assert_eq!(study.cells_of_arm("fast").iter().map(|cell| cell.gpus).collect::<Vec<_>>(), [1, 2]);
    for arm in ["fast", "baseline"] {
        assert_eq!(compared(&study, arm), [[1, 2, 3], [1, 2, 3]]);
    }
}

#[test]
fn later_turns_that_never_became_due_are_undone_and_a_closed_load_leaves_nothing_undone() {
    // Two sessions of three turns, 5 ms apart; after 60 ms nothing more is sent.
    let undone = |load, candidate: fn(&Ask) -> Said| {
        let mut script = Script::new(honest(STEP / 4)).arm("fast", candidate);
        (script.load, script.rounds, script.grade) = (load, 2, false);
        script.session = |id| (!id.is_multiple_of(7)).then(|| id / 7 * 10 + (id % 7 - 1) / 3);
        let study = script.seal().study();
        let cell = &study.cells_of_arm("fast")[0];
        let pairings = super::pairings(&study, "fast", cell, &std::collections::BTreeMap::new());
        super::undone(&study, &cell.load, &pairings.iter().collect::<Vec<_>>())
    };
    let open = "name = \"s\"\ntime = \"60ms\"\nopen = { rate = 200.0, arrivals = \"constant\" }";
    // Who holds back one first turn is spared the two that follow, in each of two rounds.
    let holds: fn(&Ask) -> Said =
        |ask| Said { lag_ns: if ask.request % 7 == 1 { 70_000_000 } else { 0 }, ..honest(STEP / 9)(ask) };
    assert_eq!(undone(open, |ask| honest(STEP / 5)(ask)), (12, 0));
    assert_eq!(undone(open, holds), (12, 4));
    assert_eq!(undone("name = \"s\"\ntime = \"60ms\"\nclosed = { concurrency = 1 }", holds), (0, 0));
}

#[test]
fn the_steps_of_a_ladder_count_only_where_there_is_no_other_load() {
    let counted = |load| {
        let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
        (script.load, script.rounds, script.grade) = (load, 1, false);
        fast(script).speed.into_iter().filter(|cell| cell.counts).map(|cell| cell.load).collect::<Vec<_>>()
    };
    let beside = "name = \"c1\"\nclosed = { concurrency = 1 }\nrequests = 6\n[[load]]\nname = \"up\"\nladder = { rate = { from = 10.0, factor = 2.0, steps = 3 } }";
    assert_eq!(counted(beside), ["c1"]);
    assert_eq!(counted(&beside[beside.find("name = \"up\"").unwrap()..]).len(), 3);
}

#[test]
fn an_answer_that_stops_early_counts_against_a_candidate_only_where_decoding_is_greedy() {
    // One of six waits for fifty tokens' time and stops after two.
    let stops = |ask: &Ask| {
        let cut = ask.request.is_multiple_of(6);
        let mut said = Said::ids(&answer(ask.request, if cut { 2 } else { 20 }), STEP, ask.max_tokens);
        said.parts.iter_mut().for_each(|p| p.at_ns += u64::from(ask.round) * 100 + if cut { 50 * STEP } else { 0 });
        said
    };
    let speedup = |sampling| {
        let mut script = Script::new(honest(STEP)).arm("fast", stops);
        (script.sampling, script.grade) = (sampling, false);
        fast(script).speed[0].primary.effect.unwrap().speedup
    };
    // What it took, and the missing tokens at the baseline's pace; or five whole answers as quick as its.
    assert!((speedup("") - 120.0 / 170.0).abs() < 0.001, "{}", speedup(""));
    assert!((speedup("temperature = 0.7") - 1.0).abs() < 0.001, "{}", speedup("temperature = 0.7"));
}

#[test]
fn exactly_three_quarters_of_the_rounds_are_enough() {
    let with_voids = |voids: u32| {
        let mut script = Script::new(honest(STEP)).arm("fast", around(STEP));
        (script.rounds, script.requests, script.max_tokens, script.sample, script.grade) = (8, 1, 2, 1, false);
        for round in 1..=voids {
            script = script.fails("baseline", round, lab::records::Class::Host);
        }
        let fast = fast(script);
        (fast.overall.map(|e| e.rounds), fast.overall_note.map(|note| note.code))
    };
    assert_eq!(with_voids(2), (Some(6), None));
    assert_eq!(with_voids(3), (None, Some("too-many-voids")));
    assert_eq!(with_voids(8), (None, Some("no-interval")));
}

#[test]
fn a_round_counts_overall_where_every_cell_has_it() {
    let late = |ask: &Ask| {
        let odd = ask.gpus == 2 && ask.round == 2;
        Said { late_ns: if odd { 2_000_000 } else { 0 }, ..honest(STEP)(ask) }
    };
    let mut script = Script::new(late).arm("fast", around(STEP));
    (script.matrix, script.requests, script.sample, script.grade) = ("[matrix]\ngpus = [1, 2]\n", 1, 1, false);
    let fast = fast(script);
    assert_eq!(fast.speed.iter().map(|cell| cell.primary.rounds.len()).collect::<Vec<_>>(), [6, 5]);
    assert_eq!(fast.overall.unwrap().rounds, 5);
}

#[test]
fn fewer_than_three_quarters_of_the_rounds_say_nothing() {
    let with_voids = |voids: u32| {
        let mut script = Script::new(honest(STEP)).arm("fast", six_rounds);
        for round in 1..=voids {
            script = script.fails("baseline", round, lab::records::Class::Host);
        }
        fast(script)
    };
    let one = with_voids(1);
    assert_eq!(one.overall.unwrap().rounds, 5);
    let two = with_voids(2);
    assert_eq!((two.overall, two.overall_note.unwrap().code), (None, "too-many-voids"));
}
