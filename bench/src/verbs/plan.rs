use std::{path::PathBuf, process::ExitCode};

use lab::{
    Result,
    plan::{self, Phase, Trial},
    workload,
    workload::{Arrivals, Shape, Workload},
};

/// Arguments of `bench plan`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The workload file
    file: PathBuf,
    /// Print plan.json, byte for byte as a bundle would hold it
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workload = workload::read(&args.file)?;
    let prepared = runner::prepare::prepare(&workload)?;
    let plan = &prepared.plan;
    if args.json {
        print!("{}", plan.to_json());
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{:>5} {:>5} {:>5}  {:<9} {:<24} {:<16} {:>4}  loads",
        "trial", "round", "block", "role", "arm", "model", "gpus"
    );
    for trial in &plan.trials {
        let loads: Vec<String> = trial.phases.iter().map(shown).collect();
        let role = format!("{:?}", trial.role).to_lowercase();
        println!(
            "{:>5} {:>5} {:>5}  {role:<9} {:<24} {:<16} {:>4}  {}",
            trial.n,
            trial.round,
            trial.block,
            trial.arm,
            trial.model,
            trial.gpus,
            loads.join(", ")
        );
    }
    println!("\n{} trials, {} requests, plan {}", plan.trials.len(), prepared.requests.len(), plan.digest());
    println!("{}", at_most(&workload));
    Ok(ExitCode::SUCCESS)
}

/// The deadlines of all trials together: hours, and what their GPUs cost.
pub(super) fn at_most(workload: &Workload) -> String {
    // Which requests they are changes no deadline.
    let plan = plan::expand(workload, workload.digest, None);
    let limits = &workload.limits;
    let hours =
        |trial: &Trial| (limits.ready.as_secs_f64() + trial.phases.len() as f64 * limits.phase.as_secs_f64()) / 3600.0;
    let all: f64 = plan.trials.iter().map(hours).sum();
    let of_gpus: f64 = plan.trials.iter().map(|trial| hours(trial) * f64::from(trial.gpus)).sum();
    let blocks = plan.blocks().count();
    let mut words = format!("{blocks} blocks; at most {all:.1} hours: the deadlines of all trials together");
    if of_gpus > 0.0 {
        words += &format!("; {of_gpus:.1} GPU hours");
    }
    match &workload.cost {
        Some(cost) => format!("{words}, which cost {:.2} at {} each", of_gpus * cost.gpu_hour, cost.gpu_hour),
        None => words,
    }
}

/// A phase in a few words.
fn shown(phase: &Phase) -> String {
    let how = match phase.shape {
        Shape::Closed { concurrency, .. } => format!("{concurrency} at once"),
        Shape::Open { gap_ns, arrivals } => {
            let kind = match arrivals {
                Arrivals::Constant => "constant",
                Arrivals::Poisson => "Poisson",
                Arrivals::Gamma { .. } => "gamma",
            };
            format!("{:.4} a second, {kind}", 1e9 / gap_ns.0 as f64)
        }
        Shape::Trace { speed_thousandths, .. } => {
            format!("trace at {}x", f64::from(speed_thousandths) / 1e3)
        }
    };
    let time = phase.time_ns.map(|t| format!(", {t} at most")).unwrap_or_default();
    format!("{} ({} × {how}{time})", phase.load, phase.requests.count)
}
