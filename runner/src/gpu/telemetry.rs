//! What leased GPUs do while a trial runs: a thread reads them at fixed times and writes rows
//! as it goes. Whatever goes wrong here is a recorded fact and fails no trial.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{faults::Faults, nvml::Library};
use crate::{clock::Clock, host};
use lab::{
    Nanos,
    bundle::{TELEMETRY, TableWriter},
    records::{GpuFault, TelemetryFacts, TelemetryRow},
};

/// Time between two samples of a GPU, if nothing else is asked for.
pub const INTERVAL: Nanos = Nanos::from_millis(500);

/// Rows of one trial at most: eight GPUs at the usual interval for seventeen hours.
const MOST_ROWS: u64 = 1_000_000;

/// Different errors that are kept.
const MOST_ERRORS: usize = 20;

/// Faults of hardware that are kept, and others: a program's own hide none of hardware.
const MOST_FAULTS: usize = 20;

/// A library that does not answer for so long is left behind.
const PATIENCE: Duration = Duration::from_secs(3);

/// GPUs that are being watched. Dropped, it stops by itself.
#[derive(Debug)]
pub struct Telemetry {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
    book: Arc<Mutex<Book>>,
}

impl Telemetry {
    /// Begins to read the GPUs `uuids` every `interval`, at once for the first time, and to
    /// write `file`, on a thread of its own that runs on `cores` only, if any are given.
    /// Offsets are of `clock`. Without the library or without GPUs no file is made.
    pub fn start(
        library: &Result<Library, String>,
        uuids: Vec<String>,
        clock: Clock,
        interval: Nanos,
        file: &Path,
        cores: &[u32],
    ) -> Self {
        let interval = interval.max(Nanos(1));
        let facts = TelemetryFacts { interval_ns: interval, ..TelemetryFacts::default() };
        let book = Arc::new(Mutex::new(Book { file: file.to_owned(), table: None, facts, errors: Vec::new() }));
        let (stop, stopped) = channel();
        let (running, ended) = channel();
        let mut telemetry = Telemetry { stop: Some(stop), ended, thread: None, book };
        let library = match library {
            Ok(library) if !uuids.is_empty() => library.clone(),
            other => {
                let why = other.as_ref().err().cloned().unwrap_or_else(|| "no GPU was leased".to_owned());
                open(&telemetry.book).facts.absent = Some(why);
                return telemetry;
            }
        };
        if !open(&telemetry.book).begin() {
            return telemetry;
        }
        let (cores, book) = (cores.to_vec(), Arc::clone(&telemetry.book));
        let watch = Watch { library, uuids, clock, interval, book };
        let spawned = std::thread::Builder::new().name("telemetry".into()).spawn(move || {
            watch.pin(&cores);
            watch.run(&stopped);
            drop(running);
        });
        match spawned {
            Ok(thread) => telemetry.thread = Some(thread),
            Err(e) => open(&telemetry.book).fail(format!("a thread for it cannot be started: {e}")),
        }
        telemetry
    }

    /// Reads once more, ends the file, and says how it went. Takes as long as one sample; a
    /// library that does not answer is left behind after three seconds.
    pub fn finish(mut self) -> TelemetryFacts {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            match self.ended.recv_timeout(PATIENCE) {
                Err(RecvTimeoutError::Timeout) => open(&self.book).note("the library does not answer".into()),
                _ if thread.join().is_err() => open(&self.book).note("the sampler panicked".into()),
                _ => {}
            }
        }
        open(&self.book).end()
    }
}

/// The thread's part.
struct Watch {
    library: Library,
    uuids: Vec<String>,
    clock: Clock,
    interval: Nanos,
    book: Arc<Mutex<Book>>,
}

impl Watch {
    fn pin(&self, cores: &[u32]) {
        if let Err(e) = host::keep_to(cores) {
            open(&self.book).note(format!("the sampler cannot be kept on its cores: {e}"));
        }
    }

