//! What starts the first token's time, and what does not.

use lab::{
    Nanos,
    records::{Outcome, Read},
    tokenizer::Tokenizer,
    wire::End,
};

use super::super::visible::is_visible;
use crate::{
    study::Response,
    test_support::{END, recorded, text_of, word},
};

/// A response whose chunks, each a text and ids, come 10 ns apart, the first at 20.
fn heard(chunks: &[(&str, &[u32])], tokenizer: &Tokenizer) -> Response {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let events = chunks.iter().map(|(text, ids)| {
        let choice = serde_json::json!({"delta": {"content": text}, "token_ids": ids, "finish_reason": null});
        format!("data: {}\n\n", serde_json::json!({"choices": [choice]}))
    });
    let parts: Vec<String> = std::iter::once(head.to_owned()).chain(events).collect();
    let read = |(i, part): (u64, &String)| Read { at: Nanos(10 * i), len: part.len(), behind: Nanos(0) };
    let reads: Vec<Read> = (1..).zip(&parts).map(read).collect();
    let response = recorded::heard(reads, parts.concat().into_bytes(), End::Closed, tokenizer);
    assert_eq!(response.outcome, Outcome::Complete);
    response
}

/// When the first output came.
fn first(chunks: &[(&str, &[u32])]) -> Option<u64> {
    let tokenizer = Tokenizer::from_bytes(crate::test_support::tokenizer_json().as_bytes()).unwrap();
    heard(chunks, &tokenizer).ttft().map(|n| n.0)
}

#[test]
fn text_that_nobody_can_see_starts_no_clock_and_is_no_gap() {
    for nothing in ["", "\u{200b}", "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}", "\u{e0041}\u{fe0f}"] {
        assert_eq!(first(&[(nothing, &[]), ("a", &[]), (nothing, &[])]), Some(30), "{nothing:?}");
        assert_eq!(first(&[(nothing, &[])]), None, "{nothing:?}");
        assert_eq!(first(&[(nothing, &[END]), ("a", &[])]), Some(30), "{nothing:?} with a special token");
    }
    let tokenizer = Tokenizer::from_bytes(crate::test_support::tokenizer_json().as_bytes()).unwrap();
    let response = heard(&[("a", &[]), ("\u{200b}", &[]), ("b", &[])], &tokenizer);
    assert_eq!(response.gaps().collect::<Vec<_>>(), [Nanos(20)]);
    assert_eq!(response.text, "a\u{200b}b", "the text keeps it: it is what is graded");
}

#[test]
fn text_that_shows_starts_the_clock_whatever_stands_beside_it() {
    for text in ["a", " ", "\n", "\u{a0}", "\u{301}", "\u{fffd}", "\u{200b}a", "字", "\u{200d}🎉"] {
        assert_eq!(first(&[(text, &[]), ("a", &[])]), Some(20), "{text:?}");
    }
}

#[test]
fn with_ids_the_ids_decide() {
    let id = word(7);
    assert_eq!(first(&[("", &[id]), (&text_of(id), &[])]), Some(20), "bytes of an unfinished character are held back");
    assert_eq!(first(&[("\u{200d}", &[id])]), Some(20), "a token may be a joiner");
    assert_eq!(first(&[("", &[END]), (&text_of(id), &[id])]), Some(30), "a special token is no output");
}

#[test]
fn an_early_id_is_in_the_count_and_has_to_be_in_the_text() {
    // An id sent early with a text that does not show it: the ids are then those of another
    // text, so that the count rests on the text and the check `ids-match-text` speaks.
    let id = word(7);
    let tokenizer = Tokenizer::from_bytes(crate::test_support::tokenizer_json().as_bytes()).unwrap();
    let response = heard(&[("\u{200b}", &[id]), (&text_of(id), &[id])], &tokenizer);
    assert_eq!(response.counted_from, crate::study::CountedFrom::Text);
}

#[test]
fn ignorable_are_as_many_characters_as_unicode_says() {
    // "Total code points: 4174" under Default_Ignorable_Code_Point in DerivedCoreProperties.txt.
    let ignorable = ('\0'..=char::MAX).filter(|c| !is_visible(c.encode_utf8(&mut [0; 4])));
    assert_eq!(ignorable.count(), 4_174);
}
