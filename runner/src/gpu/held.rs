//! The GPUs of a run: leased once, for all its trials.

use lab::{Result, environment::Gpu};

use crate::batch;

use super::{Lease, Leased, Library, lease, shared_folder};

/// The GPUs that a run holds, and what is known of all GPUs of this host.
pub struct Held {
    /// The driver's library, or why there is none.
    pub library: std::result::Result<Library, String>,
    /// Every GPU of this host.
    pub facts: Vec<Gpu>,
    lease: Option<Lease>,
}

impl Held {
    /// Leases so many GPUs, of those that a batch engine gave to this process where one did; none of them is another run's, and nobody uses them.
    pub fn take(count: u32) -> Result<Self> {
        let library = Library::open(None);
        let facts = library.as_ref().map(Library::facts).unwrap_or_default();
        let held = match (&library, count) {
            (_, 0) => None,
            (Ok(library), _) => Some(lease(library, count, batch::gpus().as_ref(), &shared_folder()?)?),
            (Err(why), _) => {
                return Err(lab::Problem::machine(format!("{count} GPUs are asked for, and there are none: {why}"))
                    .at("matrix.gpus")
                    .next(
                        "install the driver, or set BENCH_NVML_LIBRARY to its libnvidia-ml.so.1; see `bench doctor`",
                    ));
            }
        };
        Ok(Held { library, facts, lease: held })
    }

    /// Those that this run holds.
    pub fn leased(&self) -> &[Leased] {
        self.lease.as_ref().map_or(&[], |lease| &lease.gpus)
    }

    /// The driver's version.
    pub fn driver(&self) -> String {
        self.facts.first().map(|gpu| gpu.driver.clone()).unwrap_or_default()
    }
}
