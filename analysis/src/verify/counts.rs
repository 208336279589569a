//! How much of a bundle was verified.

use lab::bundle::{Kind, Manifest};
use serde::Serialize;

/// What was gone through in a bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Files whose bytes were compared with their digests.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Trials; of a grade bundle those that it grades.
    pub trials: u64,
    /// Requests whose rows were made again from the bytes that came; of a grade bundle those that
    /// it grades.
    pub requests: u64,
    /// Chunks that were made again from the bytes that came.
    pub chunks: u64,
    /// Tokens that a reference scored.
    pub tokens: u64,
}

impl Counts {
    pub(super) fn of_files(manifest: &Manifest) -> Self {
        let bytes = manifest.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        Counts { files: manifest.files.len() as u64, bytes, ..Counts::default() }
    }

    pub(super) fn add(&mut self, other: Counts) {
        self.trials += other.trials;
        self.requests += other.requests;
        self.chunks += other.chunks;
        self.tokens += other.tokens;
    }

    /// `12 trials, 384 requests and 11,904 chunks made again from their bytes; 61 files, 1.2 MB`
    pub fn in_words(&self, kind: Kind) -> String {
        let counted = |n: u64, what: &str| format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" });
        let (trials, requests) = (counted(self.trials, "trial"), counted(self.requests, "request"));
        let seen = match kind {
            Kind::Measure => format!("{requests} and {} made again from their bytes", counted(self.chunks, "chunk")),
            Kind::Grade => format!("{requests} and {} of the reference", counted(self.tokens, "token")),
        };
        format!("{trials}, {seen}; {}, {}", counted(self.files, "file"), size(self.bytes))
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_verified_is_said_in_one_line() {
        let counts =
            Counts { files: 61, bytes: 1_234_567, trials: 12, requests: 384, chunks: 11_904, tokens: 1_000_000 };
        assert_eq!(
            counts.in_words(Kind::Measure),
            "12 trials, 384 requests and 11,904 chunks made again from their bytes; 61 files, 1.2 MB"
        );
        let one = Counts { files: 1, bytes: 999, trials: 1, requests: 1, ..counts };
        assert_eq!(
            one.in_words(Kind::Grade),
            "1 trial, 1 request and 1,000,000 tokens of the reference; 1 file, 999 bytes"
        );
    }
}
