//! The entries of a tar file, one after another, and nothing in memory but a block. The
//! extensions by which names and sizes outgrow a header are read up to a bound: an archive
//! may be a stranger's.

use std::io::{self, Read};

use lab::{Digest, digest::Hasher};

/// A header, and the unit that contents fill up.
pub(super) const BLOCK_BYTES: u64 = 512;
/// More than any name takes.
const LONGEST_EXTENSION_BYTES: u64 = 64 << 10;

/// So that no sum of sizes overflows.
const LARGEST_BYTES: u64 = 1 << 60;

/// Something in a tar file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// As written.
    pub path: String,
    pub what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    File(File),
    /// A symbolic link to this target, as written.
    Link(String),
    /// A folder, a device, a hard link: nothing that an image is made of.
    Other,
}

/// Bytes within the tar file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct File {
    pub offset: u64,
    pub size: u64,
    pub digest: Digest,
    /// Whether it begins as compressed data does.
    pub compressed: bool,
}

/// Reads a tar file from its beginning.
pub(super) struct Entries<R> {
    reader: R,
    position: u64,
    whole: Hasher,
}

impl<R: Read> Entries<R> {
    pub(super) fn new(reader: R) -> Self {
        Entries { reader, position: 0, whole: Hasher::default() }
    }

    /// The next entry; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut long = Long::default();
        loop {
            let mut header = tar::Header::new_old();
            if !self.header(header.as_mut_bytes())? {
                return Ok(None);
            }
            let size = number(header.entry_size())?;
            match header.entry_type().as_byte() {
                b'L' => long.path = Some(c_string(self.extension(size)?)),
                b'K' => long.target = Some(c_string(self.extension(size)?)),
                b'x' => long.pax(&self.extension(size)?)?,
                b'g' => drop(self.extension(size)?),
                kind => return self.entry(&header, kind, long).map(Some),
            }
        }
    }

    /// The digest and the size of the whole file, once the entries have come to their end.
    pub(super) fn end(mut self) -> io::Result<(Digest, u64)> {
        let mut block = vec![0; 1 << 16];
        loop {
            match self.reader.read(&mut block)? {
                0 => return Ok((self.whole.digest(), self.position)),
                n => {
                    self.whole.update(&block[..n]);
                    self.position += n as u64;
                }
            }
        }
    }

    fn entry(&mut self, header: &tar::Header, kind: u8, long: Long) -> io::Result<Entry> {
        let size = long.size.map_or_else(|| number(header.entry_size()), Ok)?;
        let path = long.path.unwrap_or_else(|| lossless(&header.path_bytes()));
        let offset = self.position;
        let what = match kind {
            b'0' | b'\0' | b'7' => {
                let (mut hash, mut start) = (Hasher::default(), Vec::new());
                self.contents(size, |block| {
                    hash.update(block);
                    let missing = 6_usize.saturating_sub(start.len()).min(block.len());
                    start.extend_from_slice(&block[..missing]);
                })?;
                What::File(File { offset, size, digest: hash.digest(), compressed: is_compressed(&start) })
            }
            b'2' => {
                let target = long.target.unwrap_or_else(|| lossless(&header.link_name_bytes().unwrap_or_default()));
                self.contents(size, |_| ())?;
                What::Link(target)
            }
            // A size is written, and nothing follows.
            b'1' | b'3'..=b'6' => What::Other,
            _ => return Err(odd("an entry of a kind that no image has")),
        };
        Ok(Entry { path, what })
    }

    /// Reads a header; two blocks of zeros, of which one is enough, are the end.
    fn header(&mut self, header: &mut [u8; BLOCK_BYTES as usize]) -> io::Result<bool> {
        self.exactly(header)?;
        if header.iter().all(|b| *b == 0) {
            return Ok(false);
        }
        // The checksum's own field counts as blanks.
        let sum = |range: std::ops::Range<usize>| header[range].iter().map(|b| u32::from(*b)).sum::<u32>();
        let expected = sum(0..148) + 8 * u32::from(b' ') + sum(156..512);
        if number(tar::Header::from_byte_slice(header).cksum())? != expected {
            return Err(odd("a header with a wrong checksum"));
        }
        Ok(true)
    }

    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > LONGEST_EXTENSION_BYTES {
            return Err(odd("a name or an extended header that is longer than any has to be"));
        }
        let mut bytes = Vec::new();
        self.contents(size, |block| bytes.extend_from_slice(block))?;
        Ok(bytes)
    }

    /// Reads what belongs to a header and what fills its last block.
    fn contents(&mut self, size: u64, mut see: impl FnMut(&[u8])) -> io::Result<()> {
        if size > LARGEST_BYTES {
            return Err(odd("an entry larger than any disk"));
        }
        let mut block = vec![0; (1 << 16).min(size.max(BLOCK_BYTES)) as usize];
        let mut left = size;
        while left > 0 {
            let most = left.min(block.len() as u64) as usize;
            self.exactly(&mut block[..most])?;
            see(&block[..most]);
            left -= most as u64;
        }
        let filling = size.next_multiple_of(BLOCK_BYTES) - size;
        self.exactly(&mut [0; BLOCK_BYTES as usize][..filling as usize])
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.reader.read_exact(bytes).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => odd("an end in the middle"),
            _ => e,
        })?;
        self.whole.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }
}

