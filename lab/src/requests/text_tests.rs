use super::*;
use crate::requests::{fixtures, fixtures::slots, from_jsonl, to_jsonl};

fn spec(input: Length) -> Text {
    Text { model: "m".into(), seed: 7, input, output: None, prefix: None, turns: 1 }
}

fn contents(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|r| r.messages.last().unwrap().content.as_str()).collect()
}

#[test]
fn prompts_are_exactly_as_long_as_asked_in_words_and_in_bytes() {
    let (words, bytes) = (fixtures::words(), fixtures::bytes());
    for tokens in [1, 2, 3, 5, 23, 24, 25, 100, 513] {
        let made = text(&spec(Length::Fixed(tokens)), &words, &slots(20)).unwrap();
        for content in contents(&made) {
            assert_eq!(fixtures::words_in(content), tokens as usize, "{content}");
        }
    }
    for tokens in [4, 5, 23, 24, 25, 100, 513] {
        let made = text(&spec(Length::Fixed(tokens)), &bytes, &slots(20)).unwrap();
        for content in contents(&made) {
            assert_eq!(content.len(), tokens as usize, "{content}");
        }
    }
}

#[test]
fn prompts_are_exact_for_real_tokenizers_and_for_one_whose_words_are_entangled() {
    let input = Length::Uniform { min: 2, max: 300 };
    for tokenizer in [fixtures::stub(), fixtures::entangled()] {
        let spec = spec(input.clone());
        for (slot, content) in slots(300).iter().zip(contents(&text(&spec, &tokenizer, &slots(300)).unwrap())) {
            let wanted = input.draw(&mut Stream::new(&7u64.to_be_bytes(), &format!("text lengths {}", slot.like)));
            assert_eq!(tokenizer.encode(content).len(), wanted as usize, "{content}");
            assert!(content.trim() == content && !content.contains('\u{fffd}'), "{content}");
        }
    }
}

#[test]
fn a_text_reads_as_words() {
    let made = text(&spec(Length::Fixed(60)), &fixtures::words(), &slots(1)).unwrap();
    let known: HashSet<_> = crate::requests::prose::words().into_iter().collect();
    let content = contents(&made)[0];
    assert!(content.split(' ').all(|w| known.contains(w.trim_end_matches('.'))), "{content}");
}

#[test]
fn very_long_prompts_are_exact_too() {
    let made = text(&spec(Length::Fixed(100_000)), &fixtures::words(), &slots(1)).unwrap();
    assert_eq!(fixtures::words_in(contents(&made)[0]), 100_000);
}

#[test]
fn a_set_is_distinct_the_same_again_and_the_beginning_of_a_longer_one() {
    let tokenizer = fixtures::stub();
    let spec = Text {
        output: Some(Length::Uniform { min: 1, max: 9 }),
        prefix: Some(Prefix { groups: 3, tokens: 10 }),
        turns: 3,
        ..spec(Length::Uniform { min: 5, max: 40 })
    };
    let long = text(&spec, &tokenizer, &slots(200)).unwrap();
    assert_eq!(text(&spec, &tokenizer, &slots(200)).unwrap(), long);
    assert_eq!(text(&spec, &tokenizer, &slots(50)).unwrap(), long[..50]);
    assert_ne!(text(&Text { seed: 8, ..spec }, &tokenizer, &slots(1)).unwrap()[0], long[0]);
    assert_eq!(from_jsonl(&to_jsonl(&long), "x").unwrap(), long, "it obeys every rule of a request set");
}

#[test]
fn when_short_prompts_run_out_the_message_counts_those_that_were_found() {
    // In bytes, the only word of one letter in the lists is `a`.
    let problem = text(&spec(Length::Fixed(1)), &fixtures::bytes(), &slots(2)).unwrap_err();
    assert_eq!(problem.what, "no more than 1 distinct prompts of 1 token were found");
    assert_eq!(problem.place.as_deref(), Some("requests.text.input"));
}

#[test]
fn every_word_is_found_before_the_set_is_said_to_be_too_large() {
    let all = crate::requests::prose::words().len() as u32;
    assert_eq!(text(&spec(Length::Fixed(1)), &fixtures::words(), &slots(all)).unwrap().len(), all as usize);
    assert!(text(&spec(Length::Fixed(1)), &fixtures::words(), &slots(all + 1)).is_err());
}

#[test]
fn groups_share_a_beginning_of_exactly_so_many_tokens() {
    for tokenizer in [fixtures::words(), fixtures::stub(), fixtures::entangled()] {
        let spec = Text { prefix: Some(Prefix { groups: 2, tokens: 40 }), ..spec(Length::Fixed(6)) };
        let made = text(&spec, &tokenizer, &slots(40)).unwrap();
        let ids: Vec<_> = contents(&made).iter().map(|c| tokenizer.encode(c)).collect();
        assert!(ids.iter().all(|ids| ids.len() == 46));
        let beginnings: HashSet<_> = ids.iter().map(|ids| &ids[..40]).collect();
        assert_eq!(beginnings.len(), 2);
    }
}

