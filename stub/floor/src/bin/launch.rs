//! Runs a command and writes what it used: `launch FILE COMMAND...`.
//!
//! A small program of its own, because Linux lets a process start with the peak memory of
//! whoever started it. Times are those of the command and of every descendant that was
//! waited for; peak memory is that of the largest of them.

use std::env::args_os;
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

fn main() -> io::Result<ExitCode> {
    let mut args = args_os().skip(1);
    let (Some(file), Some(program)) = (args.next(), args.next()) else {
        eprintln!("usage: launch FILE COMMAND...");
        return Ok(ExitCode::from(2));
    };
    let began = Instant::now();
    let status = Command::new(program).args(args).stdin(Stdio::null()).status()?;
    let wall = began.elapsed();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let text = format!(
        r#"{{"exit": {}, "wall_s": {}, "user_s": {}, "system_s": {}, "peak_bytes": {}, "voluntary_switches": {}, "involuntary_switches": {}}}"#,
        status.code().unwrap_or(-1),
        wall.as_secs_f64(),
        seconds(used.user_time()),
        seconds(used.system_time()),
        used.max_rss() * 1024,
        used.voluntary_context_switches(),
        used.involuntary_context_switches(),
    );
    std::fs::write(file, text)?;
    Ok(ExitCode::SUCCESS)
}
