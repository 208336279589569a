//! The test server as a program of its own.

use std::process::ExitCode;

use clap::Parser;

/// A deterministic OpenAI-compatible test server with a scripted language model.
#[derive(Debug, Parser)]
#[command(name = "stub", version)]
struct Cli {
    #[command(flatten)]
    options: stub::Options,
}

fn main() -> ExitCode {
    match stub::run(Cli::parse().options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stub: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