/// What did not fit into the header that follows.
#[derive(Default)]
struct Long {
    path: Option<String>,
    target: Option<String>,
    size: Option<u64>,
}

impl Long {
    fn pax(&mut self, bytes: &[u8]) -> io::Result<()> {
        for extension in tar::PaxExtensions::new(bytes) {
            let extension = extension.map_err(|_| odd("an extended header that is none"))?;
            match extension.key_bytes() {
                b"path" => self.path = Some(lossless(extension.value_bytes())),
                b"linkpath" => self.target = Some(lossless(extension.value_bytes())),
                b"size" => {
                    let size = extension.value().ok().and_then(|v| v.parse::<u64>().ok());
                    self.size = Some(size.ok_or_else(|| odd("a size that is no number"))?);
                }
                key if key.starts_with(b"GNU.sparse") => return Err(odd("a file with holes")),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Bytes that are not UTF-8 name nothing that an image is made of.
fn lossless(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn c_string(mut bytes: Vec<u8>) -> String {
    bytes.truncate(bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len()));
    lossless(&bytes)
}

/// Not a tar file as it should be, in contrast to a file that cannot be read.
fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it holds {what}"))
}

fn number<T>(read: io::Result<T>) -> io::Result<T> {
    read.map_err(|_| odd("a header with something in place of a number"))
}

/// By the first bytes, as engines tell: gzip, zstd, xz, bzip2.
pub(super) fn is_compressed(start: &[u8]) -> bool {
    let signs: [&[u8]; 4] = [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], &[0xfd, b'7', b'z', b'X', b'Z'], b"BZh"];
    signs.iter().any(|sign| start.starts_with(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: u8, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_path("short").unwrap();
        header.set_size(size);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_cksum();
        header
    }

    fn part(kind: u8, contents: &[u8]) -> Vec<u8> {
        let mut bytes = header(kind, contents.len() as u64).as_bytes().to_vec();
        bytes.extend_from_slice(contents);
        bytes.resize(bytes.len().next_multiple_of(BLOCK_BYTES as usize), 0);
        bytes
    }

    fn all(bytes: &[u8]) -> io::Result<Vec<Entry>> {
        let mut entries = Entries::new(bytes);
        let mut found = Vec::new();
        while let Some(entry) = entries.next()? {
            found.push(entry);
        }
        assert_eq!(entries.end()?, (Digest::of(bytes), bytes.len() as u64));
        Ok(found)
    }

    #[test]
    fn names_and_sizes_that_outgrow_a_header_come_from_its_extensions() {
        let long = "x/".repeat(80);
        let file = |path: &str, offset| {
            let digest = Digest::of("abc");
            Entry { path: path.into(), what: What::File(File { offset, size: 3, digest, compressed: false }) }
        };
        let mut gnu = part(b'L', format!("{long}\0").as_bytes());
        gnu.extend(part(b'0', b"abc"));
        gnu.extend([0; 1024]);
        assert_eq!(all(&gnu).unwrap(), [file(&long, 1536)]);
        // The header says 0 where the extension says 3, as it does for 8 GiB and more.
        let mut pax = part(b'x', b"10 path=y\n10 size=3\n");
        pax.extend(header(b'0', 0).as_bytes());
        pax.extend(b"abc");
        pax.extend([0; 509 + 1024]);
        assert_eq!(all(&pax).unwrap(), [file("y", 1536)]);
    }

    #[test]
    fn what_is_no_tar_file_or_takes_too_much_is_refused() {
        let refused = |bytes: &[u8]| all(bytes).unwrap_err().to_string();
        assert_eq!(refused(b"not tar"), "it holds an end in the middle");
        assert_eq!(refused(&[7; 1024]), "it holds a header with something in place of a number");
        let mut altered = part(b'0', b"abc");
        altered[0] ^= 1;
        assert_eq!(refused(&altered), "it holds a header with a wrong checksum");
        assert_eq!(refused(&part(b'x', b"none")), "it holds an extended header that is none");
        assert_eq!(refused(&part(b'0', b"abc")), "it holds an end in the middle");
        assert!(refused(header(b'L', 1 << 40).as_bytes()).contains("longer than any has to be"));
        assert!(refused(&part(b'S', b"")).contains("no image has"));
        assert!(refused(&part(b'x', b"18 GNU.sparse.a=1\n")).contains("holes"));
        assert!(refused(&part(b'x', b"12 size=-1 \n")).contains("no number"));
    }
}
