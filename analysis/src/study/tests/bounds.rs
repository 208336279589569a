//! What is kept of answers that nobody asked for.

use lab::records::MOST_SPARE_IDS;

use crate::test_support::{Ask, Said, Script, answer, honest};

#[test]
fn ids_beyond_what_was_asked_for_are_counted_and_graded_no_further_than_they_are_kept() {
    let spam = |ask: &Ask| Said::ids(&answer(ask.request, ask.max_tokens + 3_000), 1_000, ask.max_tokens);
    let mut script = Script::new(honest(1_000)).arm("spam", spam);
    script.rounds = 2;
    let sealed = script.seal();
    let study = sealed.study();
    let trial = study.completed("spam").next().unwrap();
    let kept = 20 + MOST_SPARE_IDS as usize;
    for response in &trial.responses {
        let sent = answer(response.request, 3_020);
        assert_eq!((response.tokens(), response.received.len()), (3_020, kept));
        assert_eq!((&response.received[..], response.last_received), (&sent[..kept], sent.last().copied()));
        assert_eq!(response.reach(3_020), response.last_ns.map(|at| lab::Nanos(at.0 - response.intended_ns.0)));
    }
    assert!(trial.graded.values().all(|graded| graded.rows.len() == kept));
    let check = |code: &str| {
        let candidate = sealed.judge().candidates.remove(0);
        candidate.structure.into_iter().find(|c| c.code == code).unwrap()
    };
    assert!(check("within-max-tokens").examples[0].ends_with("3020 ids, 20 were asked for"));
    assert!(!check("ids-match-text").holds && !check("ids-of-another-text").holds);
}
