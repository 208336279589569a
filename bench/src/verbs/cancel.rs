use std::{path::PathBuf, process::ExitCode};

use lab::Result;

/// Arguments of `bench cancel`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of an unfinished run that was submitted
    run: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if super::until_interrupted(runner::slurm::cancel(&args.run))?.is_none() {
        eprintln!("stopped; some of its tasks may go on: cancel it again");
        return Ok(ExitCode::from(130));
    }
    println!("its tasks are told to end; finished blocks are kept, and --resume goes on with them");
    Ok(ExitCode::SUCCESS)
}
