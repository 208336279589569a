mod bundles;
mod codes;
mod counts;
mod odd;
mod outputs;

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
