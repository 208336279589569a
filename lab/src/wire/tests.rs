mod abridged;
mod faults;
mod framing;
mod standard;

use proptest::prelude::*;

use super::*;

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";

fn chunked(parts: &[&str]) -> Vec<u8> {
    let mut bytes = HEAD.as_bytes().to_vec();
    for part in parts.iter().chain([&""]) {
        bytes.extend(format!("{:x}\r\n{part}\r\n", part.len()).bytes());
    }
    bytes
}

fn said(text: &str, ids: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"token_ids\":[{ids}],\"finish_reason\":null}}]}}\n\n"
    )
}

const ROLE: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn whole(bytes: &[u8], end: End) -> Derived {
    derive(bytes, &[bytes.len()], end)
}

#[test]
fn a_stream_becomes_chunks_and_the_role_is_none_of_them() {
    let bytes = chunked(&[ROLE, &said("The", "504"), &said(" cat sat", "1,2"), USAGE, DONE]);
    let derived = whole(&bytes, End::Complete);
    assert_eq!(
        (derived.outcome, derived.done, derived.claimed),
        (Outcome::Complete, true, Claimed { prompt: Some(5), output: Some(3) })
    );
    assert_eq!(
        derived.chunks.iter().map(|c| (c.event, c.text.as_str(), c.ids.len())).collect::<Vec<_>>(),
        [(1, "The", 1), (2, " cat sat", 2)]
    );
}

#[test]
fn a_chunk_belongs_to_the_read_that_completed_it() {
    let bytes = chunked(&[&said("a", "1"), &said("b", "2"), DONE]);
    let first_end = bytes.windows(2).position(|w| w == b"\n\n").unwrap() + 2;
    let derived = derive(&bytes, &[10, first_end - 11, 1, bytes.len() - first_end], End::Complete);
    assert_eq!(derived.chunks.iter().map(|c| c.read).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(derived.head_read, Some(1));
}

/// The text of the one chunk of a message with this delta.
fn text_of(delta: &str) -> String {
    let event = format!("data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n");
    let derived = whole(&chunked(&[&event, DONE]), End::Complete);
    assert_eq!((derived.outcome, derived.chunks.len()), (Outcome::Complete, 1), "{}", derived.detail);
    derived.chunks[0].text.clone()
}

#[test]
fn reasoning_refusals_and_calls_are_output() {
    for (delta, text) in [
        (r#"{"reasoning":"hm"}"#, "hm"),
        (r#"{"reasoning_content":"hm"}"#, "hm"),
        (r#"{"refusal":"no"}"#, "no"),
        (
            r#"{"content":null,"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":""}}]}"#,
            "f",
        ),
        (
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}},{"index":1,"function":{"arguments":"1}"}}]}"#,
            "{\"a\":1}",
        ),
        (r#"{"function_call":{"name":"f","arguments":"{}"}}"#, "f{}"),
        (r#"{"reasoning_content":"hm","content":" so","tool_calls":[{"function":{"name":"f"}}]}"#, "hm sof"),
    ] {
        assert_eq!(text_of(delta), text, "{delta}");
    }
}

#[test]
fn reasoning_that_stands_under_its_old_and_its_new_name_is_one_text() {
    assert_eq!(text_of(r#"{"reasoning":"hm","reasoning_content":"hm"}"#), "hm");
    assert_eq!(text_of(r#"{"reasoning":"hm","reasoning_content":" and"}"#), "hm and");
}

proptest! {
    #[test]
    fn any_split_of_the_same_bytes_gives_the_same_chunks(cuts in prop::collection::vec(0usize..600, 0..40)) {
        let bytes = chunked(&[ROLE, &said("Thé", "504"), &said(" cat", "1,2"), USAGE, DONE]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        let reads: Vec<usize> = cuts.windows(2).map(|w| w[1] - w[0]).collect();
        let mut derived = derive(&bytes, &reads, End::Complete);
        let mut expected = whole(&bytes, End::Complete);
        for d in [&mut derived, &mut expected] {
            d.head_read = None;
            d.chunks.iter_mut().for_each(|c| c.read = 0);
        }
        prop_assert_eq!(derived, expected);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), with_head: bool) {
        let bytes = if with_head { [HEAD.as_bytes(), &bytes].concat() } else { bytes };
        whole(&bytes, End::Closed);
    }
}
