//! Each fault of a response is its own outcome.

use super::*;

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
fn a_list_of_millions_of_choices_is_refused_at_the_second() {
    let event = format!("data: {{\"choices\":[{{}}{}]}}\n\n", ",{}".repeat(1 << 20));
    let derived = whole(&chunked(&[&event]), End::Complete);
    assert_eq!(derived.outcome, Outcome::Malformed);
    assert!(derived.detail.contains("line 1 column 18"), "{}", derived.detail);
}
