//! Answers whose lists of considered tokens are left out come to what they come to with them.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;
use crate::wire::packed::{abridge, pack, unpack};

/// What servers list as considered, and what they might.
const ENTRIES: [&str; 16] = [
    r#"{"token":" The","logprob":-0.0019151709275320172,"bytes":[32,84,104,101]}"#,
    r#"{"token":"\u00e9\"","logprob":-9.999999747378752e-05,"bytes":[195,169,34]}"#,
    r#"{"token":"","logprob":-1.5,"bytes":[]}"#,
    r#"{"token":"ab","logprob":-0.10,"bytes":[97,98]}"#,
    r#"{"token":"\ufffd","logprob":-3,"bytes":[240,159]}"#,
    r#"{"token":"a","logprob":-0.5}"#,
    r#"{"token":"a","logprob":-0.5,"bytes":null}"#,
    r#"{"token":"Thé 🎉","logprob":0.0,"bytes":[84]}"#,
    r#"{"token":"\"token\":","logprob":-0.5,"bytes":[34,116,111,107,101,110,34,58]}"#,
    r#"{"token":"a","logprob":-0.5,"bytes":[97],"id":3}"#,
    r#"{"token":"a", "logprob":-0.5}"#,
    r#"{"token":"a","logprob":null,"bytes":[97]}"#,
    r#"{"logprob":-0.5,"token":"a","bytes":[97]}"#,
    r#"{"token":"data: [DONE]\n\n","logprob":-0.5,"bytes":[97]}"#,
    r#"{"token":"a","logprob":-0.5,"bytes":[[[[[[97]]]]]]}"#,
    r#"{"token":"","logprob":-3e38,"bytes":"]"}"#,
];

const BYTES_OF_FIRST: &str = "32,84,104,101";

/// What is put in anywhere: half of it makes an answer malformed.
const PARTS: [&[u8]; 12] = [
    b"",
    b"\"",
    b"\\",
    b"\n",
    b"\n\n",
    b"]",
    b"\"top_logprobs\":[",
    b"\"bytes\":[97]",
    b"\"logprob\":-0.5",
    b"event: error\n",
    b"\xff",
    b"data: {\"error\":{\"a\":1}}\n\n",
];

#[derive(Debug)]
struct Answer {
    bytes: Vec<u8>,
    /// Lengths of reads, gone through over and over.
    reads: Vec<usize>,
}

fn answers() -> impl Strategy<Value = Answer> {
    let token = (0..ENTRIES.len(), vec(prop_oneof![4 => 0..9usize, 1 => 0..ENTRIES.len()], 0..6), any::<bool>());
    let (events, sizes) = (vec(token, 0..6), vec(prop_oneof![1usize..90, 200usize..4_000], 1..9));
    let edits = prop_oneof![2 => Just(Vec::new()), 1 => vec((any::<Index>(), 0..9usize, 0..PARTS.len()), 1..3)];
    let reads = vec(prop_oneof![Just(1), 1usize..70, 1usize..5_000], 1..9);
    (events, sizes, edits, reads, 0..3usize).prop_map(|(events, sizes, edits, reads, framing)| {
        let events = events.iter().map(|(own, tops, spaced)| event(ENTRIES[*own], tops, *spaced));
        let body = [ROLE.to_owned()].into_iter().chain(events).chain([USAGE.to_owned(), DONE.to_owned()]);
        let mut bytes = framed(body.collect::<String>().as_bytes(), &sizes, framing);
        for (at, cut, part) in edits {
            let from = at.index(bytes.len());
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, PARTS[part].iter().copied());
        }
        Answer { bytes, reads }
    })
}

fn event(own: &str, tops: &[usize], spaced: bool) -> String {
    let tops: Vec<&str> = tops.iter().map(|i| ENTRIES[*i]).collect();
    let (own, space) = (own.strip_suffix('}').unwrap(), if spaced { " " } else { "" });
    let entry = format!("{own},\"top_logprobs\":[{}]}}", tops.join(","));
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"a\"}},\"logprobs\":{{\"content\":{space}[{entry}]}},\"token_ids\":[7]}}]}}\n\n"
    )
}

