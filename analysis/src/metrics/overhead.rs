//! What containers cost beside the servers in them.

use lab::{Nanos, records::Stages};
use serde::Serialize;
use stats::quantile::{Level, Sample};

use crate::study::Study;

/// Medians over the trials of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Overhead {
    /// From the trial's start until the container is made and found to be what was asked for.
    #[serde(rename = "made_ns")]
    pub made: Nanos,
    /// From then until its server runs.
    #[serde(rename = "started_ns")]
    pub started: Nanos,
    /// From its server's end until nothing is left of it.
    #[serde(rename = "removed_ns")]
    pub removed: Nanos,
    /// Trials that have all of them.
    pub trials: usize,
}

/// None where no trial had a container from its start to its end.
pub fn overhead(study: &Study) -> Option<Overhead> {
    let spans = |stages: &Stages| {
        let (made, started) = (stages.created_ns?, stages.started_ns?);
        let (stopped, removed) = (stages.stopped_ns?, stages.removed_ns?);
        Some([made.0, started.0.checked_sub(made.0)?, removed.0.checked_sub(stopped.0)?])
    };
    let all: Vec<[u64; 3]> = study.trials.iter().filter_map(|trial| spans(&trial.record.stages)).collect();
    let half = Level::per_ten_thousand(5_000)?;
    let median = |i: usize| Some(Nanos(Sample::new(all.iter().map(|s| s[i]).collect())?.quantile_ns(half)));
    Some(Overhead { made: median(0)?, started: median(1)?, removed: median(2)?, trials: all.len() })
}

impl std::fmt::Display for Overhead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Overhead { made, started, removed, trials } = self;
        write!(
            f,
            "made in {made}, started in {started}, removed in {removed} (medians of {trials} trials, without the servers' own start and end)"
        )
    }
}
