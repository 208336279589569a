//! What counts in a speed and what is void: failures, late clients, requests never due.

use lab::records::Class;

use super::*;

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
fn two_blocks_of_a_round_are_one_round() {
    let mut script = Script::new(paced(STEP));
    for name in ["a", "b", "c", "d", "e"] {
        script = script.arm(name, honest(1_000_000));
    }
    let judgement = script.seal().judge();
    assert!(judgement.candidates.iter().all(|c| c.overall.unwrap().rounds == 6));
    assert_eq!(judgement.baseline.opening_closing[0].primary.rounds.len(), 6);
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
