//! Where the tolerances of the equivalence test come from.

use lab::Digest;
use serde::Serialize;

/// Where the tolerances come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tolerance {
    /// Computed from bundles of controls that the workload names.
    Calibrated(Box<Calibration>),
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
    /// The named bundles calibrate nothing: outputs cannot be judged.
    Failed {
        /// Why.
        why: String,
    },
    /// None: outputs cannot be judged.
    None,
}

impl Tolerance {
    /// c in nats, δ and δ_h, where there are any.
    pub fn limits(&self) -> Option<(f64, f64, f64)> {
        match self {
            Tolerance::Calibrated(c) => Some((c.cap_nats, c.mean, c.far)),
            Tolerance::Declared { cap_nats, mean, far } => Some((*cap_nats, *mean, *far)),
            Tolerance::Failed { .. } | Tolerance::None => None,
        }
    }
}

/// A tolerance with what it rests on (METHOD, section Calibration).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Ids of the measure bundles.
    pub bundles: Vec<Digest>,
    /// c, in nats.
    pub cap_nats: f64,
    /// Honest margins that c is a quantile of.
    pub tokens: u64,
    /// δ, a share of the cap.
    pub mean: f64,
    /// The tolerance factor k of δ = exp(mean + k · sd) of log means.
    pub factor: f64,
    /// Means of 0 that were raised to half of the smallest other one.
    pub raised: u64,
    /// δ_h, a share of requests.
    pub far: f64,
    /// Distinct honest configurations, by name.
    pub positive: Vec<ControlFacts>,
    /// Altered servers and whether this tolerance finds them: the detection floor.
    pub negative: Vec<ControlFacts>,
}

/// What one control showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ControlFacts {
    /// The configuration, or the altered arm.
    pub name: String,
    /// The arms that launched it, by name.
    pub arms: Vec<String>,
    /// Graded launches.
    pub launches: u64,
    /// Graded requests.
    pub requests: u64,
    /// Graded tokens.
    pub tokens: u64,
    /// Mean over launches of their mean x.
    pub mean_x: f64,
    /// The smallest and the largest launch mean.
    pub launch_means: (f64, f64),
    /// Requests with a margin above four caps.
    pub far_requests: u64,
    /// The largest ln E over its requests under this tolerance, at least 0.
    pub highest_ln_e: f64,
    /// Requests until E reached 10³; none where it never did: then a run of this size does
    /// not find it.
    pub requests_to_suspect: Option<u64>,
}
