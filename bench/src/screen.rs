//! What goes to a terminal, and what does not when it is none.

use std::io::IsTerminal;

use lab::Problem;

/// Whether standard output takes colours.
pub(crate) fn colours() -> bool {
    std::io::stdout().is_terminal() && wanted()
}

/// Columns of the terminal; 80 where it is none.
pub(crate) fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).or_else(terminal_width).unwrap_or(80).clamp(60, 120)
}

/// A problem as a person reads it, on standard error.
pub(crate) fn problem(problem: &Problem) -> String {
    let (red, plain) = if std::io::stderr().is_terminal() && wanted() { ("\u{1b}[31m", "\u{1b}[0m") } else { ("", "") };
    let shown: Vec<String> = problem.to_string().lines().map(|line| lab::text::shown(line, 2_000)).collect();
    format!("{red}error{plain}: {}", shown.join("\n"))
}

fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

fn terminal_width() -> Option<usize> {
    let (clap_width, _) = terminal_size::terminal_size()?;
    Some(usize::from(clap_width.0))
}
