//! Lines are added under a lock, each with the digest of the one before, and synced before anybody
//! goes on. What a crash left of a line is named in the next one.

use std::{
    fs::{self, File},
    io::{BufReader, Seek, SeekFrom},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::fcntl::OFlag;

use super::{Chain, Entry, Event, FORMAT, Head, LOG, LONGEST, PUT_BACK, read};
use crate::{Digest, Kind, Problem, Result, text::shown};

/// How often a lock is asked for that somebody else has, and how long after the time before: for
/// half a minute, and a line takes milliseconds.
const ASKS: u32 = 3_000;
const PAUSE: Duration = Duration::from_millis(10);

/// Of a line that was cut short so much is kept.
const KEPT: usize = 1_000;

/// The log of a folder of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// That of a folder of results, which need not be there yet.
    pub fn of(results: &Path) -> Self {
        Log { path: results.join(LOG) }
    }

    /// That of the folder of results that a run lies in, and what the log calls the run; none
    /// where it does not lie in a folder of a date.
    pub fn around(run: &Path) -> Option<(Self, String)> {
        let run = run.canonicalize().unwrap_or_else(|_| run.to_owned());
        let (day, name) = (run.parent()?, run.file_name()?.to_str()?);
        let date = day.file_name()?.to_str()?;
        let is_date = date.len() == 10
            && date.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        is_date.then_some((Log::of(day.parent()?), format!("{date}/{name}")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All of it, each line held against the one before.
    pub fn read(&self) -> Result<Chain> {
        read(&self.path)
    }

    /// Adds a line.
    pub fn append(&self, at: &str, event: Event) -> Result<Head> {
        self.hold()?.append(at, event)
    }

    /// Keeps everybody else from adding a line.
    pub fn hold(&self) -> Result<Held> {
        let mut open = File::options();
        open.read(true).write(true).create(true).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
        let file = open.open(&self.path).map_err(|e| self.failed("open the log", &e))?;
        if !file.metadata().is_ok_and(|m| m.is_file()) {
            return Err(Problem::machine("the log is no plain file")
                .at(self.path.display().to_string())
                .next(PUT_BACK));
        }
        // That it is there outlasts a crash too.
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| self.failed("sync", &e))?;
        for _ in 0..ASKS {
            match file.try_lock() {
                Ok(()) => return Ok(Held { file, path: self.path.clone() }),
                Err(fs::TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(fs::TryLockError::Error(e)) => return Err(self.failed("lock the log", &e)),
            }
        }
        Err(Problem::machine("somebody else has held the log for half a minute")
            .at(self.path.display().to_string())
            .next("see who: fuser, with this file's name"))
    }

    fn failed(&self, doing: &str, error: &std::io::Error) -> Problem {
        Problem::io(Kind::Machine, doing, &self.path, error).next("make room or correct the permissions")
    }
}

/// A log that nobody else writes meanwhile.
#[derive(Debug)]
pub struct Held {
    file: File,
    path: PathBuf,
}

/// The end of a log.
struct End {
    head: Head,
    /// Where the next line goes.
    at: u64,
    /// What stands there, of a line that was cut short.
    torn: Vec<u8>,
}

impl Held {
    /// All of it.
    pub fn read(&mut self) -> Result<Chain> {
        self.file.seek(SeekFrom::Start(0)).map_err(|e| self.failed("read the log", &e))?;
        read::of(BufReader::new(&self.file), &self.path)
    }

    /// Adds a line, and before it one that names what a crash left of another.
    pub fn append(&mut self, at: &str, event: Event) -> Result<Head> {
        let end = self.end()?;
        let (mut head, mut written) = (end.head, Vec::new());
        let mut add = |line: &[u8]| {
            written.extend_from_slice(line);
            written.push(b'\n');
            head = Head { count: head.count + 1, digest: Digest::of(line) };
            head
        };
        let line = |head: Head, event: Event| {
            let entry = Entry { format: FORMAT, n: head.count + 1, before: head.digest, at: at.to_owned(), event };
            entry.to_line()
        };
        let mut last = end.head;
        if !end.torn.is_empty() {
            // It may lack nothing but its line feed.
            let whole = read::entry(&end.torn).is_ok_and(|entry| read::follows(&entry, last).is_ok());
            last = if whole { add(&end.torn) } else { add(line(last, torn(&end.torn)).as_bytes()) };
        }
        let own = line(last, event);
        if own.len() >= LONGEST {
            return Err(Problem::machine(format!("an entry of {} bytes is too long", own.len())).at(self.place()));
        }
        let head = add(own.as_bytes());
        let write = || {
            self.file.write_all_at(&written, end.at)?;
            self.file.set_len(end.at + written.len() as u64)?;
            self.file.sync_all()
        };
        write().map_err(|e| self.failed("write the log", &e))?;
        Ok(head)
    }

    /// The last whole line, and what stands after it.
    fn end(&self) -> Result<End> {
        let failed = |e: &std::io::Error| self.failed("read the log", e);
        let size = self.file.metadata().map_err(|e| failed(&e))?.len();
        // A line that was cut short, and the one before it.
        let from = size.saturating_sub(2 * LONGEST as u64 + 1);
        let mut bytes = vec![0; (size - from) as usize];
        self.file.read_exact_at(&mut bytes, from).map_err(|e| failed(&e))?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
        let torn = bytes.split_off(whole);
        bytes.pop();
        let at = from + whole as u64;
        if at == 0 {
            return Ok(End { head: Head::none(), at, torn });
        }
        let line = bytes.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let entry = read::entry(line).map_err(|what| {
            Problem::broken(format!("the last line is no entry, or no longer: {what}")).at(self.place()).next(PUT_BACK)
        })?;
        Ok(End { head: Head { count: entry.n, digest: Digest::of(line) }, at, torn })
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, doing: &str, error: &std::io::Error) -> Problem {
        Problem::io(Kind::Machine, doing, &self.path, error).next("make room or correct the permissions")
    }
}

/// What is said of a line that was cut short.
fn torn(bytes: &[u8]) -> Event {
    let text = shown(&String::from_utf8_lossy(bytes), KEPT);
    Event::Torn { bytes: bytes.len() as u64, sha256: Digest::of(bytes), text }
}
