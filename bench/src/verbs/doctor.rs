use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use lab::{Kind, Result};
use runner::doctor::{self, Finding, Level, Options};

use crate::screen;

/// Arguments of `bench doctor`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of dated results, whose disk is looked at
    #[arg(long, default_value = "results")]
    out: PathBuf,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let options = Options {
        root: Path::new("/").to_owned(),
        out: args.out.clone(),
        programs: std::env::var_os("PATH").unwrap_or_default(),
        engine: std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned()),
        gpu_library: None,
    };
    let examined = super::until_interrupted(async { Ok(doctor::examine(options).await) })?;
    let Some(findings) = examined else { return Ok(ExitCode::from(130)) };
    if args.json {
        println!("{}", super::json(&findings));
    } else {
        print!("{}", table(&findings, screen::width(), screen::colours()));
        for line in screen::wrapped(&doctor::verdict(&findings), screen::width()) {
            println!("{line}");
        }
    }
    let stopped = findings.iter().any(|finding| finding.stops);
    Ok(if stopped { ExitCode::from(Kind::Machine.exit_code()) } else { ExitCode::SUCCESS })
}

/// What is good in a line each, then what is not: the worst last, beside the verdict.
const GROUPS: [(Level, &str, &str); 4] = [
    (Level::Good, "good", "\u{1b}[32m"),
    (Level::Absent, "absent", "\u{1b}[36m"),
    (Level::Note, "worth knowing", "\u{1b}[33m"),
    (Level::Spoils, "would spoil a measurement", "\u{1b}[31m"),
];

/// The findings, grouped; at most `width` characters wide but for commands, which are never
/// broken.
fn table(findings: &[Finding], width: usize, colours: bool) -> String {
    let paint = |code: &str, text: &str| if colours { format!("{code}{text}\u{1b}[0m") } else { text.to_owned() };
    let column = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or(0) + 2;
    let mut out = String::new();
    for (level, title, colour) in GROUPS {
        let group: Vec<&Finding> = findings.iter().filter(|finding| finding.level == level).collect();
        if group.is_empty() {
            continue;
        }
        out += &format!("{}\n", paint(colour, title));
        let mut before = "";
        for finding in group {
            let subject = if finding.subject == before { "" } else { &finding.subject };
            before = &finding.subject;
            let mut lines = screen::wrapped(&finding.found, width - column - 2);
            if level != Level::Good {
                let means = screen::wrapped(&finding.means, width - column - 2);
                lines.extend(means.iter().map(|line| paint("\u{1b}[2m", line)));
                let next =
                    finding.next.iter().flat_map(|next| screen::wrapped(&format!("next: {next}"), width - column - 2));
                lines.extend(next);
            }
            for (n, line) in lines.iter().enumerate() {
                out += &format!("  {:column$}{line}\n", if n == 0 { subject } else { "" });
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: Level, subject: &str) -> Finding {
        Finding {
            subject: subject.into(),
            level,
            found: "three words here ".repeat(8).trim().into(),
            means: "what it means".into(),
            next: Some("do `this command that is much longer than any line of this terminal is allowed to be`".into()),
            stops: false,
        }
    }

    #[test]
    fn the_worst_comes_last_and_what_is_good_takes_no_advice() {
        let table = table(&[finding(Level::Spoils, "b"), finding(Level::Good, "a")], 60, false);
        let (good, spoils) = table.split_once("would spoil").unwrap();
        assert!(good.starts_with("good\n  a  three words"), "{good}");
        assert!(!good.contains("next:"));
        assert!(spoils.contains("what it means\n"));
    }

    #[test]
    fn lines_keep_to_the_width_and_commands_stay_whole() {
        let table = table(&[finding(Level::Note, "subject")], 60, false);
        let wide: Vec<&str> = table.lines().filter(|line| line.chars().count() > 60).collect();
        assert_eq!(wide.len(), 1, "{table}");
        assert!(wide[0].contains("`this command that is much longer than any line of this terminal is allowed to be`"));
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        assert!(table(&[finding(Level::Note, "a")], 80, true).contains("\u{1b}[33m"));
        assert!(!table(&[finding(Level::Note, "a")], 80, false).contains('\u{1b}'));
    }

    #[test]
    fn a_subject_with_several_findings_is_named_once() {
        let table = table(&[finding(Level::Note, "GPU 0"), finding(Level::Note, "GPU 0")], 80, false);
        assert_eq!(table.matches("GPU 0").count(), 1, "{table}");
    }
}
