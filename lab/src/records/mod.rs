//! What was seen, in the shapes in which a bundle stores it. `results/README.md`
//! specifies every field.

mod container;
mod grade;
mod request;
mod telemetry;
mod trial;

pub use container::{Client, Container, Contract};
pub use grade::{Grade, GradedRow, PromptRow, ReferenceRow, Source};
pub use request::{Chunk, ChunkRow, Exchange, LARGEST_READ, List, Outcome, Read, RequestRow};
pub use telemetry::{Fault, GpuFault, TelemetryFacts, TelemetryRow};
pub use trial::{Attempt, Class, PhaseStage, Run, ServerFacts, Stages, Trial, TrialOutcome};

/// Version of `trial.json` and of the tables beside it. 1: first. 2: when a client turned to
/// a request, and how long bytes lay in the kernel before they were read. 3: containers,
/// GPUs, telemetry, attempts. 4: no table of chunks, since they follow from the bytes; the reads
/// of `wire.zst` by columns, its bytes packed. 5: the value that completes a grade's audit seed.
/// 6: what broke of GPUs.
pub const FORMAT: u32 = 6;

/// Ids of an answer that are kept and graded, beyond those that were asked for: a server that
/// sends more of them sends only more of the same.
pub const MOST_SPARE_IDS: u32 = 1_024;

/// The name of the warm-up among phases.
pub const WARMUP: &str = "warmup";
