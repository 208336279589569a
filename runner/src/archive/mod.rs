//! Images in files: what `docker save` writes, and OCI layouts in a tar file. So the lab runs
//! without a registry.
//!
//! An archive is read once from its beginning to its end; nothing is unpacked. What makes up its
//! image is then checked:
//! - the configuration, the OCI manifest and the layers of an OCI layout against the digests that
//!   name them;
//! - layers as they are unpacked against the configuration's list of them (the *diff ids*).
//!   Compressed layers are not unpacked here: the engine does that, and refuses a layer that is
//!   another than the configuration says.

mod entries;
mod layout;
mod loadable;

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{self, BufReader},
    os::unix::fs::FileExt as _,
    path::Path,
};

use bytes::Bytes;
use futures_util::Stream;
use lab::{Digest, Kind, Problem, Result};
use serde::de::DeserializeOwned;

use entries::{Entries, File, What};

/// One image in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Of the file.
    pub digest: Digest,
    /// The file's size.
    pub bytes: u64,
    /// Of the image's configuration, which is the image's id in most engines.
    pub config: Digest,
    /// Of the image's manifest, where the archive has one: its id in the others.
    pub manifest: Option<Digest>,
    /// Of the unpacked layers, the lowest first.
    pub layers: Vec<Digest>,
    /// How the archive names its parts.
    pub kind: Layout,
    parts: Parts,
}

/// How an archive names its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// By `manifest.json`.
    DockerSave,
    /// By `index.json` alone.
    Oci,
}

/// What makes up the image: its files within the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    config: File,
    manifest: Option<Manifest>,
    /// Packed or not, the lowest first.
    layers: Vec<File>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Manifest {
    file: File,
    media_type: &'static str,
}

/// An archive holds at most so many entries.
const MOST_ENTRIES: usize = 100_000;
/// A JSON file is at most so long.
const LONGEST_JSON_BYTES: u64 = 4 << 20;

impl Archive {
    /// Reads and checks an archive. It may be a stranger's: what is kept of it is bounded.
    pub fn read(path: &Path) -> Result<Self> {
        let file = fs::File::open(path).map_err(|e| Problem::io(Kind::Image, "open the archive", path, &e))?;
        let contents = Contents::of(path, file)?;
        let found = contents.image()?;
        Ok(Archive { digest: contents.digest, bytes: contents.bytes, ..found })
    }

    /// What an engine loads: the image's own parts out of the file at `path`, which was read
    /// before. No name, no tag and no further image of the archive gets in.
    pub fn loadable(&self, path: &Path) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
        Ok(loadable::stream(self.reader(path)?))
    }

    /// The same to be read by a thread.
    pub fn reader(&self, path: &Path) -> Result<impl io::Read + Send + use<>> {
        let file = fs::File::open(path).map_err(|e| Problem::io(Kind::Machine, "open the archive", path, &e))?;
        loadable::Loadable::new(file, self).map_err(|e| Problem::io(Kind::Machine, "read the archive", path, &e))
    }
}

/// Everything in an archive by its name.
struct Contents<'a> {
    path: &'a Path,
    file: fs::File,
    digest: Digest,
    bytes: u64,
    files: HashMap<String, File>,
    links: HashMap<String, String>,
}

impl<'a> Contents<'a> {
    fn of(path: &'a Path, file: fs::File) -> Result<Self> {
        let failed = |e: io::Error| match e.kind() {
            io::ErrorKind::InvalidData => bad(path, &format!("this is no archive of an image: {e}")),
            _ => Problem::io(Kind::Machine, "read the archive", path, &e),
        };
        let mut start = [0; 6];
        let known = file.read_at(&mut start, 0).map_err(failed)?;
        if entries::is_compressed(&start[..known]) {
            return Err(bad(path, "the archive as a whole is compressed").next("unpack it, for example with gunzip"));
        }
        let mut entries = Entries::new(BufReader::with_capacity(1 << 16, &file));
        let (mut files, mut links, mut seen) = (HashMap::new(), HashMap::new(), HashSet::new());
        while let Some(entry) = entries.next().map_err(failed)? {
            let Some(name) = resolved("", &entry.path) else { continue };
            if seen.len() == MOST_ENTRIES {
                return Err(bad(path, &format!("it holds more than {MOST_ENTRIES} entries")));
            }
            if !seen.insert(name.clone()) && entry.what != What::Other {
                return Err(bad(path, &format!("it holds `{}` twice", lab::text::shown(&name, 120))));
            }
            match entry.what {
                What::File(file) => drop(files.insert(name, file)),
                What::Link(target) => drop(links.insert(name, target)),
                What::Other => {}
            }
        }
        let (digest, bytes) = entries.end().map_err(failed)?;
        Ok(Contents { path, file, digest, bytes, files, links })
    }

    fn bad(&self, what: &str) -> Problem {
        bad(self.path, what)
    }

    /// The file of that name, which may be a link, as of a layer that stands twice.
    fn file(&self, name: &str) -> Result<File> {
        let absent = || self.bad(&format!("it holds no `{}`", lab::text::shown(name, 120)));
        let mut here = resolved("", name).ok_or_else(absent)?;
        if let Some(target) = self.links.get(&here) {
            let folder = here.rsplit_once('/').map_or("", |(folder, _)| folder);
            here = resolved(folder, target).ok_or_else(absent)?;
        }
        self.files.get(&here).copied().ok_or_else(absent)
    }

    /// What a JSON file holds.
    fn json<T: DeserializeOwned>(&self, name: &str, file: File) -> Result<T> {
        let shown = lab::text::shown(name, 120);
        if file.size > LONGEST_JSON_BYTES {
            return Err(self.bad(&format!("`{shown}` is longer than {LONGEST_JSON_BYTES} bytes")));
        }
        let mut bytes = vec![0; file.size as usize];
        let read = self.file.read_exact_at(&mut bytes, file.offset);
        read.map_err(|e| Problem::io(Kind::Machine, "read the archive", self.path, &e))?;
        if Digest::of(&bytes) != file.digest {
            return Err(self.bad("it changed while it was read").next("try again"));
        }
        let wrong = |e: serde_json::Error| self.bad(&format!("`{shown}` is not as it should be: {e}"));
        serde_json::from_slice(&bytes).map_err(wrong)
    }
}

fn bad(path: &Path, what: &str) -> Problem {
    let next = "make it with `docker save IMAGE -o FILE`, or as an OCI layout in a tar file, of one image";
    Problem::new(Kind::Image, what).at(path.display().to_string()).next(next)
}

/// A path within the archive, from a folder of it; none if it leaves the archive or is no file.
fn resolved(folder: &str, path: &str) -> Option<String> {
    let folder = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests;
