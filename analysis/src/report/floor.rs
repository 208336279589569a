//! What a calibration comes to, in sentences: the tolerance, and which alterations it finds.

use super::{escape, number};
use crate::judgement::Calibration;

/// A tolerance this many times the largest honest mean is told to be wide.
const WIDE: f64 = 5.0;

/// One sentence each on the tolerance and on the alterations that it finds and does not find.
pub(crate) fn sentences(calibration: &Calibration) -> Vec<String> {
    let mut said = vec![format!(
        "{} honest configurations: cap c {} nats, tolerance δ {} of x, δₕ {} % of requests",
        calibration.positive.len(),
        number::small(calibration.cap_nats).digits(),
        number::small(calibration.mean).digits(),
        number::percent_of(calibration.far).digits(),
    )];
    if let Some(over) = over_largest(calibration).filter(|over| *over > WIDE) {
        said.push(format!(
            "δ is {} times the largest honest mean: few configurations, or few tokens of each, make it wide",
            number::fixed(over, 1).digits()
        ));
    }
    let named = |found: bool| {
        let of = calibration.negative.iter().filter(|c| c.requests_to_suspect.is_some() == found);
        let after = |n: Option<u64>| n.map(|n| format!(" after {n}")).unwrap_or_default();
        of.map(|c| format!("{}{}", escape::name(&c.name), after(c.requests_to_suspect))).collect::<Vec<_>>()
    };
    let (found, missed) = (named(true), named(false));
    if !found.is_empty() {
        said.push(format!("altered controls found: {} graded requests", found.join(", ")));
    }
    if !missed.is_empty() {
        said.push(format!("altered controls not found, the detection floor: {}", missed.join(", ")));
    }
    let suspect = calibration.positive.iter().filter(|c| c.requests_to_suspect.is_some());
    let suspect: Vec<String> = suspect.map(|c| escape::name(&c.name)).collect();
    if !suspect.is_empty() {
        said.push(format!("honest and yet suspect: {}; is it honest?", suspect.join(", ")));
    }
    said
}

/// How many times the largest honest mean the tolerance is; none where all of them are 0.
pub(crate) fn over_largest(calibration: &Calibration) -> Option<f64> {
    let largest = calibration.positive.iter().map(|c| c.mean_x).fold(0.0, f64::max);
    (largest > 0.0).then(|| calibration.mean / largest)
}
