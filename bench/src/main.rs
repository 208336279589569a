//! The program `bench`: one file per verb in `verbs/`.

mod progress;
mod screen;
mod verbs;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The benchmark lab that LLM inference competitions are judged by.
///
/// A workload file goes in; a sealed bundle of raw evidence, a verdict on every candidate
/// and a report come out.
#[derive(Parser)]
#[command(name = "bench", version, propagate_version = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 bug · 2 usage · 10 workload file · 11 machine · 12 image or command · 13 nothing measured · 20 broken bundle, signature or log · 21 not comparable · 30 a candidate altered outputs · 31 undecided · 40 not reproduced · 41 not comparable to this host or program · 42 neither shown · 130 stopped";

#[derive(Subcommand)]
enum Verb {
    /// Say what this host can measure, and what would spoil it
    Doctor(verbs::doctor::Args),
    /// Parse and validate a workload file; runs nothing
    Check(verbs::check::Args),
    /// Show the trials of a workload in order; runs nothing
    Plan(verbs::plan::Args),
    /// Measure, seal, grade, judge and report
    Run(Box<verbs::run::Args>),
    /// Show how a run on a cluster stands
    Status(verbs::status::Args),
    /// Take the tasks of a run on a cluster back
    Cancel(verbs::cancel::Args),
    /// Seal a run that cannot be resumed, as it stands
    Seal(verbs::seal::Args),
    /// Let the trusted reference score a sample of a bundle's outputs
    Grade(verbs::grade::Args),
    /// Sign bundles, or make the key that signs them
    Sign(verbs::sign::Args),
    /// Check every byte, schema and cross-count of bundles, and who signed them
    Verify(verbs::verify::Args),
    /// The verdict on every candidate, from bundles alone
    Judge(verbs::judge::Args),
    /// Hold two runs, or two arms, against each other
    Compare(verbs::compare::Args),
    /// Write the report: HTML, Markdown, SVG and CSV
    Report(verbs::report::Args),
    /// Make a run once more, or compute again what follows from its bundles, and compare
    Reproduce(verbs::reproduce::Args),
    /// Write a study's rows as CSV for other tools
    Export(verbs::export::Args),
    /// List the sealed bundles of a folder of results in its index.csv
    Index(verbs::index::Args),
    /// The log of runs, void and failed ones too: show it, check it, print its head
    Log(verbs::log::Args),
    /// Serve the built-in test server
    Stub(Box<stub::Options>),
    /// Print completions for a shell
    Completions(verbs::completions::Args),
    /// Measure one block of a run's plan on this node (used by a run on a cluster)
    #[command(hide = true)]
    Exec(verbs::exec::Args),
    /// Measure a container's server from inside of its network (used by the runner)
    #[command(hide = true)]
    Drive,
    /// Lead a server's process group (used by the runner)
    #[command(hide = true)]
    Guard(verbs::guard::Args),
}

/// A reader that went away, as `head` does, is no bug; anything else that panics is, and
/// has exit code 1.
fn end_well() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let gone = panic.payload().downcast_ref::<String>().is_some_and(|why| why.contains("Broken pipe"));
        if !gone {
            usual(panic);
        }
        std::process::exit(i32::from(!gone));
    }));
}

fn main() -> ExitCode {
    end_well();
    let result = match Cli::parse().verb {
        Verb::Doctor(args) => verbs::doctor::run(&args),
        Verb::Check(args) => verbs::check::run(&args),
        Verb::Plan(args) => verbs::plan::run(&args),
        Verb::Run(args) => verbs::run::run(&args),
        Verb::Status(args) => verbs::status::run(&args),
        Verb::Cancel(args) => verbs::cancel::run(&args),
        Verb::Exec(args) => verbs::exec::run(&args),
        Verb::Seal(args) => verbs::seal::run(&args),
        Verb::Grade(args) => verbs::grade::run(&args),
        Verb::Sign(args) => verbs::sign::run(&args),
        Verb::Verify(args) => verbs::verify::run(&args),
        Verb::Judge(args) => verbs::judge::run(&args),
        Verb::Compare(args) => verbs::compare::run(&args),
        Verb::Report(args) => verbs::report::run(&args),
        Verb::Reproduce(args) => verbs::reproduce::run(&args),
        Verb::Export(args) => verbs::export::run(&args),
        Verb::Index(args) => verbs::index::run(&args),
        Verb::Log(args) => verbs::log::run(&args),
        Verb::Stub(options) => verbs::stub::run(*options),
        Verb::Completions(args) => verbs::completions::run(&args),
        Verb::Drive => Ok(ExitCode::from(runner::driver::work())),
        Verb::Guard(args) => verbs::guard::run(&args),
    };
    result.unwrap_or_else(|problem| {
        eprintln!("{}", screen::problem(&problem));
        ExitCode::from(problem.kind.exit_code())
    })
}
