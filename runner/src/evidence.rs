//! From the journals of a trial to its tables: one request after the other, so that memory
//! does not grow with the trial.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::Path,
    sync::{Arc, Mutex},
};

use lab::{
    Kind, Nanos, Problem, Result,
    bundle::{ExchangeWriter, REQUEST_TABLE, TableWriter, WIRE},
    records::{Exchange, Outcome, RequestRow, WARMUP},
    wire::{End, Raw},
};
use serde::{Deserialize, Serialize};

use crate::{
    client::{Seen, Shard, lock},
    journal::Journal,
    progress::Unanswered,
    target::Secret,
};

/// What a phase has left.
pub struct PhaseSeen {
    /// Its load's name, or warm-up.
    pub name: String,
    /// Segments that came out of order meanwhile, if anybody knows.
    pub out_of_order: Option<u64>,
    /// What each shard's requests came to.
    pub seen: Vec<Vec<Seen>>,
}

/// What a trial comes to, for display.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Output tokens of timed requests, where the server gave ids; else chunks.
    pub tokens: u64,
    /// Timed requests without a whole answer.
    pub unanswered: Unanswered,
}

/// The name of a shard's journal while a trial goes on.
fn journal(shard: usize) -> String {
    format!("journal-{shard}")
}

/// Begins the journals of a trial.
pub fn begin(folder: &Path, shards: u32) -> Result<Vec<Arc<Mutex<Shard>>>> {
    let begin = |i| Journal::create(&folder.join(journal(i))).map(|j| Arc::new(Mutex::new(Shard::new(j, shards))));
    (0..shards as usize).map(begin).collect()
}

/// Writes `requests.csv` and `wire.zst`, and removes the journals.
pub fn write(folder: &Path, phases: &[PhaseSeen], shards: &[Arc<Mutex<Shard>>], keys: &[Secret]) -> Result<Summary> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |e: io::Error| {
            Problem::io(Kind::Machine, "write evidence to", &path, &e).next("make room, then continue with --resume")
        }
    };
    let mut tables = Tables::begin(folder).map_err(failed(&folder.join(WIRE)))?;
    for (i, shard) in shards.iter().enumerate() {
        lock(shard).journal.finish().map_err(failed(&folder.join(journal(i))))?;
    }
    for phase in phases {
        let mut all: Vec<(usize, &Seen)> =
            phase.seen.iter().enumerate().flat_map(|(shard, seen)| seen.iter().map(move |s| (shard, s))).collect();
        all.sort_by_key(|(_, seen)| seen.request);
        for (shard, seen) in all {
            let (reads, mut bytes) =
                lock(&shards[shard]).journal.read(seen.trail).map_err(failed(&folder.join(journal(shard))))?;
            keys.iter().for_each(|key| key.blank(&mut bytes));
            let mut exchange = Exchange {
                request: seen.request,
                phase: phase.name.clone(),
                intended_ns: seen.intended,
                started_ns: (!matches!(seen.end, End::NotSent | End::TimeUp)).then_some(seen.started),
                sent_ns: seen.sent,
                end: seen.end,
                end_ns: seen.ended,
                reads,
                bytes: bytes.into(),
            };
            if phase.out_of_order != Some(0) {
                by_reads(&mut exchange);
            }
            keys.iter().for_each(|key| without(key, &mut exchange));
            tables.add(&exchange).map_err(failed(&folder.join(WIRE)))?;
        }
    }
    let summary = tables.finish().map_err(failed(&folder.join(WIRE)))?;
    for shard in 0..shards.len() {
        let path = folder.join(journal(shard));
        std::fs::remove_file(&path).map_err(failed(&path))?;
    }
    Ok(summary)
}

/// Takes the times at which reads returned for all times: bytes that came out of order wait
/// in the kernel for earlier ones, and its receive time does not say how long.
fn by_reads(exchange: &mut Exchange) {
    exchange.reads.iter_mut().for_each(|read| read.behind = Nanos(0));
    if let (End::Complete, Some(last)) = (exchange.end, exchange.reads.last()) {
        exchange.end_ns = last.at;
    }
}

/// Where a server repeats a key, there are asterisks already; an answer that says it in pieces or
/// in another spelling is not kept at all.
fn without(key: &Secret, exchange: &mut Exchange) {
    let (row, chunks) = exchange.rows(&exchange.derive());
    let said: String = chunks.iter().flat_map(|c| [c.text.as_str(), c.finish.as_str()]).collect();
    if key.is_in(&said) || key.is_in(&row.detail) || key.is_in(&row.finish) {
        exchange.bytes = Raw::default();
        exchange.reads.clear();
        exchange.end = End::NotHttp;
    }
}

struct Tables {
    requests: TableWriter<BufWriter<File>>,
    wire: ExchangeWriter<BufWriter<File>>,
    summary: Summary,
}

impl Tables {
    fn begin(folder: &Path) -> io::Result<Self> {
        let file = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
        Ok(Tables {
            requests: TableWriter::new(file(REQUEST_TABLE)?, RequestRow::HEADER, REQUEST_TABLE)?,
            wire: ExchangeWriter::new(file(WIRE)?)?,
            summary: Summary::default(),
        })
    }

    fn add(&mut self, exchange: &Exchange) -> io::Result<()> {
        let request = exchange.row(&exchange.derive());
        self.requests.row(&request)?;
        self.wire.exchange(exchange)?;
        self.summary.add(&request);
        Ok(())
    }

    fn finish(self) -> io::Result<Summary> {
        for file in [self.requests.finish()?, self.wire.finish()?] {
            file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        }
        Ok(self.summary)
    }
}

impl Summary {
    fn add(&mut self, row: &RequestRow) {
        if row.phase == WARMUP || row.outcome == Outcome::TimeUp {
            return;
        }
        self.tokens += u64::from(if row.ids > 0 { row.ids } else { row.chunks });
        self.unanswered.of += 1;
        if row.outcome != Outcome::Complete {
            self.unanswered.count += 1;
            if self.unanswered.first.is_empty() {
                let status = row.status.filter(|s| *s != 200).map(|s| format!(" {s}")).unwrap_or_default();
                let outcome = serde_json::to_value(row.outcome).ok();
                let outcome = outcome.as_ref().and_then(|v| v.as_str()).unwrap_or_default();
                self.unanswered.first = format!("{outcome}{status} {}", row.detail);
            }
        }
    }
}
