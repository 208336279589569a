use std::process::{ExitStatus, Stdio};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::getpgrp,
};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

/// Runs `command` in this process's own group and ends as it ends. When standard input
/// closes, which happens whenever the runner is gone, it kills the group and itself.
///
/// Returns the exit code: the command's, or 128 and its signal.
pub async fn guard(command: &[String]) -> u8 {
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
        let _ = killpg(getpgrp(), Signal::SIGKILL);
    });
    let code = child.wait().await.map_or(127, code);
    drop(handlers);
    code
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
