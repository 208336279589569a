//! Verbs that only read end at once on Ctrl-C: there is nothing to clean up.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
};

use support::{Lab, wait_until};

#[test]
fn ctrl_c_ends_a_reading_verb_in_the_middle() {
    let lab = Lab::new();
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/2026-11-22/cpu-vllm-vm-c638858a");
    let (measured, graded) = (run.display().to_string(), format!("{}-grade", run.display()));
    for verb in [&["verify"][..], &["judge"], &["report", "--out", "r"], &["export", "--out", "t"]] {
        // Whoever runs these tests in the background may have taught them to ignore it.
        let mut child = Command::new("env")
            .args(["--default-signal=INT", env!("CARGO_BIN_EXE_bench")])
            .args([verb, &[&measured, &graded]].concat())
            .current_dir(lab.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("it has begun to read", || {
            let read = fs::read_to_string(format!("/proc/{}/io", child.id())).unwrap_or_default();
            let bytes = read.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap_or("0");
            bytes.parse::<u64>().unwrap() > 100_000
        });
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        // A shell calls this 130.
        assert_eq!(child.wait().unwrap().signal(), Some(2), "{verb:?}");
    }
}
