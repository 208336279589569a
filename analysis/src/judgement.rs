//! What `bench judge` says: plain values, in the order in which people read them. Every
//! number carries its unit in its name; ratios are candidate / baseline.

use lab::{Digest, Nanos};
use serde::Serialize;

/// Version of the JSON that `bench judge --json` prints. 1: first.
pub const FORMAT: u32 = 1;

/// The verdicts on all candidates of a set of bundles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// [`FORMAT`].
    pub format: u32,
    /// The method's version, see `METHOD.md`.
    pub method: &'static str,
    /// Where the evidence is.
    pub bundles: Vec<BundleRef>,
    /// The workload's name.
    pub workload: String,
    /// The workload file's digest.
    pub workload_digest: Digest,
    /// Where the tolerances of the equivalence test come from.
    pub tolerance: Tolerance,
    /// One per candidate: equivalent first, by the lower bound of their speed-up, then
    /// undecided, then altered.
    pub candidates: Vec<Candidate>,
    /// The baseline held against itself.
    pub baseline: Baseline,
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
    /// Name of its folder.
    pub folder: String,
    /// When it was sealed.
    pub sealed: String,
}

/// Where the tolerances come from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tolerance {
    /// Declared in the workload file, with no calibration behind it: every verdict on
    /// outputs is provisional.
    Declared {
        /// c, in nats.
        cap_nats: f64,
        /// δ, a share of the cap.
        mean: f64,
        /// δ_h, a share of requests.
        far: f64,
    },
    /// None: outputs cannot be judged.
    None,
}

/// The three verdicts on outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
    /// The verdict on its outputs.
    pub verdict: Verdict,
    /// Whether the tolerance is only declared.
    pub provisional: bool,
    /// Why, the decisive one first; at least one.
    pub reasons: Vec<Reason>,
    /// The equivalence test's numbers; none without graded outputs.
    pub equivalence: Option<Equivalence>,
    /// Structural checks, each with its count, also those that found nothing.
    pub structure: Vec<Check>,
    /// Speed in each cell.
    pub speed: Vec<CellSpeed>,
    /// The geometric mean over cells of the equal-work speed-up; none if a cell has none.
    pub overall: Option<Effect>,
    /// Why there is no overall speed-up, or why it supports no claim.
    pub overall_note: Option<Reason>,
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

/// The teacher-forced margins of one arm (METHOD, section Equivalence).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Equivalence {
    /// Graded requests.
    pub requests: u64,
    /// Graded output tokens.
    pub tokens: u64,
    /// Graded server launches (trials).
    pub launches: u64,
    /// Graded from ids that the server sent (otherwise from our reading of its text).
    pub from_ids: u64,
    /// Mean margin of all tokens, in nats, not capped.
    pub mean_margin_nats: f64,
    /// Largest margin, in nats.
    pub max_margin_nats: f64,
    /// Tokens that are not the reference's first choice.
    pub not_first: u64,
    /// Mean of the requests' x.
    pub mean_x: f64,
    /// Launch-clustered upper 95 % bound of the mean of x; none with fewer than two launches.
    pub upper_x: Option<f64>,
    /// Requests with a margin above four caps.
    pub far_requests: u64,
    /// Exact upper 95 % bound of their share.
    pub upper_far: f64,
    /// ln E of the e-process.
    pub ln_e: f64,
    /// Requests until E first reached the threshold, in plan order.
    pub requests_to_threshold: Option<u64>,
    /// The tokens with the largest margins: evidence that a person can look up.
    pub worst: Vec<WorstToken>,
}

/// One output token far from the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorstToken {
    /// The trial's folder.
    pub trial: String,
    /// Id in the request set.
    pub request: u32,
    /// Position among the output tokens, from 0.
    pub position: u32,
    /// What the server emitted, as text; hostile.
    pub emitted: String,
    /// What the reference would have emitted.
    pub best: String,
    /// logp(best) − logp(emitted), in nats.
    pub margin_nats: f64,
}

/// A structural check over an arm's timed requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable short name, e.g. `ids-match-text`.
    pub code: &'static str,
    /// What it asks, in words.
    pub asks: &'static str,
    /// What a violation means.
    pub consequence: Consequence,
    /// Requests it could be asked of.
    pub asked: u64,
    /// Requests that violate it.
    pub violations: u64,
    /// Whether they are enough for the consequence.
    pub holds: bool,
    /// The first few violations, `trial/request: what`; hostile text is cut.
    pub examples: Vec<String>,
}

/// What a violated structural check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// No honest server does this.
    Altered,
    /// No *equivalent* while it stands.
    NotEquivalent,
    /// For the reader.
    Information,
}

/// One cell's comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellSpeed {
    /// The model.
    pub model: String,
    /// GPUs.
    pub gpus: u32,
    /// The load.
    pub load: String,
    /// The declared primary metric: equal-work E2EL.
    pub primary: MetricEffect,
    /// TTFT, TPOT, ITL, E2EL and output throughput beside it.
    pub beside: Vec<MetricEffect>,
}

/// One metric of one cell, candidate against baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricEffect {
    /// `e2el-equal-work`, `ttft`, `tpot`, `itl`, `e2el`, `output-throughput`.
    pub metric: &'static str,
    /// What the numbers below are: `ns` or `tokens/s`.
    pub unit: &'static str,
    /// Geometric mean over rounds of the baselines' values; 0 where there is no round.
    pub baseline: f64,
    /// Geometric mean over rounds of the candidate's values; 0 where there is no round.
    pub candidate: f64,
    /// As a speed-up: above 1 the candidate is better, whatever the metric.
    pub effect: Option<Effect>,
    /// The candidate's value divided by that of its baselines, each round, as speed-up.
    pub rounds: Vec<(u32, f64)>,
}

/// A speed-up with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// Rounds it comes from.
    pub rounds: u64,
    /// At least [`stats`]'s minimum of rounds; otherwise no claim is made.
    pub powered: bool,
    /// Geometric mean.
    pub speedup: f64,
    /// Lower limit of the 95 % interval.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
    /// Two-sided p of the paired t test.
    pub p: f64,
    /// Exact two-sided sign-flip p.
    pub sign_flip_p: Option<f64>,
    /// Minimum detectable effect at 80 % power, as a ratio above 1.
    pub detectable: Option<f64>,
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
    /// Structural checks.
    pub structure: Vec<Check>,
    /// Largest p99 of send lag over trials.
    pub send_lag_p99_ns: Option<Nanos>,
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
