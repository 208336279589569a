use std::{path::PathBuf, process::ExitCode};

use lab::Result;

/// Arguments of `bench seal`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folders of unfinished runs; their audit seeds lie beside them
    #[arg(required = true)]
    runs: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    for run in &args.runs {
        println!("{}", runner::run::seal(run)?.display());
    }
    Ok(ExitCode::SUCCESS)
}
