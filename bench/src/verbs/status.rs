use std::{path::PathBuf, process::ExitCode};

use lab::Result;
use runner::slurm::status::{Block, State, Status};

use crate::screen;

/// Arguments of `bench status`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of an unfinished run that was submitted
    run: PathBuf,
    /// Print every block as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let Some(status) = super::until_interrupted(runner::slurm::status(&args.run))? else {
        return Ok(ExitCode::from(130));
    };
    if args.json {
        println!("{}", super::json(&status));
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", in_words(&status));
    if let Some(why) = &status.unknown {
        println!("Slurm does not say what it has: {}", lab::text::shown(why, 400));
    }
    println!("\n{:>5} {:>6} {:<9} {:>8} {:>9}  where, or why not", "block", "trials", "state", "attempts", "took");
    for block in &status.blocks {
        let took = block.took.map_or_else(|| "–".to_owned(), |took| took.to_string());
        println!(
            "{:>5} {:>6} {:<9} {:>8} {took:>9}  {}",
            block.block,
            block.trials,
            block.state.word(),
            block.attempts,
            lab::text::shown(
                block.detail.lines().next().unwrap_or_default(),
                screen::width().saturating_sub(45).max(20)
            )
        );
    }
    let failed = |block: &&Block| matches!(block.state, State::Failed);
    for block in status.blocks.iter().filter(failed) {
        println!("\nblock {} failed", block.block);
        let said = block.detail.lines().map(|line| lab::text::shown(line.trim(), 2_000));
        for line in said.flat_map(|line| screen::wrapped(&line, screen::width() - 2)) {
            println!("  {line}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `3 of 12 blocks done · 8 running · 1 queued · 4 min left`.
pub(crate) fn in_words(status: &Status) -> String {
    let mut words = format!("{} of {} blocks done", status.count(State::Done), status.blocks.len());
    let others = [State::Running, State::Queued, State::Failed, State::Stopped, State::Vanished, State::Absent];
    for state in others.into_iter().filter(|state| status.count(*state) > 0) {
        words += &format!(" · {} {}", status.count(state), state.word());
    }
    if let Some(left) = status.left() {
        words += &format!(" · {left} left");
    }
    words
}
