use lab::records::Class;

use crate::{
    judgement::{Candidate, Gate, Score, Verdict},
    test_support::{Ask, Part, Said, Script, answer, honest},
};

const MILLI: u64 = 1_000_000;

/// A run that ranks by a V1 score and asks for logprobs, as V1 did.
fn v1(script: Script, mode: &'static str, requests: u32, max_tokens: u32) -> Candidate {
    let mut script = script;
    (script.requests, script.max_tokens, script.sample) = (requests, max_tokens, requests);
    (script.sampling, script.more) = ("logprobs = 5", mode);
    script.seal().judge().candidates.remove(0)
}

fn score(candidate: &Candidate, mode: &str) -> Score {
    candidate.scores.iter().find(|s| s.mode == mode).unwrap().clone()
}

fn gate(candidate: &Candidate, code: &str) -> Gate {
    candidate.gates.iter().find(|g| g.code == code).unwrap().clone()
}

/// Tokens at `step_ns` after the first at `ttft_ns`, a little slower each round, as entries too.
fn listed(ask: &Ask, ttft_ns: u64, step_ns: u64, tokens: u32) -> Said {
    let mut said = Said::ids(&answer(ask.request, tokens), step_ns, ask.max_tokens).listed();
    said.parts.iter_mut().for_each(|p| p.at_ns += ttft_ns - step_ns + u64::from(ask.round));
    said
}

#[test]
fn a_burst_scores_2549_at_launch_and_is_no_faster_at_equal_work() {
    // All 256 tokens are held until they would have ended anyway, and let go within 1 ms.
    let burst = |ask: &Ask| {
        let mut said = listed(ask, 20 * MILLI, 20 * MILLI, 256);
        let begin = 5_120 * MILLI;
        (0..).zip(&mut said.parts).for_each(|(i, p)| p.at_ns = begin + i * MILLI / 255 + u64::from(ask.round));
        said
    };
    let script = Script::new(|ask: &Ask| listed(ask, 20 * MILLI, 20 * MILLI, 256)).arm("burst", burst);
    let burst = v1(script, "[score]\nmode = \"v1-launch\"", 2, 256);
    let launch = score(&burst, "v1-launch");
    assert!((launch.score.unwrap() - 2_549.5).abs() < 0.1, "{launch:?}");
    assert_eq!((launch.rounds.len(), launch.entries, score(&burst, "v1-e2e").score), (6, "logprobs", Some(0.0)));
    assert!(burst.overall.unwrap().speedup < 1.0, "{:?}", burst.overall);
}

#[test]
fn stuffed_empty_entries_score_0_70_end_to_end_and_are_no_pass() {
    // 145 words, then one chunk with 367 empty entries: as many as the baseline's 512 tokens.
    let stuffed = |ask: &Ask| {
        let mut said = listed(ask, 300 * MILLI, 25 * MILLI, 145).text_only();
        said.parts.last_mut().unwrap().entries.extend(vec![String::new(); 367]);
        said
    };
    let script = Script::new(|ask: &Ask| listed(ask, 300 * MILLI, 25 * MILLI, 512)).arm("stuffed", stuffed);
    let stuffed = v1(script, "[score]\nmode = \"v1-e2e\"", 2, 512);
    let e2e = score(&stuffed, "v1-e2e").score.unwrap();
    assert!((e2e - 0.70).abs() < 0.005, "{e2e}");
    assert_ne!(stuffed.verdict, Verdict::Equivalent);
    let held: Vec<_> = stuffed.structure.iter().filter(|c| c.holds).map(|c| c.code).collect();
    assert!(held.contains(&"entries-are-tokens-text") && held.contains(&"early-stop-often"), "{held:?}");
    assert_eq!(stuffed.overall, None, "no answer of it did the work");
}

#[test]
fn forged_near_ties_pass_the_launch_gate_with_253_garbage_tokens_of_256_and_are_altered() {
    let forged = |ask: &Ask| {
        let right = answer(ask.request, 256);
        let garbage = answer(ask.request + 1, 256);
        let ids: Vec<u32> = (0..256).map(|i| if i < 3 { right[i] } else { garbage[i] }).collect();
        let mut said = Said::ids(&ids, 5 * MILLI, ask.max_tokens).listed();
        for (part, id) in said.parts.iter_mut().zip(right) {
            part.tops.push((crate::test_support::text_of(id), -0.11));
        }
        said
    };
    let script = Script::new(|ask: &Ask| listed(ask, 20 * MILLI, 20 * MILLI, 256)).arm("forged", forged);
    let script = script.margins("forged", |_, position| if position < 3 { 0.0 } else { 11.0 });
    let forged = v1(script, "[score]\nmode = \"v1-launch\"", 2, 256);
    let launch = gate(&forged, "first-divergence");
    assert_eq!((launch.rounds, launch.passed, launch.value), (6, 6, Some(1.0)));
    let before = gate(&forged, "near-ties");
    assert_eq!((before.passed, before.value), (0, Some(3.0 / 256.0)));
    assert_eq!(gate(&forged, "teacher-forcing").passed, 0, "a reference saw it even then");
    assert!(score(&forged, "v1-launch").score.unwrap() > 1.0);
    assert_eq!((forged.verdict, forged.reasons[0].code), (Verdict::Undecided, "suspect"), "altered by a second stage");
}

