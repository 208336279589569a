//! Faults in the middle of a reply.

use crate::behaviour::{Act, Behaviour, Place, World};
use crate::refusal::Refusal;

/// A stream that just ends.
pub(super) struct NoDone;

impl Behaviour for NoDone {
    fn acts(&self, _world: &World, place: Place, bytes: Vec<u8>) -> Vec<Act> {
        if place == Place::Done { vec![] } else { vec![Act::Send(bytes)] }
    }
}

/// Something that happens after `--fault-after` chunks with tokens, at the end of a
/// shorter stream, or half way through a whole reply.
pub(super) struct MidStream(pub(super) fn(&World) -> Vec<Act>);

impl Behaviour for MidStream {
    fn acts(&self, world: &World, place: Place, mut bytes: Vec<u8>) -> Vec<Act> {
        let now = match place {
            Place::Content(number) => number >= world.options.fault_after,
            Place::Done => true,
            Place::Whole => {
                bytes.truncate(bytes.len() / 2);
                let half = vec![Act::Send(bytes)];
                return half.into_iter().chain((self.0)(world)).collect();
            }
            Place::Head | Place::Role | Place::Usage => false,
        };
        if now { (self.0)(world) } else { vec![Act::Send(bytes)] }
    }
}

/// The end of the whole server.
pub(super) fn die(_world: &World) -> Vec<Act> {
    vec![Act::Die]
}

/// An error object, then a proper end.
pub(super) fn error(_world: &World) -> Vec<Act> {
    let error = Refusal::internal("EngineCore encountered an issue.").body;
    vec![Act::Send(format!("data: {error}\n\n").into_bytes()), Act::Send(b"data: [DONE]\n\n".to_vec()), Act::End]
}

/// A regular close in the wrong place.
pub(super) fn close(_world: &World) -> Vec<Act> {
    vec![Act::Close]
}

/// A reset.
pub(super) fn reset(_world: &World) -> Vec<Act> {
    vec![Act::Reset]
}

/// The sending side closed.
pub(super) fn half_close(_world: &World) -> Vec<Act> {
    vec![Act::HalfClose]
}

/// Nothing more, for ever.
pub(super) fn stall(_world: &World) -> Vec<Act> {
    vec![Act::Hang]
}

/// A line of letters, and nothing after it.
pub(super) fn giant_line(world: &World) -> Vec<Act> {
    vec![Act::Send(b"data: ".to_vec()), Act::Giant(world.options.giant), Act::Close]
}
