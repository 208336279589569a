//! Evidence goes to disk while it comes: memory does not grow with what was received.
//!
//! Frames of all requests of one thread follow each other in one file. Each begins with
//! where the same request's frame before it is, so that a request can be read back from
//! its last frame on.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    path::Path,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::JoinHandle,
};

use lab::{Kind, Nanos, Problem, Result, records::Read};

use crate::socket::Stamp;

/// Bytes that are handed to the disk at once.
const BLOCK: usize = 256 << 10;
/// Blocks that may wait for the disk.
const WAITING: usize = 256;
/// Bytes before a frame's own.
const HEAD: usize = 32;

/// One file of frames.
pub struct Journal {
    block: Vec<u8>,
    handed: u64,
    to_disk: Option<SyncSender<Vec<u8>>>,
    spare: Receiver<Vec<u8>>,
    writer: Option<JoinHandle<std::io::Result<()>>>,
    file: File,
}

/// Where a request's last frame is, and what came of it in all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trail {
    at: u64,
    len: u32,
    /// Frames.
    pub reads: u32,
    /// Bytes of all frames.
    pub bytes: u64,
}

impl Journal {
    /// Begins a file.
    pub fn create(path: &Path) -> Result<Self> {
        let failed = |e: &std::io::Error| Problem::io(Kind::Machine, "write evidence to", path, e);
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(path).map_err(|e| failed(&e))?;
        let (to_disk, blocks) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, spare) = channel();
        let own = file.try_clone().map_err(|e| failed(&e))?;
        let writer = std::thread::Builder::new()
            .name("evidence".into())
            .spawn(move || write(own, &blocks, &give_back))
            .map_err(|e| failed(&e))?;
        Ok(Journal {
            block: Vec::with_capacity(BLOCK),
            handed: 0,
            to_disk: Some(to_disk),
            spare,
            writer: Some(writer),
            file,
        })
    }

    /// Bytes of everything in it.
    pub fn size(&self) -> u64 {
        self.handed + self.block.len() as u64
    }

    /// Adds what one read brought.
    pub fn append(&mut self, trail: &mut Trail, stamp: Stamp, bytes: &[u8]) {
        if self.block.len() + HEAD + bytes.len() > BLOCK {
            self.hand_over();
        }
        let at = self.handed + self.block.len() as u64;
        self.block.extend_from_slice(&trail.at.to_le_bytes());
        self.block.extend_from_slice(&trail.len.to_le_bytes());
        self.block.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.block.extend_from_slice(&stamp.at.0.to_le_bytes());
        self.block.extend_from_slice(&stamp.behind.0.to_le_bytes());
        self.block.extend_from_slice(bytes);
        *trail = Trail { at, len: bytes.len() as u32, reads: trail.reads + 1, bytes: trail.bytes + bytes.len() as u64 };
    }

    fn hand_over(&mut self) {
        let spare = self.spare.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
        let full = std::mem::replace(&mut self.block, spare);
        self.handed += full.len() as u64;
        if let Some(to_disk) = &self.to_disk {
            // A writer that is gone says why when the journal is finished.
            let _ = to_disk.send(full);
        }
    }

    /// Waits until everything is written; from then on it can be read.
    pub fn finish(&mut self) -> std::io::Result<()> {
        self.hand_over();
        drop(self.to_disk.take());
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(std::io::Error::other("the writer of evidence panicked")),
            None => Ok(()),
        }
    }

    /// All that came of a request, in order.
    pub fn read(&self, trail: Trail) -> std::io::Result<(Vec<Read>, Vec<u8>)> {
        let mut reads = Vec::with_capacity(trail.reads as usize);
        let mut bytes = vec![0; usize::try_from(trail.bytes).unwrap_or(usize::MAX)];
        let (mut at, mut len, mut end) = (trail.at, trail.len as usize, bytes.len());
        let mut frame = Vec::new();
        for _ in 0..trail.reads {
            frame.resize(HEAD + len, 0);
            self.file.read_exact_at(&mut frame, at)?;
            let word = |from: usize| frame[from..from + 8].iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
            let before = word(8) as u32;
            reads.push(Read { at: Nanos(word(16)), len, behind: Nanos(word(24)) });
            bytes[end - len..end].copy_from_slice(&frame[HEAD..]);
            (end, at, len) = (end - len, word(0), before as usize);
        }
        reads.reverse();
        Ok((reads, bytes))
    }
}

fn write(mut file: File, blocks: &Receiver<Vec<u8>>, give_back: &Sender<Vec<u8>>) -> std::io::Result<()> {
    for mut block in blocks {
        file.write_all(&block)?;
        block.clear();
        // Nobody wants it back at the end.
        let _ = give_back.send(block);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_requests_come_back_whole_and_in_order() {
        let temp = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(&temp.path().join("j")).unwrap();
        let mut trails = [Trail::default(); 3];
        let mut sent: [Vec<u8>; 3] = Default::default();
        for n in 0..3_000u64 {
            let who = (n * n % 3) as usize;
            let bytes = vec![n as u8; (n * 37 % 1_500) as usize];
            journal.append(&mut trails[who], Stamp { at: Nanos(n), behind: Nanos(n / 2) }, &bytes);
            sent[who].extend(bytes);
        }
        journal.finish().unwrap();
        for (trail, sent) in trails.iter().zip(&sent) {
            let (reads, bytes) = journal.read(*trail).unwrap();
            assert_eq!(&bytes, sent);
            assert!(reads.windows(2).all(|w| w[0].at < w[1].at));
            assert!(reads.iter().all(|r| r.behind.0 == r.at.0 / 2));
        }
    }
}
