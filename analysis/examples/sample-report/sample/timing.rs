//! Made-up latencies.

use analysis::report::{Drift, DriftPoint, Series};
use lab::plan::Role;
use stats::quantile;

use super::{MADE, cell, noise};

/// A skewed latency around `median`, with a tail.
fn latency(median_ns: f64, tail: f64, seed: u64, i: u64) -> u64 {
    let (u, v) = (noise(seed, 2 * i), noise(seed, 2 * i + 1));
    let body = 1.0 + 0.22 * (u + v - 1.0);
    let slow = if v > 0.97 { 1.0 + tail * (v - 0.97) / 0.03 } else { 1.0 };
    (median_ns * body * slow) as u64
}

fn arms() -> Vec<(&'static str, f64, u32)> {
    std::iter::once(("baseline", 1.0, 8)).chain(MADE.iter().map(|m| (m.name, m.speed, m.rounds))).collect()
}

pub(crate) fn series() -> Vec<Series> {
    let mut all = Vec::new();
    for (metric, median, tail) in [("ttft", 41.3e6, 24.0), ("tpot", 10.9e6, 0.5), ("e2el", 1.434e9, 0.7)] {
        for (n, (arm, speed, rounds)) in arms().into_iter().enumerate() {
            let speed = if metric == "ttft" { 1.0 + (speed - 1.0) * 0.4 } else { speed };
            let values = (0..u64::from(rounds) * 240).map(|i| latency(median / speed, tail, n as u64 + 1, i));
            let values = quantile::Sample::new(values.collect()).expect("there are some");
            all.push(Series { arm: arm.into(), cell: cell(), metric, values });
        }
    }
    all
}

pub(crate) fn drift() -> Drift {
    let mut points = Vec::new();
    for round in 1..=8_u32 {
        let mut order: Vec<_> = arms().into_iter().skip(1).collect();
        order.rotate_left(round as usize % 5);
        // At most four candidates between two baselines.
        for (half, members) in order.chunks(4).enumerate() {
            let block = 2 * (round - 1) + half as u32 + 1;
            let inside = members.iter().map(|(arm, speed, rounds)| (Role::Candidate, *arm, *speed, *rounds));
            let ends = |role| std::iter::once((role, "baseline", 1.0, 8));
            for (role, arm, speed, rounds) in ends(Role::Opening).chain(inside).chain(ends(Role::Closing)) {
                let trial = points.len() as u32 + 1;
                let wander = 1.0 + 0.03 * f64::from(round) / 8.0 + 0.015 * noise(5, u64::from(trial));
                points.push((round <= rounds).then(|| DriftPoint {
                    trial,
                    round,
                    block,
                    role,
                    arm: arm.into(),
                    value: 1.412e9 / speed * wander,
                }));
            }
        }
    }
    Drift { cell: cell(), metric: "e2el-equal-work", unit: "ns", points: points.into_iter().flatten().collect() }
}
