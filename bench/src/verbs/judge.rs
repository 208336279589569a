use std::{path::PathBuf, process::ExitCode};

use analysis::{
    Judgement,
    judgement::{Candidate, Verdict},
};
use lab::Result;

use crate::screen;

/// Arguments of `bench judge`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A measurement and its grade bundles
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Print the judgement as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let judgement = analysis::judge(&super::open_verified(&args.bundles)?);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&judgement).expect("plain values serialise"));
    } else {
        print!("{}", analysis::report::table(&judgement, screen::width(), screen::colours()));
    }
    Ok(exit_code(&judgement))
}

/// 0 all equivalent, 30 a candidate altered outputs, 31 one is undecided.
pub(super) fn exit_code(judgement: &Judgement) -> ExitCode {
    let any = |verdict| judgement.candidates.iter().any(|c: &Candidate| c.verdict == verdict);
    ExitCode::from(match (any(Verdict::Altered), any(Verdict::Undecided)) {
        (true, _) => 30,
        (false, true) => 31,
        (false, false) => 0,
    })
}
