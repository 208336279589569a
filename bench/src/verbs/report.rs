use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use analysis::{Judgement, Study};
use lab::{Kind, Problem, Result};

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
    let study = Study::open(&args.bundles)?;
    let page = write(&study, &analysis::judge(&study), &args.out)?;
    println!("{}", page.display());
    Ok(ExitCode::SUCCESS)
}

/// Writes the report's files and returns the path of its page.
pub(super) fn write(study: &Study, judgement: &Judgement, out: &Path) -> Result<PathBuf> {
    for (name, bytes) in analysis::report_of(study, judgement)? {
        let path = out.join(name);
        let folder = path.parent().unwrap_or(out);
        fs::create_dir_all(folder).map_err(|e| Problem::io(Kind::Machine, "make the folder", folder, &e))?;
        fs::write(&path, bytes).map_err(|e| Problem::io(Kind::Machine, "write", &path, &e))?;
    }
    Ok(out.join("index.html"))
}
