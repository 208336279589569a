//! The log of a folder of results: a line of JSON for everything that happened to its runs, void
//! and failed ones too, each with the digest of the line before. Whoever publishes the log's
//! head now and then cannot leave out a bad week later.

mod append;
mod check;
mod counts;
mod entry;
mod read;

pub use append::{Held, Log};
pub use check::{Absent, Checked, LISTING, Listing, Open, check, missing};
pub use counts::Counts;
pub use entry::{Entry, Event, FORMAT, Head};
pub use read::{Chain, read};

/// Its name in a folder of results.
pub const LOG: &str = "log";

/// No line is longer.
const LONGEST: usize = 64 << 10;

/// No log has more lines.
const MOST_LINES: u64 = 1_000_000;

/// What to do where the log is not what was written.
const PUT_BACK: &str = "put back the log that was published or committed (git checkout -- FILE): it then lacks what came later, of which bench log --adopt enters the bundles, and nobody the runs that were given up";

#[cfg(test)]
mod tests;
