//! What `bench judge` says: plain values, in the order in which people read them. Every
//! number carries its unit in its name; ratios are candidate / baseline.

mod explanation;
mod leaderboard;
mod loads;
mod outputs;
mod same;
mod scores;
mod speed;
mod tolerance;

use lab::{Digest, Nanos, workload::Control};
use serde::{Deserialize, Serialize};

use crate::{metrics::Overhead, nodes::Node};

pub use explanation::{
    BaselineAnswer, EXPLANATION_FORMAT, Explained, ExplainedRequest, ExplainedToken, Explanation, Place, TokenSeen,
};
pub use leaderboard::{Entry, Leaderboard, Pair, PairRatio, Unranked};
pub use loads::{Capacity, Climb, Ladder, LoadFacts, Offered, Overall, Percentiles, Service, Slo, Step};
pub use outputs::{Check, Consequence, Divergence, Equivalence, Parting, StageEvidence, WorstToken};
pub use same::{SameSpeed, Sameness, SelfSpeed};
pub use scores::{Gate, Score};
pub use speed::{CellSpeed, Effect, MetricEffect};
pub use tolerance::{Calibration, ControlFacts, Tolerance};

/// Version of the JSON that `bench judge --json` prints. 1: first. 2: what each arm did under
/// each load, ladders, notes, the client's lag. 3: stages, calibration, blind control, scores,
/// leaderboard, looks, costs.
pub const FORMAT: u32 = 4;

/// The verdicts on all candidates of a set of bundles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// [`FORMAT`].
    pub format: u32,
    /// The method's version, see `METHOD.md`.
    pub method: &'static str,
    /// Where the evidence is.
    pub bundles: Vec<BundleRef>,
    /// The bundles of the controls that the workload names as its calibration, each with its
    /// grades.
    pub calibration_bundles: Vec<BundleRef>,
    /// The workload's name.
    pub workload: String,
    /// The workload file's digest.
    pub workload_digest: Digest,
    /// Where the tolerances of the equivalence test come from.
    pub tolerance: Tolerance,
    /// What this run's own controls would give as a calibration; none where it has none. No
    /// verdict of its own rests on it.
    pub controls: Option<Box<Calibration>>,
    /// What this run's own controls lack to be a calibration; none where they are one, or where
    /// it has none.
    pub controls_lack: Option<String>,
    /// The service levels that the workload asks for.
    pub slo: Option<Slo>,
    /// One per candidate: equivalent first, by the lower bound of their speed-up, then
    /// undecided, then altered.
    pub candidates: Vec<Candidate>,
    /// The candidates that are equivalent, in the order of their speed; none without candidates.
    pub leaderboard: Option<Leaderboard>,
    /// The baseline, served and judged as a candidate, where the workload asks for it.
    pub blind_control: Option<Candidate>,
    /// The baseline against itself, overall: the closing one against the opening one, and the
    /// blind control against its neighbours. None without candidates.
    pub self_speeds: Vec<SelfSpeed>,
    /// The baseline held against itself.
    pub baseline: Baseline,
    /// What each arm did under each load: the baseline first, then by name, then by cell.
    pub loads: Vec<LoadFacts>,
    /// The largest load of each ladder that meets the service levels.
    pub ladders: Vec<Ladder>,
    /// Trials that are not counted, each with what was seen. A candidate can never be the
    /// reason.
    pub voids: Vec<Void>,
}

/// A bundle that was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleRef {
    /// Digest of its manifest.
    pub id: Digest,
    /// `measure` or `grade`.
    pub kind: &'static str,
    /// The stage of its run that it belongs to, from 1.
    pub stage: u32,
    /// Name of its folder.
    pub folder: String,
    /// When it was sealed.
    pub sealed: String,
}

/// The three verdicts on outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The outputs are the model's, within the tolerance.
    Equivalent,
    /// The evidence decides neither way. Never a pass, never a disqualification.
    Undecided,
    /// The outputs are not the model's.
    Altered,
}

/// Everything about one candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Its description in the workload.
    pub description: String,
    /// What the workload says that it is, in a run of controls; none for all others.
    pub control: Option<Control>,
    /// The verdict on its outputs.
    pub verdict: Verdict,
    /// Whether no calibration stands behind the tolerance.
    pub provisional: bool,
    /// Why, the decisive one first; at least one.
    pub reasons: Vec<Reason>,
    /// The equivalence test's numbers; none without graded outputs.
    pub equivalence: Option<Equivalence>,
    /// Its texts beside the baseline's; information.
    pub divergence: Option<Divergence>,
    /// Structural checks, each with its count, also those that found nothing.
    pub structure: Vec<Check>,
    /// Speed in each cell.
    pub speed: Vec<CellSpeed>,
    /// The geometric mean over cells of the equal-work speed-up; none if a cell has none.
    pub overall: Option<Effect>,
    /// Why there is no overall speed-up, or why it supports no claim.
    pub overall_note: Option<Reason>,
    /// Which of the declared looks the claim rests on, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look: Option<u32>,
    /// Whether it is as fast as the baseline, within the declared margin; none where there is no
    /// overall speed-up.
    pub same_speed: Option<SameSpeed>,
    /// The public scores of Cacheon V1, for comparison with published rounds.
    pub scores: Vec<Score>,
    /// What V1 asked of outputs, for comparison too.
    pub gates: Vec<Gate>,
    /// What else a reader should know of its trials; no part of a verdict.
    pub notes: Vec<Reason>,
    /// Trials that failed.
    pub failures: Vec<Failure>,
    /// Timed requests by outcome, sorted by outcome.
    pub outcomes: Vec<(String, u64)>,
}

/// One reason of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stable short name, e.g. `margins-above-tolerance`.
    pub code: &'static str,
    /// One sentence with the numbers.
    pub text: String,
}

/// A trial that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The trial's folder.
    pub trial: String,
    /// Whose failure it is.
    pub class: lab::records::Class,
    /// What was seen; hostile.
    pub detail: String,
}

/// The baseline held against itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// Closing against opening baseline, primary metric, per cell (A/A).
    pub opening_closing: Vec<CellSpeed>,
    /// Its margins under the reference: the reference's self-consistency.
    pub equivalence: Option<Equivalence>,
    /// The closing baseline's texts beside the opening one's; information.
    pub divergence: Option<Divergence>,
    /// Structural checks.
    pub structure: Vec<Check>,
    /// Largest p99, over the trials of all arms, of how late the client turned to requests.
    pub client_lag_p99_ns: Option<Nanos>,
    /// The same of how late requests were sent: the wait for a connection is in it.
    pub send_lag_p99_ns: Option<Nanos>,
    /// The longest that bytes of any arm had been at this host before the client read them.
    pub read_behind_ns: Option<Nanos>,
    /// Every host of a cell that several hosts measured, by its baselines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
    /// What containers cost beside the servers in them, over all arms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containers: Option<Overhead>,
}

/// Something that is not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Void {
    /// The round.
    pub round: u32,
    /// The block.
    pub block: u32,
    /// Why.
    pub why: String,
}
