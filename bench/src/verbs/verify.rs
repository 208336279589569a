use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use analysis::{
    Verified,
    stack::{Stack, StackContrast},
    verify::Counts,
};
use lab::{
    Digest, Kind, Result,
    bundle::{Bundle, ENVELOPE, Kind as BundleKind},
    signature::{self, PublicKey},
};
use serde::Serialize;

use crate::screen;

/// Arguments of `bench verify`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Sealed bundles; a measurement and its grade are also checked against each other, and two
    /// measurements are told apart by what they were measured with
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Public keys, ed25519 as PEM: each bundle has to be signed by one of them
    #[arg(long = "key", value_name = "PUB")]
    keys: Vec<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Checked {
    bundle: String,
    findings: Vec<lab::bundle::Finding>,
    counts: Counts,
    /// Names of the keys that were asked for and signed it; none where nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_by: Option<Vec<Digest>>,
    /// Why none of them did.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_signed: Option<String>,
    /// What a reader has to look up elsewhere.
    look_up: Vec<String>,
    /// What it was measured with, held against the first measurement; none of that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<Held>,
    #[serde(skip)]
    kind: BundleKind,
}

impl Checked {
    fn is_good(&self) -> bool {
        self.findings.is_empty() && self.not_signed.is_none()
    }
}

/// One measurement's stack against that of the first.
#[derive(Serialize)]
struct Held {
    first: String,
    #[serde(flatten)]
    contrast: StackContrast,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let keys = args.keys.iter().map(|path| PublicKey::read(path)).collect::<Result<Vec<_>>>()?;
    let mut first: Option<(String, Stack)> = None;
    let mut checked = Vec::new();
    for Verified { path, kind, findings, counts, stack } in analysis::verify_set(&args.bundles)? {
        let bundle = path.display().to_string();
        let held = match (&first, &stack) {
            (Some((first, theirs)), Some(own)) => Some(Held { first: first.clone(), contrast: theirs.against(own) }),
            _ => None,
        };
        first = first.or_else(|| Some((bundle.clone(), stack?)));
        let (signed_by, not_signed) = match (!keys.is_empty()).then(|| signers(&path, &keys)) {
            None => (None, None),
            Some(Ok(ids)) => (Some(ids), None),
            Some(Err(problem)) => (Some(Vec::new()), Some(problem.to_string())),
        };
        let mut look_up = if findings.is_empty() { public_value(&path, kind) } else { Vec::new() };
        if keys.is_empty() && path.join(ENVELOPE).exists() {
            look_up.push(format!("{ENVELOPE} lies here: who signed is checked with --key"));
        }
        checked.push(Checked { bundle, findings, counts, signed_by, not_signed, look_up, stack: held, kind });
    }
    let broken = checked.iter().any(|one| !one.is_good());
    if args.json {
        println!("{}", super::json(&checked));
    } else {
        for one in &checked {
            if one.is_good() {
                println!("{}: good: {}", one.bundle, one.counts.in_words(one.kind));
            } else {
                println!("{}: BROKEN", one.bundle);
            }
            for finding in &one.findings {
                println!("  {finding}");
            }
            for line in one.not_signed.iter().flat_map(|why| why.lines()) {
                println!("  {}", lab::text::shown(line, 1_000));
            }
            for key in one.signed_by.iter().flatten() {
                println!("  signed by {key}");
            }
            for text in &one.look_up {
                println!("  {}", lab::text::shown(text, 1_200));
            }
        }
        for one in &checked {
            one.stack.iter().for_each(|held| stack(&one.bundle, held));
        }
    }
    Ok(ExitCode::from(if broken { Kind::Broken.exit_code() } else { 0 }))
}

/// What a run awaited, or a grade was drawn with: whether the one is the other, and younger than the
/// run's seal, the program cannot know.
fn public_value(path: &Path, kind: BundleKind) -> Vec<String> {
    let bundle = Bundle::open(path).ok();
    let said = bundle.and_then(|bundle| match kind {
        BundleKind::Measure => Some(format!("awaits {}", bundle.plan().ok()?.awaits?)),
        BundleKind::Grade => Some(format!("drawn with the public value {}", bundle.grade().ok()?.value?)),
    });
    said.into_iter().collect()
}

/// The keys that signed a bundle.
fn signers(path: &Path, keys: &[PublicKey]) -> Result<Vec<Digest>> {
    let signed = signature::check(&Bundle::open(path)?, keys)?;
    Ok(signed.into_iter().map(|place| keys[place].id()).collect())
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
