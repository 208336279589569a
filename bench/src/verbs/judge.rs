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
    /// Show the tokens and requests behind one candidate's verdict
    #[arg(long, value_name = "CANDIDATE")]
    explain: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let study = super::open_verified(&args.bundles)?;
    let judgement = analysis::judge(&study);
    let (width, colours) = (screen::width(), screen::colours());
    let explanation = args.explain.as_ref().map(|name| analysis::explain(&study, &judgement, name)).transpose()?;
    match (&explanation, args.json) {
        (None, true) => println!("{}", super::json(&judgement)),
        (None, false) => print!("{}", analysis::report::table(&judgement, width, colours)),
        (Some(explanation), true) => println!("{}", super::json(explanation)),
        (Some(explanation), false) => print!("{}", analysis::report::explanation(explanation, width, colours)),
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
