use std::process::ExitCode;

use lab::{Problem, Result};

pub(crate) fn run(options: stub::Options) -> Result<ExitCode> {
    stub::run(options).map_err(|e| Problem::machine(e.to_string()))?;
    Ok(ExitCode::SUCCESS)
}
