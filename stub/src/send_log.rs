//! The log of what was sent when, against which a client's times can be held.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The columns of the log.
const HEADER: &str = "request,x_request_id,event,chunk,tokens,since_start_ns,monotonic_ns";

/// Rows are gathered until they are so many bytes.
const BUFFER_BYTES: usize = 1 << 18;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    RequestReceived,
    Headers,
    Chunk,
    Done,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::RequestReceived => "request_received",
            Self::Headers => "headers",
            Self::Chunk => "chunk",
            Self::Done => "done",
        }
    }
}

/// One row: what is about to be written, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) request: u64,
    pub(crate) request_id: &'a str,
    pub(crate) event: Event,
    pub(crate) chunk: usize,
    pub(crate) tokens: usize,
    pub(crate) at: Instant,
}

/// The log; rows reach the file at the end of each request at the latest, or, where the log is
/// lazy, when told to.
pub(crate) struct SendLog {
    lazy: bool,
    start: Instant,
    start_monotonic_ns: u64,
    file: Option<Mutex<BufWriter<File>>>,
}

impl SendLog {
    /// Starts the log's clock, and the file if there is to be one.
    pub(crate) fn create(path: Option<&Path>, lazy: bool) -> io::Result<Self> {
        let file = path.map(File::create).transpose()?.map(|file| BufWriter::with_capacity(BUFFER_BYTES, file));
        let start = Instant::now();
        let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)?;
        let start_monotonic_ns = now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned();
        let log = Self { lazy, start, start_monotonic_ns, file: file.map(Mutex::new) };
        log.line(format_args!("{HEADER}"), true);
        Ok(log)
    }

    /// Adds a row; an unwritable log is no reason to stop serving.
    pub(crate) fn row(&self, row: Row<'_>) {
        if self.file.is_none() {
            return;
        }
        // 64 bits hold five centuries, and are written faster than 128.
        let since = row.at.saturating_duration_since(self.start).as_nanos() as u64;
        let id = if row.request_id.contains('"') { row.request_id.replace('"', "\"\"") } else { String::new() };
        let line = format_args!(
            "{},\"{}\",{},{},{},{since},{}",
            row.request,
            if id.is_empty() { row.request_id } else { &id },
            row.event.name(),
            row.chunk,
            row.tokens,
            self.start_monotonic_ns + since,
        );
        self.line(line, row.event == Event::Done && !self.lazy);
    }

    /// Brings all rows to the file.
    pub(crate) fn flush(&self) {
        let Some(file) = &self.file else { return };
        let flushed = file.lock().unwrap_or_else(PoisonError::into_inner).flush();
        if let Err(error) = flushed {
            eprintln!("stub: cannot write the send log: {error}");
        }
    }

    /// Brings all rows to the file when the server ends, whoever still holds the log then.
    pub(crate) fn to_the_end(self: &Arc<Self>) -> impl Drop + use<> {
        Flush(Arc::clone(self))
    }

    fn line(&self, line: fmt::Arguments<'_>, flush: bool) {
        let Some(file) = &self.file else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writeln!(file, "{line}");
        let flushed = if flush { file.flush() } else { Ok(()) };
        if let Err(error) = written.and(flushed) {
            eprintln!("stub: cannot write the send log: {error}");
        }
    }
}

struct Flush(Arc<SendLog>);

impl Drop for Flush {
    fn drop(&mut self) {
        self.0.flush();
    }
}
