mod images;
mod pin;

use std::{path::PathBuf, process::ExitCode};

use lab::{Kind, Result, workload};

/// Arguments of `bench check`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Workload files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// First write the digest of every image in place of its tag, as the registry has it now
    #[arg(long)]
    pin: bool,
    /// Get the images that the container engine does not have yet, and look at them
    #[arg(long)]
    pull: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.pin && pin::run(&args.files)?.is_none() {
        return Ok(ExitCode::from(130));
    }
    let mut usable = true;
    for file in &args.files {
        let workload = workload::read(file)?;
        let prepared = runner::prepare::prepare(&workload)?;
        let plan = &prepared.plan;
        println!("{}: good", file.display());
        println!(
            "  {} candidates, {} rounds, {} trials, {} requests",
            workload.candidates.len(),
            workload.rounds,
            plan.trials.len(),
            prepared.requests.len()
        );
        println!("  workload {}\n  requests {}", workload.digest, plan.requests);
        if let Some(schedule) = plan.schedule {
            println!("  schedule {schedule}");
        }
        println!("  plan     {}", plan.digest());
        for (name, model) in workload.models.iter().filter(|(_, m)| !m.path.join("tokenizer.json").exists()) {
            println!(
                "  note: model `{name}` is not on this host ({} has no tokenizer.json); `bench run` needs it",
                model.path.display()
            );
        }
        notes(&workload);
        match images::run(&workload, args.pull)? {
            Some(images) => usable &= images,
            None => return Ok(ExitCode::from(130)),
        }
        match &workload.equivalence {
            None => println!("  note: no [equivalence]: outputs will not be judged"),
            Some(e) if !e.calibration.is_empty() => {
                println!("  note: the tolerance comes from {} calibration bundles", e.calibration.len());
            }
            Some(e) if e.tolerance.is_none() && only_controls(&workload) => {
                println!("  note: a run of controls: it calibrates others, and judges nobody");
            }
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
    Ok(if usable { ExitCode::SUCCESS } else { ExitCode::from(Kind::Image.exit_code()) })
}

/// Whether every candidate is known to be honest or altered.
fn only_controls(workload: &workload::Workload) -> bool {
    let mut names = workload.groups.iter().flat_map(|g| &g.candidates).filter(|name| *name != workload::BLIND_CONTROL);
    names.clone().next().is_some() && names.all(|name| workload.arm(name).is_some_and(|arm| arm.control.is_some()))
}

/// What a run would do that its author may not expect.
fn notes(workload: &workload::Workload) {
    if workload.candidates.is_empty() {
        println!("  note: no candidate: the baseline is measured and compared with nothing");
    }
    if workload.sampling.temperature > 0.0 && workload.equivalence.is_some() {
        println!("  note: temperature above 0: outputs cannot be judged, every verdict will be undecided");
    }
    let fewest = workload.loads.iter().map(|l| l.requests).sum::<u32>();
    if let Some(e) = workload.equivalence.as_ref().filter(|e| e.sample > fewest) {
        println!("  note: equivalence.sample is {}, a trial has {fewest} requests: all are graded", e.sample);
    }
    if workload.loads.iter().any(|l| l.rung.is_some()) && workload.slo.is_none() {
        println!("  note: a ladder without [slo]: nothing says which of its steps is good enough");
    }
}
