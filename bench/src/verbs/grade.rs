use std::{path::PathBuf, process::ExitCode};

use lab::{Kind, Problem, Result, bundle::Bundle, workload};

use crate::progress::Lines;

/// Arguments of `bench grade`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Sealed bundles of trials
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// The workload file that they were run from; it says where models and the reference are
    #[arg(long)]
    workload: PathBuf,
    /// The public value that the runs awaited, now that it is known
    #[arg(long, value_name = "VALUE", value_parser = super::public_value)]
    reveal: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workload = workload::read(&args.workload)?;
    let (bench, here, lines) = (super::this_program()?, super::folder_of(&args.workload), Lines::new());
    for path in &args.bundles {
        let bundle = Bundle::open(path)?;
        if bundle.workload()?.digest != workload.digest {
            return Err(Problem::new(Kind::NotComparable, "the bundle was run from another workload file")
                .at(path.display().to_string())
                .next("pass the file whose bytes are the bundle's workload.toml"));
        }
        let (revision, value) = (super::revision(), args.reveal.as_deref());
        let options = runner::grade::Options { bench: &bench, revision, here: &here, value, observer: &lines };
        let graded = super::until_interrupted(runner::grade::grade(path, &workload, &options))?;
        lines.end();
        match graded {
            Some(folder) => println!("{}", folder.display()),
            None => return Ok(ExitCode::from(130)),
        }
    }
    Ok(ExitCode::SUCCESS)
}
