//! Made-up rates, service levels and a ladder.

use analysis::{judgement::*, report::Cell};

use super::{MADE, busy, cell, noise};

const SHARE: f64 = 0.99;

fn arms() -> impl Iterator<Item = (&'static str, f64, u64)> {
    std::iter::once(("baseline", 1.0, 16)).chain(MADE.iter().map(|m| (m.name, m.speed, u64::from(m.rounds))))
}

pub(crate) fn facts() -> Vec<LoadFacts> {
    let light = arms().map(|arm| of_load(arm, cell(), (8, 1.0, 1.0)));
    // Three times the clients: nearly twice the throughput, and waits.
    let heavy = arms().map(|arm| of_load(arm, busy(), (24, 1.9, 1.6)));
    light.chain(heavy).collect()
}

/// What an arm does under so many clients: at how many times the throughput, and the latencies.
fn of_load(
    (arm, speed, launches): (&str, f64, u64),
    cell: Cell,
    (clients, more, slower): (u32, f64, f64),
) -> LoadFacts {
    let Cell { model, gpus, load } = cell;
    let due = launches * 240;
    let failed = due / 700;
    let latency = |metric, p50: f64, tail: f64| Percentiles {
        metric,
        values: due - failed,
        p50_ns: Some((p50 * slower / speed) as u64),
        p90_ns: Some((p50 * slower / speed * 1.2) as u64),
        p95_ns: Some((p50 * slower / speed * 1.3) as u64),
        p99_ns: (due > 700).then_some((p50 * slower / speed * tail) as u64),
    };
    LoadFacts {
        arm: arm.into(),
        model,
        gpus,
        load,
        shape: format!("{clients} clients"),
        offered: Some(Offered { value: f64::from(clients), unit: "clients" }),
        launches,
        due,
        complete: due - failed,
        time_up: 0,
        requests_per_s: Some(5.64 * more * speed),
        tokens_per_s: Some(721.4 * more * speed),
        steady_tokens_per_s: Some(803.9 * more * speed),
        steady_share: Some(0.91),
        cost_per_million_tokens: Some(2.5 / 3600.0 / (721.4 * more * speed) * 1e6),
        joules_per_token: Some(0.614 / more / speed),
        service: Some(Service {
            due,
            met: due - failed - due / 50,
            shorter: 0,
            attainment: Some((due - failed - due / 50) as f64 / due as f64),
            goodput_per_s: Some(5.51 * more * speed),
        }),
        latencies: vec![latency("ttft", 41.3e6, 18.0), latency("tpot", 10.9e6, 1.6), latency("e2el", 1.434e9, 1.7)],
    }
}

/// The share that is served in time falls from the limit on, the faster the later.
fn attainment(rate: f64, limit: f64) -> f64 {
    let over = libm::log(rate / limit) + 0.002;
    if over <= 0.0 { 1.0 - 0.008 * rate / limit } else { (SHARE - 0.9 * over).max(0.04) }
}

pub(crate) fn ladder() -> Ladder {
    let climb = |(n, (arm, speed, launches)): (usize, (&str, f64, u64))| {
        let steps = (0..6).map(|i| {
            let value = 2.0 * libm::pow(1.5, f64::from(i));
            let due = launches * 200;
            let met = (attainment(value, 6.1 * speed) * due as f64) as u64;
            Step { load: format!("rate-{}", i + 1), value, due, met, attainment: Some(met as f64 / due as f64) }
        });
        let steps: Vec<Step> = steps.collect();
        let seen: Vec<(f64, f64)> = steps.iter().filter_map(|s| Some((s.value, s.attainment?))).collect();
        let limit = match analysis::ladder::crossing(&seen, SHARE) {
            Some(Capacity::At(limit)) => limit,
            other => panic!("{other:?}"),
        };
        let rounds = launches.min(8);
        let beyond = arm == "int4";
        let capacity = if beyond {
            Overall::Beyond { lowest: 2.0, below: 0, highest: 15.1875, above: 3, rounds }
        } else {
            Overall::Between { mean: limit, interval: Some((limit / 1.06, limit * 1.06)), rounds }
        };
        let ratio = |round: u32| speed * (0.98 + 0.04 * noise(n as u64 + 40, u64::from(round)));
        Climb {
            arm: arm.into(),
            steps,
            rounds: (1..=rounds as u32).map(|round| (round, Capacity::At(limit * ratio(round) / speed))).collect(),
            capacity: Some(capacity),
            ratio: (n > 0 && rounds == 8 && !beyond).then(|| Effect {
                rounds,
                powered: true,
                speedup: speed,
                low: speed / 1.07,
                high: speed * 1.07,
                confidence: 0.95,
                p: 0.004,
                adjusted_p: Some(0.009),
                sign_flip_p: Some(2.0 / 256.0),
                detectable: Some(1.08),
            }),
            ratios: if n > 0 { (1..=rounds as u32).map(|round| (round, ratio(round))).collect() } else { Vec::new() },
        }
    };
    let Cell { model, gpus, .. } = cell();
    let arms = arms().enumerate().map(climb).collect();
    Ladder { ladder: "rate".into(), model, gpus, unit: "requests/s", share: SHARE, arms }
}
