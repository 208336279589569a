use std::process::ExitCode;

use clap::CommandFactory;
use lab::Result;

/// Arguments of `bench completions`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "bench", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
