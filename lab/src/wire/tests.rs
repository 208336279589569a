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

#[test]
fn reasoning_and_tool_calls_are_output() {
    let event = r#"data: {"choices":[{"delta":{"reasoning_content":"hm","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}"#;
    let derived = whole(&chunked(&[event, "\n\n", DONE]), End::Complete);
    assert_eq!(derived.chunks[0].text, "hmf{}");
}

#[test]
fn comments_crlf_missing_spaces_and_split_data_lines_are_read() {
    let event = ": keep-alive\r\n\r\ndata:{\"choices\":[{\"index\":0,\r\ndata: \"text\":\"x\"}]}\r\n\r\n";
    assert_eq!(whole(&chunked(&[event, DONE]), End::Complete).chunks[0].text, "x");
}

#[test]
fn every_fault_of_a_stream_is_its_own_outcome() {
    let one = said("a", "1");
    let cases: &[(&str, Vec<u8>, End, Outcome)] = &[
        ("an event that is not JSON", chunked(&["data: {\"choices\":\n\n"]), End::Complete, Outcome::Malformed),
        ("an error inside a 200 stream", chunked(&["data: {\"error\":{\"code\":500}}\n\n"]), End::Complete, Outcome::Malformed),
        ("an error event", chunked(&["event: error\ndata: {}\n\n"]), End::Complete, Outcome::Malformed),
        ("output after [DONE]", chunked(&[DONE, &one]), End::Complete, Outcome::Malformed),
        ("two choices at once", chunked(&["data: {\"choices\":[{\"text\":\"x\"},{\"text\":\"y\"}]}\n\n"]), End::Complete, Outcome::Malformed),
        ("a second choice", chunked(&["data: {\"choices\":[{\"index\":1,\"text\":\"x\"}]}\n\n"]), End::Complete, Outcome::Malformed),
        ("a closed connection", HEAD.as_bytes().to_vec(), End::Closed, Outcome::Closed),
        ("a reset", chunked(&[&one])[..HEAD.len() + 9].to_vec(), End::Reset, Outcome::Reset),
        ("nothing at all", Vec::new(), End::Deadline, Outcome::Deadline),
        ("not HTTP", b"SSH-2.0-x\r\n".to_vec(), End::NotHttp, Outcome::Malformed),
        ("status 500", b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno".to_vec(), End::Complete, Outcome::HttpError),
        ("a redirect", b"HTTP/1.1 307 Go\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n".to_vec(), End::Complete, Outcome::HttpError),
        ("a compressed body", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx".to_vec(), End::Complete, Outcome::Malformed),
        ("an unstreamed reply", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".to_vec(), End::Complete, Outcome::Malformed),
    ];
    for (name, bytes, end, outcome) in cases {
        assert_eq!(whole(bytes, *end).outcome, *outcome, "{name}");
    }
}

#[test]
fn invalid_utf8_is_named() {
    let body = b"data: {\"choices\":\"\xff\xfe\"}\n\n";
    let size = format!("{:x}\r\n", body.len());
    let bytes = [HEAD.as_bytes(), size.as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
    let derived = whole(&bytes, End::Complete);
    assert_eq!((derived.outcome, derived.detail.as_str()), (Outcome::Malformed, "event 0 is not UTF-8"));
}

#[test]
fn what_came_before_a_fault_is_kept() {
    let derived = whole(&chunked(&[&said("a", "1"), "data: nonsense\n\n"]), End::Complete);
    assert_eq!((derived.outcome, derived.chunks.len()), (Outcome::Malformed, 1));
}

#[test]
fn framing_that_lies_about_its_length_is_refused() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
    ] {
        let mut framing = Framing::default();
        framing.feed(head.as_bytes(), |_| {});
        framing.feed(b"x\n", |_| {});
        assert!(framing.fault().is_some(), "{head}");
    }
}

#[test]
fn an_endless_head_is_not_kept() {
    let mut framing = Framing::default();
    framing.feed(b"HTTP/1.1 200 OK\r\nX: ", |_| {});
    for _ in 0..100 {
        framing.feed(&[b'y'; 4096], |_| {});
    }
    assert_eq!(framing.fault(), Some("the response's head is longer than 64 KiB"));
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
