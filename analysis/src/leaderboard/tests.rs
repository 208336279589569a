use crate::{
    judgement::{Judgement, Leaderboard},
    test_support::{Ask, Said, Script, honest},
};

const STEP: u64 = 1_100_000;

/// A pace with half a percent of noise that no two seeds share.
fn paced(step: u64, seed: u32) -> impl Fn(&Ask) -> Said {
    move |ask| honest(step * u64::from(995 + (ask.round * 7 + seed * 13) * (seed + 3) % 11) / 1_000)(ask)
}

fn script() -> Script {
    Script::new(honest(STEP))
        .arm("ahead", paced(STEP / 2, 1))
        .arm("twin-a", paced(STEP * 4 / 5, 2))
        .arm("twin-b", paced(STEP * 4 / 5, 5))
        .arm("slow", paced(STEP * 2, 4))
}

fn controlled(control: impl Fn(&Ask) -> Said + 'static) -> Script {
    let mut script = script().arm("blind-control", control);
    script.blind_control = true;
    script
}

fn board(judgement: &Judgement) -> &Leaderboard {
    judgement.leaderboard.as_ref().unwrap()
}

fn order(board: &Leaderboard) -> Vec<(u64, &str, &str)> {
    board.entries.iter().map(|e| (e.place, e.name.as_str(), e.letters.as_str())).collect()
}

#[test]
fn ties_share_a_letter_and_a_place() {
    let judgement = script().seal().judge();
    let board = board(&judgement);
    let mut seen = order(board);
    seen[1..3].sort_unstable();
    assert_eq!(seen, [(1, "ahead", "a"), (2, "twin-a", "b"), (2, "twin-b", "b"), (4, "slow", "c")]);
    assert_eq!((board.mode, board.pairs.len(), &board.void), ("paired", 6, &None));
    let lows: Vec<f64> = board.entries.iter().map(|e| e.overall.low).collect();
    assert!(lows.is_sorted_by(|a, b| a >= b), "{lows:?}");
}

#[test]
fn both_rules_stand_side_by_side() {
    let judgement = script().seal().judge();
    let pair = |a: &str, b: &str| {
        let both = |p: &&crate::judgement::Pair| [p.ahead.as_str(), &p.behind] == [a, b];
        board(&judgement).pairs.iter().find(both).cloned().unwrap()
    };
    let first = pair("ahead", "slow");
    assert_eq!(first.faster_with_confidence.as_deref(), Some("ahead"));
    assert_eq!(first.exceeds_by_margin.as_deref(), Some("ahead"));
    let ratio = first.ratio.unwrap();
    assert!((ratio.ratio - 4.0).abs() < 0.1 && ratio.low > 3.9 && ratio.adjusted_p >= ratio.p, "{ratio:?}");
    // Twins differ by luck: V1's rule sees a winner in a score that is a percent of 0.25 higher.
    let twins = board(&judgement).pairs.iter().find(|p| p.ahead.starts_with("twin") && p.behind.starts_with("twin"));
    let twins = twins.unwrap();
    assert_eq!(twins.faster_with_confidence, None);
    let ratio = twins.ratio.unwrap();
    assert!(ratio.low < 1.0 && ratio.high > 1.0 && ratio.confidence >= 0.95, "{ratio:?}");
}

#[test]
fn who_is_not_equivalent_or_claims_no_speed_stands_below_with_the_reason() {
    let wrong = |_: &Ask, _: usize| 4.9;
    let script = script().arm("wrong", paced(STEP / 4, 6)).margins("wrong", wrong);
    let judgement = script.fails("slow", 2, lab::records::Class::Start).seal().judge();
    let board = board(&judgement);
    assert_eq!(board.entries.len(), 3);
    let why: Vec<_> = board.unranked.iter().map(|u| (u.name.as_str(), u.why.code)).collect();
    // In one stage margins alter nothing, and undecided is no pass.
    assert_eq!(why, [("slow", "fewer-rounds"), ("wrong", "undecided")]);
}

#[test]
fn too_few_rounds_rank_nobody() {
    let mut script = script();
    (script.rounds, script.sample, script.tolerance) = (5, 6, Some((0.5, 0.02, 0.2)));
    let judgement = script.seal().judge();
    let board = board(&judgement);
    assert!(board.entries.is_empty() && board.pairs.is_empty());
    assert!(board.unranked.iter().all(|u| u.why.code == "not-powered"), "{:?}", board.unranked);
}

#[test]
fn the_blind_control_is_no_candidate_and_a_second_comparison_with_itself() {
    let judgement = controlled(paced(STEP, 9)).seal().judge();
    assert_eq!(judgement.candidates.len(), 4);
    let board = board(&judgement);
    assert!(!board.entries.iter().any(|e| e.name == "blind-control") && board.void.is_none());
    assert!(!board.unranked.iter().any(|u| u.name == "blind-control"));
    let control = judgement.blind_control.as_ref().unwrap();
    assert_eq!(control.overall.unwrap().adjusted_p, None, "a control is no part of a family");
    let of: Vec<_> = judgement.self_speeds.iter().map(|s| s.of).collect();
    assert_eq!(of, ["closing-opening", "blind-control"]);
    assert_eq!(judgement.self_speeds[1].effect, control.overall);
}

#[test]
fn a_control_that_differs_from_itself_voids_the_board_and_no_round() {
    let judgement = controlled(paced(STEP * 5 / 4, 9)).seal().judge();
    let void = board(&judgement).void.as_ref().unwrap();
    assert_eq!(void.code, "control-not-the-same");
    assert!(void.text.contains("more than 5.0 %"), "{}", void.text);
    // What was measured stays as it was.
    assert_eq!(board(&judgement).entries.len(), 4);
    assert!(judgement.voids.is_empty());
    let ahead = judgement.candidates.iter().find(|c| c.name == "ahead").unwrap();
    assert_eq!(ahead.overall.unwrap().rounds, 6);
}

#[test]
fn a_control_that_only_rejects_by_chance_voids_nothing() {
    // Two percent slower, shown beyond doubt, and within the margin of five.
    let judgement = controlled(paced(STEP * 51 / 50, 9)).seal().judge();
    assert_eq!(judgement.self_speeds[1].rejects, Some(true));
    assert_eq!(board(&judgement).void, None);
}

#[test]
fn without_candidates_there_is_no_board() {
    let judgement = Script::new(honest(STEP)).seal().judge();
    assert!(judgement.leaderboard.is_none() && judgement.self_speeds.is_empty());
}

#[test]
fn a_mode_of_v1_orders_by_its_own_score() {
    let mut script = script();
    script.more = "[score]\nmode = \"v1-e2e\"\n";
    let judgement = script.seal().judge();
    let board = board(&judgement);
    assert_eq!((board.mode, board.entries.len()), ("v1-e2e", 4));
    assert!(board.entries.is_sorted_by(|a, b| a.score >= b.score));
    // V1 had no slowdown: half the time is 0.5, twice the time is 0.
    assert!((board.entries[0].score - 0.5).abs() < 0.01 && board.entries[3].score == 0.0, "{:?}", board.entries);
}
