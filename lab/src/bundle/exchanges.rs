//! `wire.zst`: for each exchange a line of JSON, its bytes, and a line feed. The line is
//! `[facts, reads]`, reads by columns and its times as differences; the bytes are packed where
//! that is shorter. Format 3 and older have the reads among the facts, and plain bytes.

use std::{
    borrow::Cow,
    io::{self, BufRead, Read as _, Write},
};

use serde::{Deserialize, Serialize};

use super::tables::{LARGEST, Reader, Sink};
use crate::{
    Nanos, Problem, Result,
    records::{Exchange, LARGEST_READ, Read},
    wire::Raw,
    workload::LARGEST_RESPONSE,
};

/// Reads of a socket by columns, which compress better than rows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    /// Each read's time less that of the one before it, of the first one less that of the send;
    /// modulo 2^64.
    at: Vec<u64>,
    len: Vec<usize>,
    /// Empty where nothing was behind.
    behind: Vec<Nanos>,
    /// Bytes that follow, where they are packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    packed: Option<usize>,
}

impl Columns {
    fn of(exchange: &Exchange, packed: Option<usize>) -> Self {
        let reads = &exchange.reads;
        let before = std::iter::once(exchange.sent_ns).chain(reads.iter().map(|read| read.at));
        let behind = reads.iter().any(|read| !read.behind.is_zero());
        Columns {
            at: reads.iter().zip(before).map(|(read, before)| read.at.0.wrapping_sub(before.0)).collect(),
            len: reads.iter().map(|read| read.len).collect(),
            behind: reads.iter().filter(|_| behind).map(|read| read.behind).collect(),
            packed,
        }
    }

    /// None where the columns are not of one length.
    fn reads(&self, sent: Nanos) -> Option<Vec<Read>> {
        let all = self.len.len();
        if self.at.len() != all || !(self.behind.is_empty() || self.behind.len() == all) {
            return None;
        }
        let mut at = sent.0;
        let reads = self.at.iter().zip(&self.len).enumerate().map(|(i, (step, len))| {
            at = at.wrapping_add(*step);
            Read { at: Nanos(at), len: *len, behind: self.behind.get(i).copied().unwrap_or_default() }
        });
        Some(reads.collect())
    }
}

/// `wire.zst`, written exchange by exchange.
pub struct ExchangeWriter<W: Write>(io::BufWriter<Sink<W>>);

impl<W: Write> ExchangeWriter<W> {
    /// Begins the file.
    pub fn new(to: W) -> io::Result<Self> {
        Ok(ExchangeWriter(io::BufWriter::new(Sink::new(to, super::WIRE)?)))
    }

    /// Adds an exchange.
    pub fn exchange(&mut self, exchange: &Exchange) -> io::Result<()> {
        let packed = exchange.bytes.packed();
        let columns = Columns::of(exchange, packed.as_ref().map(Vec::len));
        let (phase, reads, bytes) = (exchange.phase.clone(), Vec::new(), Raw::default());
        serde_json::to_writer(&mut self.0, &(Exchange { phase, reads, bytes, ..*exchange }, columns))?;
        self.0.write_all(b"\n")?;
        self.0.write_all(&packed.map_or_else(|| exchange.bytes.bytes(), Cow::Owned))?;
        self.0.write_all(b"\n")
    }

    /// Ends the file.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}

/// `wire.zst` of exchanges.
pub fn write_exchanges(exchanges: &[Exchange]) -> Vec<u8> {
    let mut writer = ExchangeWriter::new(Vec::new()).expect("memory takes everything");
    for exchange in exchanges {
        writer.exchange(exchange).expect("memory takes everything");
    }
    writer.finish().expect("memory takes everything")
}

/// Reads what [`write_exchanges`] wrote.
pub fn read_exchanges(bytes: &[u8], place: &str) -> Result<Vec<Exchange>> {
    let mut reader =
        Reader::new(bytes, LARGEST, super::WIRE).map_err(|p| Problem { place: Some(place.into()), ..p })?;
    let mut exchanges = Vec::new();
    while let Some(exchange) = next(&mut reader, exchanges.len(), place)? {
        exchanges.push(exchange);
    }
    Ok(exchanges)
}

/// Bytes of an exchange: of the longest response, and of the read that was one too many.
const LONGEST: u64 = LARGEST_RESPONSE.0 + LARGEST_READ as u64;

/// Memory taken for an answer before its bytes are seen.
const MOST_AT_ONCE: usize = 4 << 20;

/// The next exchange of a `wire.zst`, of which `number` were read before; none at its end.
pub(super) fn next(from: &mut impl BufRead, number: usize, place: &str) -> Result<Option<Exchange>> {
    let broken = |what: String| Problem::broken(what).at(place);
    let mut line = Vec::new();
    from.by_ref()
        .take(64 << 20)
        .read_until(b'\n', &mut line)
        .map_err(|e| broken(format!("cannot be decompressed: {e}")))?;
    if line.is_empty() {
        return Ok(None);
    }
    let unreadable = |e| broken(format!("exchange {number} cannot be read: {e}"));
    let (mut exchange, packed): (Exchange, _) = if line[0] == b'[' {
        let (facts, columns): (Exchange, Columns) = serde_json::from_slice(&line).map_err(unreadable)?;
        let reads = columns.reads(facts.sent_ns).filter(|_| facts.reads.is_empty());
        let reads = reads.ok_or_else(|| broken(format!("the reads of exchange {number} are no columns")))?;
        (Exchange { reads, ..facts }, columns.packed)
    } else {
        (serde_json::from_slice(&line).map_err(unreadable)?, None)
    };
    let length = exchange
        .reads
        .iter()
        .try_fold(0usize, |sum, read| sum.checked_add(read.len))
        .filter(|sum| *sum as u64 <= LONGEST);
    let length = length.ok_or_else(|| broken("an exchange is too long".into()))?;
    if packed.is_some_and(|packed| packed >= length) {
        return Err(broken(format!("exchange {number} is not shorter for being packed")));
    }
    let stored = packed.unwrap_or(length);
    let mut bytes = Vec::with_capacity(stored.min(MOST_AT_ONCE));
    from.by_ref().take(stored as u64).read_to_end(&mut bytes).map_err(|e| broken(format!("ends early: {e}")))?;
    let mut end = [0];
    if bytes.len() != stored || from.read_exact(&mut end).is_err() || end != *b"\n" {
        return Err(broken(format!("exchange {number} ends early")));
    }
    let raw = if packed.is_some() { Raw::unpacked(bytes, length) } else { Some(bytes.into()) };
    exchange.bytes = raw.ok_or_else(|| broken(format!("exchange {number} cannot be unpacked")))?;
    Ok(Some(exchange))
}
