use std::process::{ExitStatus, Stdio};

use nix::{
    sys::{
        prctl::set_child_subreaper,
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::Pid,
};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

/// Runs `command` in this process's own group and ends as it ends. When standard input
/// closes, which happens whenever the runner is gone, it kills all that the server started and ends.
///
/// Returns the exit code: the command's, or 128 and its signal.
pub async fn guard(command: &[String]) -> u8 {
    let _ = set_child_subreaper(true);
    // SIGTERM and Ctrl-C are for the server; the guard stays until the server has ended.
    let handlers = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    let Some((program, arguments)) = command.split_first() else { return 2 };
    let mut child = match Command::new(program).args(arguments).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(e) => {
            eprintln!("cannot start {program}: {e}");
            return 127;
        }
    };
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        end_descendants();
        std::process::exit(137);
    });
    let code = child.wait().await.map_or(127, code);
    end_descendants();
    drop(handlers);
    code
}

/// Kills all that the server started, also what left its process group: the orphans of a
/// subreaper's descendants become its own children.
fn end_descendants() {
    let tasks = || std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let children =
        || tasks().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok()).collect::<String>();
    loop {
        let now = children();
        let found: Vec<Pid> = now.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect();
        if found.is_empty() {
            return;
        }
        for child in found {
            let _ = kill(child, Signal::SIGKILL);
            let _ = waitpid(child, None);
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or(status.signal().map(|s| 128 + s)).unwrap_or(127);
    u8::try_from(code).unwrap_or(127)
}

/// `exit 3` or `signal 9`, as seen through the guard.
pub(super) fn in_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) if code > 128 => format!("signal {}", code - 128),
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}
