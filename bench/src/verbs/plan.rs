use std::{path::PathBuf, process::ExitCode};

use lab::{
    Result,
    plan::Phase,
    workload,
    workload::{Arrivals, Shape},
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
    let longest = plan.trials.len() as f64
        * (workload.limits.ready.as_secs_f64() + workload.loads.len() as f64 * workload.limits.phase.as_secs_f64())
        / 3600.0;
    println!("at most {longest:.1} hours: the deadlines of all trials together");
    if let Some(cost) = &workload.cost {
        let gpus: f64 = plan.trials.iter().map(|t| f64::from(t.gpus)).sum::<f64>() / plan.trials.len() as f64;
        println!("at most {:.2} of cost at {} per GPU hour", longest * gpus * cost.gpu_hour, cost.gpu_hour);
    }
    Ok(ExitCode::SUCCESS)
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
