//! From an opened study to a report's input.

use std::collections::BTreeMap;

use lab::{Result, bundle::Bundle};

use crate::{
    judgement::{Judgement, Void},
    loads,
    metrics::{self, Metric},
    report::{self, Drift, DriftPoint, Input, Series},
    study::{self, Study},
    voids::voids,
};

/// The files of the report on a judged study, with what people wrote into it before, by page.
///
/// # Errors
/// When a bundle's environment cannot be read.
pub fn report_of(
    study: &Study,
    judgement: &Judgement,
    notes: &BTreeMap<String, String>,
) -> Result<Vec<(String, Vec<u8>)>> {
    let environments = study.stages[0].measure.environments()?;
    let series = series(study, &voids(study));
    let drift: Vec<Drift> = study.cells().iter().map(|cell| drift(study, cell)).collect();
    let commands = commands(study);
    Ok(report::render(&Input {
        title: &study.workload.name,
        description: &study.workload.description,
        judgement,
        environments: &environments,
        commands: &commands,
        series: &series,
        drift: &drift,
        notes,
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

/// Shell commands that do the same again, from the folder in which `results/` lies: a run is in
/// the folder of the day on which it began, and its grades beside it. Of more than two bundles
/// each has its line.
fn commands(study: &Study) -> Vec<String> {
    let stages = study.calibration.iter().flat_map(|run| &run.stages);
    let places: Vec<String> = study.stages.iter().chain(stages).flat_map(places).collect();
    let command = |verb: &str, more: &str| {
        if places.len() <= 2 {
            return vec![format!("bench {verb} {}{more}", places.join(" "))];
        }
        let lines = places.iter().zip(1..).map(|(place, n)| match n == places.len() {
            true => format!("    {place}{more}"),
            false => format!("    {place} \\"),
        });
        std::iter::once(format!("bench {verb} \\")).chain(lines).collect()
    };
    let compared = command("reproduce --offline", " --against report");
    [command("verify", ""), command("judge", ""), command("report", " --out report"), compared].concat()
}

/// A stage's bundles, its grades last.
fn places(stage: &study::Stage) -> Vec<String> {
    let run = stage.measure.run().ok();
    let day = run.and_then(|run| run.started.get(..10).map(str::to_owned)).unwrap_or_default();
    let of = |bundle: &Bundle| {
        let name = bundle.path.file_name().unwrap_or_default().to_string_lossy();
        quoted(&format!("results/{day}/{name}"))
    };
    std::iter::once(&stage.measure).chain(&stage.grades).map(of).collect()
}

/// A word of a shell's command. Folders may have any name.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_folders_name_is_one_word_of_a_shell() {
        assert_eq!(quoted("results/2026-11-22/x-vm-1-grade"), "results/2026-11-22/x-vm-1-grade");
        assert_eq!(quoted("$(reboot) it's"), "'$(reboot) it'\\''s'");
    }
}
