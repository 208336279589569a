//! The GPUs of a run: leased once, for all its trials.

use std::time::{Duration, Instant};

use lab::{Result, environment::Gpu};

use crate::batch;

use super::{Lease, Leased, Library, lease, lease::idle, shared_folder};

/// A server that is gone has left its GPUs by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks whether it has.
const TURN: Duration = Duration::from_millis(50);

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

    /// Waits until nothing of an earlier server is left on the GPUs. On one that is gone, or that
    /// somebody else uses, nobody measures: the run ends, and can go on where it was.
    pub async fn ready(&self) -> Result<()> {
        let Ok(library) = &self.library else { return Ok(()) };
        let end = Instant::now() + PATIENCE;
        for gpu in self.leased() {
            while let Err(problem) = asked(library, &gpu.uuid).await {
                if Instant::now() > end {
                    let next = problem.next.clone().unwrap_or_default();
                    return Err(problem.next(format!("{next}; then bench run --resume")));
                }
                tokio::time::sleep(TURN).await;
            }
        }
        Ok(())
    }

    /// The driver's version.
    pub fn driver(&self) -> String {
        self.facts.first().map(|gpu| gpu.driver.clone()).unwrap_or_default()
    }
}

/// Whether a GPU is idle, asked on a thread of its own: the driver may never answer.
async fn asked(library: &Library, uuid: &str) -> Result<()> {
    let (library, uuid) = (library.clone(), uuid.to_owned());
    let place = uuid.clone();
    let answer = tokio::task::spawn_blocking(move || idle(&library, &uuid));
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(idle)) => idle,
        Ok(Err(_)) | Err(_) => Err(lab::Problem::machine("the driver does not say whether this GPU is idle")
            .at(place)
            .next("start the machine anew")),
    }
}