#[test]
fn truncation_to_26_percent_passes_the_similarity_gate_and_is_no_pass() {
    let cut = |ask: &Ask| listed(ask, 20 * MILLI, 20 * MILLI, 52);
    let script = Script::new(|ask: &Ask| listed(ask, 20 * MILLI, 20 * MILLI, 200)).arm("cut", cut);
    let cut = v1(script, "[score]\nmode = \"v1-e2e\"", 2, 200);
    let similarity = gate(&cut, "text-similarity");
    assert_eq!((similarity.rounds, similarity.passed), (6, 6));
    // 52 and 200 words of five characters, without the first one's space.
    assert_eq!(similarity.value, Some(2.0 * 259.0 / (259.0 + 999.0)));
    // Its pace is honest, but n tokens over n − 1 gaps are a little more the fewer they are.
    let launch = score(&cut, "v1-launch").score.unwrap();
    assert!(launch > 0.015 && launch < 0.02, "{launch}");
    assert!(cut.verdict != Verdict::Equivalent && cut.overall.is_none());
    assert!(cut.reasons.iter().any(|r| r.code == "early-stop-often"), "{:?}", cut.reasons);
}

#[test]
fn without_logprobs_our_tokens_are_the_entries_and_the_gates_on_them_are_absent() {
    let mut script = Script::new(honest(11 * MILLI / 10)).arm("fast", honest(MILLI));
    script.more = "[score]\nmode = \"v1-e2e\"";
    let fast = script.seal().judge().candidates.remove(0);
    for (mode, expected) in [("v1-e2e", 1.0 / 11.0), ("v1-launch", 0.5 / 11.0 + 0.05)] {
        let found = score(&fast, mode);
        assert!((found.score.unwrap() - expected).abs() < 1e-12, "{found:?}");
        assert_eq!((found.entries, found.why), ("tokens", None));
    }
    let ties = gate(&fast, "near-ties");
    assert_eq!(
        (ties.rounds, ties.value, ties.why.unwrap().text),
        (0, None, "the workload asked for no logprobs".into())
    );
    assert_eq!(gate(&fast, "token-match").value, Some(1.0));
    assert_eq!((gate(&fast, "teacher-forcing").passed, gate(&fast, "text-similarity").passed), (6, 6));
}

#[test]
fn gates_look_at_the_first_32_answers_of_a_round_and_at_every_graded_one() {
    // Request 0 warms up; of the 40 that are timed the last eight are cut to a quarter.
    let cut = |ask: &Ask| match ask.request {
        0..=32 => honest(MILLI)(ask),
        _ => Said::ids(&answer(ask.request, 3), MILLI, ask.max_tokens),
    };
    let mut script = Script::new(honest(MILLI)).arm("cut", cut);
    (script.requests, script.rounds, script.sample) = (40, 1, 40);
    let cut = script.seal().judge().candidates.remove(0);
    assert_eq!(gate(&cut, "text-similarity").value, Some(1.0));
    assert_eq!(gate(&cut, "teacher-forcing").rounds, 1);
    assert_eq!(gate(&cut, "token-match").value, Some(1.0));
}

#[test]
fn a_workload_that_ranks_by_paired_speed_has_scores_and_gates_beside_it() {
    let fast = Script::new(honest(2 * MILLI)).arm("fast", honest(MILLI)).seal().judge().candidates.remove(0);
    let scores: Vec<_> = fast.scores.iter().map(|s| (s.mode, s.score)).collect();
    assert_eq!(scores, [("v1-launch", Some(0.75)), ("v1-aligned-tps", Some(0.75)), ("v1-e2e", Some(0.5))]);
    assert_eq!((gate(&fast, "text-similarity").passed, gate(&fast, "near-ties").rounds), (6, 0));
}

#[test]
fn what_v1_disqualified_has_no_score_and_says_why() {
    let dead = Script::new(honest(MILLI)).arm("fast", honest(MILLI)).fails("fast", 2, Class::Start).seal().judge();
    let found = score(&dead.candidates[0], "v1-e2e");
    assert_eq!((found.score, found.rounds.len(), found.why.unwrap().code), (None, 5, "launch-failed"));
    let refuses = |ask: &Ask| if ask.request == 3 { Said::error() } else { honest(MILLI)(ask) };
    let refused = Script::new(honest(MILLI)).arm("fast", refuses).seal().judge();
    let found = score(&refused.candidates[0], "v1-launch");
    assert_eq!((found.score, found.rounds.len(), found.why.unwrap().code), (None, 5, "failed-request"));
}

#[test]
fn entries_are_counted_as_v1_counted_them() {
    // Two pieces of content before the first logprobs, then three entries, one of them empty.
    let say = |ask: &Ask| {
        let mut said = Said::ids(&answer(ask.request, 4), MILLI, ask.max_tokens);
        let listed: [&[&str]; 5] = [&[], &[], &["a", ""], &["b"], &[]];
        for (part, entries) in said.parts.iter_mut().zip(listed) {
            part.entries = entries.iter().map(|e| (*e).to_owned()).collect();
        }
        let empty = Part { text: String::new(), ids: vec![], at_ns: MILLI / 2, ..said.parts[2].clone() };
        if ask.request == 2 {
            said.parts.insert(0, empty);
        }
        said
    };
    let mut script = Script::new(say).arm("same", say);
    (script.sampling, script.rounds) = ("logprobs = 1", 1);
    let study = script.seal().study();
    let entries = |request: u32| {
        let response = study.trials[0].response(request).unwrap();
        let stream = super::Stream::read(response, true).unwrap();
        let view = stream.view();
        (view.first_content_ns, view.last_content_ns, view.entries_ns.to_vec())
    };
    assert_eq!(entries(1), (MILLI, 4 * MILLI, [1, 2, 3, 3, 4].map(|n| n * MILLI).to_vec()));
    // Empty entries before any content: from then on content is not counted.
    let early = [MILLI / 2, MILLI / 2, 3 * MILLI, 3 * MILLI, 4 * MILLI];
    assert_eq!(entries(2), (MILLI, 4 * MILLI, early.to_vec()));
}
