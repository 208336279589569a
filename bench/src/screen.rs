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

/// Lines of at most `width` characters, broken at spaces. What stands in backquotes, and a
/// word that is longer, stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let (mut units, mut quoted): (Vec<String>, bool) = (Vec::new(), false);
    for word in text.split(' ') {
        match units.last_mut().filter(|_| quoted) {
            Some(unit) => *unit += &format!(" {word}"),
            None => units.push(word.to_owned()),
        }
        quoted ^= word.matches('`').count() % 2 == 1;
    }
    let mut lines: Vec<String> = Vec::new();
    for unit in units {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + unit.chars().count() <= width) {
            Some(line) => *line += &format!(" {unit}"),
            None => lines.push(unit),
        }
    }
    lines
}

fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

fn terminal_width() -> Option<usize> {
    let (clap_width, _) = terminal_size::terminal_size()?;
    Some(usize::from(clap_width.0))
}
