use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use lab::{
    Problem, Result,
    bundle::{Kind, Store},
    log::{self, Chain, Checked, Counts, Entry, Event, Head, Listing, Log},
    text::shown,
};

/// Arguments of `bench log`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of dated results, whose log it is
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Hold every line against the one before, and the log against the bundles that lie there
    #[arg(long)]
    check: bool,
    /// Print the log's head, which is what to publish: so many lines, and the digest of the last
    #[arg(long, conflicts_with_all = ["check", "since", "json"])]
    head: bool,
    /// Entries after this head, which was published before; refused where the log does not go on
    /// from it
    #[arg(long, value_name = "HEAD")]
    since: Option<Head>,
    /// Enter bundles that the log does not know: made elsewhere, or before there was a log
    #[arg(long, conflicts_with_all = ["check", "head", "since", "json"])]
    adopt: bool,
    /// Print the entries, and what a check finds, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if !args.out.is_dir() {
        let next = "name the folder that holds DATE/RUN, as bench run writes it with --out";
        return Err(Problem::input("there is no such folder").at(args.out.display().to_string()).next(next));
    }
    super::outside_of_bundles(&args.out)?;
    let log = Log::of(&args.out);
    if args.adopt {
        let (entered, head) = runner::logged::adopt(&args.out)?;
        entered.iter().for_each(|(run, id)| println!("adopted {} {id}", shown(run, 300)));
        println!("{}: {} entered; head {head}", log.path().display(), entered.len());
        return Ok(ExitCode::SUCCESS);
    }
    let chain = log.read()?;
    if args.head && chain.entries.is_empty() {
        let next = "name the folder whose log it is with --out; bench run begins a log, bench log --adopt enters what lies there";
        return Err(Problem::input("there is no log here").at(log.path().display().to_string()).next(next));
    }
    if args.head {
        println!("{}", chain.head());
        return Ok(ExitCode::SUCCESS);
    }
    let entries = match args.since {
        Some(head) => chain.since(head, log.path())?,
        None => &chain.entries,
    };
    let check = args.check.then(|| log::check(&chain, &Store::below(&args.out), &args.out));
    let broken = check.as_ref().is_some_and(|checked| !checked.findings.is_empty());
    if args.json {
        println!("{}", super::json(&Listing::of(&chain, entries, check)));
    } else {
        match &check {
            Some(checked) => tell(&log, &chain, checked),
            None => entries.iter().for_each(|entry| println!("{}", in_words(entry))),
        }
    }
    Ok(ExitCode::from(if broken { lab::Kind::Broken.exit_code() } else { 0 }))
}

fn tell(log: &Log, chain: &Chain, checked: &Checked) {
    let path = log.path().display();
    if checked.findings.is_empty() {
        let (lines, bundles) = (many(chain.entries.len() as u64, "line"), many(checked.bundles, "bundle"));
        println!("{path}: good: {lines}, {bundles}{}; head {}", unfinished(chain, checked), chain.head());
    } else {
        println!("{path}: BROKEN");
    }
    checked.findings.iter().for_each(|finding| println!("  {finding}"));
    let lines = chain.entries.len() + 1;
    if let Some(text) = &chain.torn {
        println!("  line {lines} was cut short while it was written, and the next entry will say so: {text}");
    }
    for open in &checked.open {
        println!(
            "  open: {}, since {} (line {}): it goes on, or its machine died; bench run FILE --resume finishes it, bench seal {} seals what is there",
            shown(&open.run, 200),
            shown(&open.at, 40),
            open.line,
            shown(&within(log, &open.run), 300)
        );
    }
    for one in &checked.given_up {
        println!("  given up: {}, ended {} (line {})", shown(&one.run, 200), shown(&one.at, 40), one.line);
    }
    for absent in &checked.absent {
        println!("  not here: {} {} (line {})", shown(&absent.run, 200), absent.id, absent.line);
    }
}

/// What a log that is good still says of runs.
fn unfinished(chain: &Chain, checked: &Checked) -> String {
    let adopted = chain.entries.iter().filter(|entry| matches!(entry.event, Event::Adopted { .. })).count();
    let counts = [
        (adopted, "adopted"),
        (checked.open.len(), "open"),
        (checked.given_up.len(), "given up"),
        (checked.absent.len(), "not here"),
    ];
    let said = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {n} {what}"));
    said.collect()
}

/// Where a run of a log lies.
fn within(log: &Log, run: &str) -> String {
    log.path().parent().unwrap_or(Path::new("")).join(run).display().to_string()
}

fn in_words(entry: &Entry) -> String {
    let detail = match &entry.event {
        Event::Begun { name, plan, .. } => format!("{name}, plan {plan}"),
        Event::Stage { name, number, plan, .. } => format!("{name}, stage {number}, plan {plan}"),
        Event::Resumed { .. } => String::new(),
        Event::Ended { class, exit, .. } => format!("{class}, exit {exit}"),
        Event::Sealed { id, trials, .. } => {
            format!("{id}: {}", became(trials))
        }
        Event::Adopted { id, kind: Kind::Grade, .. } => format!("{id}: a grade"),
        Event::Adopted { id, trials: Some(trials), .. } => format!("{id}: {}", became(trials)),
        Event::Graded { id, .. } | Event::Adopted { id, .. } => id.to_string(),
        Event::Torn { bytes, text, .. } => format!("a line of {bytes} bytes was cut short: {text}"),
    };
    let (n, at, word) = (entry.n, shown(&entry.at, 20), entry.event.word());
    format!("{n:>5}  {at}  {word:<7}  {}  {}", shown(entry.event.run().unwrap_or("–"), 200), shown(&detail, 400))
}

fn became(trials: &Counts) -> String {
    format!("{} complete, {} failed, {} void", trials.complete, trials.failed, trials.void)
}

/// `1 line`, `3 lines`.
fn many(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
