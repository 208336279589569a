//! CSV because anyone can open it and its bytes depend on no library's version; zstd
//! where it is large.

use std::io::{self, BufRead, BufReader, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Problem, Result, records::Exchange};

/// A wire larger than this is refused, and so is a table: what a runner writes stays below
/// ([`MOST_EVIDENCE`]), and a stranger's bomb goes no further.
const LARGEST: u64 = 8 << 30;
const LARGEST_TABLE: u64 = 4 << 30;

/// Bytes of all answers of a trial, at most; each byte makes less than two of a table.
pub const MOST_EVIDENCE: u64 = 2 << 30;

/// Evidence is compressed between two trials, while the machine waits: quickly.
const LEVEL: i32 = 3;

/// A file of a bundle that is written bit by bit, compressed if its name ends in `.zst`.
struct Sink<W: Write>(Coding<W>);

enum Coding<W: Write> {
    Plain(W),
    Compressed(zstd::Encoder<'static, W>),
}

impl<W: Write> Sink<W> {
    fn new(to: W, name: &str) -> io::Result<Self> {
        if !name.ends_with(".zst") {
            return Ok(Sink(Coding::Plain(to)));
        }
        let mut encoder = zstd::Encoder::new(to, LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Sink(Coding::Compressed(encoder)))
    }

    fn finish(self) -> io::Result<W> {
        match self.0 {
            Coding::Plain(to) => Ok(to),
            Coding::Compressed(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Coding::Plain(to) => to.write(bytes),
            Coding::Compressed(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Coding::Plain(to) => to.flush(),
            Coding::Compressed(encoder) => encoder.flush(),
        }
    }
}

/// A CSV table with a header, written row by row.
pub struct TableWriter<W: Write>(csv::Writer<Sink<W>>);

impl<W: Write> TableWriter<W> {
    /// Begins the table `name`.
    pub fn new(to: W, header: &[&str], name: &str) -> io::Result<Self> {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Sink::new(to, name)?);
        writer.write_record(header)?;
        Ok(TableWriter(writer))
    }

    /// Adds a row.
    pub fn row<T: Serialize>(&mut self, row: &T) -> io::Result<()> {
        self.0.serialize(row).map_err(io::Error::other)
    }

    /// Ends the table.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(|e| io::Error::other(e.to_string()))?.finish()
    }
}

/// Rows as CSV with a header; compressed if `path` ends in `.zst`.
pub fn write_table<T: Serialize>(rows: &[T], header: &[&str], path: &str) -> Vec<u8> {
    let mut writer = TableWriter::new(Vec::new(), header, path).expect("memory takes everything");
    for row in rows {
        writer.row(row).expect("memory takes every row");
    }
    writer.finish().expect("memory takes everything")
}

/// Reads what [`write_table`] wrote; `place` names it in messages.
pub fn read_table<T: DeserializeOwned>(bytes: &[u8], place: &str) -> Result<Vec<T>> {
    let plain;
    let bytes = if place.ends_with(".zst") {
        plain = decompress(bytes, LARGEST_TABLE, place)?;
        &plain
    } else {
        bytes
    };
    let mut reader = csv::Reader::from_reader(bytes);
    let (mut rows, mut record) = (Vec::new(), csv::StringRecord::new());
    let broken = |row: usize, column: Option<&str>, e: &csv::Error| {
        let column = column.map(|name| format!(", column `{name}`")).unwrap_or_default();
        Problem::broken(format!("row {row}{column} cannot be read: {e}")).at(place)
    };
    let header = reader.headers().map_err(|e| broken(0, None, &e))?.clone();
    while reader.read_record(&mut record).map_err(|e| broken(rows.len() + 1, None, &e))? {
        let row = record.deserialize(Some(&header));
        rows.push(row.map_err(|e| broken(rows.len() + 1, column_of(&e, &header, &record), &e))?);
    }
    Ok(rows)
}

/// The name of the column whose value could not be read: the one that the error counts, or the
/// only one whose value it quotes.
fn column_of<'h>(error: &csv::Error, header: &'h csv::StringRecord, record: &csv::StringRecord) -> Option<&'h str> {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else { return None };
    if let Some(at) = err.field() {
        return header.get(usize::try_from(at).ok()?);
    }
    let said = err.kind().to_string();
    let mut quoted = record.iter().zip(header).filter(|(value, _)| said.contains(&format!("`{value}`")));
    let only = quoted.next().map(|(_, name)| name);
    only.filter(|_| quoted.next().is_none())
}

/// `wire.zst`, written exchange by exchange: for each a line of JSON, its bytes, and a line
/// feed.
pub struct ExchangeWriter<W: Write>(io::BufWriter<Sink<W>>);

impl<W: Write> ExchangeWriter<W> {
    /// Begins the file.
    pub fn new(to: W) -> io::Result<Self> {
        Ok(ExchangeWriter(io::BufWriter::new(Sink::new(to, super::WIRE)?)))
    }

    /// Adds an exchange.
    pub fn exchange(&mut self, exchange: &Exchange) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, exchange)?;
        self.0.write_all(b"\n")?;
        self.0.write_all(&exchange.bytes)?;
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
    let broken = |what: String| Problem::broken(what).at(place);
    let decoder = zstd::Decoder::new(bytes).map_err(|e| broken(format!("cannot be decompressed: {e}")))?;
    let mut reader = BufReader::new(decoder.take(LARGEST));
    let mut exchanges = Vec::new();
    loop {
        let mut line = Vec::new();
        reader
            .by_ref()
            .take(64 << 20)
            .read_until(b'\n', &mut line)
            .map_err(|e| broken(format!("cannot be decompressed: {e}")))?;
        if line.is_empty() {
            return Ok(exchanges);
        }
        let mut exchange: Exchange = serde_json::from_slice(&line)
            .map_err(|e| broken(format!("exchange {} cannot be read: {e}", exchanges.len())))?;
        let length = exchange
            .reads
            .iter()
            .try_fold(0usize, |sum, read| sum.checked_add(read.len))
            .filter(|sum| *sum as u64 <= LARGEST);
        let length = length.ok_or_else(|| broken("an exchange is too long".into()))?;
        reader
            .by_ref()
            .take(length as u64)
            .read_to_end(&mut exchange.bytes)
            .map_err(|e| broken(format!("ends early: {e}")))?;
        let mut end = [0];
        if exchange.bytes.len() != length || reader.read_exact(&mut end).is_err() || end != *b"\n" {
            return Err(broken(format!("exchange {} ends early", exchanges.len())));
        }
        exchanges.push(exchange);
    }
}

pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    let mut sink = Sink::new(Vec::new(), ".zst").expect("a valid level");
    sink.write_all(plain).expect("memory takes everything");
    sink.finish().expect("memory takes everything")
}

/// The plain bytes of a compressed file of the bundle, of which there are `most`.
pub(super) fn decompress(bytes: &[u8], most: u64, place: &str) -> Result<Vec<u8>> {
    let broken = |e: io::Error| Problem::broken(format!("cannot be decompressed: {e}")).at(place);
    let mut plain = Vec::new();
    zstd::Decoder::new(bytes).map_err(broken)?.take(most + 1).read_to_end(&mut plain).map_err(broken)?;
    if plain.len() as u64 > most {
        return Err(
            Problem::broken(format!("decompresses to more than {most} bytes, which no such file holds")).at(place)
        );
    }
    Ok(plain)
}
