//! One request: its bytes and times, and the rows that are made of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Nanos,
    wire::{Derived, End, Raw},
};

/// The one outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A whole response of the kind that was asked for.
    Complete,
    /// A status other than 200.
    HttpError,
    /// Not what was asked for: framing, events, JSON, encoding.
    Malformed,
    /// The server closed the connection before the end.
    Closed,
    /// The server reset the connection.
    Reset,
    /// The deadline passed.
    Deadline,
    /// The response outgrew its limit.
    TooLarge,
    /// No connection.
    NoConnection,
    /// Never sent: the server died or the phase's deadline passed before its turn.
    NotSent,
    /// Never sent, as planned: the phase's declared time was over before its turn.
    TimeUp,
}

/// One request's bytes and times, before anything is made of them. Offsets count from
/// the trial's clock start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Id in the request set.
    pub request: u32,
    /// The load's name, or [`WARMUP`](super::WARMUP).
    pub phase: String,
    /// When the schedule wanted it sent.
    pub intended_ns: Nanos,
    /// When its client turned to it, before anything was needed of the server. How much
    /// later than intended that is, is the client's own doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ns: Option<Nanos>,
    /// Immediately before the first byte was handed to the socket.
    pub sent_ns: Nanos,
    /// How reading ended.
    pub end: End,
    /// When reading ended.
    pub end_ns: Nanos,
    /// Each read of the socket.
    pub reads: Vec<Read>,
    /// The response, byte for byte.
    #[serde(skip)]
    pub bytes: Raw,
}

impl Exchange {
    /// What the bytes come to.
    pub fn derive(&self) -> Derived {
        let lengths: Vec<usize> = self.reads.iter().map(|read| read.len).collect();
        self.bytes.derive(&lengths, self.end)
    }

    /// When the bytes of its read `read` were at this host.
    pub fn stamp(&self, read: u32) -> Nanos {
        self.reads.get(read as usize).map_or(self.end_ns, |read| read.arrived())
    }

    /// Its row of `requests.csv`.
    pub fn row(&self, derived: &Derived) -> RequestRow {
        RequestRow {
            request: self.request,
            phase: self.phase.clone(),
            intended_ns: self.intended_ns,
            started_ns: self.started_ns,
            sent_ns: self.sent_ns,
            head_ns: derived.head_read.map(|read| self.stamp(read)),
            end_ns: self.end_ns,
            outcome: derived.outcome,
            detail: crate::text::cut(&derived.detail, 2_000).to_owned(),
            status: derived.status,
            reads: self.reads.len() as u32,
            bytes: self.bytes.len() as u64,
            chunks: derived.chunks.len() as u32,
            ids: derived.chunks.iter().map(|c| c.ids.len() as u32).sum(),
            finish: derived
                .chunks
                .iter()
                .rev()
                .find(|c| !c.finish.is_empty())
                .map(|c| crate::text::cut(&c.finish, 100).to_owned())
                .unwrap_or_default(),
            done: derived.done,
            claimed_prompt: derived.claimed.prompt,
            claimed_output: derived.claimed.output,
            behind_ns: self.reads.iter().map(|read| read.behind).max().unwrap_or_default(),
        }
    }

    /// Its row, and one for each chunk.
    pub fn rows(&self, derived: &Derived) -> (RequestRow, Vec<ChunkRow>) {
        let chunks = derived.chunks.iter().map(|chunk| ChunkRow {
            request: self.request,
            event: chunk.event,
            read: chunk.read,
            offset_ns: self.stamp(chunk.read),
            ids: List(chunk.ids.clone()),
            text: chunk.text.clone(),
            entries: chunk.entries,
            empty_entries: chunk.empty_entries,
            logprobs: List(chunk.logprobs.clone()),
            finish: chunk.finish.clone(),
        });
        (self.row(derived), chunks.collect())
    }
}

/// Bytes that one read of a socket brings, at most.
pub const LARGEST_READ: usize = 64 << 10;

/// One read of the socket, stored as `[at, len]` or `[at, len, behind]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Right after it returned.
    pub at: Nanos,
    /// Bytes.
    pub len: usize,
    /// How long the last of them had been in the kernel by then; zero where the kernel does
    /// not say.
    pub behind: Nanos,
}

impl Read {
    /// When the bytes were at this host.
    pub fn arrived(self) -> Nanos {
        Nanos(self.at.0.saturating_sub(self.behind.0))
    }
}

