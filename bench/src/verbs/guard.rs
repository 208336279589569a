use lab::Result;

/// Arguments of the hidden verb `guard`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The server's command
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Ends the process itself: a thread still waits for the runner.
pub(crate) fn run(args: &Args) -> Result<std::process::ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| lab::Problem::machine(format!("cannot start: {e}")))?;
    let code = runtime.block_on(runner::process::guard(&args.command));
    std::process::exit(i32::from(code));
}
