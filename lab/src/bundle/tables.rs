//! CSV because anyone can open it and its bytes depend on no library's version; zstd
//! where it is large.

use std::io::{self, BufRead, BufReader, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Problem, Result};

/// A wire larger than this is refused, and so is a table: what a runner writes stays below
/// ([`MOST_EVIDENCE`]), and a stranger's bomb goes no further.
pub(super) const LARGEST: u64 = 8 << 30;
pub(super) const LARGEST_TABLE: u64 = 4 << 30;

/// Rows that are read as a whole are a few times as large in memory.
const LARGEST_ROWS: u64 = 1 << 30;

/// Bytes of all answers of a trial, at most; each byte makes less than two of a table.
pub const MOST_EVIDENCE: u64 = 2 << 30;

/// Evidence is compressed between two trials, while the machine waits: 60 microseconds a token,
/// 200 with five considered ones (`lab/benches/evidence.rs`), for 7 to 12 % fewer bytes than
/// [`QUICKLY`] gives. So it is for the first bytes of a file, which are all of an ordinary trial's;
/// whatever a server sends beyond them makes another frame, for a tenth of that time.
const WELL: i32 = 17;
const QUICKLY: i32 = 9;
/// Bytes that are compressed well. They wait in memory: of what is known as a whole, a frame's
/// tables are no larger than it needs.
const FIRST: usize = 16 << 20;

/// A file of a bundle that is written bit by bit, compressed if its name ends in `.zst`.
pub(super) struct Sink<W: Write>(Coding<W>);

enum Coding<W: Write> {
    Plain(W),
    Compressed(Frames<W>),
}

impl<W: Write> Sink<W> {
    pub(super) fn new(to: W, name: &str) -> io::Result<Self> {
        Ok(Sink(if name.ends_with(".zst") { Coding::Compressed(Frames::new(to, FIRST)) } else { Coding::Plain(to) }))
    }

    pub(super) fn finish(self) -> io::Result<W> {
        match self.0 {
            Coding::Plain(to) => Ok(to),
            Coding::Compressed(frames) => frames.finish(),
        }
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Coding::Plain(to) => to.write(bytes),
            Coding::Compressed(frames) => frames.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Coding::Plain(to) => to.flush(),
            Coding::Compressed(frames) => frames.flush(),
        }
    }
}

/// Compressed bytes: a frame that is made well and, where more comes, one that is made quickly.
struct Frames<W: Write> {
    first: Vec<u8>,
    /// Bytes of the first frame, at most.
    most: usize,
    to: To<W>,
}

enum To<W: Write> {
    /// Nothing is written yet.
    First(W),
    Rest(zstd::Encoder<'static, W>),
    /// A write failed.
    Nowhere,
}

impl<W: Write> Frames<W> {
    fn new(to: W, most: usize) -> Self {
        Frames { first: Vec::new(), most, to: To::First(to) }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(self.to, To::First(_)) {
            let room = self.most - self.first.len();
            if room > 0 {
                let taken = bytes.len().min(room);
                self.first.extend_from_slice(&bytes[..taken]);
                return Ok(taken);
            }
            let to = self.write_first()?;
            let mut rest = zstd::Encoder::new(to, QUICKLY)?;
            rest.include_checksum(true)?;
            self.to = To::Rest(rest);
        }
        match &mut self.to {
            To::Rest(rest) => rest.write(bytes),
            To::First(_) | To::Nowhere => Err(failed()),
        }
    }

    /// Where the first frame was written to.
    fn write_first(&mut self) -> io::Result<W> {
        let To::First(mut to) = std::mem::replace(&mut self.to, To::Nowhere) else { return Err(failed()) };
        let mut compressor = zstd::bulk::Compressor::new(WELL)?;
        compressor.include_checksum(true)?;
        to.write_all(&compressor.compress(&std::mem::take(&mut self.first))?)?;
        Ok(to)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            // What waits is not there before the end.
            To::First(_) => Ok(()),
            To::Rest(rest) => rest.flush(),
            To::Nowhere => Err(failed()),
        }
    }

    fn finish(mut self) -> io::Result<W> {
        match self.to {
            To::Rest(rest) => rest.finish(),
            To::First(_) | To::Nowhere => self.write_first(),
        }
    }
}

fn failed() -> io::Error {
    io::Error::other("an earlier write failed")
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
        plain = decompress(bytes, LARGEST_ROWS, place)?;
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

/// The plain bytes of a file of a bundle, decompressed if its name ends in `.zst`, and no more
/// than so many of them: what follows is as if it were not there.
pub(super) struct Reader<'a, R: Read>(Source<'a, R>);

enum Source<'a, R: Read> {
    Plain(BufReader<io::Take<R>>),
    Compressed(BufReader<io::Take<zstd::Decoder<'a, BufReader<R>>>>),
}

/// Bytes that are decompressed at once.
const BUFFER: usize = 256 << 10;

impl<R: Read> Reader<'_, R> {
    pub(super) fn new(from: R, most: u64, name: &str) -> Result<Self> {
        if !name.ends_with(".zst") {
            return Ok(Reader(Source::Plain(BufReader::with_capacity(BUFFER, from.take(most)))));
        }
        let decoder =
            zstd::Decoder::new(from).map_err(|e| Problem::broken(format!("cannot be decompressed: {e}")).at(name))?;
        Ok(Reader(Source::Compressed(BufReader::with_capacity(BUFFER, decoder.take(most)))))
    }

    /// What it was made of.
    pub(super) fn into_inner(self) -> R {
        match self.0 {
            Source::Plain(reader) => reader.into_inner().into_inner(),
            Source::Compressed(reader) => reader.into_inner().into_inner().finish().into_inner(),
        }
    }
}

impl<R: Read> Read for Reader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Source::Plain(reader) => reader.read(buffer),
            Source::Compressed(reader) => reader.read(buffer),
        }
    }
}

impl<R: Read> BufRead for Reader<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.0 {
            Source::Plain(reader) => reader.fill_buf(),
            Source::Compressed(reader) => reader.fill_buf(),
        }
    }

    fn consume(&mut self, n: usize) {
        match &mut self.0 {
            Source::Plain(reader) => reader.consume(n),
            Source::Compressed(reader) => reader.consume(n),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_beyond_the_first_bytes_is_a_frame_of_its_own_and_reads_as_one_file() {
        let plain: Vec<u8> = (0..9_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let mut frames = Frames::new(Vec::new(), 1_000);
        for part in plain.chunks(700) {
            let mut rest = part;
            while !rest.is_empty() {
                let written = frames.write(rest).unwrap();
                rest = &rest[written..];
            }
        }
        let stored = frames.finish().unwrap();
        let mut first = Vec::new();
        zstd::Decoder::new(&stored[..]).unwrap().single_frame().read_to_end(&mut first).unwrap();
        assert_eq!(first, plain[..1_000]);
        assert_eq!(decompress(&stored, 1 << 20, "wire.zst").unwrap(), plain);
        let mut read = Vec::new();
        Reader::new(&stored[..], 1 << 20, "wire.zst").unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, plain);
    }

    #[test]
    fn after_a_failed_write_nothing_is_written_and_nothing_is_whole() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut frames = Frames::new(Full, 4);
        assert_eq!(frames.write(b"abcd").unwrap(), 4);
        assert_eq!(frames.write(b"efgh").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(frames.write(b"efgh").is_err());
        assert!(frames.finish().is_err());
    }
}
