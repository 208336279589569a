use std::{path::PathBuf, process::ExitCode, sync::Arc};

use analysis::index::{self, Index};
use lab::{Kind, Problem, Result};

use crate::progress::Lines;

/// Its name in the folder of results.
const FILE: &str = "index.csv";

/// Arguments of `bench index`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of dated results
    #[arg(default_value = "results")]
    results: PathBuf,
    /// Print the rows as JSON, and write no file
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let wrong = |what: &str| {
        let next = "name the folder that holds DATE/RUN, as bench run writes it with --out";
        Err(Problem::input(what).at(args.results.display().to_string()).next(next))
    };
    if !args.results.is_dir() {
        return wrong("there is no such folder");
    }
    super::outside_of_bundles(&args.results)?;
    let (results, lines) = (args.results.clone(), Arc::new(Lines::new()));
    let shown = Arc::clone(&lines);
    let read = super::work_until_interrupted(move || Ok(index::index(&results, |done, of| shown.read(done, of))));
    lines.end();
    let Some(index) = read? else {
        eprintln!("stopped; nothing was written");
        return Ok(ExitCode::from(130));
    };
    let file = args.results.join(FILE);
    if args.json {
        println!("{}", super::json(&index));
    } else if index.bundles.is_empty() && !file.exists() {
        return wrong("no bundle lies in a folder of a date below it");
    } else {
        let new = super::replace(&file, index.csv().as_bytes())?;
        println!("{}: {}{}", file.display(), if new { "" } else { "unchanged, " }, in_words(&index));
    }
    Ok(ExitCode::from(if index.unreadable() == 0 { 0 } else { Kind::Broken.exit_code() }))
}

/// `25 bundles, 1 of them not readable as a whole, and 2 runs that are not sealed`
fn in_words(index: &Index) -> String {
    let many = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let mut words = many(index.bundles.len() as u64, "bundle");
    match index.unreadable() {
        0 => {}
        n => words += &format!(", {n} of them not readable as a whole (column problem)"),
    }
    match index.unfinished {
        0 => {}
        n => words += &format!(", and {} not sealed", many(n, "run")),
    }
    words
}
