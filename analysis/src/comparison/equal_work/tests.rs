use super::*;
use crate::{
    study::Study,
    test_support::{Ask, Said, Script, answer, honest},
};

const STEP: u64 = 1_000_000;

type Arms = Vec<(&'static str, Box<dyn Fn(&Ask) -> Said>)>;

/// Every candidate trial of an arm with the two baselines of its block.
fn blocks<'a>(study: &'a Study, arm: &'a str) -> Vec<(&'a Trial, Vec<&'a Trial>)> {
    study.completed(arm).map(|t| (t, study.baselines_beside(t).collect())).collect()
}

/// The geometric mean over trials and references of the reference's time over the arm's.
fn speed(study: &Study, arm: &str) -> f64 {
    let all = blocks(study, arm).into_iter().flat_map(|(t, beside)| equal_work(t, &beside, "c1", true).means.unwrap());
    let logs: Vec<f64> = all.map(|[own, theirs]| libm::log(theirs / own)).collect();
    libm::exp(stats::sum::mean(&logs).unwrap())
}

/// So many tokens at `step_ns` each after `wait_ns`, of which `cut` are served if that is fewer.
fn served(ask: &Ask, wait_ns: u64, step_ns: u64, cut: u32) -> Said {
    let mut said = Said::ids(&answer(ask.request, ask.max_tokens.min(cut)), step_ns, ask.max_tokens);
    said.parts.iter_mut().for_each(|p| p.at_ns += wait_ns);
    said
}

/// One request of ten is slow, the others are a tenth faster than the baseline's.
fn slow_tenth(ask: &Ask) -> bool {
    ask.request.is_multiple_of(10)
}

fn study(arms: Arms, baseline: impl Fn(&Ask) -> Said + 'static) -> Study {
    let mut script = Script::new(baseline);
    for (name, say) in arms {
        script = script.arm(name, say);
    }
    (script.rounds, script.requests, script.max_tokens, script.grade) = (2, 40, 40, false);
    script.seal().study()
}

#[test]
fn cutting_short_the_slowest_tenth_gains_nothing_once_it_has_begun() {
    // Three times as slow from the first token on, or fifty tokens' time before the first.
    let pace = |cut: u32| {
        move |ask: &Ask| if slow_tenth(ask) { served(ask, 0, 3 * STEP, cut) } else { served(ask, 0, 900_000, 99) }
    };
    let stall = |cut: u32| {
        move |ask: &Ask| if slow_tenth(ask) { served(ask, 50 * STEP, STEP, cut) } else { served(ask, 0, 900_000, 99) }
    };
    let arms = |cut| -> Arms { vec![("pace", Box::new(pace(cut))), ("stall", Box::new(stall(cut)))] };
    let honest_work = study(arms(99), honest(STEP));
    let true_speeds = ["pace", "stall"].map(|arm| speed(&honest_work, arm));
    // 36 requests of 36 ms and 4 of 120 or 90 ms, instead of 40 of 40 ms.
    assert!((true_speeds[0] - 1600.0 / (36.0 * 36.0 + 4.0 * 120.0)).abs() < 1e-9, "{true_speeds:?}");
    for cut in [1, 2, 10, 20, 35] {
        let cheat = study(arms(cut), honest(STEP));
        for (arm, truth) in ["pace", "stall"].into_iter().zip(true_speeds) {
            assert_eq!(equal_work(blocks(&cheat, arm)[0].0, &blocks(&cheat, arm)[0].1, "c1", true).shorter, 4);
            let speed = speed(&cheat, arm);
            assert!(speed <= truth && speed > 0.97 * truth, "{arm} cut after {cut}: {speed}, served {truth}");
        }
    }
}

#[test]
fn an_answer_that_is_not_even_begun_counts_as_the_baselines_at_least() {
    let nothing = |ask: &Ask| served(ask, 0, STEP * 9 / 10, if slow_tenth(ask) { 0 } else { 99 });
    let slower = |ask: &Ask| served(ask, 0, STEP * 5 / 4, if slow_tenth(ask) { 0 } else { 99 });
    let study = study(vec![("fast", Box::new(nothing)), ("slow", Box::new(slower))], honest(STEP));
    // Faster: parity, and the end token's 0.9 ms on top of what 39 tokens take: less than 40 ms.
    let expected = 1600.0 / (36.0 * 36.0 + 4.0 * 40.0);
    assert!((speed(&study, "fast") - expected).abs() < 1e-5, "{}", speed(&study, "fast"));
    // Slower: at its usual pace, so that stopping does not bring it nearer to parity.
    assert!((speed(&study, "slow") - 0.8).abs() < 1e-5, "{}", speed(&study, "slow"));
}

