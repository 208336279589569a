use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use analysis::{Judgement, Study};
use lab::Result;

/// Arguments of `bench report`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A measurement and its grade bundles
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Folder that the report is written into
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let study = super::open_verified(&args.bundles)?;
    let page = write(&study, &analysis::judge(&study), &args.out)?;
    println!("{}", page.display());
    Ok(ExitCode::SUCCESS)
}

/// Writes the report's files and returns the path of its page.
pub(super) fn write(study: &Study, judgement: &Judgement, out: &Path) -> Result<PathBuf> {
    super::write_all(out, analysis::report_of(study, judgement)?)?;
    Ok(out.join("index.html"))
}
