//! The program as started from a shell.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
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

    fn resident_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
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
    let log = [(); 3].map(|()| program.line());
    assert!(log[2].contains("initialization failed"), "{log:?}");
    assert_eq!(program.wait().code(), Some(3));
}

#[test]
fn it_says_what_it_can_reach_before_it_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut program = Program::start(&["--probe", &format!("{address},/absent.sock")]);
    assert_eq!(program.line(), format!("stub: probe {address}: connected\n"));
    assert_eq!(program.line(), "stub: probe /absent.sock: absent\n");
    assert!(program.line().contains("listening"));
}

#[test]
fn it_can_hog_memory_in_its_first_request() {
    const HOG_BYTES: usize = 96 << 20;
    let mut program = Program::start(&["--ttft", "0", "--mode", "hog-memory", "--hog", &HOG_BYTES.to_string()]);
    let line = program.line();
    let (_, address) = line.trim().split_once("http://").unwrap();
    assert!(program.resident_bytes() < HOG_BYTES);
    let body = r#"{"model":"stub","prompt":"a","max_tokens":1}"#;
    let head = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json";
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(program.resident_bytes() > HOG_BYTES);
}

#[test]
fn it_can_flood_its_log() {
    let mut program = Program::start(&["--mode", "log-flood"]);
    let lines = (0..5000).map(|_| program.line()).filter(|line| line.contains("tick"));
    assert!(lines.count() > 4900);
}
