//! Heads, lengths and chunks of HTTP/1.1.

use super::*;

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