#[test]
fn warm_up_requests_have_the_lengths_of_what_they_imitate_but_not_a_word_or_prefix_of_it() {
    let tokenizer = fixtures::words();
    let spec = Text {
        output: Some(Length::Uniform { min: 10, max: 500 }),
        prefix: Some(Prefix { groups: 1, tokens: 30 }),
        ..spec(Length::Uniform { min: 10, max: 500 })
    };
    let mut slots = slots(8);
    (0..4).for_each(|i| slots[i].like = i as u32 + 4);
    slots[4].opens = true;
    let made = text(&spec, &tokenizer, &slots).unwrap();
    for (warm, timed) in made[..4].iter().zip(&made[4..]) {
        let (a, b) = (&warm.messages[0].content, &timed.messages[0].content);
        assert_eq!((fixtures::words_in(a), warm.max_tokens), (fixtures::words_in(b), timed.max_tokens));
        let shared = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
        assert!(shared < 60, "{a}\n{b}");
    }
}

#[test]
fn sessions_grow_turn_by_turn_and_end_with_their_load() {
    let tokenizer = fixtures::words();
    let spec = Text { output: Some(Length::Fixed(30)), turns: 3, ..spec(Length::Fixed(50)) };
    let mut slots = slots(8);
    slots[5].opens = true;
    let made = text(&spec, &tokenizer, &slots).unwrap();
    assert_eq!(made.iter().map(|r| r.session.unwrap()).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 2, 2, 2]);
    assert_eq!(made.iter().map(|r| r.messages.len()).collect::<Vec<_>>(), [1, 3, 5, 1, 3, 1, 3, 5]);
    for message in made.iter().flat_map(|r| &r.messages) {
        let tokens = if message.role == Role::User { 50 } else { 30 };
        assert_eq!(fixtures::words_in(&message.content), tokens);
    }
    from_jsonl(&to_jsonl(&made), "x").unwrap();
}

#[test]
fn lengths_of_a_trace_stand_in_for_the_distributions() {
    let mut slots = slots(2);
    slots[1].lengths = Some((33, 4));
    let made = text(&spec(Length::Fixed(5)), &fixtures::words(), &slots).unwrap();
    assert_eq!(contents(&made).into_iter().map(fixtures::words_in).collect::<Vec<_>>(), [5, 33]);
    assert_eq!([made[0].max_tokens, made[1].max_tokens], [None, Some(4)]);
}

#[test]
fn settings_out_of_range_name_their_field() {
    let bad = |change: fn(&mut Text)| {
        let mut spec = spec(Length::Fixed(5));
        change(&mut spec);
        spec.check().unwrap_err().0
    };
    assert_eq!(bad(|s| s.input = Length::Fixed(0)), "input");
    assert_eq!(bad(|s| s.output = Some(Length::Fixed(0))), "output");
    assert_eq!(bad(|s| s.prefix = Some(Prefix { groups: 0, tokens: 1 })), "prefix.groups");
    assert_eq!(bad(|s| s.prefix = Some(Prefix { groups: 1, tokens: 0 })), "prefix.tokens");
    assert_eq!(bad(|s| s.turns = 0), "turns");
    assert_eq!(bad(|s| s.turns = 2), "turns", "answers between the turns need a length");
}

#[test]
fn how_long_a_set_is_is_known_before_it_is_written() {
    let tokenizer = fixtures::words();
    let of = |spec: &Text, slots: &[Slot]| {
        let made = text(spec, &tokenizer, slots).unwrap();
        let turns: usize = contents(&made).iter().map(|content| fixtures::words_in(content)).sum();
        assert_eq!(text_tokens(spec, slots), turns as u64);
        turns
    };
    of(&spec(Length::Uniform { min: 2, max: 40 }), &slots(50));
    let output = Some(Length::Fixed(3));
    let prefix = Some(Prefix { groups: 2, tokens: 30 });
    let sessions = Text { output, prefix, turns: 3, ..spec(Length::Fixed(10)) };
    // Seven turns: three sessions begin, each with the beginning that its group shares.
    assert_eq!(of(&sessions, &slots(7)), 7 * 10 + 3 * 30);
    let traced: Vec<Slot> = slots(4).into_iter().map(|slot| Slot { lengths: Some((9, 2)), ..slot }).collect();
    assert_eq!(of(&spec(Length::Fixed(1)), &traced), 36);
}
