use std::{path::PathBuf, process::ExitCode};

use lab::Result;

/// Arguments of `bench export`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A measurement and its grade bundles
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Folder that requests.csv, chunks.csv and reference.csv are written into
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let study = super::open_verified(&args.bundles)?;
    super::write_all(&args.out, analysis::export(&study)?)?;
    println!("{}", args.out.display());
    Ok(ExitCode::SUCCESS)
}
