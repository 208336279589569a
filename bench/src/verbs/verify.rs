use std::{path::PathBuf, process::ExitCode};
use lab::Result;
#[derive(clap::Args)]
pub(crate) struct Args { bundles: Vec<PathBuf> }
pub(crate) fn run(args: &Args) -> Result<ExitCode> { let _ = &args.bundles; Ok(ExitCode::SUCCESS) }
