use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of bytes in memory.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Digest(Sha256::digest(bytes).into())
    }

    /// Of a file's bytes, with its size.
    pub fn of_file(path: &Path) -> io::Result<(Self, u64)> {
        Self::of_reader(File::open(path)?)
    }

    /// Of all bytes that come, with their number.
    pub(crate) fn of_reader(mut file: impl Read) -> io::Result<(Self, u64)> {
        let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((Digest(hash.finalize().into()), size)),
                n => {
                    hash.update(&buffer[..n]);
                    size += n as u64;
                }
            }
        }
    }

    /// Of a folder: the digest of its sorted lines `<sha256> <size> <path>`, symbolic
    /// links followed to files, with the number of bytes in all.
    pub fn of_tree(root: &Path) -> io::Result<(Self, u64)> {
        let (mut listing, mut total) = (String::new(), 0);
        for path in files_below(root)? {
            let (digest, size) = Self::of_file(&root.join(&path))?;
            listing.push_str(&format!("{} {size} {path}\n", digest.hex()));
            total += size;
        }
        Ok((Self::of(listing), total))
    }

    /// Of a folder of the host as it stands, links and all: as [`of_tree`](Self::of_tree), but a
    /// symbolic link is the line `link <target> <path>`, wherever it leads, and what is neither
    /// file nor link is left out.
    pub fn of_host_folder(root: &Path) -> io::Result<Self> {
        let mut listing = String::new();
        for path in files_below(root)? {
            let full = root.join(&path);
            let kind = std::fs::symlink_metadata(&full)?.file_type();
            if kind.is_symlink() {
                listing.push_str(&format!("link {} {path}\n", std::fs::read_link(&full)?.display()));
            } else if kind.is_file() {
                let (digest, size) = Self::of_file(&full)?;
                listing.push_str(&format!("{} {size} {path}\n", digest.hex()));
            }
        }
        Ok(Self::of(listing))
    }

    /// The 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The first 12 digits, for people.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }

    /// The raw 32 bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The first 8 bytes, big endian, for seeds.
    pub fn first_u64(&self) -> u64 {
        self.0[..8].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }
}

/// A digest in the making, of bytes that come one block after another.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of all bytes that came.
    pub fn digest(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// The files below a folder as sorted relative paths with `/`.
pub fn files_below(root: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|_| io::Error::other("a file name is not UTF-8"))?;
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if entry.file_type()?.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// A reader whose bytes are hashed on their way.
pub(crate) struct Hashing<R> {
    from: R,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    /// Around a reader.
    pub(crate) fn new(from: R) -> Self {
        Hashing { from, hash: Sha256::new() }
    }

    /// Reads what is left; the digest of everything.
    pub(crate) fn finish(mut self) -> io::Result<Digest> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(Digest(self.hash.finalize().into()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{}` is not a digest; write `sha256:` and 64 lower-case hexadecimal digits",
                crate::text::shown(text, 90)
            )
        };
        let hex = text.strip_prefix("sha256:").filter(|h| h.len() == 64).ok_or_else(wrong)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let digit = |c: u8| match c {
                b'0'..=b'9' => Some(c - b'0'),
                b'a'..=b'f' => Some(c - b'a' + 10),
                _ => None,
            };
            *byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high * 16 + low).ok_or_else(wrong)?;
        }
        Ok(Digest(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_abc_is_the_one_in_fips_180() {
        let abc = Digest::of("abc");
        assert_eq!(abc.to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(abc.to_string().parse(), Ok(abc));
        let mut parts = Hasher::default();
        ["a", "bc"].iter().for_each(|part| parts.update(part.as_bytes()));
        assert_eq!(parts.digest(), abc);
    }

    #[test]
    fn anything_but_64_lower_case_digits_is_refused() {
        let good = Digest::of("abc").hex();
        for bad in [
            good.clone(),
            format!("sha256:{}", &good[1..]),
            format!("sha256:{}", good.to_uppercase()),
            "sha256:".into(),
            "latest".into(),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_folder_s_digest_sees_links_that_lead_nowhere_or_in_circles() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("x");
        let with = |target: &str| {
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(target, &link).unwrap();
            Digest::of_host_folder(folder.path()).unwrap()
        };
        assert_ne!(with("."), with("nowhere"));
        assert_eq!(with("."), Digest::of("link . x\n"));
    }

    #[test]
    fn a_folder_digest_sees_names_and_bytes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        std::fs::write(folder.path().join("b/x"), "1").unwrap();
        let before = Digest::of_tree(folder.path()).unwrap();
        std::fs::rename(folder.path().join("b/x"), folder.path().join("b/y")).unwrap();
        assert_ne!(Digest::of_tree(folder.path()).unwrap(), before);
    }
}
