use std::{path::PathBuf, process::ExitCode};

use lab::Result;
use runner::slurm::{Outcome, Task};

use crate::progress::Lines;

/// Arguments of `bench exec`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of an unfinished run that was submitted
    run: PathBuf,
    /// The block of its plan
    #[arg(long, value_name = "BLOCK")]
    index: u32,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let Some(task) = Task::begin(&args.run, args.index)? else {
        eprintln!("block {} is measured already", args.index);
        return Ok(ExitCode::SUCCESS);
    };
    let lines = Lines::new();
    let ended = super::until_interrupted(task.measure(super::revision(), &lines));
    lines.end();
    match ended {
        Ok(Some(())) => task.end(Outcome::Done).map(|()| ExitCode::SUCCESS),
        Ok(None) => task.end(Outcome::Stopped).map(|()| ExitCode::from(130)),
        Err(problem) => {
            task.end(Outcome::Failed(problem.to_string()))?;
            Err(problem)
        }
    }
}
