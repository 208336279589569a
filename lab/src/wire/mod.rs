//! HTTP/1.1 responses and server-sent events, as pure functions of the bytes read and of
//! the boundaries between reads.
//!
//! While a request is timed, only `Framing` looks at the bytes, to know where the
//! response ends. Afterwards `derive` makes chunks of them; the runner stores its result
//! and `bench verify` computes it again from `wire.zst`, so no chunk exists without bytes.

mod claims;
mod events;
mod framing;
mod json;
mod packed;
mod quick;
mod sse;

use crate::records::{Chunk, Outcome};
pub use claims::{Considered, Entry, entries};
pub use framing::{Framing, Head};
pub(crate) use packed::{pack, unpack};

/// How reading a response ended, as the transport saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The response is complete by its own framing.
    Complete,
    /// The server closed the connection.
    Closed,
    /// The connection was reset.
    Reset,
    /// The request's deadline passed.
    Deadline,
    /// The response outgrew its limit.
    TooLarge,
    /// The bytes are not an HTTP/1.1 response.
    NotHttp,
    /// No connection could be made.
    NoConnection,
    /// Bytes came before the request was sent.
    Early,
    /// The load phase passed its deadline before this request could be sent.
    NotSent,
    /// The phase's declared time was over before this request's turn.
    TimeUp,
}

/// What one response comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The one outcome of the request.
    pub outcome: Outcome,
    /// What was wrong, in words; empty where nothing was. May quote the server.
    pub detail: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// The read that completed the response's head.
    pub head_read: Option<u32>,
    /// Events that carry output or an end, in order.
    pub chunks: Vec<Chunk>,
    /// Whether `[DONE]` came.
    pub done: bool,
    /// What the server says it read and wrote, in tokens.
    pub claimed: Claimed,
}

/// The server's own token counts, as it claims them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Prompt tokens.
    pub prompt: Option<u64>,
    /// Output tokens.
    pub output: Option<u64>,
}

/// Reads a response from its bytes: `reads` are the lengths of the reads that brought
/// `bytes`, in order. Any split of the same bytes gives the same chunks but for the number
/// of the read that completed each.
pub fn derive(bytes: &[u8], reads: &[usize], end: End) -> Derived {
    let mut framing = Framing::default();
    let (mut body, mut body_at_read, mut from, mut head_read) =
        (Vec::with_capacity(bytes.len()), Vec::with_capacity(reads.len()), 0, None);
    for (i, &len) in reads.iter().enumerate() {
        framing.feed(&bytes[from..from + len], |part| body.extend_from_slice(part));
        body_at_read.push(body.len());
        from += len;
        if head_read.is_none() && framing.head().is_some() {
            head_read = Some(i as u32);
        }
    }
    let mut derived = Derived {
        outcome: Outcome::Complete,
        detail: String::new(),
        status: framing.head().map(|h| h.status),
        head_read,
        chunks: Vec::new(),
        done: false,
        claimed: Claimed::default(),
    };
    let (outcome, detail) = conclude(&framing, &body, &body_at_read, end, &mut derived);
    derived.outcome = outcome;
    derived.detail = detail;
    derived
}

/// Fills in the chunks and says how the request ended: the first of transport failure,
/// refusal by the server, and content that is not what was asked for.
fn conclude(
    framing: &Framing,
    body: &[u8],
    body_at_read: &[usize],
    end: End,
    derived: &mut Derived,
) -> (Outcome, String) {
    let fail = |outcome, detail: &str| (outcome, detail.to_owned());
    if end == End::Early {
        return fail(Outcome::Malformed, "the answer began before the request was sent");
    }
    let Some(head) = framing.head() else {
        return match end {
            End::Complete | End::NotHttp => {
                fail(Outcome::Malformed, framing.fault().unwrap_or("not an HTTP/1.1 response"))
            }
            other => fail(transport(other), "no response"),
        };
    };
    if (300..400).contains(&head.status) {
        return fail(Outcome::HttpError, "a redirect, which is not followed");
    }
    if head.status != 200 {
        let said = String::from_utf8_lossy(&body[..body.len().min(2_000)]).into_owned();
        return (Outcome::HttpError, said);
    }
    if head.encoded {
        return fail(Outcome::Malformed, "the body is compressed, which nobody asked for");
    }
    if !head.event_stream {
        return fail(Outcome::Malformed, "the reply to a streamed request is not text/event-stream");
    }
    let content = events::read(body, body_at_read, derived);
    if let Err(fault) = content {
        return (Outcome::Malformed, fault);
    }
    match end {
        End::Complete if framing.is_complete() => (Outcome::Complete, String::new()),
        End::Complete => fail(Outcome::Malformed, framing.fault().unwrap_or("the response is not complete")),
        End::Closed if framing.ends_at_close() => (Outcome::Complete, String::new()),
        End::NotHttp => fail(Outcome::Malformed, framing.fault().unwrap_or("broken framing")),
        other => (transport(other), String::new()),
    }
}

fn transport(end: End) -> Outcome {
    match end {
        End::Complete => Outcome::Complete,
        End::Closed => Outcome::Closed,
        End::Reset => Outcome::Reset,
        End::Deadline => Outcome::Deadline,
        End::TooLarge => Outcome::TooLarge,
        End::NotHttp | End::Early => Outcome::Malformed,
        End::NoConnection => Outcome::NoConnection,
        End::NotSent => Outcome::NotSent,
        End::TimeUp => Outcome::TimeUp,
    }
}

#[cfg(test)]
mod tests;
