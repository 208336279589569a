//! What `bench judge` says: plain values, in the order in which people read them. Every
//! number carries its unit in its name; ratios are candidate / baseline.

use lab::{Digest, Nanos};
use serde::Serialize;

use crate::metrics::Overhead;

/// Version of the JSON that `bench judge --json` prints. 1: first. 2: what each arm did under
/// each load, ladders, notes, the client's lag.
pub const FORMAT: u32 = 2;

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
    /// The service levels that the workload asks for.
    pub slo: Option<Slo>,
    /// One per candidate: equivalent first, by the lower bound of their speed-up, then
    /// undecided, then altered.
    pub candidates: Vec<Candidate>,
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
    /// Whether it is part of the overall speed-up: the steps of a ladder are not, where there
    /// are other loads.
    pub counts: bool,
    /// The declared primary metric: equal-work E2EL.
    pub primary: MetricEffect,
    /// Latencies and rates beside it.
    pub beside: Vec<MetricEffect>,
}

/// One metric of one cell, candidate against baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricEffect {
    /// `e2el-equal-work`, `ttft`, `tpot`, `itl`, `e2el`, `ttft-service`, `e2el-service`,
    /// `output-throughput`, `output-throughput-steady`, `request-throughput`, `goodput`.
    pub metric: &'static str,
    /// What the numbers below are: `ns`, `tokens/s` or `requests/s`.
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
    /// Largest p99, over the trials of all arms, of how late the client turned to requests.
    pub client_lag_p99_ns: Option<Nanos>,
    /// The same of how late requests were sent: the wait for a connection is in it.
    pub send_lag_p99_ns: Option<Nanos>,
    /// The longest that bytes of any arm had been at this host before the client read them.
    pub read_behind_ns: Option<Nanos>,
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

/// Latencies that every request has to meet, from the intended send.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Slo {
    /// Most time to first output.
    pub ttft_ns: Option<Nanos>,
    /// Most time per output token after the first.
    pub tpot_ns: Option<Nanos>,
    /// Most end-to-end latency.
    pub e2el_ns: Option<Nanos>,
    /// The share of requests that has to meet all of them, where a ladder is searched.
    pub share: f64,
}

/// What one arm did under one load, over its counted trials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadFacts {
    /// `baseline` or a candidate's name.
    pub arm: String,
    /// The model.
    pub model: String,
    /// GPUs.
    pub gpus: u32,
    /// The load.
    pub load: String,
    /// How it sends, in words.
    pub shape: String,
    /// Trials that are counted.
    pub launches: u64,
    /// Requests that were due.
    pub due: u64,
    /// Those of them that are complete.
    pub complete: u64,
    /// Requests that never were due: the declared time was over before their turn.
    pub time_up: u64,
    /// Complete requests over the time of the phases.
    pub requests_per_s: Option<f64>,
    /// Output tokens of complete requests over the time of the phases.
    pub tokens_per_s: Option<f64>,
    /// The same in the steady windows; none where one of the phases has none.
    pub steady_tokens_per_s: Option<f64>,
    /// The share of the phases' time that lies in their steady windows.
    pub steady_share: Option<f64>,
    /// Against the service levels, where the workload states some.
    pub service: Option<Service>,
    /// Percentiles of the complete requests' latencies.
    pub latencies: Vec<Percentiles>,
}

/// Requests against the service levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Service {
    /// Requests that were due, without those below.
    pub due: u64,
    /// Those of them that were complete and met every level.
    pub met: u64,
    /// Requests in time whose answer stopped early beside the baselines': neither met nor missed.
    pub shorter: u64,
    /// met / due.
    pub attainment: Option<f64>,
    /// met over the time of the phases.
    pub goodput_per_s: Option<f64>,
}

/// Percentiles of one latency; each only where enough values stand behind it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Percentiles {
    /// `ttft`, `tpot`, `itl`, `e2el`, `ttft-service`, `e2el-service`.
    pub metric: &'static str,
    /// How many values.
    pub values: u64,
    /// The median.
    pub p50_ns: Option<u64>,
    /// The 90th percentile.
    pub p90_ns: Option<u64>,
    /// The 95th percentile.
    pub p95_ns: Option<u64>,
    /// The 99th percentile.
    pub p99_ns: Option<u64>,
}

/// A ladder on one model and number of GPUs: how large a load each arm bears.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ladder {
    /// Its name.
    pub ladder: String,
    /// The model.
    pub model: String,
    /// GPUs.
    pub gpus: u32,
    /// What its values are: `arrivals/s` (of sessions, where requests are turns) or `clients`.
    pub unit: &'static str,
    /// The share of requests that has to meet the service levels.
    pub share: f64,
    /// The baseline first, then the candidates by name.
    pub arms: Vec<Climb>,
}

/// One arm on a ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Climb {
    /// `baseline` or a candidate's name.
    pub arm: String,
    /// Each step over all counted trials, from the lowest.
    pub steps: Vec<Step>,
    /// The largest load of each round, sorted.
    pub rounds: Vec<(u32, Capacity)>,
    /// Over rounds; none where there is no round.
    pub capacity: Option<Overall>,
    /// candidate / baseline; none for the baseline, or where a round has no ratio.
    pub ratio: Option<Effect>,
    /// The ratio of each round in which no limit is beyond the ladder.
    pub ratios: Vec<(u32, f64)>,
}

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The load's name.
    pub load: String,
    /// Requests per second, or clients.
    pub value: f64,
    /// Requests against the service levels.
    pub due: u64,
    /// Those that met them.
    pub met: u64,
    /// met / due.
    pub attainment: Option<f64>,
}

/// The largest load that meets the service levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capacity {
    /// Not even the lowest step meets them.
    Below(f64),
    /// Between two steps.
    At(f64),
    /// The highest step meets them too.
    Above(f64),
}

/// The largest load over rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overall {
    /// Every round has one: their geometric mean, and its 95 % interval from two rounds on.
    Between {
        /// Geometric mean.
        mean: f64,
        /// Limits of the interval.
        interval: Option<(f64, f64)>,
        /// Rounds.
        rounds: u64,
    },
    /// In some rounds it lies beyond an end of the ladder.
    Beyond {
        /// The lowest step.
        lowest: f64,
        /// Rounds in which it lies below that.
        below: u64,
        /// The highest step.
        highest: f64,
        /// Rounds in which it lies above that.
        above: u64,
        /// Rounds.
        rounds: u64,
    },
}
