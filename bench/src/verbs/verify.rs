use std::{path::PathBuf, process::ExitCode};

use analysis::{
    Verified,
    stack::{Stack, StackContrast},
    verify::Counts,
};
use lab::{Kind, Result, bundle::Kind as BundleKind};
use serde::Serialize;

use crate::screen;

/// Arguments of `bench verify`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Sealed bundles; a measurement and its grade are also checked against each other, and two
    /// measurements are told apart by what they were measured with
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
    /// What it was measured with, held against the first measurement; none of that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<Held>,
    #[serde(skip)]
    kind: BundleKind,
}

/// One measurement's stack against that of the first.
#[derive(Serialize)]
struct Held {
    first: String,
    #[serde(flatten)]
    contrast: StackContrast,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut first: Option<(String, Stack)> = None;
    let mut checked = Vec::new();
    for Verified { path, kind, findings, counts, stack } in analysis::verify_set(&args.bundles)? {
        let bundle = path.display().to_string();
        let held = match (&first, &stack) {
            (Some((first, theirs)), Some(own)) => Some(Held { first: first.clone(), contrast: theirs.against(own) }),
            _ => None,
        };
        first = first.or_else(|| Some((bundle.clone(), stack?)));
        checked.push(Checked { bundle, findings, counts, stack: held, kind });
    }
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
        for one in &checked {
            one.stack.iter().for_each(|held| stack(&one.bundle, held));
        }
    }
    Ok(ExitCode::from(if broken { Kind::Broken.exit_code() } else { 0 }))
}

/// Whether two measurements came from the same stack: what differs with both values, then what is
/// the same by name.
fn stack(bundle: &str, held: &Held) {
    let say = |indent: usize, text: &str| {
        for line in screen::wrapped(text, screen::width() - indent) {
            println!("{}{line}", " ".repeat(indent));
        }
    };
    let StackContrast { same, differs } = &held.contrast;
    let which = if differs.is_empty() { "the same stack" } else { "not the same stack" };
    println!("\nstack: {which}");
    println!("  A {}", held.first);
    println!("  B {bundle}");
    for difference in differs {
        println!("  differs: {}", difference.field);
        say(4, &format!("A {}", difference.a));
        say(4, &format!("B {}", difference.b));
    }
    let names: Vec<&str> = same.iter().map(|field| field.field.as_str()).collect();
    if !names.is_empty() {
        say(2, &format!("the same: {}", names.join(", ")));
    }
}
