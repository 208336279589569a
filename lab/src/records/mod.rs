//! What was seen, in the shapes in which a bundle stores it. `results/README.md`
//! specifies every field.

mod grade;
mod request;
mod telemetry;
mod trial;

pub use grade::{Grade, GradedRow, PromptRow, ReferenceRow, Source};
pub use request::{Chunk, ChunkRow, Exchange, List, Outcome, Read, RequestRow};
pub use telemetry::{TelemetryFacts, TelemetryRow};
pub use trial::{Class, PhaseStage, Run, ServerFacts, Stages, Trial, TrialOutcome};

/// Version of `trial.json` and of the tables beside it. 1: first. 2: when a client turned to
/// a request, and how long bytes lay in the kernel before they were read.
pub const FORMAT: u32 = 2;

/// The name of the warm-up among phases.
pub const WARMUP: &str = "warmup";