fn framed(body: &[u8], sizes: &[usize], framing: usize) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    match framing {
        0 => [format!("{head}\r\n").as_bytes(), body].concat(),
        1 => [format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat(),
        _ => {
            let (mut bytes, mut rest) = (HEAD.as_bytes().to_vec(), body);
            for size in sizes.iter().cycle() {
                let (part, after) = rest.split_at(rest.len().min(*size));
                bytes.extend(format!("{:x}\r\n", part.len()).bytes().chain(part.iter().copied()).chain(*b"\r\n"));
                rest = after;
                if part.is_empty() {
                    return bytes;
                }
            }
            bytes
        }
    }
}

/// What these packed bytes are read as is what they stand for.
fn is_read_as_it_is(packed: &[u8], reads: &[usize], end: End) {
    let Some(plain) = unpack(packed, 1 << 20) else {
        assert_eq!(abridge(packed, 1 << 20).map(|abridged| abridged.len()), None);
        return;
    };
    let raw = Raw::unpacked(packed.to_vec(), plain.len()).unwrap();
    assert_eq!(raw.len(), plain.len());
    assert_eq!(raw.bytes(), plain);
    let (mut all, mut left) = (Vec::new(), plain.len());
    for read in reads.iter().cycle() {
        all.push(left.min(*read));
        left -= left.min(*read);
        if left == 0 {
            break;
        }
    }
    assert_eq!(raw.derive(&all, end), derive(&plain, &all, end));
    assert!(Raw::unpacked(packed.to_vec(), plain.len() + 1).is_none());
    assert!(plain.is_empty() || Raw::unpacked(packed.to_vec(), plain.len() - 1).is_none());
}

#[test]
fn of_lists_as_most_servers_write_them_nothing_is_read() {
    let event = event(ENTRIES[0], &[0, 1, 2, 3, 4, 5, 6, 7, 8], false);
    let bytes = chunked(&[ROLE, &event, &event, USAGE, DONE]);
    let abridged = abridge(&pack(&bytes).unwrap(), bytes.len()).unwrap();
    let listed = ENTRIES[..9].join(",");
    assert_eq!(
        abridged.gaps.iter().map(|gap| gap.len).collect::<Vec<_>>(),
        [BYTES_OF_FIRST.len(), listed.len()].repeat(2)
    );
    assert_eq!(
        String::from_utf8(abridged.bytes.clone()).unwrap(),
        String::from_utf8(bytes.clone()).unwrap().replace(&listed, "").replace(BYTES_OF_FIRST, "")
    );
    let derived = derive_abridged(&abridged, &[bytes.len()], End::Complete);
    assert_eq!(derived, Some(whole(&bytes, End::Complete)));
}

#[test]
fn lists_of_other_entries_stay() {
    for (i, other) in ENTRIES.iter().enumerate().skip(9) {
        let bytes = chunked(&[&event(ENTRIES[0], &[0, i], false)]);
        let gaps = abridge(&pack(&bytes).unwrap(), bytes.len()).map_or(Vec::new(), |abridged| abridged.gaps);
        let listed = ENTRIES[0].len() + 1 + other.len();
        assert_eq!(gaps.iter().any(|gap| gap.len == listed), matches!(i, 13 | 15), "{other}");
    }
}

/// Without its entries a list goes less deep, and a parser may refuse what is too deep.
#[test]
fn a_list_may_stand_however_deep() {
    for depth in 1..200 {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let event = format!("data: {{\"x\":{open}{{\"top_logprobs\":[{}]}}{close}}}\n\n", ENTRIES[0]);
        let bytes = chunked(&[&event, &said("a", "1"), DONE]);
        is_read_as_it_is(&pack(&bytes).unwrap(), &[bytes.len()], End::Complete);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn an_abridged_answer_comes_to_what_the_whole_comes_to(answer in answers(), closed: bool) {
        if let Some(packed) = pack(&answer.bytes) {
            prop_assert_eq!(&unpack(&packed, answer.bytes.len()).unwrap(), &answer.bytes);
            is_read_as_it_is(&packed, &answer.reads, if closed { End::Closed } else { End::Complete });
        }
    }

    #[test]
    fn so_does_one_that_nobody_packed(answer in answers(), edits in vec((any::<Index>(), 0..3usize, vec(prop_oneof![Just(1u8), Just(2), any::<u8>()], 0..5)), 1..4)) {
        let mut packed = pack(&answer.bytes).unwrap_or(answer.bytes);
        for (at, cut, part) in edits {
            let from = at.index(packed.len());
            let to = (from + cut).min(packed.len());
            packed.splice(from..to, part);
        }
        is_read_as_it_is(&packed, &answer.reads, End::Complete);
    }
}
