use std::{path::PathBuf, process::ExitCode};

use analysis::{Verified, verify::Counts};
use lab::{Kind, Result, bundle::Kind as BundleKind};
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
    counts: Counts,
    #[serde(skip)]
    kind: BundleKind,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let checked: Vec<Checked> = analysis::verify_set(&args.bundles)?
        .into_iter()
        .map(|Verified { path, kind, findings, counts }| Checked {
            bundle: path.display().to_string(),
            findings,
            counts,
            kind,
        })
        .collect();
    let broken = checked.iter().any(|c| !c.findings.is_empty());
    if args.json {
        println!("{}", super::json(&checked));
    } else {
        for one in &checked {
            match one.findings.as_slice() {
                [] => println!("{}: good: {}", one.bundle, one.counts.in_words(one.kind)),
                _ => println!("{}: BROKEN", one.bundle),
            }
            for finding in &one.findings {
                println!("  {finding}");
            }
        }
    }
    Ok(ExitCode::from(if broken { Kind::Broken.exit_code() } else { 0 }))
}
