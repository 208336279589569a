//! The program as started from a shell.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The program, stopped at the end of the test whatever happens.
struct Program(Child, BufReader<std::process::ChildStderr>);

impl Program {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stub"))
            .args(["--port", "0"])
            .args(args)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self(child, log)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    fn wait(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_says_where_it_listens_and_ends_well_at_sigterm() {
    let mut program = Program::start(&[]);
    assert!(program.line().contains("listening on http://127.0.0.1:"));
    program.signal(Signal::SIGTERM);
    assert!(program.wait().success());
}

#[test]
fn it_can_ignore_sigterm_but_not_sigint() {
    let mut program = Program::start(&["--mode", "ignore-term"]);
    assert!(program.line().contains("listening"));
    program.signal(Signal::SIGTERM);
    assert!(program.line().contains("SIGTERM ignored"));
    program.signal(Signal::SIGINT);
    assert!(program.wait().success());
}

#[test]
fn it_can_exit_at_the_start_with_an_error() {
    let mut program = Program::start(&["--mode", "exit-at-start"]);
    assert!(program.line().contains("initialization failed"));
    assert!(!program.wait().success());
}

#[test]
fn it_can_flood_its_log() {
    let mut program = Program::start(&["--mode", "log-flood"]);
    let lines = (0..5000).map(|_| program.line()).filter(|line| line.contains("tick"));
    assert!(lines.count() > 4900);
}
