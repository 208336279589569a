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

/// Name and data of each event of a body, and where it ends.
fn events(body: &str) -> Vec<(String, String, usize)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    sse::events(body.as_bytes()).map(|e| (text(e.name), text(&e.data), e.end)).collect()
}

fn data(body: &str) -> Vec<String> {
    events(body).into_iter().map(|(_, data, _)| data).collect()
}

#[test]
fn the_examples_of_the_standard_are_read_as_it_says() {
    assert_eq!(data("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
    let four = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
    assert_eq!(data(four), ["first event", "second event", " third event"]);
    assert_eq!(data("data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
    assert_eq!(data("data:test\n\ndata: test\n\n"), ["test", "test"]);
    let named = "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\ndata: 1\n\n";
    assert_eq!(events(named).into_iter().map(|e| e.0).collect::<Vec<_>>(), ["add", "remove", ""]);
}

#[test]
fn a_line_ends_with_lf_or_crlf_or_cr_and_a_pair_is_one_end() {
    for (body, ends) in [
        ("data: a\n\ndata: b\n\n", [9, 18]),
        // Complete with the carriage return of the blank line: what follows may be late.
        ("data: a\r\n\r\ndata: b\r\n\r\n", [10, 21]),
        ("data: a\r\rdata: b\r\r", [9, 18]),
        ("data: a\r\n\ndata: b\n\r", [10, 19]),
        ("data: a\r\n\rdata: b\n\r\n", [10, 19]),
    ] {
        let expected = [("a", ends[0]), ("b", ends[1])];
        let found = events(body);
        assert_eq!(found.iter().map(|e| (e.1.as_str(), e.2)).collect::<Vec<_>>(), expected, "{body:?}");
    }
    assert_eq!(data("data: a\r\ndata: b\r\n\r\n"), ["a\nb"], "a pair within an event is no blank line");
}

#[test]
fn a_byte_order_mark_opens_a_stream_and_is_nothing_elsewhere() {
    assert_eq!(data("\u{feff}data: a\n\n\u{feff}data: b\n\n"), ["a"]);
    assert_eq!(events("\u{feff}data: a\n\n")[0].2, 12);
    assert_eq!(data("\u{feff}\u{feff}data: a\n\n"), [""; 0]);
}

#[test]
fn comments_unknown_fields_and_unfinished_events_are_dropped() {
    assert_eq!(data(": data: x\n:\n\nid: 1\nretry: 5\ndatax: y\n data: z\nDATA: w\ndata: a\n\n"), ["a"]);
    for rest in ["data: b", "data: b\n", "data: b\n:", "data: b\nevent: error\n", "data: b\nevent: error"] {
        assert_eq!(data(&format!("data: a\n\n{rest}")), ["a"], "{rest:?}");
    }
}

#[test]
fn an_event_that_is_named_an_error_needs_no_data_and_other_names_last_for_one_event() {
    assert_eq!(events("event: error\n\n"), [("error".into(), "".into(), 14)]);
    assert_eq!(events("event:error\r\ndata: x\r\n\r\n")[0].0, "error");
    assert_eq!(events("event: error\nevent: y\ndata: x\n\n")[0].0, "y");
    assert_eq!(events("event: y\n\ndata: x\n\n"), [("".into(), "x".into(), 19)]);
}

#[test]
fn comments_crlf_missing_spaces_and_split_data_lines_are_read() {
    let event = ": keep-alive\r\n\r\ndata:{\"choices\":[{\"index\":0,\r\ndata: \"text\":\"x\"}]}\r\n\r\n";
    assert_eq!(whole(&chunked(&[event, DONE]), End::Complete).chunks[0].text, "x");
}

fn headed(head: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}Content-Length: 2\r\n\r\n{{}}").into_bytes()
}

#[test]
fn every_fault_of_a_stream_is_its_own_outcome_and_says_what_it_is() {
    use Outcome::{Closed, Deadline, HttpError, Malformed, NoConnection, NotSent, Reset, TimeUp, TooLarge};
    let one = said("a", "1");
    let event = |data: &str| chunked(&[&one, &format!("{data}\n\n")]);
    let whole_one = chunked(&[&one, DONE]);
    let cut = |n: usize| whole_one[..whole_one.len() - n].to_vec();
    let cases: &[(&str, Vec<u8>, End, Outcome, &str)] = &[
        ("truncated JSON", event("data: {\"choices\":[{\"te"), End::Complete, Malformed, "event 1 is not a chunk: EOF"),
        ("empty data", event("data:"), End::Complete, Malformed, "event 1 is not a chunk: EOF"),
        (
            "an error object",
            event("data: {\"error\":{\"code\":500}}"),
            End::Complete,
            Malformed,
            "event 1 is an error: {\"error\":{\"code\":500}}",
        ),
        ("an error string", event("data: {\"error\":\"oops\"}"), End::Complete, Malformed, "event 1 is an error"),
        (
            "an error beside a chunk",
            event("data: {\"choices\":[{\"text\":\"x\"}],\"error\":{}}"),
            End::Complete,
            Malformed,
            "event 1 is an error",
        ),
        (
            "an error by its object",
            event("data: {\"object\":\"error\",\"message\":\"m\",\"code\":400}"),
            End::Complete,
            Malformed,
            "event 1 is an error",
        ),
        (
            "an error by its name",
            event("event: error\ndata: {\"message\":\"oom\"}"),
            End::Complete,
            Malformed,
            "event 1 is an error: {\"message\":\"oom\"}",
        ),
        (
            "an error named before a chunk",
            event("event:error\r\ndata: {\"choices\":[]}"),
            End::Complete,
            Malformed,
            "event 1 is an error",
        ),
        (
            "an error after the end",
            chunked(&[DONE, "event: error\n\n"]),
            End::Complete,
            Malformed,
            "event 1 is an error",
        ),
        ("output after [DONE]", chunked(&[DONE, &one]), End::Complete, Malformed, "an event after [DONE]"),
        (
            "two choices at once",
            event("data: {\"choices\":[{\"text\":\"x\"},{\"text\":\"y\"}]}"),
            End::Complete,
            Malformed,
            "event 1 is not a chunk: it holds two choices",
        ),
        (
            "a second choice",
            event("data: {\"choices\":[{\"index\":1,\"text\":\"x\"}]}"),
            End::Complete,
            Malformed,
            "event 1 answers a second choice",
        ),
        ("a list for an object", event("data: []"), End::Complete, Malformed, "event 1 is not a chunk"),
        ("closed before the head", Vec::new(), End::Closed, Closed, "no response"),
        ("closed within the head", HEAD.as_bytes()[..40].to_vec(), End::Closed, Closed, "no response"),
        ("closed after the head, as a kept connection may be", HEAD.as_bytes().to_vec(), End::Closed, Closed, ""),
        ("closed within an event", chunked(&[&one])[..HEAD.len() + 9].to_vec(), End::Closed, Closed, ""),
        ("closed before the last chunk", cut(5), End::Closed, Closed, ""),
        ("closed within the last line", cut(1), End::Closed, Closed, ""),
        ("a reset", chunked(&[&one])[..HEAD.len() + 9].to_vec(), End::Reset, Reset, ""),
        ("a reset before the head", Vec::new(), End::Reset, Reset, "no response"),
        ("nothing at all", Vec::new(), End::Deadline, Deadline, "no response"),
        ("a drip past the deadline", cut(3), End::Deadline, Deadline, ""),
        ("too much", cut(3), End::TooLarge, TooLarge, ""),
        ("no connection", Vec::new(), End::NoConnection, NoConnection, "no response"),
        ("never sent", Vec::new(), End::NotSent, NotSent, "no response"),
        ("no time", Vec::new(), End::TimeUp, TimeUp, "no response"),
        (
            "an answer to nothing",
            whole_one.clone(),
            End::Early,
            Malformed,
            "the answer began before the request was sent",
        ),
        ("not HTTP", b"SSH-2.0-x\r\n".to_vec(), End::NotHttp, Malformed, "not an HTTP/1.1 response"),
        ("said to be complete, and is not", cut(5), End::Complete, Malformed, "the response is not complete"),
        ("status 500", headed("500 Oops\r\n"), End::Complete, HttpError, "{}"),
        (
            "status 200 is the only good one",
            headed("201 Created\r\nContent-Type: text/event-stream\r\n"),
            End::Complete,
            HttpError,
            "{}",
        ),
        (
            "a redirect",
            headed("307 Go\r\nLocation: http://x/\r\n"),
            End::Complete,
            HttpError,
            "a redirect, which is not followed",
        ),
        (
            "a redirect that streams",
            headed("302 Go\r\nContent-Type: text/event-stream\r\n"),
            End::Complete,
            HttpError,
            "a redirect, which is not followed",
        ),
        (
            "a compressed body",
            headed("200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"),
            End::Complete,
            Malformed,
            "the body is compressed, which nobody asked for",
        ),
        (
            "a body compressed twice over",
            headed("200 OK\r\nContent-Type: text/event-stream\r\ncontent-encoding: identity, br\r\n"),
            End::Complete,
            Malformed,
            "the body is compressed, which nobody asked for",
        ),
        (
            "an unstreamed reply",
            headed("200 OK\r\nContent-Type: application/json\r\n"),
            End::Complete,
            Malformed,
            "the reply to a streamed request is not text/event-stream",
        ),
        (
            "a reply of no type",
            headed("200 OK\r\n"),
            End::Complete,
            Malformed,
            "the reply to a streamed request is not text/event-stream",
        ),
        (
            "a reply of almost the type",
            headed("200 OK\r\nContent-Type: text/event-streams\r\n"),
            End::Complete,
            Malformed,
            "the reply to a streamed request is not text/event-stream",
        ),
    ];
    for (name, bytes, end, outcome, detail) in cases {
        let derived = whole(bytes, *end);
        assert_eq!(derived.outcome, *outcome, "{name}: {}", derived.detail);
        let fits = derived.detail == *detail || *outcome == Malformed && derived.detail.starts_with(detail);
        assert!(fits && derived.detail.is_empty() == detail.is_empty(), "{name}: {}", derived.detail);
    }
}

#[test]
fn heads_that_mean_the_same_are_read_the_same() {
    let body = [said("a", "1").as_str(), DONE].concat();
    let length = body.len();
    for head in [
        format!("Content-Type: text/event-stream\r\nContent-Length: {length}"),
        format!("content-type:TEXT/Event-Stream ; charset=utf-8\r\nCONTENT-LENGTH:  {length}"),
        format!("Content-Type: text/event-stream\r\nContent-Encoding: identity\r\nContent-Length: {length}"),
    ] {
        for line_end in ["\r\n", "\n"] {
            let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").replace("\r\n", line_end);
            let derived = whole(format!("{head}{body}").as_bytes(), End::Complete);
            assert_eq!((derived.outcome, derived.chunks.len(), derived.done), (Outcome::Complete, 1, true), "{head}");
        }
    }
    let until_close = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{body}");
    assert_eq!(whole(until_close.as_bytes(), End::Closed).outcome, Outcome::Complete);
    assert_eq!(whole(until_close.as_bytes(), End::Reset).outcome, Outcome::Reset);
    let interim = [b"HTTP/1.1 100 Continue\r\n\r\n", chunked(&[&body]).as_slice()].concat();
    assert_eq!(whole(&interim, End::Complete).status, Some(200), "an interim head is not the head");
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
fn framing_that_lies_about_its_length_is_refused_for_what_it_is() {
    let chunks = "Transfer-Encoding: chunked\r\n\r\n";
    for (rest, fault) in [
        ("Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "more than one content length"),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "both a content length and chunks"),
        ("Content-Length: -5\r\n\r\n", "the content length is not a number"),
        ("Content-Length: +5\r\n\r\n", "the content length is not a number"),
        ("Content-Length: 5, 5\r\n\r\n", "the content length is not a number"),
        ("Content-Length:\r\n\r\n", "the content length is not a number"),
        ("Content-Length: 18446744073709551616\r\n\r\n", "the content length is not a number"),
        ("Transfer-Encoding: gzip, chunked\r\n\r\n", "a transfer coding that nobody asked for"),
        ("Transfer-Encoding: gzip\r\n\r\n", "a transfer coding that nobody asked for"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "a transfer coding that nobody asked for"),
        (&format!("{chunks}-1\r\n"), "a chunk's size is not a hexadecimal number"),
        (&format!("{chunks}\r\n"), "a chunk's size is not a hexadecimal number"),
        (&format!("{chunks}0x1\r\n"), "a chunk's size is not a hexadecimal number"),
        (&format!("{chunks}ffffffffffffffff\r\n"), "a chunk's size is not a hexadecimal number"),
        (&format!("{chunks}1\r\nab\r\n"), "a chunk is longer than its size says"),
        (&format!("{chunks}0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), "bytes after the end of the response"),
        ("Content-Length: 1\r\n\r\nab", "bytes after the end of the response"),
    ] {
        let mut framing = Framing::default();
        framing.feed(format!("HTTP/1.1 200 OK\r\n{rest}").as_bytes(), |_| {});
        assert_eq!(framing.fault(), Some(fault), "{rest}");
    }
}

#[test]
fn endless_heads_and_lines_are_not_kept_however_they_are_read() {
    let (filler, lines) = ("y".repeat(70_000), "x: y\r\n".repeat(20_000));
    for (bytes, fault) in [
        (format!("HTTP/1.1 200 OK\r\nX: {filler}"), "the response's head is longer than 64 KiB"),
        (format!("HTTP/1.1 200 OK\r\nX: {filler}\r\n\r\n"), "the response's head is longer than 64 KiB"),
        (format!("HTTP/1.1 200 OK\r\n{lines}"), "the response's head is longer than 64 KiB"),
        (format!("HTTP/1.1 200 OK\r\n{}\r\n", &lines[..6 * 129]), "the response has more than 128 headers"),
        (format!("{HEAD}1;{filler}\r\na\r\n"), "a line between chunks is longer than 64 KiB"),
        (format!("{HEAD}0\r\nX: {filler}\r\n"), "a line between chunks is longer than 64 KiB"),
        (filler.clone(), "not an HTTP/1.1 response"),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n".into(), "not an HTTP/1.1 response"),
        ("HTTP/1.1 two OK\r\n\r\n".into(), "not an HTTP/1.1 response"),
    ] {
        for most in [1, 4096, usize::MAX] {
            let mut framing = Framing::default();
            bytes.as_bytes().chunks(most).for_each(|read| framing.feed(read, |_| {}));
            assert_eq!(framing.fault(), Some(fault), "{} in reads of {most}", &bytes[..30.min(bytes.len())]);
        }
    }
}

#[test]
fn a_list_of_millions_of_choices_is_refused_at_the_second() {
    let event = format!("data: {{\"choices\":[{{}}{}]}}\n\n", ",{}".repeat(1 << 20));
    let derived = whole(&chunked(&[&event]), End::Complete);
    assert_eq!(derived.outcome, Outcome::Malformed);
    assert!(derived.detail.contains("line 1 column 18"), "{}", derived.detail);
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