#[test]
fn an_answer_that_is_cut_before_it_would_be_slow_is_seen_by_the_grade_of_its_end() {
    let cut = |ask: &Ask| served(ask, u64::from(ask.round) * 100, STEP * 9 / 10, if slow_tenth(ask) { 20 } else { 99 });
    let mut script = Script::new(honest(STEP)).arm("cut", cut);
    // The reference would not have ended there.
    script = script.margins("cut", |ask, position| if slow_tenth(ask) && position == 20 { 11.0 } else { 0.0 });
    (script.requests, script.max_tokens, script.sample) = (40, 40, 40);
    script.tolerance = Some((0.5, 0.02, 0.05));
    let cut = script.seal().judge().candidates.remove(0);
    assert!(cut.overall.unwrap().speedup > 1.0, "what it hid is not in its speed");
    assert_ne!(cut.verdict, crate::judgement::Verdict::Equivalent, "{:?}", cut.reasons);
}

#[test]
fn failing_the_slowest_requests_gains_nothing_though_the_baseline_fails_as_many() {
    let flaky = |ask: &Ask| if ask.request % 10 == 5 { Said::error() } else { honest(STEP)(ask) };
    let slow = |ask: &Ask| served(ask, 0, if slow_tenth(ask) { 3 * STEP } else { 900_000 }, 99);
    let fails = move |ask: &Ask| if slow_tenth(ask) { Said::error() } else { slow(ask) };
    let waits = move |ask: &Ask| Said { lag_ns: 200 * STEP, ..fails(ask) };
    let waits = move |ask: &Ask| if slow_tenth(ask) { waits(ask) } else { slow(ask) };
    let study = study(vec![("fails", Box::new(fails)), ("waits", Box::new(waits))], flaky);
    let (trial, beside) = &blocks(&study, "fails")[0];
    let work = equal_work(trial, beside, "c1", true);
    assert_eq!((work.requests, work.failed), (36, 4), "those that the baseline failed are left out");
    let others = 32.0 * 40.0;
    assert!((speed(&study, "fails") - (others + 160.0) / (32.0 * 36.0 + 160.0)).abs() < 1e-5);
    assert!((speed(&study, "waits") - (others + 160.0) / (32.0 * 36.0 + 4.0 * 200.0)).abs() < 1e-4);
}

#[test]
fn where_decoding_is_not_greedy_a_shorter_answer_is_left_out() {
    let study = study(
        vec![("short", Box::new(|ask: &Ask| served(ask, 0, STEP, if slow_tenth(ask) { 5 } else { 40 })))],
        honest(STEP),
    );
    let (trial, beside) = &blocks(&study, "short")[0];
    assert_eq!(equal_work(trial, beside, "c1", true).requests, 40);
    assert_eq!(
        equal_work(trial, beside, "c1", false),
        EqualWork { requests: 36, means: Some(vec![[40e6, 40e6]; 2]), shorter: 0, failed: 0 }
    );
}

#[test]
fn what_a_baseline_answered_with_nothing_is_no_work() {
    let silent = |ask: &Ask| Said { parts: Vec::new(), finish: "stop", ..Said::ids(&[], STEP, ask.max_tokens) };
    let study = study(vec![("fast", Box::new(honest(STEP / 2)))], move |ask| {
        if slow_tenth(ask) { silent(ask) } else { honest(STEP)(ask) }
    });
    let (trial, beside) = &blocks(&study, "fast")[0];
    assert!(beside.iter().all(|t| t.responses.iter().all(|r| r.complete())));
    let whole = EqualWork { requests: 36, means: Some(vec![[20e6, 40e6]; 2]), shorter: 0, failed: 0 };
    assert_eq!(equal_work(trial, beside, "c1", true), whole);
}

#[test]
fn the_tokens_that_are_missing_take_the_arms_own_time_or_the_baselines_whichever_is_longer() {
    // One of ten stops after five tokens and its end, of forty.
    let waits = |ask: &Ask| if slow_tenth(ask) { served(ask, 50 * STEP, STEP, 5) } else { honest(STEP)(ask) };
    let drags = |ask: &Ask| if slow_tenth(ask) { served(ask, 0, 3 * STEP, 5) } else { honest(STEP)(ask) };
    let silent = |ask: &Ask| match slow_tenth(ask) {
        true => Said { parts: Vec::new(), finish: "stop", lag_ns: 50 * STEP, ..Said::error() },
        false => honest(STEP)(ask),
    };
    let silent = move |ask: &Ask| Said { status: 200, ..silent(ask) };
    let arms: Arms = vec![("waits", Box::new(waits)), ("drags", Box::new(drags)), ("silent", Box::new(silent))];
    let study = study(arms, honest(STEP));
    let own = |arm| equal_work(blocks(&study, arm)[0].0, &blocks(&study, arm)[0].1, "c1", true).means.unwrap()[0][0];
    // 36 of 40 ms, and four of 50 + 6 + 34 ms, of 50 + 40 ms or of 6 · 3 + 34 · 3 ms; an answer ends a little after its last token.
    assert!((own("waits") - (36.0 * 40e6 + 4.0 * 90e6) / 40.0).abs() < 1e3, "{}", own("waits"));
    assert!((own("silent") - (36.0 * 40e6 + 4.0 * 90e6) / 40.0).abs() < 1e3, "{}", own("silent"));
    assert!((own("drags") - (36.0 * 40e6 + 4.0 * 120e6) / 40.0).abs() < 1e3, "{}", own("drags"));
}

