//! The same events, framed and cut in any way, are the same record: real streams and made
//! ones are taken apart, written down anew with other line ends, comments, chunks and
//! reads, and read again.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, sync::LazyLock};

use lab::wire::{Derived, End, derive};
use proptest::prelude::*;

/// The data of each event of each stream, and the record that they make when framed plainly.
static STREAMS: LazyLock<Vec<(Vec<String>, Derived)>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["analysis/tests/transcripts", "lab/tests/transcripts"].map(|folder| root.join(folder));
    let files = folders.iter().flat_map(|folder| list(folder)).flat_map(|server| list(&server));
    let recorded = files.filter(|file| file.extension().is_some_and(|e| e == "http"));
    let recorded: Vec<(Vec<String>, Derived)> = recorded
        .map(|file| {
            let bytes = fs::read(file).unwrap();
            (data_of(&bytes), derive(&bytes, &[bytes.len()], End::Complete))
        })
        .collect();
    assert!(recorded.len() >= 18, "{}", recorded.len());
    let made = MADE.map(|data| {
        let data: Vec<String> = data.iter().map(|d| (*d).to_owned()).collect();
        let body: String = data.iter().map(|d| format!("data: {d}\n\n")).collect();
        let bytes = format!("{HEAD}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
        (data, derive(&bytes, &[bytes.len()], End::Complete))
    });
    recorded.into_iter().chain(made).collect()
});

