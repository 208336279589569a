//! What each arm did under each load, over its counted trials: amounts over times, and
//! percentiles. For tables and charts; a decision never pools the requests of several
//! launches.

use std::collections::BTreeMap;

use lab::{
    Nanos,
    workload::{Arrivals, Load, Shape},
};
use stats::quantile::{Level, Sample};

use crate::{
    comparison::is_of,
    judgement::{self, LoadFacts, Offered, Percentiles, Void},
    metrics::{self, Metric, Service},
    parallel,
    study::{Cell, Study, Trial},
};

/// The facts of every arm in every cell in which it is planned.
pub fn facts(study: &Study, voids: &BTreeMap<u32, Void>) -> Vec<LoadFacts> {
    let cells = |arm| study.cells_of_arm(arm).into_iter().map(move |cell| (arm, cell));
    let all: Vec<(&str, Cell)> = study.arms().into_iter().flat_map(cells).collect();
    parallel::map(&all, |(arm, cell)| of(study, arm, cell, voids))
}

/// The trials of an arm that ran a cell's load and are counted.
pub(crate) fn counted<'a>(
    study: &'a Study,
    arm: &'a str,
    cell: &'a Cell,
    voids: &'a BTreeMap<u32, Void>,
) -> impl Iterator<Item = &'a Trial> {
    study.completed(arm).filter(move |t| is_of(t, cell) && !voids.contains_key(&t.plan.n))
}

/// A latency over all complete requests of an arm's counted trials in a cell.
pub fn sample(study: &Study, arm: &str, cell: &Cell, metric: Metric, voids: &BTreeMap<u32, Void>) -> Option<Sample> {
    Sample::new(counted(study, arm, cell, voids).flat_map(|t| metrics::values(t, &cell.load, metric)).collect())
}

fn of(study: &Study, arm: &str, cell: &Cell, voids: &BTreeMap<u32, Void>) -> LoadFacts {
    let load = cell.load.as_str();
    let trials: Vec<&Trial> = counted(study, arm, cell, voids).collect();
    let total = |of: &dyn Fn(&Trial) -> u64| trials.iter().map(|t| of(t)).sum::<u64>();
    let time = Nanos(total(&|t| metrics::phase_time(t, load).map_or(0, |n| n.0)));
    let tokens = total(&|t| metrics::tokens(t, load));
    let steady: Option<Vec<metrics::Steady>> = trials.iter().map(|t| metrics::steady(t, load)).collect();
    let steady = steady.filter(|all| !all.is_empty());
    let steady_time = steady.iter().flatten().map(|s| s.time().0).sum::<u64>();
    let steady_tokens = steady.iter().flatten().map(|s| s.tokens).sum();
    let services = trials.iter().filter_map(|t| metrics::service(study, t, load));
    let service = services.reduce(Service::and).map(|s| judgement::Service {
        due: s.due,
        met: s.met,
        shorter: s.shorter,
        attainment: s.attainment(),
        goodput_per_s: rate(s.met, time),
    });
    let declared = study.load(load);
    let metrics = declared.map(Metric::of_load).unwrap_or_default();
    LoadFacts {
        arm: arm.to_owned(),
        model: cell.model.clone(),
        gpus: cell.gpus,
        load: cell.load.clone(),
        shape: declared.map(shape).unwrap_or_default(),
        offered: declared.and_then(offered),
        launches: trials.len() as u64,
        due: total(&|t| t.of_load(load).filter(|r| !r.time_up()).count() as u64),
        complete: total(&|t| metrics::complete(t, load)),
        time_up: total(&|t| t.of_load(load).filter(|r| r.time_up()).count() as u64),
        requests_per_s: rate(total(&|t| metrics::complete(t, load)), time),
        tokens_per_s: rate(tokens, time),
        steady_tokens_per_s: rate(steady_tokens, Nanos(steady_time)),
        steady_share: (steady_time > 0).then(|| steady_time as f64 / time.0 as f64),
        cost_per_million_tokens: study.workload.cost.and_then(|c| cost(c.gpu_hour, cell.gpus, time, tokens)),
        joules_per_token: energy(study, &trials, load).filter(|_| tokens > 0).map(|mj| mj / 1e3 / tokens as f64),
        service,
        latencies: metrics
            .into_iter()
            .filter_map(|m| Some(percentiles(m, &sample(study, arm, cell, m, voids)?)))
            .collect(),
    }
}

