use std::{path::PathBuf, process::ExitCode};

use lab::Result;

/// Arguments of `bench cancel`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of an unfinished run that was submitted
    run: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    super::until_interrupted(runner::slurm::cancel(&args.run))?;
    println!("its tasks are told to end; finished blocks are kept, and --resume goes on with them");
    Ok(ExitCode::SUCCESS)
}