/// Characters of several bytes, escapes, calls, an error, and output after the end.
const MADE: [&[&str]; 3] = [
    &[
        r#"{"choices":[{"delta":{"content":"Thé 🎉"},"token_ids":[1,2]}]}"#,
        r#"{"choices":[{"delta":{"content":"\n: data: [DONE]\r\n\u00e9\ud83c\udf89"},"token_ids":[3]}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{\"a\": 1}"}}]},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ],
    &[r#"{"choices":[{"text":"a"}]}"#, r#"{"error":{"message":"out of memory","code":500}}"#, "[DONE]"],
    &[r#"{"choices":[{"text":"a"}]}"#, "[DONE]", r#"{"choices":[{"text":"b"}]}"#],
];

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

fn list(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The data of a recorded stream's events, with no code of ours: these servers write one
/// `data: ` line and a blank line.
fn data_of(response: &[u8]) -> Vec<String> {
    let text = String::from_utf8(response.to_vec()).unwrap();
    let (_, mut rest) = text.split_once("\r\n\r\n").unwrap();
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n").filter(|(size, _)| *size != "0") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    body.split("\n\n").filter(|e| !e.trim().is_empty()).map(|e| e.strip_prefix("data: ").unwrap().to_owned()).collect()
}

/// How a stream is written down anew. Each list is gone through over and over.
#[derive(Debug)]
struct Writing {
    byte_order_mark: bool,
    line_ends: Vec<&'static str>,
    /// Lines before an event's own.
    others: Vec<&'static str>,
    /// The field in front of the data: with a space, without.
    fields: Vec<&'static str>,
    /// Whether the data stand in two lines.
    folded: Vec<bool>,
    /// What follows the last event: nothing complete.
    rest: &'static str,
    framing: Framing,
    reads: Vec<usize>,
}

#[derive(Debug, Clone)]
enum Framing {
    Length,
    UntilClose,
    /// Sizes, what follows a size, and trailers.
    Chunks(Vec<usize>, Vec<&'static str>, &'static str),
}

fn writings() -> impl Strategy<Value = Writing> {
    use prop::{collection::vec, sample::select};
    let several = |of: &'static [&'static str]| vec(select(of), 1..8);
    let chunks = (
        vec(prop_oneof![Just(1), 1usize..40, 1usize..3_000], 1..20),
        several(&["", ";x", " ; name=\"value\"", ";a=b;c", "\t"]),
        select(&["", "X-Digest: data: x\r\n", "a: b\r\nc: d\r\n"][..]),
    );
    let framing = prop_oneof![
        Just(Framing::Length),
        Just(Framing::UntilClose),
        chunks.prop_map(|(sizes, extensions, trailer)| Framing::Chunks(sizes, extensions, trailer)),
        Just(Framing::Chunks(vec![1], vec![""], "")),
    ];
    let text = (
        any::<bool>(),
        several(&["\n", "\r\n", "\r"]),
        several(&[
            "",
            "",
            ": keep-alive\n",
            ":\n\n",
            "id: 7\n",
            "retry: 10\n",
            "event: message\n",
            "event: ping\n\n",
            "unknown\n",
        ]),
        several(&["data: ", "data:"]),
        vec(any::<bool>(), 1..8),
        select(&["", "data: {\"choices\":[{\"text\":\"no\"}]}", "data: no\n", ":", "event: error\n"][..]),
    );
    let reads = vec(prop_oneof![Just(1), 1usize..60, 1usize..5_000], 1..20);
    (text, framing, reads).prop_map(|((byte_order_mark, line_ends, others, fields, folded, rest), framing, reads)| {
        Writing { byte_order_mark, line_ends, others, fields, folded, rest, framing, reads }
    })
}

/// A stream as bytes and reads, and for each event the read that completes it.
struct Written {
    bytes: Vec<u8>,
    reads: Vec<usize>,
    end: End,
    completed_by: Vec<u32>,
}

impl Writing {
    fn write(&self, data: &[String]) -> Written {
        let (body, ends) = self.body(data);
        let (bytes, at) = self.framed(&body);
        let (mut reads, mut left) = (Vec::new(), bytes.len());
        for most in self.reads.iter().cycle() {
            if left == 0 {
                break;
            }
            reads.push(left.min(*most));
            left -= left.min(*most);
        }
        let mut read_of = Vec::with_capacity(bytes.len());
        for (read, len) in reads.iter().enumerate() {
            read_of.extend(std::iter::repeat_n(read as u32, *len));
        }
        let completed_by = ends.iter().map(|end| read_of[at[*end - 1]]).collect();
        let end = if matches!(self.framing, Framing::UntilClose) { End::Closed } else { End::Complete };
        Written { bytes, reads, end, completed_by }
    }

    /// The body, and where each event ends in it.
    fn body(&self, data: &[String]) -> (Vec<u8>, Vec<usize>) {
        let mut body = if self.byte_order_mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
        let mut line_ends = self.line_ends.iter().cycle();
        // Puts lines down, each with the next line end. A blank line that ends with LF
        // cannot follow CR: together they are the end of one line.
        let mut put = |body: &mut Vec<u8>, lines: &str| {
            for line in lines.split_inclusive('\n') {
                let (line, complete) = line.strip_suffix('\n').map_or((line, false), |line| (line, true));
                let pairs = line.is_empty() && body.last() == Some(&b'\r');
                body.extend(line.bytes());
                if complete {
                    body.extend(line_ends.find(|end| !pairs || **end != "\n").unwrap().bytes());
                }
            }
        };
        let others = self.others.iter().cycle();
        let fields = self.fields.iter().cycle();
        let folded = self.folded.iter().cycle();
        let mut ends = Vec::new();
        for (((data, other), field), folded) in data.iter().zip(others).zip(fields).zip(folded) {
            put(&mut body, other);
            match data.strip_prefix('{').filter(|_| *folded) {
                Some(rest) => put(&mut body, &format!("{field}{{\n{field}{rest}\n")),
                None => put(&mut body, &format!("{field}{data}\n")),
            }
            put(&mut body, "\n");
            // A blank line ends with its carriage return already.
            ends.push(if body.ends_with(b"\r\n") { body.len() - 1 } else { body.len() });
        }
        put(&mut body, self.rest);
        (body, ends)
    }

    /// The response, and where each byte of the body is in it.
    fn framed(&self, body: &[u8]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = HEAD.as_bytes().to_vec();
        let mut at = Vec::with_capacity(body.len());
        let mut put = |bytes: &mut Vec<u8>, part: &[u8]| {
            at.extend(bytes.len()..bytes.len() + part.len());
            bytes.extend(part);
        };
        match &self.framing {
            Framing::Length => {
                bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
                put(&mut bytes, body);
            }
            Framing::UntilClose => {
                bytes.extend(b"\r\n");
                put(&mut bytes, body);
            }
            Framing::Chunks(sizes, extensions, trailer) => {
                bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                let mut rest = body;
                for (most, extension) in sizes.iter().cycle().zip(extensions.iter().cycle()) {
                    let (part, after) = rest.split_at(rest.len().min(*most));
                    if part.is_empty() {
                        break;
                    }
                    bytes.extend(format!("{:02X}{extension}\r\n", part.len()).bytes());
                    put(&mut bytes, part);
                    bytes.extend(b"\r\n");
                    rest = after;
                }
                bytes.extend(format!("0\r\n{trailer}\r\n").bytes());
            }
        }
        (bytes, at)
    }
}

/// Without the numbers of reads, and without line feeds where data of two lines are quoted.
fn without_reads(derived: &Derived) -> Derived {
    let detail = derived.detail.replace('\n', "");
    let mut derived = Derived { head_read: None, detail, ..derived.clone() };
    derived.chunks.iter_mut().for_each(|chunk| chunk.read = 0);
    derived
}

proptest! {
    #[test]
    fn a_stream_written_and_cut_in_any_way_is_the_same_record(which: prop::sample::Index, writing in writings()) {
        let (data, expected) = which.get(&STREAMS);
        let written = writing.write(data);
        let derived = derive(&written.bytes, &written.reads, written.end);
        prop_assert_eq!(without_reads(&derived), without_reads(expected));
        for chunk in &derived.chunks {
            prop_assert_eq!(chunk.read, written.completed_by[chunk.event as usize], "event {}", chunk.event);
        }
    }

    #[test]
    fn a_stream_cut_off_anywhere_keeps_what_was_complete_and_is_not_complete(
        which: prop::sample::Index, cut: prop::sample::Index, writing in writings(),
    ) {
        let (data, whole) = which.get(&STREAMS);
        let mut written = writing.write(data);
        written.bytes.truncate(cut.index(written.bytes.len()));
        let derived = derive(&written.bytes, &[written.bytes.len()], End::Reset);
        prop_assert!(derived.outcome != lab::records::Outcome::Complete);
        let texts = |d: &Derived| d.chunks.iter().map(|c| c.text.clone()).collect::<Vec<_>>();
        prop_assert!(texts(whole).starts_with(&texts(&derived)));
    }
}

#[test]
fn what_is_written_anew_is_more_than_output() {
    let (data, record) = &STREAMS[0];
    assert!(data.len() > 5 && !record.chunks.is_empty() && record.done);
    let outcomes: Vec<_> = STREAMS.iter().map(|(_, d)| (d.outcome, d.detail.as_str())).collect();
    assert!(outcomes.iter().any(|(_, detail)| detail.contains("out of memory")));
    assert!(outcomes.iter().any(|(_, detail)| *detail == "an event after [DONE]"));
}
