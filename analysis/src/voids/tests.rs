use super::*;
use crate::test_support::{Ask, Said, Script, honest};

/// One request of two tokens; the client turns to it so late in round 2 of an arm.
fn late_before(arm: &str, late_ns: u64) -> Script {
    let late = move |ask: &Ask| Said { late_ns: if ask.round == 2 { late_ns } else { 0 }, ..honest(1_000_000)(ask) };
    let mut script = Script::new(honest(1_000_000)).arm("fast", honest(1_000_000)).arm(arm, late);
    (script.rounds, script.requests, script.max_tokens, script.sample, script.grade) = (2, 1, 2, 1, false);
    script
}

/// Arm, round and reason of what is void.
fn void(study: &Study) -> Vec<(String, u32, String)> {
    let arm = |n: &u32| study.planned().find(|t| t.n == *n).unwrap().arm.clone();
    voids(study).into_iter().map(|(n, void)| (arm(&n), void.round, void.why)).collect()
}

#[test]
fn a_client_that_is_late_before_a_baseline_makes_it_void_from_just_above_a_millisecond_on() {
    assert_eq!(void(&late_before("baseline", 1_000_000).seal().study()), []);
    let found = void(&late_before("baseline", 1_000_001).seal().study());
    // The opening and the closing one.
    assert_eq!(found.iter().map(|(arm, round, _)| (arm.as_str(), *round)).collect::<Vec<_>>(), [("baseline", 2); 2]);
    assert!(found[0].2.ends_with("p99 of its lag 1.00 ms, at most 1.00 ms"), "{found:?}");
}

#[test]
fn a_client_that_is_late_before_a_candidate_is_told_and_voids_nothing() {
    let told = |late_ns| {
        let study = late_before("fast", late_ns).seal().study();
        assert_eq!(void(&study), []);
        assert!(client_late(&study, BASELINE).is_none());
        client_late(&study, "fast").map(|reason| reason.text)
    };
    assert_eq!(told(1_000_000), None);
    let text = told(1_000_001).unwrap();
    assert!(text.starts_with("in 1 of 2 launches the client was late: p99 of its lag up to 1.00 ms"), "{text}");
}

#[test]
fn of_failures_those_of_the_host_and_of_the_baseline_are_void() {
    let script = late_before("fast", 0).fails("fast", 1, Class::Start).fails("fast", 2, Class::Host);
    let found = void(&script.fails("baseline", 1, Class::Start).seal().study());
    let failed: Vec<_> =
        found.iter().map(|(arm, round, why)| (arm.as_str(), *round, why.ends_with("(host)"))).collect();
    assert_eq!(failed, [("baseline", 1, false), ("baseline", 1, false), ("fast", 2, true)]);
}
