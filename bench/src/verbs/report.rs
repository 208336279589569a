mod folder;
mod week;

use std::{path::PathBuf, process::ExitCode};

use analysis::{Judgement, Study};
use lab::{Problem, Result, Week};

/// Arguments of `bench report`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A measurement and its grade bundles; with --week the folder of dated results
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Report on all runs of a week, like 2026-W47, into its folder W47, and on all weeks there
    #[arg(long)]
    week: Option<Week>,
    /// Folder that the report is written into; with --week that of the year
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match (args.week, args.bundles.as_slice()) {
        (Some(week), [results]) => week::run(results, week, &args.out),
        (Some(_), [_, second, ..]) => {
            let next = "name the folder that holds DATE/RUN, and nothing else: the week says which runs";
            Err(Problem::input("a week is of one folder of results").at(second.display().to_string()).next(next))
        }
        (_, bundles) => {
            let study = super::open_verified(bundles)?;
            let page = write(&study, &analysis::judge(&study), &args.out)?;
            println!("{}", page.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Writes the report on a run and returns the path of its first page.
pub(super) fn write(study: &Study, judgement: &Judgement, out: &std::path::Path) -> Result<PathBuf> {
    let notes = folder::notes(out)?;
    folder::write(out, &notes, analysis::report_of(study, judgement, &notes)?)
}
