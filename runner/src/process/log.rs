//! A server's output: all of it is read, so that the server never waits for us, and the
//! first and the last half of the limit are kept.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use lab::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{ChildStderr, ChildStdout},
    task::JoinSet,
};

pub(super) struct Log {
    kept: Arc<Mutex<Kept>>,
    readers: JoinSet<()>,
}

struct Kept {
    half: usize,
    first: Vec<u8>,
    last: VecDeque<u8>,
    written: u64,
}

/// What is kept of a log.
pub(super) struct Finished {
    pub(super) written: u64,
    pub(super) bytes: Vec<u8>,
}

impl Log {
    pub(super) fn capture(stdout: Option<ChildStdout>, stderr: Option<ChildStderr>, limit: Bytes) -> Self {
        let kept = Arc::new(Mutex::new(Kept {
            half: limit.as_usize() / 2,
            first: Vec::new(),
            last: VecDeque::new(),
            written: 0,
        }));
        let mut readers = JoinSet::new();
        if let Some(stdout) = stdout {
            readers.spawn(read(stdout, Arc::clone(&kept)));
        }
        if let Some(stderr) = stderr {
            readers.spawn(read(stderr, Arc::clone(&kept)));
        }
        Log { kept, readers }
    }

    /// The last `most` bytes so far, as text.
    pub(super) fn tail(&self, most: usize) -> String {
        let kept = lock(&self.kept);
        let all: Vec<u8> = kept.first.iter().chain(&kept.last).copied().collect();
        String::from_utf8_lossy(&all[all.len().saturating_sub(most)..]).into_owned()
    }

    /// Waits until the writers are gone. Something that left the process group may hold
    /// the pipe open; it is not waited for.
    pub(super) async fn finish(&mut self) -> Finished {
        let all_read = async { while self.readers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), all_read).await;
        self.readers.abort_all();
        let kept = lock(&self.kept);
        let mut bytes = kept.first.clone();
        let left_out = kept.written - (kept.first.len() + kept.last.len()) as u64;
        if left_out > 0 {
            bytes.extend(format!("\n[… {left_out} bytes left out …]\n").bytes());
        }
        bytes.extend(&kept.last);
        Finished { written: kept.written, bytes }
    }
}

async fn read(mut from: impl AsyncRead + Unpin, kept: Arc<Mutex<Kept>>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        lock(&kept).take(&buffer[..n]);
    }
}

impl Kept {
    fn take(&mut self, bytes: &[u8]) {
        self.written += bytes.len() as u64;
        let (head, rest) = bytes.split_at(bytes.len().min(self.half - self.first.len()));
        self.first.extend_from_slice(head);
        self.last.extend(rest);
        let surplus = self.last.len().saturating_sub(self.half);
        self.last.drain(..surplus);
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_half_of_the_limit_are_kept() {
        let mut kept = Kept { half: 3, first: Vec::new(), last: VecDeque::new(), written: 0 };
        for part in ["a", "bcdef", "ghijkl", "m"] {
            kept.take(part.as_bytes());
        }
        assert_eq!(
            (kept.first.as_slice(), kept.last.make_contiguous() as &[u8], kept.written),
            (&b"abc"[..], &b"klm"[..], 13)
        );
    }
}
