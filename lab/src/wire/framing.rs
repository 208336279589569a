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
                State::Head => bytes = self.feed_head(bytes),
                State::ChunkSize | State::ChunkEnd | State::Trailer => bytes = self.feed_line(bytes),
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

    fn feed_head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let before = self.buffer.len();
        let room = LONGEST_HEAD - before;
        self.buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&self.buffer) {
            Ok(httparse::Status::Complete(end)) => {
                let status = response.code.unwrap_or(0);
                let (head, state) = meaning(status, response.headers);
                self.buffer.clear();
                if !(100..200).contains(&status) || status == 101 {
                    (self.head, self.state) = (Some(head), state);
                }
                &bytes[end - before..]
            }
            Ok(httparse::Status::Partial) if self.buffer.len() < LONGEST_HEAD => &[],
            Ok(httparse::Status::Partial) => self.stop("the response's head is longer than 64 KiB"),
            Err(httparse::Error::TooManyHeaders) => self.stop("the response has more than 128 headers"),
            Err(_) => self.stop("not an HTTP/1.1 response"),
        }
    }

    fn feed_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(end) = bytes.iter().position(|&b| b == b'\n') else {
            if self.buffer.len() + bytes.len() > LONGEST_HEAD {
                return self.stop("a chunk's size line is longer than 64 KiB");
            }
            self.buffer.extend_from_slice(bytes);
            return &[];
        };
        self.buffer.extend_from_slice(&bytes[..end]);
        let line = self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer);
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
        self.buffer.clear();
        &bytes[end + 1..]
    }

    fn stop(&mut self, why: &'static str) -> &'static [u8] {
        self.state = State::Fault(why);
        &[]
    }
}

fn meaning(status: u16, headers: &[httparse::Header<'_>]) -> (Head, State) {
    let all = |name: &str| {
        headers
            .iter()
            .filter(|h| h.name.eq_ignore_ascii_case(name))
            .map(|h| h.value.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    let has = |name: &str, word: &[u8]| {
        all(name).iter().any(|v| v.split(|&b| b == b',').any(|part| part.trim_ascii() == word))
    };
    let head = Head {
        status,
        event_stream: all("content-type").iter().any(|v| v.starts_with(b"text/event-stream")),
        encoded: all("content-encoding").iter().any(|v| v.trim_ascii() != b"identity"),
    };
    let lengths = all("content-length");
    let state = if has("transfer-encoding", b"chunked") {
        if lengths.is_empty() { State::ChunkSize } else { State::Fault("both a content length and chunks") }
    } else if matches!(status, 204 | 304) {
        State::Complete
    } else {
        match lengths.as_slice() {
            [] => State::UntilClose,
            [one] => std::str::from_utf8(one)
                .ok()
                .and_then(|s| s.trim().parse().ok())
                .map_or(State::Fault("the content length is not a number"), length),
            _ => State::Fault("more than one content length"),
        }
    };
    (head, state)
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
