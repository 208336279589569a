//! Two rows of logs, and the ratio between them.

use serde::Serialize;
use stats::{multiple, paired, sum, welch};

use super::{Arms, values::Measured};
use crate::judgement::Sameness;

/// One number of both sides, and their ratio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contrast {
    /// `speed-up` over the own baseline, or as in [`crate::judgement::MetricEffect::metric`].
    pub metric: &'static str,
    /// What `a` and `b` are: `ns`, `tokens/s`, `requests/s`, or nothing for a ratio.
    pub unit: &'static str,
    /// Geometric mean over rounds of the first side; none without a round.
    pub a: Option<f64>,
    /// The same of the second side.
    pub b: Option<f64>,
    /// Rounds of each side; where they are compared one by one, those that both have.
    pub rounds: (u64, u64),
    /// Whether every round of both sides has the same value, to the bit.
    pub identical: bool,
    /// Speed of the first over that of the second; none where there is no interval.
    pub ratio: Option<Ratio>,
}

/// A ratio of speeds with its interval: above 1 the first side is faster, whatever the metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// Geometric mean.
    pub ratio: f64,
    /// Lower limit of the interval.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
    /// The interval's confidence.
    pub confidence: f64,
    /// Two-sided p: of the paired t test where rounds are compared one by one, of Welch's where
    /// runs are independent.
    pub p: f64,
    /// p adjusted over all ratios of this comparison (Benjamini–Hochberg).
    pub adjusted_p: Option<f64>,
    /// Whether there are enough rounds for a claim.
    pub powered: bool,
    /// Same, different or inconclusive within the declared margin.
    pub same: Sameness,
}

/// Each round's log.
type Rounds<'a> = &'a [(u32, f64)];

/// How two rows are compared.
#[derive(Clone, Copy)]
pub(super) struct Pairing {
    /// Round by round, as rounds of one run.
    pub(super) paired: bool,
    /// The declared margin of "same".
    pub(super) within: f64,
    /// Of every interval: the larger of the two claims'.
    pub(super) confidence: f64,
    /// Whether both sides have reached the first of their declared looks.
    pub(super) reached: bool,
}

impl Pairing {
    /// Two rows of log speed-ups.
    pub(super) fn speed_ups(self, a: Rounds<'_>, b: Rounds<'_>) -> Contrast {
        self.rows(("speed-up", ""), a, b, 1.0)
    }

    /// Two rows of the logs of a metric. No ratio where a round has no value.
    pub(super) fn metric(self, a: &Measured, b: &Measured) -> Contrast {
        let sign = if a.more_is_better { 1.0 } else { -1.0 };
        let contrast = self.rows((a.name, a.unit), &a.logs, &b.logs, sign);
        let ratio = contrast.ratio.filter(|_| !a.short && !b.short);
        Contrast { ratio, ..contrast }
    }

    fn rows(self, (metric, unit): (&'static str, &'static str), a: Rounds<'_>, b: Rounds<'_>, sign: f64) -> Contrast {
        let in_both = |other: Rounds<'_>, round: u32| !self.paired || other.iter().any(|(r, _)| *r == round);
        let own: Vec<f64> = a.iter().filter(|(round, _)| in_both(b, *round)).map(|(_, log)| *log).collect();
        let other: Vec<f64> = b.iter().filter(|(round, _)| in_both(a, *round)).map(|(_, log)| *log).collect();
        let mean = |logs: &[f64]| sum::mean(logs).map(libm::exp);
        let turned = |logs: &[f64]| logs.iter().map(|log| sign * log).collect::<Vec<f64>>();
        Contrast {
            metric,
            unit,
            a: mean(&own),
            b: mean(&other),
            rounds: (own.len() as u64, other.len() as u64),
            identical: !own.is_empty() && own == other,
            ratio: self.ratio(&turned(&own), &turned(&other)),
        }
    }

    fn ratio(self, a: &[f64], b: &[f64]) -> Option<Ratio> {
        let (confidence, alpha) = (self.confidence, 1.0 - self.confidence);
        let (log, (low, high), p, powered, same) = if self.paired {
            let logs: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
            let t = paired::paired_t(&logs, confidence).ok()?;
            let same = paired::tost(&logs, self.within, alpha).ok()?.sameness;
            (t.mean_log, (t.low_log, t.high_log), t.p, paired::powered(t.n), same)
        } else {
            let w = welch::welch(a, b, confidence).ok()?;
            let same = welch::tost(a, b, self.within, alpha).ok()?.0;
            (w.difference, (w.low, w.high), w.p, w.powered(), same)
        };
        Some(Ratio {
            ratio: libm::exp(log),
            low: libm::exp(low),
            high: libm::exp(high),
            confidence,
            p,
            adjusted_p: None,
            powered: powered && self.reached,
            same: if self.reached { same.into() } else { Sameness::Inconclusive },
        })
    }
}

/// Writes the adjusted p beside each raw one, over all ratios.
pub(super) fn adjust(arms: &mut [Arms]) {
    let mut all: Vec<&mut Ratio> = Vec::new();
    for arms in arms {
        all.extend(arms.overall.as_mut().and_then(|c| c.ratio.as_mut()));
        for cell in &mut arms.cells {
            let contrasts = cell.over_baseline.iter_mut().chain(&mut cell.metrics);
            all.extend(contrasts.filter_map(|c| c.ratio.as_mut()));
        }
    }
    let raw: Vec<f64> = all.iter().map(|r| r.p).collect();
    for (ratio, p) in all.into_iter().zip(multiple::benjamini_hochberg(&raw).unwrap_or_default()) {
        ratio.adjusted_p = Some(p);
    }
}
