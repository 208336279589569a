//! Reads of a socket, put together.

use super::{Framing, packed::Gap};

/// A response without its framing.
#[derive(Default)]
pub(super) struct Body {
    pub(super) framing: Framing,
    pub(super) bytes: Vec<u8>,
    /// How many bytes there were after each read.
    pub(super) at_read: Vec<usize>,
    pub(super) head_read: Option<u32>,
}

impl Body {
    /// None where something is left out that is not of the body.
    pub(super) fn read(mut bytes: &[u8], gaps: &[Gap], reads: &[usize]) -> Option<Self> {
        let mut body = Body { bytes: Vec::with_capacity(bytes.len()), ..Body::default() };
        body.at_read.reserve(reads.len());
        let (mut at, mut gaps) = (0, gaps.iter().copied());
        let mut gap = gaps.next();
        for (i, &len) in reads.iter().enumerate() {
            let mut left = len;
            while left > 0 {
                let before = gap.map_or(left, |gap| left.min(gap.at - at));
                let (part, rest) = bytes.split_at(before);
                body.framing.feed(part, |part| body.bytes.extend_from_slice(part));
                (bytes, at, left) = (rest, at + before, left - before);
                if let Some(part) = gap.as_mut().filter(|_| left > 0) {
                    let skipped = left.min(part.len);
                    body.framing.skip(skipped as u64)?;
                    (part.len, left) = (part.len - skipped, left - skipped);
                    if part.len == 0 {
                        gap = gaps.next();
                    }
                }
            }
            body.at_read.push(body.bytes.len());
            if body.head_read.is_none() && body.framing.head().is_some() {
                body.head_read = Some(i as u32);
            }
        }
        Some(body)
    }
}
