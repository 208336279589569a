//! Large files of a bundle, read row by row: memory does not grow with them. The digest is
//! compared at the end, and a file that is another one ends with that error.

use std::{fs::File, io};

use serde::de::DeserializeOwned;

use super::{
    Bundle, exchanges,
    tables::{LARGEST, LARGEST_TABLE, Reader},
};
use crate::{Digest, Problem, Result, digest::Hashing, plain, records::Exchange};

/// The bytes of a file of a bundle, on their way.
type Bytes = Reader<'static, Hashing<File>>;

/// A file, and what it has to be.
struct Sealed {
    name: String,
    wanted: Digest,
}

impl Sealed {
    /// Whether the bytes, all of them, were those that were sealed.
    fn check(&self, bytes: Bytes) -> Result<()> {
        let place = || self.name.clone();
        let digest = bytes.into_inner().finish().map_err(|e| cannot(&e).at(place()))?;
        if digest == self.wanted {
            return Ok(());
        }
        Err(Problem::broken("these are not the bytes that were sealed").at(place()).next("run bench verify"))
    }
}

/// The exchanges of a trial, one after the other.
pub struct Exchanges {
    sealed: Sealed,
    bytes: Option<Bytes>,
    number: usize,
}

impl Iterator for Exchanges {
    type Item = Result<Exchange>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.bytes.as_mut()?;
        match exchanges::next(bytes, self.number, &self.sealed.name) {
            Ok(Some(exchange)) => {
                self.number += 1;
                Some(Ok(exchange))
            }
            Ok(None) => self.bytes.take().and_then(|bytes| self.sealed.check(bytes).err()).map(Err),
            Err(problem) => {
                self.bytes = None;
                Some(Err(problem))
            }
        }
    }
}

/// The rows of a table, one after the other.
pub struct Rows<T> {
    sealed: Sealed,
    rows: Option<csv::DeserializeRecordsIntoIter<Bytes, T>>,
    number: usize,
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        match self.rows.as_mut()?.next() {
            Some(Ok(row)) => Some(Ok(row)),
            Some(Err(e)) => {
                self.rows = None;
                let what = format!("row {} cannot be read: {e}", self.number);
                Some(Err(Problem::broken(what).at(self.sealed.name.clone())))
            }
            None => {
                let bytes = self.rows.take()?.into_reader().into_inner();
                self.sealed.check(bytes).err().map(Err)
            }
        }
    }
}

impl Bundle {
    /// The rows of a large table.
    ///
    /// # Errors
    /// Where the bundle has no such file.
    pub fn rows<T: DeserializeOwned>(&self, name: &str) -> Result<Rows<T>> {
        let (sealed, bytes) = self.stream(name, LARGEST_TABLE)?;
        Ok(Rows { sealed, rows: Some(csv::Reader::from_reader(bytes).into_deserialize()), number: 0 })
    }

    /// The raw bytes of a trial's requests.
    ///
    /// # Errors
    /// Where the bundle has none of them.
    pub fn exchanges(&self, folder: &str) -> Result<Exchanges> {
        let (sealed, bytes) = self.stream(&format!("{}/{folder}/{}", super::TRIALS, super::WIRE), LARGEST)?;
        Ok(Exchanges { sealed, bytes: Some(bytes), number: 0 })
    }

    fn stream(&self, name: &str, most: u64) -> Result<(Sealed, Bytes)> {
        let entry = self.entry(name)?;
        let file = plain::open(&self.path.join(name)).map_err(|e| cannot(&e).at(name))?;
        let bytes = Reader::new(Hashing::new(file), most, name)?;
        Ok((Sealed { name: name.to_owned(), wanted: entry.sha256 }, bytes))
    }
}

fn cannot(error: &io::Error) -> Problem {
    Problem::broken(format!("cannot be read: {error}"))
}
