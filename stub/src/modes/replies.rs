//! Faults of whole replies: their status and headers.

use super::timing::slowly;
use crate::behaviour::{Act, Behaviour, Head, Job, Place, World};
use crate::refusal::Refusal;

/// Where `redirect` sends its clients: an address reserved for documentation.
const ELSEWHERE: &str = "http://203.0.113.9:8000/v1/chat/completions";
/// The length that a stream claims.
const CLAIMED_STREAM_BYTES: u64 = 1 << 20;
/// The bytes that a whole reply claims beyond its own.
const CLAIMED_SURPLUS_BYTES: u64 = 1000;

/// 500.
pub(super) struct Error500;

impl Behaviour for Error500 {
    fn instead(&self, _job: &Job) -> Option<(Refusal, Vec<(&'static str, String)>)> {
        let what = "EngineCore encountered an issue. See stack trace (above) for the root cause.";
        Some((Refusal::internal(what), Vec::new()))
    }
}

/// 307 to another host.
pub(super) struct Redirect;

impl Behaviour for Redirect {
    fn instead(&self, _job: &Job) -> Option<(Refusal, Vec<(&'static str, String)>)> {
        let refusal = Refusal::plain(307, "Temporary Redirect");
        Some((refusal, vec![("location", ELSEWHERE.to_owned())]))
    }
}

/// Plain text under the name of gzip.
pub(super) struct Gzip;

impl Behaviour for Gzip {
    fn head(&self, head: &mut Head) {
        head.headers.push(("content-encoding", "gzip".to_owned()));
    }
}

/// A length that the body does not have.
pub(super) struct WrongContentLength;

impl Behaviour for WrongContentLength {
    fn head(&self, head: &mut Head) {
        let claimed = head.length.map(|length| length + CLAIMED_SURPLUS_BYTES);
        head.length = Some(claimed.unwrap_or(CLAIMED_STREAM_BYTES));
    }

    fn acts(&self, _world: &World, place: Place, bytes: Vec<u8>) -> Vec<Act> {
        match place {
            Place::Done | Place::Whole => vec![Act::Send(bytes), Act::Close],
            _ => vec![Act::Send(bytes)],
        }
    }
}

/// A header without an end in sight.
pub(super) struct GiantHeader;

impl Behaviour for GiantHeader {
    fn acts(&self, world: &World, place: Place, mut bytes: Vec<u8>) -> Vec<Act> {
        if place != Place::Head {
            return vec![Act::Send(bytes)];
        }
        // The last line end makes way for one more header.
        bytes.truncate(bytes.len().saturating_sub(2));
        bytes.extend_from_slice(b"x-giant: ");
        vec![Act::Send(bytes), Act::Giant(world.options.giant), Act::Send(b"\r\n\r\n".to_vec())]
    }
}

/// Headers one byte at a time.
pub(super) struct SlowHeaders;

impl Behaviour for SlowHeaders {
    fn acts(&self, world: &World, place: Place, bytes: Vec<u8>) -> Vec<Act> {
        if place == Place::Head {
            return slowly(&bytes, world.options.drip);
        }
        vec![Act::Send(bytes)]
    }
}
