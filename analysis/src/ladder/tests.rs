use super::*;
use crate::{
    judgement::Judgement,
    test_support::{Ask, Said, Script, honest},
};

/// Hand-worked: half way down from 1 to 0.8 on the log between 10 and 20 lies 10 · √2.
#[test]
fn the_limit_lies_where_attainment_first_falls_below_the_share() {
    let at = |steps: &[(f64, f64)], share| match crossing(steps, share) {
        Some(Capacity::At(value)) => value,
        other => panic!("{other:?}"),
    };
    let steps = [(10.0, 1.0), (20.0, 0.8), (40.0, 0.95)];
    assert!((at(&steps, 0.9) - 10.0 * 2f64.sqrt()).abs() < 1e-12, "a later step that meets it again is luck");
    assert_eq!(at(&[(10.0, 0.9), (20.0, 0.5)], 0.9), 10.0);
    assert!((at(&[(5.0, 1.0), (10.0, 1.0), (20.0, 0.6)], 0.9) - 10.0 * libm::pow(2.0, 0.25)).abs() < 1e-12);
    assert!((at(&[(1.0, 1.0), (3.0, 0.0)], 0.25) - libm::pow(3.0, 0.75)).abs() < 1e-12);
}

#[test]
fn beyond_the_ends_of_a_ladder_nothing_is_guessed() {
    assert_eq!(crossing(&[(10.0, 0.8), (20.0, 1.0)], 0.9), Some(Capacity::Below(10.0)));
    assert_eq!(crossing(&[(10.0, 1.0), (20.0, 0.9)], 0.9), Some(Capacity::Above(20.0)));
    assert_eq!(crossing(&[], 0.9), None);
}

/// A server that is slow to begin for so many of ten requests of each step.
fn slow(per_step: impl Fn(&Ask) -> [u32; 3] + 'static) -> impl Fn(&Ask) -> Said {
    move |ask| {
        let step = ask.load.chars().last().and_then(|c| c.to_digit(10)).unwrap_or(1) as usize;
        // Thirty-one requests a round, the first of them for the warm-up.
        let place = (ask.request % 31 + 9) % 10;
        let lag_ns = if place < per_step(ask)[step - 1] { 50_000_000 } else { 0 };
        Said { lag_ns, ..honest(100_000)(ask) }
    }
}

fn judged(baseline: impl Fn(&Ask) -> [u32; 3] + 'static, candidate: impl Fn(&Ask) -> [u32; 3] + 'static) -> Judgement {
    let mut script = Script::new(slow(baseline)).arm("fast", slow(candidate));
    (script.rounds, script.requests, script.grade) = (6, 10, false);
    script.load = "name = \"up\"\nladder = { rate = { from = 10.0, factor = 2.0, steps = 3 } }";
    script.more = "[slo]\nttft = \"20ms\"\nshare = 0.9";
    script.seal().judge()
}

fn climbs(judgement: &Judgement) -> (&Climb, &Climb) {
    let [ladder] = judgement.ladders.as_slice() else { panic!("{:?}", judgement.ladders) };
    assert_eq!((ladder.ladder.as_str(), ladder.unit, ladder.share), ("up", "arrivals/s", 0.9));
    assert_eq!(ladder.arms.iter().map(|a| a.arm.as_str()).collect::<Vec<_>>(), ["baseline", "fast"]);
    (&ladder.arms[0], &ladder.arms[1])
}

#[test]
fn each_arm_has_its_limit_and_the_candidate_its_ratio() {
    // Attainment 1, 0.8, 0.4 for the baseline; 1, 1, and 0.6 or 0.5 for the candidate.
    let judgement = judged(|_| [0, 2, 6], |ask| [0, 0, 4 + ask.round % 2]);
    let (baseline, fast) = climbs(&judgement);
    let steps: Vec<_> = baseline.steps.iter().map(|s| (s.value, s.due, s.met)).collect();
    assert_eq!(steps, [(10.0, 120, 120), (20.0, 120, 96), (40.0, 120, 48)]);
    let Some(Overall::Between { mean, interval: None, rounds: 6 }) = baseline.capacity else {
        panic!("all rounds are the same: {:?}", baseline.capacity)
    };
    assert!((mean - 10.0 * 2f64.sqrt()).abs() < 1e-9);
    let offered: Vec<_> = judgement.loads.iter().filter(|f| f.arm == "fast").filter_map(|f| f.offered).collect();
    assert_eq!(
        offered.iter().map(|o| (o.value, o.unit)).collect::<Vec<_>>(),
        [10.0, 20.0, 40.0].map(|v| (v, "arrivals/s"))
    );
    // 20 · 2^¼ and 20 · 2^⅕, three times each.
    let Some(Overall::Between { mean, interval: Some((low, high)), rounds: 6 }) = fast.capacity else {
        panic!("{:?}", fast.capacity)
    };
    assert!((mean - 20.0 * libm::pow(2.0, 0.225)).abs() < 1e-9 && low < mean && mean < high);
    let ratio = fast.ratio.unwrap();
    assert!((ratio.speedup - 2.0 * libm::pow(2.0, 0.225 - 0.5)).abs() < 1e-9 && ratio.powered, "{ratio:?}");
    assert_eq!((fast.ratios.len(), baseline.ratio), (6, None));
}

#[test]
fn a_round_beyond_the_ladder_is_told_and_not_dropped() {
    let judgement = judged(|_| [0, 2, 6], |ask| if ask.round <= 2 { [0, 0, 0] } else { [0, 0, 4] });
    let (_, fast) = climbs(&judgement);
    let beyond = Overall::Beyond { lowest: 10.0, below: 0, highest: 40.0, above: 2, rounds: 6 };
    assert_eq!((fast.capacity, fast.ratio, fast.ratios.len()), (Some(beyond), None, 4));
    // Nor does a candidate lose its worst rounds.
    let judgement = judged(|_| [0, 2, 6], |ask| if ask.round == 3 { [2, 0, 0] } else { [0, 0, 4 + ask.round % 2] });
    let (_, fast) = climbs(&judgement);
    let beyond = Overall::Beyond { lowest: 10.0, below: 1, highest: 40.0, above: 0, rounds: 6 };
    assert_eq!((fast.capacity, fast.ratio, fast.ratios.len()), (Some(beyond), None, 5));
}