    /// Reads now and at whole intervals from now on; those that pass while it reads are missed.
    /// At the end it reads once more, so that the last row is as late as the trial.
    fn run(&self, stopped: &Receiver<()>) {
        let start = self.clock.now();
        let mut faults = Faults::watch(&self.library, &self.uuids);
        let mut turn = 0u64;
        loop {
            self.sample(&mut faults);
            turn = self.missed(start, turn + 1);
            let due = start.0.saturating_add(self.interval.0.saturating_mul(turn));
            let wait = Duration::from_nanos(due.saturating_sub(self.clock.now().0));
            if !matches!(stopped.recv_timeout(wait), Err(RecvTimeoutError::Timeout)) {
                break;
            }
        }
        self.missed(start, turn);
        self.sample(&mut faults);
    }

    /// Counts the turns from `turn` on that are due already; returns the first that is not.
    fn missed(&self, start: Nanos, turn: u64) -> u64 {
        let passed = (self.clock.now().0 - start.0) / self.interval.0 + 1;
        open(&self.book).facts.missed += passed.saturating_sub(turn) * self.uuids.len() as u64;
        passed.max(turn)
    }

    /// The book is not held while the library is asked: it may never answer.
    fn sample(&self, faults: &mut Faults<'_>) {
        for uuid in &self.uuids {
            let mut errors = Vec::new();
            let row = self.library.sample(uuid, self.clock.now(), &mut |error| errors.push(error));
            let mut book = open(&self.book);
            errors.into_iter().for_each(|error| book.note(error));
            book.row(row.as_ref());
        }
        let seen = faults.seen(self.clock.now());
        open(&self.book).broke(seen);
    }
}

/// What is written and what is known about it.
#[derive(Debug)]
struct Book {
    file: PathBuf,
    table: Option<Table>,
    facts: TelemetryFacts,
    /// Each different one, and how often it came.
    errors: Vec<(String, u64)>,
}

struct Table(TableWriter<File>);

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Table")
    }
}

impl Book {
    fn begin(&mut self) -> bool {
        match File::create(&self.file).and_then(|file| TableWriter::new(file, TelemetryRow::HEADER, TELEMETRY)) {
            Ok(table) => self.table = Some(Table(table)),
            Err(e) => self.fail(format!("the table cannot be written: {e}")),
        }
        self.table.is_some()
    }

    fn row(&mut self, row: Option<&TelemetryRow>) {
        let (Some(row), Some(table), true) = (row, &mut self.table, self.facts.samples < MOST_ROWS) else {
            self.facts.missed += 1;
            return;
        };
        match table.0.row(row) {
            Ok(()) => self.facts.samples += 1,
            Err(e) => self.fail(format!("the table cannot be written: {e}")),
        }
    }

    fn note(&mut self, error: String) {
        if let Some((_, times)) = self.errors.iter_mut().find(|(known, _)| *known == error) {
            *times += 1;
        } else if self.errors.len() < MOST_ERRORS {
            self.errors.push((error, 1));
        }
    }

    fn broke(&mut self, faults: Vec<GpuFault>) {
        for fault in faults {
            let alike = self.facts.faults.iter().filter(|known| known.is_of_hardware() == fault.is_of_hardware());
            if alike.count() < MOST_FAULTS {
                self.facts.faults.push(fault);
            }
        }
    }

    /// Half a table is none: its last row could be cut.
    fn fail(&mut self, error: String) {
        self.table = None;
        // It may never have been there.
        let _ = fs::remove_file(&self.file);
        self.facts.missed += self.facts.samples;
        self.facts.samples = 0;
        self.facts.absent = Some(error);
    }

    fn end(&mut self) -> TelemetryFacts {
        if let Some(Table(table)) = self.table.take()
            && let Err(e) = table.finish().and_then(|file| file.sync_all())
        {
            self.fail(format!("the table cannot be written: {e}"));
        }
        let in_words = |(error, times): &(String, u64)| match times {
            1 => error.clone(),
            _ => format!("{error} ({times} times)"),
        };
        TelemetryFacts { errors: self.errors.iter().map(in_words).collect(), ..self.facts.clone() }
    }
}

/// A sampler that panicked leaves a book that is still right.
fn open(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