#[test]
fn beside_a_baseline_that_takes_no_time_a_failed_request_counts_as_long_as_the_baselines() {
    let fails = |ask: &Ask| if slow_tenth(ask) { Said::error() } else { honest(STEP)(ask) };
    let study =
        study(vec![("fails", Box::new(fails))], |ask| if slow_tenth(ask) { honest(STEP)(ask) } else { honest(0)(ask) });
    let (trial, beside) = &blocks(&study, "fails")[0];
    let work = EqualWork { requests: 40, means: Some(vec![[40e6, 4e6]; 2]), shorter: 0, failed: 4 };
    assert_eq!(equal_work(trial, beside, "c1", true), work);
}

/// A number between 0 and 1 that depends on nothing but its arguments.
fn noise(seed: u64, request: u32) -> f64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(request).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Where an arm's answer ends: within a fifth of the request's own length.
fn length(seed: u64, request: u32) -> u32 {
    (30.0 * (0.8 + 0.4 * noise(seed, request)) + 30.0 * noise(1, request)) as u32
}

/// One token at its request's own pace, which differs by a tenth between the arms.
fn step(seed: u64, request: u32) -> u64 {
    (STEP as f64 * (0.9 + 0.2 * noise(seed + 100, request))) as u64
}

#[test]
fn whatever_an_arm_cuts_short_or_fails_it_is_never_faster_than_on_the_rest() {
    let erratic = |seed: u64| {
        move |ask: &Ask| match (noise(seed, ask.request) * 8.0) as u32 {
            0 => Said { lag_ns: 3 * STEP, ..Said::error() },
            1 | 2 => served(
                ask,
                2 * STEP,
                step(seed, ask.request) * (seed % 3),
                (noise(seed + 7, ask.request) * 36.0) as u32,
            ),
            3 => served(ask, 0, step(seed, ask.request) / 3, (noise(seed + 7, ask.request) * 36.0) as u32),
            _ => served(ask, STEP, step(seed, ask.request) * (seed % 3 + 1) / 2, 99),
        }
    };
    let arms: Arms = vec![("a", Box::new(erratic(3))), ("b", Box::new(erratic(4))), ("c", Box::new(erratic(5)))];
    let study = study(arms, |ask| served(ask, 0, step(9 + u64::from(ask.round), ask.request), 99));
    for (trial, beside) in ["a", "b", "c"].iter().flat_map(|arm| blocks(&study, arm)) {
        let work = equal_work(trial, &beside, "c1", true);
        assert!(work.shorter > 5 && work.failed > 1, "{work:?}");
        for ([own, theirs], reference) in work.means.unwrap().into_iter().zip(&beside) {
            let whole = trial.responses.iter().filter(|r| r.tokens() == 40);
            let rest = whole.fold([0.0; 2], |[a, b], r| {
                let theirs = reference.response(r.request).unwrap();
                [a + r.reach(40).unwrap().0 as f64, b + theirs.reach(40).unwrap().0 as f64]
            });
            assert!(theirs / own <= rest[1] / rest[0]);
        }
    }
}

#[test]
fn honest_divergence_moves_equal_speeds_by_a_tenth_of_a_percent_and_a_fast_arm_towards_one() {
    // Each arm twice: with answers that end where they like, and never before the baseline's.
    let arm = |seed: u64, tenths: u64, free: bool| {
        move |ask: &Ask| {
            let most = if free { length(seed + u64::from(ask.round), ask.request) } else { 80 };
            served(ask, STEP, step(seed + u64::from(ask.round), ask.request) * tenths / 10, most)
        }
    };
    let mut script = Script::new(move |ask: &Ask| {
        let seed = 20 + 10 * u64::from(ask.round) + u64::from(ask.role == lab::plan::Role::Closing);
        served(ask, STEP, step(seed, ask.request), length(seed, ask.request))
    });
    for (name, tenths) in [("same", 10), ("fast", 8), ("slow", 12)] {
        script = script.arm(name, arm(60, tenths, true));
        script = script.arm(&format!("{name}-whole"), arm(60, tenths, false));
    }
    (script.rounds, script.requests, script.max_tokens, script.grade) = (2, 150, 80, false);
    let study = script.seal().study();
    let bias = |name: &str| speed(&study, name) / speed(&study, &format!("{name}-whole")) - 1.0;
    let shorter: u64 = blocks(&study, "same").iter().map(|(t, beside)| equal_work(t, beside, "c1", true).shorter).sum();
    assert!((15..=36).contains(&shorter), "{shorter} of 300 answers are shorter: one of twenty to one of eight");
    let (same, fast, slow) = (bias("same"), bias("fast"), bias("slow"));
    assert!((-0.002..=0.001).contains(&same), "{same}");
    assert!((-0.025..=0.0).contains(&fast), "towards 1, never beyond: {fast}");
    assert!((-0.002..=0.001).contains(&slow), "{slow}");
}
