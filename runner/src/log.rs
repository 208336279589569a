//! A server's output: all of it is read, so that the server never waits for us, and the
//! first and the last half of the limit are kept.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use futures_util::{Stream, StreamExt};
use lab::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    task::JoinSet,
};

pub(crate) struct Log {
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
pub(crate) struct Finished {
    pub(crate) written: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Log {
    /// With nothing in it; keeps so many bytes.
    pub(crate) fn new(limit: Bytes) -> Self {
        let half = limit.as_usize() / 2;
        let kept = Kept { half, first: Vec::new(), last: VecDeque::new(), written: 0 };
        Log { kept: Arc::new(Mutex::new(kept)), readers: JoinSet::new() }
    }

    /// Reads a pipe to its end.
    pub(crate) fn read(&mut self, pipe: Option<impl AsyncRead + Unpin + Send + 'static>) {
        if let Some(pipe) = pipe {
            self.readers.spawn(read(pipe, Arc::clone(&self.kept)));
        }
    }

    /// Takes the parts of a stream to its end.
    pub(crate) fn follow<T: AsRef<[u8]>, E>(
        &mut self,
        mut parts: impl Stream<Item = Result<T, E>> + Unpin + Send + 'static,
    ) {
        let kept = Arc::clone(&self.kept);
        self.readers.spawn(async move {
            while let Some(Ok(part)) = parts.next().await {
                lock(&kept).take(part.as_ref());
            }
        });
    }

    /// The last `most` bytes so far, as text.
    pub(crate) fn tail(&self, most: usize) -> String {
        let kept = lock(&self.kept);
        let all: Vec<u8> = kept.first.iter().chain(&kept.last).copied().collect();
        String::from_utf8_lossy(&all[all.len().saturating_sub(most)..]).into_owned()
    }

    /// Waits until the writers are gone. Something that left the process group may hold
    /// the pipe open; it is not waited for.
    pub(crate) async fn finish(&mut self) -> Finished {
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
