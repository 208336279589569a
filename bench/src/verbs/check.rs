use std::{path::PathBuf, process::ExitCode};

use lab::{Digest, Result, plan, requests, workload};

/// Arguments of `bench check`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Workload files
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    for file in &args.files {
        let workload = workload::read(file)?;
        let set = runner::run::materialise(&workload)?;
        let plan = plan::expand(&workload, Digest::of(requests::to_jsonl(&set)));
        println!("{}: good", file.display());
        println!(
            "  {} candidates, {} rounds, {} trials, {} requests",
            workload.candidates.len(),
            workload.rounds,
            plan.trials.len(),
            set.len()
        );
        println!("  workload {}\n  requests {}\n  plan     {}", workload.digest, plan.requests, plan.digest());
        for (name, model) in workload.models.iter().filter(|(_, m)| !m.path.join("tokenizer.json").exists()) {
            println!(
                "  note: model `{name}` is not on this host ({} has no tokenizer.json); `bench run` needs it",
                model.path.display()
            );
        }
        match &workload.equivalence {
            None => println!("  note: no [equivalence]: outputs will not be judged"),
            Some(e) if e.tolerance.is_none() => println!(
                "  note: no calibration and no [equivalence.tolerance]: every verdict on outputs will be undecided"
            ),
            Some(_) => {
                println!("  note: the tolerance is declared, not calibrated: verdicts on outputs will be provisional")
            }
        }
        if (workload.rounds as usize) < analysis::MIN_ROUNDS {
            println!("  note: {} rounds: speed needs at least {} to be claimed", workload.rounds, analysis::MIN_ROUNDS);
        }
    }
    Ok(ExitCode::SUCCESS)
}
