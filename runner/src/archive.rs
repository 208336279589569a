//! placeholder until the archive reader is merged
use std::path::Path;
use lab::{Digest, Problem, Result};
pub struct Archive { pub config: Digest, pub bytes: u64 }
impl Archive {
    pub fn read(_: &Path) -> Result<Self> { Err(Problem::machine("not merged yet")) }
    pub fn loadable(&self, _: &Path) -> Result<futures_util::stream::Empty<std::result::Result<bytes::Bytes, std::io::Error>>> { Ok(futures_util::stream::empty()) }
}
