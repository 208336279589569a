use super::*;
use crate::requests::{fixtures, fixtures::slots, from_jsonl, to_jsonl};

/// A file of conversations; each is a list of lengths in words, questions and answers in turn.
fn recorded(conversations: &[&[usize]]) -> Vec<u8> {
    let entry = |(i, lengths): (usize, &&[usize])| {
        let line = |(turn, words): (usize, &usize)| {
            // The first words tell conversations and turns apart.
            let named = ["the", "a", "for", "in", "on", "of"][i];
            let text = std::iter::repeat_n("the", *words - 1).fold(named.to_owned(), |t, w| t + " " + w);
            let from = ["human", "gpt"][turn % 2];
            serde_json::json!({"from": from, "value": text})
        };
        serde_json::json!({"conversations": lengths.iter().enumerate().map(line).collect::<Vec<_>>()})
    };
    serde_json::Value::from(conversations.iter().enumerate().map(entry).collect::<Vec<_>>()).to_string().into_bytes()
}

fn spec(bytes: &[u8], turns: Turns, nonce: bool) -> Sharegpt {
    let digest = Digest::of(bytes);
    Sharegpt { path: "s.json".into(), digest, model: "m".into(), seed: 3, turns, max_input: 20, max_total: 30, nonce }
}

fn made(bytes: &[u8], turns: Turns, nonce: bool, count: u32) -> Result<Vec<Request>> {
    sharegpt(&spec(bytes, turns, nonce), bytes, &fixtures::words(), &slots(count))
}

/// Lengths of the last message and of the recorded answer, sorted.
fn lengths(set: &[Request]) -> Vec<(usize, u32)> {
    let of = |r: &Request| (fixtures::words_in(&r.messages.last().unwrap().content), r.max_tokens.unwrap());
    let mut lengths: Vec<_> = set.iter().map(of).collect();
    lengths.sort_unstable();
    lengths
}

#[test]
fn conversations_are_filtered_at_exactly_the_bounds_of_vllms_benchmark() {
    let bytes = recorded(&[&[3, 9], &[9, 3], &[21, 4], &[20, 11], &[4, 4], &[20, 10]]);
    assert_eq!(lengths(&made(&bytes, Turns::One, false, 2).unwrap()), [(4, 4), (20, 10)]);
    let problem = made(&bytes, Turns::One, false, 3).unwrap_err();
    assert_eq!(problem.what, "2 of 6 conversations fit, which fill 2 places of 3");
    assert!(problem.next.unwrap().contains("nonce = true"));
}

#[test]
fn sessions_hold_recorded_answers_and_end_at_the_first_turn_that_does_not_fit() {
    // In tokens before and with the answer: 4, 8; 12, 16; 20, 30; a fourth turn has no room.
    let bytes = recorded(&[&[4, 4, 4, 4, 4, 10, 4, 4]]);
    let set = made(&bytes, Turns::All, false, 3).unwrap();
    assert_eq!(set.iter().map(|r| r.messages.len()).collect::<Vec<_>>(), [1, 3, 5]);
    assert_eq!(
        set.iter().map(|r| (r.session, r.max_tokens)).collect::<Vec<_>>(),
        [(Some(0), Some(4)), (Some(0), Some(4)), (Some(0), Some(10))]
    );
    assert_eq!(from_jsonl(&to_jsonl(&set), "x").unwrap(), set);
    assert!(made(&bytes, Turns::All, false, 4).is_err());
}

#[test]
fn the_order_is_the_seeds_and_a_longer_set_begins_with_the_shorter_one() {
    let bytes = recorded(&[&[4, 4], &[5, 4], &[6, 4], &[7, 4], &[8, 4], &[9, 4]]);
    let (words, set) = (fixtures::words(), made(&bytes, Turns::One, false, 6).unwrap());
    assert_eq!(made(&bytes, Turns::One, false, 3).unwrap(), set[..3]);
    let other = Sharegpt { seed: 4, ..spec(&bytes, Turns::One, false) };
    let other = sharegpt(&other, &bytes, &words, &slots(6)).unwrap();
    assert_eq!(lengths(&other), lengths(&set));
    assert_ne!(other, set);
}

#[test]
fn a_question_that_stands_twice_is_asked_once() {
    let mut twice: Vec<serde_json::Value> = serde_json::from_slice(&recorded(&[&[4, 4], &[5, 4]])).unwrap();
    twice.push(twice[0].clone());
    let bytes = serde_json::Value::from(twice).to_string().into_bytes();
    assert_eq!(lengths(&made(&bytes, Turns::One, false, 2).unwrap()), [(4, 4), (5, 4)]);
    assert!(made(&bytes, Turns::One, false, 3).is_err());
}

#[test]
fn with_a_nonce_conversations_repeat_and_no_prompt_does() {
    let bytes = recorded(&[&[4, 4], &[5, 4, 4, 4]]);
    for turns in [Turns::One, Turns::All] {
        let set = made(&bytes, turns, true, 40).unwrap();
        assert!(set.iter().all(|r| r.messages[0].content.starts_with('[')));
        assert_eq!(from_jsonl(&to_jsonl(&set), "x").unwrap(), set);
        assert_eq!(made(&bytes, turns, true, 7).unwrap(), set[..7]);
    }
    assert!(made(&recorded(&[&[1, 1]]), Turns::One, true, 1).is_err(), "nothing fits, so nothing can be repeated");
}

#[test]
fn another_file_and_settings_out_of_range_are_refused() {
    let bytes = recorded(&[&[4, 4]]);
    let spec = spec(&bytes, Turns::One, false);
    assert!(sharegpt(&spec, b"[]", &fixtures::words(), &slots(1)).unwrap_err().what.starts_with("its digest"));
    assert_eq!(Sharegpt { max_total: 0, ..spec }.check().unwrap_err().0, "max-total");
}
