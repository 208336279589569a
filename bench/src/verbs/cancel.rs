use std::{path::PathBuf, process::ExitCode};

use lab::Result;
use runner::slurm::Cancelled;

/// Arguments of `bench cancel`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of a run that was submitted
    run: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let said = match super::until_interrupted(runner::slurm::cancel(&args.run))? {
        Some(Cancelled::Blocks) => {
            "its tasks are told to end; finished blocks are kept, and --resume goes on with them"
        }
        Some(Cancelled::Grade) => "it is measured and sealed; if it is being graded, that is told to end",
        None => {
            eprintln!("stopped; some of its tasks may go on: cancel it again");
            return Ok(ExitCode::from(130));
        }
    };
    println!("{said}");
    Ok(ExitCode::SUCCESS)
}
