//! From an opened study to a report's input.

use std::collections::BTreeMap;

use lab::Result;

use crate::{
    judgement::{Judgement, Void},
    loads,
    metrics::{self, Metric},
    report::{self, Drift, DriftPoint, Input, Series},
    study::{self, Study},
    voids::voids,
};

/// The files of the report on a judged study.
///
/// # Errors
/// When a bundle's environment cannot be read.
pub fn report_of(study: &Study, judgement: &Judgement) -> Result<Vec<(String, Vec<u8>)>> {
    let environments = study.stages[0].measure.environments()?;
    let series = series(study, &voids(study));
    let drift: Vec<Drift> = study.cells().iter().map(|cell| drift(study, cell)).collect();
    let commands = commands(judgement);
    Ok(report::render(&Input {
        title: &study.workload.name,
        description: &study.workload.description,
        judgement,
        environments: &environments,
        commands: &commands,
        series: &series,
        drift: &drift,
    }))
}

fn series(study: &Study, voids: &BTreeMap<u32, Void>) -> Vec<Series> {
    let mut all = Vec::new();
    for metric in [Metric::Ttft, Metric::ServedTtft, Metric::Tpot, Metric::Itl, Metric::E2el, Metric::ServedE2el] {
        for arm in study.arms() {
            for cell in study.cells_of_arm(arm) {
                let asked = study.load(&cell.load).is_some_and(|l| Metric::of_load(l).contains(&metric));
                if let Some(values) = loads::sample(study, arm, &cell, metric, voids).filter(|_| asked) {
                    all.push(Series { arm: arm.to_owned(), cell, metric: metric.name(), values });
                }
            }
        }
    }
    all
}

/// The median time per output token of each trial: a figure that neither longer nor
/// shorter answers move.
fn drift(study: &Study, cell: &study::Cell) -> Drift {
    let of_cell =
        study.trials.iter().filter(|t| t.completed() && t.plan.model == cell.model && t.plan.gpus == cell.gpus);
    let points = of_cell.filter_map(|t| {
        let value = metrics::median(t, &cell.load, Metric::Tpot)?.0 as f64;
        Some(DriftPoint {
            trial: t.plan.n,
            round: t.plan.round,
            block: t.plan.block,
            role: t.plan.role,
            arm: t.plan.arm.clone(),
            value,
        })
    });
    Drift { cell: cell.clone(), metric: Metric::Tpot.name(), unit: "ns", points: points.collect() }
}

fn commands(judgement: &Judgement) -> Vec<String> {
    let folders: Vec<&str> = judgement.bundles.iter().map(|b| b.folder.as_str()).collect();
    let folders = folders.join(" ");
    vec![
        format!("bench verify {folders}"),
        format!("bench judge {folders}"),
        format!("bench report {folders} --out report"),
    ]
}
