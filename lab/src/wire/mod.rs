//! HTTP/1.1 responses and server-sent events, as pure functions of the bytes read and of
//! the boundaries between reads.
//!
//! While a request is timed, only `Framing` looks at the bytes, to know where the
//! response ends. Afterwards `derive` makes chunks of them; the runner stores its result
//! and `bench verify` computes it again from `wire.zst`, so no chunk exists without bytes.

mod body;
mod claims;
mod events;
mod framing;
mod json;
mod packed;
mod quick;
mod raw;
mod sse;

use crate::records::{Chunk, Outcome};
use body::Body;
pub use claims::{Considered, Entry, entries};
pub use framing::{Framing, Head};
use packed::Abridged;
pub use raw::Raw;

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
    of(&Body::read(bytes, &[], reads).expect("nothing is left out"), end)
}

/// The same for bytes of which lists of tokens' bytes and of considered tokens are left out; none
/// where something is wrong with them, which is told in the server's words. No chunk depends on
/// such lists: nothing that is read has their names, and they are JSON.
fn derive_abridged(abridged: &Abridged, reads: &[usize], end: End) -> Option<Derived> {
    let derived = of(&Body::read(&abridged.bytes, &abridged.gaps, reads)?, end);
    (!matches!(derived.outcome, Outcome::Malformed | Outcome::HttpError)).then_some(derived)
}

/// What a whole response comes to.
fn of(body: &Body, end: End) -> Derived {
    let mut derived = Derived {
        outcome: Outcome::Complete,
        detail: String::new(),
        status: body.framing.head().map(|h| h.status),
        head_read: body.head_read,
        chunks: Vec::new(),
        done: false,
        claimed: Claimed::default(),
    };
    (derived.outcome, derived.detail) = conclude(body, end, &mut derived);
    derived
}

/// Fills in the chunks and says how the request ended: the first of transport failure,
/// refusal by the server, and content that is not what was asked for.
fn conclude(body: &Body, end: End, derived: &mut Derived) -> (Outcome, String) {
    let framing = &body.framing;
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
        let said = String::from_utf8_lossy(&body.bytes[..body.bytes.len().min(2_000)]).into_owned();
        return (Outcome::HttpError, said);
    }
    if head.encoded {
        return fail(Outcome::Malformed, "the body is compressed, which nobody asked for");
    }
    if !head.event_stream {
        return fail(Outcome::Malformed, "the reply to a streamed request is not text/event-stream");
    }
    let content = events::read(body, derived);
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