/// `amount` per second; 0 for nothing, none without time.
fn rate(amount: u64, time: Nanos) -> Option<f64> {
    (time.0 > 0).then(|| amount as f64 * 1e9 / time.0 as f64)
}

/// Price of a GPU's hour × GPUs × hours / output tokens × 10⁶; none without GPUs or tokens.
fn cost(gpu_hour: f64, gpus: u32, time: Nanos, tokens: u64) -> Option<f64> {
    let gpu_hours = f64::from(gpus) * time.0 as f64 / 3.6e12;
    (gpus > 0 && tokens > 0).then(|| gpu_hour * gpu_hours / tokens as f64 * 1e6)
}

/// What the GPUs took in the load phases of all trials, in millijoules; none where the telemetry
/// of one does not say.
fn energy(study: &Study, trials: &[&Trial], load: &str) -> Option<f64> {
    let of = |trial: &Trial| {
        let phase = trial.record.stages.phases.iter().find(|p| p.load == load)?;
        metrics::energy_mj(&study.telemetry(trial).ok()?, phase.start_ns, phase.end_ns)
    };
    let each = trials.iter().map(|t| of(t)).collect::<Option<Vec<f64>>>()?;
    stats::sum::sum(&each).filter(|_| !each.is_empty())
}

fn percentiles(metric: Metric, values: &Sample) -> Percentiles {
    let at = |level| values.percentile_ns(level).ok();
    Percentiles {
        metric: metric.name(),
        values: values.count(),
        p50_ns: at(Level::P50),
        p90_ns: at(Level::P90),
        p95_ns: at(Level::P95),
        p99_ns: at(Level::P99),
    }
}

/// How much a load offers; none of a trace. A rung's own number is not rounded to a gap.
fn offered(load: &Load) -> Option<Offered> {
    let rung = load.rung.as_ref().map(|rung| rung.value);
    match load.shape {
        Shape::Closed { concurrency, .. } => Some(Offered { value: f64::from(concurrency), unit: "clients" }),
        Shape::Open { gap_ns, .. } => {
            let value = rung.unwrap_or(1e9 / gap_ns.0.max(1) as f64);
            Some(Offered { value, unit: "arrivals/s" })
        }
        Shape::Trace { .. } => None,
    }
}

/// How a load sends, in words.
pub(crate) fn shape(load: &Load) -> String {
    let sends = match load.shape {
        Shape::Closed { concurrency: 1, .. } => "1 client".to_owned(),
        Shape::Closed { concurrency, .. } => format!("{concurrency} clients"),
        Shape::Open { gap_ns, arrivals } => {
            let spread = match arrivals {
                Arrivals::Constant => "evenly spaced".to_owned(),
                Arrivals::Poisson => "Poisson arrivals".to_owned(),
                Arrivals::Gamma { burstiness_thousandths: b } => {
                    format!("gamma arrivals of burstiness {}", f64::from(b) / 1_000.0)
                }
            };
            let rate = libm::round(1e12 / gap_ns.0.max(1) as f64) / 1_000.0;
            format!("{rate} arrivals/s, {spread}")
        }
        Shape::Trace { speed_thousandths: 1_000, .. } => "a recorded trace".to_owned(),
        Shape::Trace { speed_thousandths: s, .. } => {
            format!("a recorded trace at {} times its speed", f64::from(s) / 1e3)
        }
    };
    load.time.map_or(sends.clone(), |time| format!("{sends}, for {time}"))
}

#[cfg(test)]
mod tests;
