//! Event streams, as the standard says that they are read.

use super::*;

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
