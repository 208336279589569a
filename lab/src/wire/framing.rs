//! Where a response begins, what its body is, and where it ends (RFC 9112).

/// The head of a response, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// `Content-Type: text/event-stream`.
    pub event_stream: bool,
    /// A `Content-Encoding` other than `identity`.
    pub encoded: bool,
    /// `Connection: close`: no further request can be sent here.
    pub closes: bool,
}

/// An incremental reader of one response. Holds no body.
#[derive(Debug, Default)]
pub struct Framing {
    state: State,
    head: Option<Head>,
    buffer: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailer,
    Length(u64),
    UntilClose,
    Complete,
    Fault(&'static str),
}

/// A head, a chunk's size line or a trailer longer than this is not read on.
const LONGEST_HEAD: usize = 64 << 10;

impl Framing {
    /// Takes the next bytes; body bytes go to `body`. Bytes after the response's end are
    /// a fault: nobody asked for a second response.
    pub fn feed(&mut self, mut bytes: &[u8], mut body: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            match self.state {
                State::Head | State::ChunkSize | State::ChunkEnd | State::Trailer => bytes = self.feed_line(bytes),
                State::ChunkData(left) => {
                    let (part, rest) = split(bytes, left);
                    body(part);
                    let left = left - part.len() as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData(left) };
                    bytes = rest;
                }
                State::Length(left) => {
                    let (part, rest) = split(bytes, left);
                    body(part);
                    self.state = length(left - part.len() as u64);
                    bytes = rest;
                }
                State::UntilClose => {
                    body(bytes);
                    bytes = &[];
                }
                State::Complete => self.state = State::Fault("bytes after the end of the response"),
                State::Fault(_) => return,
            }
        }
    }

    /// Passes over bytes that were left out; none where they might be more than a part of the body.
    pub(super) fn skip(&mut self, bytes: u64) -> Option<()> {
        match &mut self.state {
            State::ChunkData(left) | State::Length(left) if *left > bytes => *left -= bytes,
            State::UntilClose => {}
            _ => return None,
        }
        Some(())
    }

    /// The head, once it is complete.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Whether the response is complete by its own framing.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// Whether closing the connection is this response's way to end.
    pub fn ends_at_close(&self) -> bool {
        self.state == State::UntilClose
    }

    /// Why the bytes are not a response.
    pub fn fault(&self) -> Option<&'static str> {
        match self.state {
            State::Fault(why) => Some(why),
            _ => None,
        }
    }

    /// Gathers a line, or a head of lines, and goes on when it is whole. Each byte is
    /// looked at twice at most, however the reads fall.
    fn feed_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let end = memchr::memchr(b'\n', bytes);
        let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
        let head = self.state == State::Head;
        if head && !self.buffer.iter().chain(line).zip(b"HTTP/1.").all(|(byte, expected)| byte == expected) {
            return self.stop("not an HTTP/1.1 response");
        }
        if self.buffer.len() + line.len() > LONGEST_HEAD {
            return self.stop(if head {
                "the response's head is longer than 64 KiB"
            } else {
                "a line between chunks is longer than 64 KiB"
            });
        }
        self.buffer.extend_from_slice(line);
        if end.is_none() || head && !self.buffer.ends_with(b"\n\n") && !self.buffer.ends_with(b"\n\r\n") {
            return rest;
        }
        let mut gathered = std::mem::take(&mut self.buffer);
        if head {
            self.take_head(&gathered);
        } else {
            self.take_line(&gathered[..gathered.len() - 1]);
        }
        gathered.clear();
        self.buffer = gathered;
        rest
    }

    fn take_head(&mut self, bytes: &[u8]) {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => {
                let status = response.code.unwrap_or(0);
                if !(100..200).contains(&status) || status == 101 {
                    let (head, state) = meaning(status, response.headers);
                    (self.head, self.state) = (Some(head), state);
                }
            }
            Err(httparse::Error::TooManyHeaders) => {
                self.state = State::Fault("the response has more than 128 headers");
            }
            _ => self.state = State::Fault("not an HTTP/1.1 response"),
        }
    }

    fn take_line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.state = match self.state {
            State::ChunkSize => match size(line) {
                Some(0) => State::Trailer,
                Some(n) => State::ChunkData(n),
                None => State::Fault("a chunk's size is not a hexadecimal number"),
            },
            State::ChunkEnd if line.is_empty() => State::ChunkSize,
            State::ChunkEnd => State::Fault("a chunk is longer than its size says"),
            State::Trailer if line.is_empty() => State::Complete,
            other => other,
        };
    }

    fn stop(&mut self, why: &'static str) -> &'static [u8] {
        self.state = State::Fault(why);
        &[]
    }
}

fn meaning(status: u16, headers: &[httparse::Header<'_>]) -> (Head, State) {
    let all = |name: &str| {
        let values = headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name));
        values.map(|h| h.value.trim_ascii().to_ascii_lowercase()).collect::<Vec<_>>()
    };
    let (types, lengths, transfer) = (all("content-type"), all("content-length"), all("transfer-encoding"));
    let head = Head {
        status,
        event_stream: types
            .iter()
            .any(|v| v.split(|&b| b == b';').next().map(<[u8]>::trim_ascii) == Some(b"text/event-stream")),
        closes: all("connection").iter().any(|v| v.split(|&b| b == b',').any(|part| part.trim_ascii() == b"close")),
        encoded: all("content-encoding").iter().any(|v| v != b"identity"),
    };
    let codings: Vec<&[u8]> = transfer.iter().flat_map(|v| v.split(|&b| b == b',')).map(<[u8]>::trim_ascii).collect();
    let state = match (codings.as_slice(), lengths.as_slice()) {
        _ if matches!(status, 204 | 304) => State::Complete,
        ([], []) => State::UntilClose,
        ([], [one]) => decimal(one).map_or(State::Fault("the content length is not a number"), length),
        ([], _) => State::Fault("more than one content length"),
        ([b"chunked"], []) => State::ChunkSize,
        ([b"chunked"], _) => State::Fault("both a content length and chunks"),
        _ => State::Fault("a transfer coding that nobody asked for"),
    };
    (head, state)
}

/// Digits only: the number parser would take a sign too.
fn decimal(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

fn length(left: u64) -> State {
    if left == 0 { State::Complete } else { State::Length(left) }
}

fn split(bytes: &[u8], left: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()))
}

/// The size at the front of a chunk's size line; extensions after `;` are ignored.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|&b| b == b';').next()?.trim_ascii();
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
