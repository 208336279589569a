//! CSV because anyone can open it and its bytes depend on no library's version; zstd
//! where it is large.

use std::io::{BufRead, BufReader, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Problem, Result, records::Exchange};

/// A wire larger than this is refused.
const LARGEST: u64 = 2 << 30;
/// Nor is a table read that is larger than this, or so many times larger than its
/// compressed bytes: rows with growing offsets do not compress like that, bombs do.
const LARGEST_TABLE: u64 = 1 << 30;
const LARGEST_RATIO: u64 = 1 << 10;

/// Rows as CSV with a header; compressed if `path` ends in `.zst`.
pub fn write_table<T: Serialize>(rows: &[T], header: &[&str], path: &str) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header).expect("memory takes everything");
    for row in rows {
        writer.serialize(row).expect("memory takes every row");
    }
    let bytes = writer.into_inner().expect("memory takes everything");
    if path.ends_with(".zst") { compress(&bytes) } else { bytes }
}

/// Reads what [`write_table`] wrote; `place` names it in messages.
pub fn read_table<T: DeserializeOwned>(bytes: &[u8], place: &str) -> Result<Vec<T>> {
    let plain;
    let bytes = if place.ends_with(".zst") {
        plain = decompress(bytes, place)?;
        &plain
    } else {
        bytes
    };
    let mut reader = csv::Reader::from_reader(bytes);
    reader
        .deserialize()
        .enumerate()
        .map(|(i, row)| row.map_err(|e| Problem::broken(format!("row {} cannot be read: {e}", i + 1)).at(place)))
        .collect()
}

/// `wire.zst`: for each exchange a line of JSON, its bytes, and a line feed.
pub fn write_exchanges(exchanges: &[Exchange]) -> Vec<u8> {
    let mut plain = Vec::new();
    for exchange in exchanges {
        serde_json::to_writer(&mut plain, exchange).expect("memory takes everything");
        plain.push(b'\n');
        plain.extend_from_slice(&exchange.bytes);
        plain.push(b'\n');
    }
    compress(&plain)
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
            .try_fold(0usize, |sum, (_, len)| sum.checked_add(*len))
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
    let mut encoder = zstd::Encoder::new(Vec::new(), 9).expect("a valid level");
    encoder.include_checksum(true).expect("a valid parameter");
    encoder.write_all(plain).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

pub(super) fn decompress(bytes: &[u8], place: &str) -> Result<Vec<u8>> {
    let most = (bytes.len() as u64).saturating_mul(LARGEST_RATIO).clamp(1 << 20, LARGEST_TABLE);
    let mut plain = Vec::new();
    let decoder =
        zstd::Decoder::new(bytes).map_err(|e| Problem::broken(format!("cannot be decompressed: {e}")).at(place))?;
    decoder
        .take(most + 1)
        .read_to_end(&mut plain)
        .map_err(|e| Problem::broken(format!("cannot be decompressed: {e}")).at(place))?;
    if plain.len() as u64 > most {
        return Err(Problem::broken("decompresses to far more than a table holds").at(place));
    }
    Ok(plain)
}
