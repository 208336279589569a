//! A tar file of nothing but the image, made while it is read.

use std::{
    collections::{HashSet, VecDeque},
    fs,
    io::{self, Read},
    os::unix::fs::FileExt as _,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::json;

use super::{
    Archive,
    entries::{BLOCK_BYTES, File},
};

/// Bytes that are handed over at once.
const PART_BYTES: usize = 256 << 10;

/// Parts of the archive and what stands between them.
pub(super) struct Loadable {
    archive: fs::File,
    parts: VecDeque<Part>,
}

enum Part {
    Own(Vec<u8>),
    OfArchive { offset: u64, left: u64 },
}

impl Loadable {
    pub(super) fn new(archive: fs::File, image: &Archive) -> io::Result<Self> {
        let mut made = Loadable { archive, parts: VecDeque::new() };
        let own = &image.parts;
        let blobs = [own.config]
            .into_iter()
            .chain(own.manifest.map(|manifest| manifest.file))
            .chain(own.layers.iter().copied());
        let mut seen = HashSet::new();
        for file in blobs.filter(|file| seen.insert(file.digest)) {
            made.header(&name(&file), file.size)?;
            made.parts.push_back(Part::OfArchive { offset: file.offset, left: file.size });
            made.fill(file.size);
        }
        if let Some(manifest) = own.manifest {
            let index = json!({ "schemaVersion": 2, "manifests": [{
                "mediaType": manifest.media_type,
                "digest": manifest.file.digest,
                "size": manifest.file.size,
            }]});
            made.own("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }))?;
            made.own("index.json", &index)?;
        }
        let layers: Vec<String> = own.layers.iter().map(name).collect();
        made.own("manifest.json", &json!([{ "Config": name(&own.config), "RepoTags": null, "Layers": layers }]))?;
        made.parts.push_back(Part::Own(vec![0; 2 * BLOCK_BYTES as usize]));
        Ok(made)
    }

    fn own(&mut self, name: &str, value: &serde_json::Value) -> io::Result<()> {
        let bytes = value.to_string().into_bytes();
        let size = bytes.len() as u64;
        self.header(name, size)?;
        self.parts.push_back(Part::Own(bytes));
        self.fill(size);
        Ok(())
    }

    fn header(&mut self, name: &str, size: u64) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_path(name)?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        self.parts.push_back(Part::Own(header.as_bytes().to_vec()));
        Ok(())
    }

    fn fill(&mut self, size: u64) {
        let filling = size.next_multiple_of(BLOCK_BYTES) - size;
        self.parts.push_back(Part::Own(vec![0; filling as usize]));
    }
}

impl Read for Loadable {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.front_mut() {
            let count = match part {
                Part::Own(bytes) => {
                    let count = bytes.len().min(out.len());
                    out[..count].copy_from_slice(&bytes[..count]);
                    bytes.drain(..count);
                    count
                }
                Part::OfArchive { left: 0, .. } => 0,
                Part::OfArchive { offset, left } => {
                    let most = (*left).min(out.len() as u64) as usize;
                    let count = self.archive.read_at(&mut out[..most], *offset)?;
                    if count == 0 && most > 0 {
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive has become shorter"));
                    }
                    *offset += count as u64;
                    *left -= count as u64;
                    count
                }
            };
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            self.parts.pop_front();
        }
        Ok(0)
    }
}

fn name(file: &File) -> String {
    format!("blobs/sha256/{}", file.digest.hex())
}

/// The same for a runtime, whose threads do not wait for disks.
pub(super) fn stream(reader: impl Read + Send + 'static) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            let read = reader.by_ref().take(PART_BYTES as u64).read_to_end(&mut bytes);
            (reader, read.map(|_| Bytes::from(bytes)))
        });
        match read.await {
            Ok((_, Ok(bytes))) if bytes.is_empty() => None,
            Ok((reader, Ok(bytes))) => Some((Ok(bytes), Some(reader))),
            Ok((_, Err(error))) => Some((Err(error), None)),
            Err(error) => Some((Err(io::Error::other(error)), None)),
        }
    })
}
