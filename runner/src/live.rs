//! What a load phase looks like while it goes on. For display only: counted from reads of
//! the socket without parsing them, and stored nowhere.

use hdrhistogram::Histogram;
use lab::Nanos;
use serde::{Deserialize, Serialize};

/// The counts of one thread, or of all together.
#[derive(Debug)]
pub struct Tally {
    /// Requests sent.
    pub sent: u64,
    /// Requests that ended.
    pub ended: u64,
    /// Those of them without a whole response.
    pub failed: u64,
    /// Reads that brought output, about one for each chunk while the client keeps up.
    pub chunks: u64,
    /// Send to first output, in µs.
    pub ttft: Histogram<u64>,
    /// Between reads after it, in µs.
    pub gap: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let histogram = || Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("bounds that the crate allows");
        Tally { sent: 0, ended: 0, failed: 0, chunks: 0, ttft: histogram(), gap: histogram() }
    }
}

impl Tally {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Tally) {
        self.sent += other.sent;
        self.ended += other.ended;
        self.failed += other.failed;
        self.chunks += other.chunks;
        // The bounds are the same.
        let _ = self.ttft.add(&other.ttft);
        let _ = self.gap.add(&other.gap);
    }

    /// Becomes the same as another, in the same memory.
    pub fn copy(&mut self, other: &Tally) {
        self.clear();
        self.add(other);
    }

    /// Starts from nothing, in the same memory.
    pub fn clear(&mut self) {
        (self.sent, self.ended, self.failed, self.chunks) = (0, 0, 0, 0);
        self.ttft.reset();
        self.gap.reset();
    }

    /// What a person is shown of it.
    pub fn glimpse(&self) -> Glimpse {
        let at = |of: &Histogram<u64>, q| Nanos(of.value_at_quantile(q) * 1_000);
        let pair = |of: &Histogram<u64>| (!of.is_empty()).then(|| [at(of, 0.5), at(of, 0.99)]);
        let Tally { sent, ended, failed, chunks, .. } = *self;
        Glimpse { sent, ended, failed, chunks, ttft: pair(&self.ttft), gap: pair(&self.gap) }
    }
}

/// What a person is shown of a phase that goes on.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Glimpse {
    /// Requests sent.
    pub sent: u64,
    /// Requests that ended.
    pub ended: u64,
    /// Those of them without a whole response.
    pub failed: u64,
    /// Reads that brought output.
    pub chunks: u64,
    /// Send to first output: median and p99.
    pub ttft: Option<[Nanos; 2]>,
    /// Between reads after it: median and p99.
    pub gap: Option<[Nanos; 2]>,
}

impl Glimpse {
    /// Requests that are under way.
    pub fn in_flight(&self) -> u64 {
        self.sent.saturating_sub(self.ended)
    }
}

/// What is remembered of one response for the display.
#[derive(Debug, Clone, Copy, Default)]
pub struct Glance {
    last: Option<Nanos>,
}

impl Glance {
    /// Looks at a read: `sent` is when its request was intended, `arrived` when it came.
    pub fn see(&mut self, tally: &mut Tally, sent: Nanos, arrived: Nanos, bytes: &[u8]) {
        let micros = |from: Nanos| (arrived.0.saturating_sub(from.0) / 1_000).clamp(1, 3_600_000_000);
        match self.last {
            None if shows_output(bytes) => tally.ttft.saturating_record(micros(sent)),
            None => return,
            Some(last) => tally.gap.saturating_record(micros(last)),
        }
        tally.chunks += 1;
        self.last = Some(arrived);
    }
}

/// Whether a read holds a first piece of output, as far as a glance tells.
fn shows_output(bytes: &[u8]) -> bool {
    const NAMES: [&[u8]; 4] = [b"\"content\":", b"\"reasoning\":", b"\"reasoning_content\":", b"\"text\":"];
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|b| *b == b'"') {
        let here = &bytes[from + at..];
        for name in NAMES {
            if let Some(value) = here.strip_prefix(name) {
                let value = value.trim_ascii_start();
                if value.starts_with(b"\"") && !value.starts_with(b"\"\"") {
                    return true;
                }
            }
        }
        from += at + 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::shows_output;

    #[test]
    fn a_role_chunk_is_no_output() {
        assert!(!shows_output(br#"data: {"choices":[{"delta":{"role":"assistant","content":""}}]}"#));
        assert!(!shows_output(br#"data: {"choices":[{"delta":{"content":null}}]}"#));
        assert!(shows_output(br#"data: {"choices":[{"delta":{"content":"a"}}]}"#));
        assert!(shows_output(br#"data: {"choices":[{"delta":{"reasoning_content": "a"}}]}"#));
    }
}