impl Serialize for Read {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.behind.is_zero() {
            (self.at, self.len).serialize(s)
        } else {
            (self.at, self.len, self.behind).serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> serde::de::Visitor<'de> for Parts {
            type Value = Read;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an offset, a length and perhaps how far behind the read was")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Read, A::Error> {
                let missing = |i| move || serde::de::Error::invalid_length(i, &"two or three numbers");
                Ok(Read {
                    at: seq.next_element()?.ok_or_else(missing(0))?,
                    len: seq.next_element()?.ok_or_else(missing(1))?,
                    behind: seq.next_element()?.unwrap_or_default(),
                })
            }
        }
        d.deserialize_seq(Parts)
    }
}

/// One event that carries output or an end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    /// Position among the response's events, from 0.
    pub event: u32,
    /// The read that completed it, from 0.
    pub read: u32,
    /// Token ids, where the server gives them.
    pub ids: Vec<u32>,
    /// Content, reasoning, refusals and calls together.
    pub text: String,
    /// Entries in its list of logprobs.
    pub entries: u32,
    /// Those of them that name an empty token.
    pub empty_entries: u32,
    /// The emitted tokens' logprobs, as the server claims them.
    pub logprobs: Vec<f64>,
    /// `finish_reason`, or empty.
    pub finish: String,
}

/// A row of `requests.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRow {
    /// Id in the request set.
    pub request: u32,
    /// The load's name, or [`WARMUP`](super::WARMUP).
    pub phase: String,
    /// When the schedule wanted it sent.
    pub intended_ns: Nanos,
    /// When its client turned to it.
    #[serde(default)]
    pub started_ns: Option<Nanos>,
    /// When it was sent.
    pub sent_ns: Nanos,
    /// When the response's head was complete.
    pub head_ns: Option<Nanos>,
    /// When reading ended.
    pub end_ns: Nanos,
    /// What became of it.
    pub outcome: Outcome,
    /// What was wrong; may quote the server.
    pub detail: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// Reads of the socket.
    pub reads: u32,
    /// Bytes read.
    pub bytes: u64,
    /// Rows in the chunk table.
    pub chunks: u32,
    /// Token ids received.
    pub ids: u32,
    /// The last `finish_reason`.
    pub finish: String,
    /// Whether `[DONE]` came.
    pub done: bool,
    /// Prompt tokens, as the server claims.
    pub claimed_prompt: Option<u64>,
    /// Output tokens, as the server claims.
    pub claimed_output: Option<u64>,
    /// The longest that read bytes had been in the kernel.
    #[serde(default)]
    pub behind_ns: Nanos,
}

impl RequestRow {
    /// The columns of `requests.csv`.
    pub const HEADER: &[&str] = &[
        "request",
        "phase",
        "intended_ns",
        "started_ns",
        "sent_ns",
        "head_ns",
        "end_ns",
        "outcome",
        "detail",
        "status",
        "reads",
        "bytes",
        "chunks",
        "ids",
        "finish",
        "done",
        "claimed_prompt",
        "claimed_output",
        "behind_ns",
    ];
}

/// A chunk with its request and its time: a row of `chunks.csv.zst`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkRow {
    /// Id in the request set.
    pub request: u32,
    /// Position among the response's events.
    pub event: u32,
    /// The read that completed it.
    pub read: u32,
    /// When its bytes were at this host.
    pub offset_ns: Nanos,
    /// Token ids, where the server gives them.
    pub ids: List<u32>,
    /// The text.
    pub text: String,
    /// Entries in its list of logprobs.
    pub entries: u32,
    /// Those that name an empty token.
    pub empty_entries: u32,
    /// The server's logprobs of the emitted tokens.
    pub logprobs: List<f64>,
    /// `finish_reason`, or empty.
    pub finish: String,
}

impl ChunkRow {
    /// The columns of `chunks.csv.zst`.
    pub const HEADER: &[&str] =
        &["request", "event", "read", "offset_ns", "ids", "text", "entries", "empty_entries", "logprobs", "finish"];
}

/// Several values in one CSV field, separated by spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T: std::fmt::Debug> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        // The form that writes 1e-300 in six characters and not in three hundred.
        let parts: Vec<String> = self.0.iter().map(|part| format!("{part:?}")).collect();
        s.serialize_str(&parts.join(" "))
    }
}

impl<'de, T: std::str::FromStr> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let parse = |part: &str| {
            part.parse().map_err(|_| serde::de::Error::custom(format!("`{}` in a list", crate::text::shown(part, 40))))
        };
        text.split(' ').filter(|part| !part.is_empty()).map(parse).collect::<Result<_, _>>().map(List)
    }
}
