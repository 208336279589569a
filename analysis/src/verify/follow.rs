//! Whether the tables of a trial follow from its raw bytes, row by row: files of older formats
//! lack columns.

use lab::{
    Problem,
    bundle::{Rows, WIRE},
    records::{ChunkRow, Exchange, RequestRow},
    wire::Derived,
};

use super::Notes;

/// The stored rows, as far as they were compared.
pub(super) struct Follow<'a> {
    requests: Option<Compared<std::slice::Iter<'a, RequestRow>>>,
    chunks: Option<Compared<Rows<ChunkRow>>>,
    unreadable: Option<Problem>,
}

struct Compared<I> {
    stored: I,
    /// The request of the first stored row that is another one.
    first: Option<u32>,
    /// Whether there are as many rows as there have to be.
    short: bool,
}

impl<'a> Follow<'a> {
    pub(super) fn new(requests: Option<&'a [RequestRow]>, chunks: Option<Rows<ChunkRow>>) -> Self {
        Follow {
            requests: requests.map(|rows| Compared { stored: rows.iter(), first: None, short: false }),
            chunks: chunks.map(|stored| Compared { stored, first: None, short: false }),
            unreadable: None,
        }
    }

    /// Compares what follows from the next exchange.
    pub(super) fn see(&mut self, exchange: &Exchange, derived: &Derived, row: &RequestRow) {
        if let Some(table) = &mut self.requests {
            match table.stored.next() {
                Some(stored) if stored != row => drop(table.first.get_or_insert(stored.request)),
                Some(_) => {}
                None => table.short = true,
            }
        }
        let Some(table) = &mut self.chunks else { return };
        for chunk in exchange.rows(derived).1 {
            match table.stored.next() {
                Some(Ok(stored)) if stored != chunk => drop(table.first.get_or_insert(stored.request)),
                Some(Ok(_)) => {}
                Some(Err(problem)) => {
                    self.unreadable = Some(problem);
                    self.chunks = None;
                    return;
                }
                None => table.short = true,
            }
        }
    }

    /// What was found, in the tables' places.
    pub(super) fn conclude(mut self, notes: &mut Notes<'_>, requests: &str, chunks: &str) {
        if let Some(mut table) = self.requests.take() {
            let longer = table.stored.next().is_some();
            told(notes, requests, table.first, table.short || longer);
        }
        if let Some(mut table) = self.chunks.take() {
            match table.stored.next() {
                Some(Err(problem)) => self.unreadable = Some(problem),
                rest => told(notes, chunks, table.first, table.short || rest.is_some()),
            }
        }
        if let Some(problem) = self.unreadable {
            notes.take::<()>(|_| Err(problem));
        }
    }
}

fn told(notes: &mut Notes<'_>, place: &str, first: Option<u32>, other_length: bool) {
    if first.is_some() || other_length {
        let which = first.map(|request| format!(" (first at request {request})")).unwrap_or_default();
        notes.add(place, format!("it does not follow from {WIRE}{which}"));
    }
}
