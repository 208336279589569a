use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use analysis::{Study, study::Trial};
use lab::{
    Kind, Problem, Result,
    bundle::TRIALS,
    workload,
    workload::{Server, Workload},
};

use super::report;
use crate::{progress::Lines, screen};

/// Arguments of `bench run`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The workload file
    file: PathBuf,
    /// Folder of dated results
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Folder of reports
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
    /// Continue the newest unfinished run of this workload
    #[arg(long)]
    resume: bool,
    /// Measure and seal only; grade, judge and report are verbs of their own
    #[arg(long)]
    seal_only: bool,
    /// Measure the server at this URL, which runs already, instead of the file's arms
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The environment variable that holds the endpoint's API key
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    api_key_env: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workload = match &args.endpoint {
        None => workload::read(&args.file)?,
        Some(url) => workload::of_endpoint(&args.file, url, args.api_key_env.as_deref())?,
    };
    let mut arms = workload.arms().map(|(_, arm)| arm);
    if arms.any(|arm| matches!(arm.server, Server::Command(_))) {
        eprintln!("note: commands run as this user, unconfined: only for servers that you trust");
    }
    let lines = Lines::new();
    let bundles = super::until_interrupted(measure_and_grade(args, &workload, &lines));
    lines.end();
    let Some(bundles) = bundles? else {
        let folders = [("--out", &args.out, "results"), ("--reports", &args.reports, "reports")];
        let given = folders.iter().filter(|(_, path, usual)| path.as_os_str() != *usual);
        let sealing = if args.seal_only { " --seal-only" } else { "" };
        let mut given: String = given.map(|(flag, path, _)| format!(" {flag} {}", path.display())).collect();
        for (flag, value) in [("--endpoint", &args.endpoint), ("--api-key-env", &args.api_key_env)] {
            given.extend(value.iter().map(|value| format!(" {flag} {value}")));
        }
        eprintln!(
            "stopped; finished trials are kept. Continue with: bench run {}{given}{sealing} --resume",
            args.file.display()
        );
        return Ok(ExitCode::from(130));
    };
    if args.seal_only {
        println!("bundle  {}", bundles[0].display());
        return Ok(ExitCode::SUCCESS);
    }
    let study = Study::open(&bundles)?;
    let nothing = if !study.trials.iter().any(Trial::completed) {
        Some("no trial completed")
    } else if !study.trials.iter().flat_map(|t| &t.responses).any(|r| r.complete()) {
        Some("no request got a whole answer")
    } else {
        None
    };
    if let Some(what) = nothing {
        let trials = bundles[0].join(TRIALS);
        return Err(Problem::new(Kind::NothingMeasured, what).at(bundles[0].display().to_string()).next(format!(
            "read detail in requests.csv, outcome in trial.json and server.log in {}/*",
            trials.display()
        )));
    }
    let judgement = analysis::judge(&study);
    let page = report::write(&study, &judgement, &report_folder(args, &bundles[0]))?;
    print!("{}", analysis::report::table(&judgement, screen::width(), screen::colours()));
    if let Some(overhead) = &judgement.baseline.containers {
        println!("\ncontainers: {overhead}");
    }
    println!("\nbundle  {}", bundles[0].display());
    if let Some(grade) = bundles.get(1) {
        println!("grade   {}", grade.display());
    }
    println!("report  {}", page.display());
    Ok(ExitCode::SUCCESS)
}

async fn measure_and_grade(args: &Args, workload: &Workload, lines: &Lines) -> Result<Vec<PathBuf>> {
    let (bench, here) = (super::this_program()?, super::folder_of(&args.file));
    let options =
        runner::run::Options { out: &args.out, resume: args.resume, bench: &bench, here: &here, observer: lines };
    let measured = runner::run::run(workload, &options).await?;
    let mut bundles = vec![measured];
    if workload.equivalence.is_some() && !args.seal_only {
        let options = runner::grade::Options { bench: &bench, here: &here, observer: lines };
        bundles.push(runner::grade::grade(&bundles[0], workload, &options).await?);
    }
    Ok(bundles)
}

/// `reports/<date>/<run>`, beside `results/<date>/<run>`.
fn report_folder(args: &Args, bundle: &Path) -> PathBuf {
    let name = |path: Option<&Path>| path.and_then(Path::file_name).unwrap_or_default().to_owned();
    args.reports.join(name(bundle.parent())).join(name(Some(bundle)))
}
