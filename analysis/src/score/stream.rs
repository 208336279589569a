//! A response as V1's client read it.

use lab::Nanos;
use stats::score;

use crate::study::Response;

/// Offsets in ns from the intended send.
pub(super) struct Stream {
    first_content_ns: u64,
    last_content_ns: u64,
    entries_ns: Vec<u64>,
}

/// An answer of more entries is not one that anybody streams.
const MOST_ENTRIES: usize = 1 << 17;

impl Stream {
    /// None where V1 had an error: no whole response, or one without content. Where logprobs were
    /// `asked` for, each of their entries is counted, and each piece of content before the first
    /// of them; else our tokens.
    pub(super) fn read(response: &Response, asked: bool) -> Option<Self> {
        let since = |at: Nanos| at.0.saturating_sub(response.intended_ns.0);
        let content = || response.steps.iter().filter(|s| s.text).map(|s| since(s.offset_ns));
        let (mut listed, mut before, mut entries) = (false, 0, Vec::new());
        for step in &response.steps {
            listed |= step.entries > 0;
            let counted = match asked {
                true => step.entries.max(u32::from(step.text && !listed)),
                false => step.tokens.saturating_sub(before),
            };
            before = step.tokens.max(before);
            let room = MOST_ENTRIES - entries.len();
            entries.extend(std::iter::repeat_n(since(step.offset_ns), room.min(counted as usize)));
        }
        let (first_content_ns, last_content_ns) = (content().next()?, content().next_back()?);
        let whole = response.complete() && !entries.is_empty();
        whole.then_some(Stream { first_content_ns, last_content_ns, entries_ns: entries })
    }

    pub(super) fn view(&self) -> score::Stream<'_> {
        let Stream { first_content_ns, last_content_ns, entries_ns } = self;
        score::Stream { first_content_ns: *first_content_ns, last_content_ns: *last_content_ns, entries_ns }
    }
}
