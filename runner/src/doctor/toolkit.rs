//! The NVIDIA container toolkit, and the ways out of a container that its versions are known
//! to have.

use std::{ffi::OsStr, path::Path, process::Stdio, time::Duration};

use tokio::{io::AsyncReadExt, process::Command};

use super::Finding;

const SUBJECT: &str = "NVIDIA toolkit";
/// Until a program has to have said its version.
const ANSWER: Duration = Duration::from_secs(5);
const PROGRAMS: [&str; 2] = ["nvidia-ctk", "nvidia-container-cli"];

/// Ways out of a container for a malicious image, and the first version without each.
const ESCAPES: [(&str, Version); 4] = [
    ("CVE-2024-0132", [1, 16, 2]),
    ("CVE-2025-23359", [1, 17, 4]),
    ("CVE-2025-23266", [1, 17, 8]),
    ("CVE-2025-23267", [1, 17, 8]),
];

type Version = [u32; 3];

/// Looks in the folders of `path`, a value of `PATH`.
pub(super) async fn findings(path: &OsStr) -> Vec<Finding> {
    within(ANSWER, path).await
}

async fn within(answer: Duration, path: &OsStr) -> Vec<Finding> {
    let mut silent = None;
    for name in PROGRAMS {
        let Some(program) = std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
        else {
            continue;
        };
        match said(answer, &program).await {
            Ok(text) => return vec![of(name, &text)],
            Err(why) => silent = Some(format!("{}: {why}", program.display())),
        }
    }
    vec![match silent {
        Some(why) => Finding::note(SUBJECT, why, "its version is not known, nor what strangers' images could do")
            .next("`nvidia-ctk --version`"),
        None => Finding::absent(
            SUBJECT,
            "neither nvidia-ctk nor nvidia-container-cli on the PATH",
            "containers get no GPU through it",
        )
        .next("for GPUs in containers: install the package nvidia-container-toolkit, 1.17.8 or later, or declare `container.gpu = \"devices\"`"),
    }]
}

/// The first bytes of what `program --version` prints.
async fn said(answer: Duration, program: &Path) -> Result<String, String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("cannot be started: {e}"))?;
    let mut text = Vec::new();
    let output = child.stdout.take();
    let read = async {
        if let Some(output) = output {
            let _ = output.take(4096).read_to_end(&mut text).await;
        }
    };
    tokio::time::timeout(answer, read).await.map_err(|_| format!("no answer within {answer:?}"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn of(name: &str, text: &str) -> Finding {
    let Some((version, words)) = version(text) else {
        return Finding::note(
            SUBJECT,
            format!("{name} does not say its version"),
            "what strangers' images could do is not known",
        )
        .next(format!("`{name} --version`"));
    };
    let open: Vec<&str> = ESCAPES.iter().filter(|(_, fixed)| version < *fixed).map(|(name, _)| *name).collect();
    if open.is_empty() {
        return Finding::good(SUBJECT, format!("{words} ({name})"), "no way out of its containers that we know of");
    }
    let means = "a malicious image could take this host, and so every measurement on it";
    Finding::spoils(SUBJECT, format!("{words} ({name}) has {}", open.join(", ")), means)
        .next("`sudo apt-get install --only-upgrade nvidia-container-toolkit` to 1.17.8 or later, or only images that you trust")
}

/// The first word that looks like a version; a release candidate counts as the one before.
fn version(text: &str) -> Option<(Version, String)> {
    text.split_whitespace().find_map(|word| {
        let (number, candidate) = word.split_once(['-', '~']).unwrap_or((word, ""));
        let parts: Vec<u32> = number.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let &[major, minor, patch] = &parts[..] else { return None };
        let before = candidate.starts_with("rc") && patch > 0;
        Some(([major, minor, patch - u32::from(before)], word.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::doctor::Level;

    const CTK: &str = "NVIDIA Container Toolkit CLI version 1.17.8\ncommit: f202b80a9b9d0db00d9b1d73c0128c8962c55f4d\n";
    const CLI: &str = "cli-version: 1.16.1\nlib-version: 1.16.1\nbuild date: 2024-07-23T14:57+00:00\n";

    #[test]
    fn both_programs_say_their_version_in_their_own_way() {
        assert_eq!(version(CTK).unwrap().0, [1, 17, 8]);
        assert_eq!(version(CLI).unwrap().0, [1, 16, 1]);
        assert_eq!(version("1.17.8-1").unwrap().0, [1, 17, 8]);
        assert_eq!(version("1.17.8-rc.1").unwrap().0, [1, 17, 7]);
        assert_eq!(version("bash: no such thing 1.2"), None);
    }

    #[test]
    fn each_way_out_is_named_until_it_is_closed() {
        for (text, open) in [
            ("1.16.1", &["CVE-2024-0132", "CVE-2025-23359", "CVE-2025-23266", "CVE-2025-23267"][..]),
            ("1.16.2", &["CVE-2025-23359", "CVE-2025-23266", "CVE-2025-23267"]),
            ("1.17.3", &["CVE-2025-23359", "CVE-2025-23266", "CVE-2025-23267"]),
            ("1.17.4", &["CVE-2025-23266", "CVE-2025-23267"]),
            ("1.17.7", &["CVE-2025-23266", "CVE-2025-23267"]),
            ("1.17.8", &[]),
            ("1.18.0", &[]),
        ] {
            let finding = of("nvidia-ctk", text);
            let named: Vec<&str> =
                ESCAPES.iter().map(|(name, _)| *name).filter(|n| finding.found.contains(n)).collect();
            assert_eq!(named, open, "{text}");
            assert_eq!(finding.level, if open.is_empty() { Level::Good } else { Level::Spoils });
        }
    }

    #[test]
    fn a_program_without_a_version_is_a_note() {
        assert_eq!(of("nvidia-ctk", "hello").level, Level::Note);
    }

    async fn with(script: &str, answer: Duration) -> Finding {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("nvidia-container-cli");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        within(answer, folder.path().as_os_str()).await.remove(0)
    }

    /// In one test: a script that is being written while another is started cannot be run.
    #[tokio::test]
    async fn the_program_on_the_path_is_asked_and_left_if_it_hangs() {
        let finding = with("#!/bin/sh\necho cli-version: 1.17.9\n", ANSWER).await;
        assert_eq!((finding.level, finding.found.as_str()), (Level::Good, "1.17.9 (nvidia-container-cli)"));
        assert_eq!(with("#!/nowhere\n", ANSWER).await.level, Level::Note);
        let hangs = with("#!/bin/sh\nexec sleep 1000\n", Duration::from_millis(50)).await;
        assert!(hangs.found.contains("no answer within"), "{}", hangs.found);
        assert_eq!(findings(OsStr::new("")).await[0].level, Level::Absent);
    }
}
