//! The log, line by line, each held against the one before.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
};

use super::{Entry, FORMAT, Head, LONGEST, MOST_LINES, PUT_BACK};
use crate::{Digest, Kind, Problem, Result, bundle::versioned, plain, text::shown};

/// A log whose lines follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// Its lines.
    pub entries: Vec<Entry>,
    /// The digest of each.
    pub digests: Vec<Digest>,
    /// What stands after the last line feed: a line that was cut short while it was written.
    pub torn: Option<String>,
}

impl Chain {
    /// How far it has come.
    pub fn head(&self) -> Head {
        self.digests.last().map_or(Head::none(), |digest| Head { count: self.digests.len() as u64, digest: *digest })
    }

    /// The entries after a head that was published before.
    ///
    /// # Errors
    /// Where the log does not go on from it.
    pub fn since(&self, head: Head, path: &Path) -> Result<&[Entry]> {
        let at = |line: u64, what: String| {
            let next = "put back the log that was published; if this head is of another log, name one of this log's";
            Err(Problem::broken(what).at(format!("{}:{line}", path.display())).next(next))
        };
        let lines = self.entries.len() as u64;
        if head.count > lines {
            let gone = head.count - lines;
            return at(
                lines,
                format!(
                    "the log ends with line {lines}, and had {} when its head was published: {gone} at its end are gone",
                    head.count
                ),
            );
        }
        let upto = head.count as usize;
        let digest = upto.checked_sub(1).map_or(Head::none().digest, |last| self.digests[last]);
        if digest != head.digest {
            return at(
                head.count,
                format!(
                    "line {} is not the one that was published as the head: lines up to it were written anew",
                    head.count
                ),
            );
        }
        Ok(&self.entries[upto..])
    }
}

/// Reads a log, which need not be there.
///
/// # Errors
/// The first line that is none, or does not follow the one before.
pub fn read(path: &Path) -> Result<Chain> {
    let file = match plain::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Chain::default()),
        Err(e) => return Err(Problem::io(Kind::Broken, "read the log", path, &e).next(PUT_BACK)),
    };
    of(BufReader::new(file), path)
}

/// Reads the log that this is.
pub(super) fn of(mut from: impl BufRead, path: &Path) -> Result<Chain> {
    let (mut chain, mut line) = (Chain::default(), Vec::new());
    loop {
        line.clear();
        let n = chain.entries.len() as u64 + 1;
        let broken = |what: String| Problem::broken(what).at(format!("{}:{n}", path.display())).next(PUT_BACK);
        let read = from.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut line);
        read.map_err(|e| Problem::io(Kind::Broken, "read the log", path, &e))?;
        if line.is_empty() {
            return Ok(chain);
        }
        if n > MOST_LINES || line.len() > LONGEST {
            return Err(broken(format!("a log has at most {MOST_LINES} lines of at most {LONGEST} bytes")));
        }
        if line.pop_if(|last| *last == b'\n').is_none() {
            chain.torn = Some(shown(&String::from_utf8_lossy(&line), 200));
            return Ok(chain);
        }
        let entry = entry(&line).map_err(|what| broken(format!("line {n} is no entry, or no longer: {what}")))?;
        follows(&entry, chain.head()).map_err(broken)?;
        chain.digests.push(Digest::of(&line));
        chain.entries.push(entry);
    }
}

/// The entry that a line is.
pub(super) fn entry(line: &[u8]) -> std::result::Result<Entry, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
    versioned(text, FORMAT, "line").map_err(|problem| shown(&problem.what, 300))
}

/// Whether an entry comes right after the lines up to a head.
pub(super) fn follows(entry: &Entry, head: Head) -> std::result::Result<(), String> {
    let (n, expected) = (entry.n, head.count + 1);
    if n > expected {
        let gone = if n - 1 == expected {
            format!("entry {expected} was")
        } else {
            format!("entries {expected} to {} were", n - 1)
        };
        return Err(format!("{gone} removed: line {expected} is entry {n}"));
    }
    if n < expected {
        return Err(format!("line {expected} is entry {n}: entries were moved, or put in twice"));
    }
    if entry.before != head.digest {
        return Err(match head.count {
            0 => "line 1 says that another line was before it".to_owned(),
            last => format!("line {n} was written after another line {last}: one of the two was changed"),
        });
    }
    Ok(())
}
