use std::{path::PathBuf, process::ExitCode};

use lab::{Result, workload};

use crate::progress::Lines;

/// Arguments of `bench run`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The workload file
    file: PathBuf,
    /// Folder of dated results
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Continue the newest unfinished run of this workload
    #[arg(long)]
    resume: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workload = workload::read(&args.file)?;
    let (bench, here, lines) = (super::this_program()?, super::folder_of(&args.file), Lines::new());
    let options = runner::run::Options { out: &args.out, resume: args.resume, bench: &bench, here: &here, observer: &lines };
    let work = async {
        let measured = runner::run::run(&workload, &options).await?;
        let mut bundles = vec![measured.clone()];
        if workload.equivalence.is_some() {
            let options = runner::grade::Options { bench: &bench, here: &here, observer: &lines };
            bundles.push(runner::grade::grade(&measured, &workload, &options).await?);
        }
        Ok(bundles)
    };
    let bundles = super::until_interrupted(work)?;
    lines.end();
    println!("{bundles:?}");
    Ok(ExitCode::SUCCESS)
}
