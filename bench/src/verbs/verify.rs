use std::{path::PathBuf, process::ExitCode};

use lab::{Kind, Result};
use serde::Serialize;

/// Arguments of `bench verify`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Sealed bundles; a measurement and its grade are also checked against each other
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Checked {
    bundle: String,
    findings: Vec<lab::bundle::Finding>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let checked: Vec<Checked> = analysis::verify_set(&args.bundles)?
        .into_iter()
        .map(|(bundle, findings)| Checked { bundle: bundle.display().to_string(), findings })
        .collect();
    let broken = checked.iter().any(|c| !c.findings.is_empty());
    if args.json {
        println!("{}", super::json(&checked));
    } else {
        for one in &checked {
            let verdict = if one.findings.is_empty() { "good" } else { "BROKEN" };
            println!("{}: {verdict}", one.bundle);
            for finding in &one.findings {
                println!("  {finding}");
            }
        }
    }
    Ok(ExitCode::from(if broken { Kind::Broken.exit_code() } else { 0 }))
}
