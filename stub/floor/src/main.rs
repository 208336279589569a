//! The floor: the least that a client of a streaming server can do. One thread, one epoll;
//! it sends one fixed request over kept connections, stamps what `read` returned, and finds
//! first content and chunks by a search for bytes. It checks nothing and can report no
//! failure but by ending: no client to measure servers with, but what clients are held against.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use memchr::memmem::Finder;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// What a chunk with text holds; an empty text's next byte is the closing quote.
const CONTENT: &[u8] = b"\"content\":\"";
/// The end of a chunked body behind the chunk of a whole event.
const END: &[u8] = b"\r\n0\r\n\r\n";
/// Bytes of a read that the next one may need to find what was cut.
const CARRY: usize = CONTENT.len();

/// Sends one fixed streamed chat request again and again and stamps what comes back.
#[derive(Debug, Parser)]
struct Options {
    /// Where the server listens.
    #[arg(long, value_name = "IP:PORT")]
    address: SocketAddr,
    /// Requests in all.
    #[arg(long)]
    requests: usize,
    /// Requests in flight, each on a connection of its own.
    #[arg(long)]
    concurrency: usize,
    /// Tokens of each answer.
    #[arg(long, default_value_t = 128)]
    max_tokens: usize,
    /// Words of the prompt.
    #[arg(long, default_value_t = 64)]
    words: usize,
    /// The model's name.
    #[arg(long, default_value = "stub")]
    model: String,
    /// Where to write the results.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// One connection and the request on it.
struct Line {
    stream: TcpStream,
    sent: Instant,
    last: Option<Instant>,
    carry: [u8; CARRY],
}

/// What was seen.
#[derive(Default)]
struct Seen {
    started: usize,
    ended: usize,
    ttft_ns: Vec<u64>,
    itl_ns: Vec<u64>,
    e2el_ns: Vec<u64>,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let message = message(&options);
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    let mut lines = Vec::new();
    for index in 0..options.concurrency.min(options.requests) {
        let stream = TcpStream::connect(options.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
        lines.push(Line { stream, sent: Instant::now(), last: None, carry: [0; CARRY] });
    }
    let mut seen = Seen::default();
    let began = Instant::now();
    for line in &mut lines {
        seen.started += 1;
        line.send(&message)?;
    }
    let finder = Finder::new(CONTENT);
    let mut buffer = vec![0; CARRY + (64 << 10)];
    let mut events = vec![EpollEvent::empty(); 1024];
    while seen.ended < options.requests {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            let line = &mut lines[event.data() as usize];
            if line.read(&mut buffer, &finder, &mut seen)? && seen.started < options.requests {
                seen.started += 1;
                line.send(&message)?;
            }
        }
    }
    let wall = began.elapsed();
    let mut out = BufWriter::new(File::create(&options.out)?);
    write!(out, "{{\"requests\":{},\"wall_ns\":{}", seen.ended, wall.as_nanos())?;
    for (name, values) in [("ttft_ns", &seen.ttft_ns), ("itl_ns", &seen.itl_ns), ("e2el_ns", &seen.e2el_ns)] {
        write!(out, ",\"{name}\":{values:?}")?;
    }
    writeln!(out, "}}")?;
    out.flush()
}

impl Line {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.last = None;
        self.carry = [0; CARRY];
        self.sent = Instant::now();
        self.stream.write_all(message)
    }

    /// Reads once; says whether the answer is over.
    fn read(&mut self, buffer: &mut [u8], finder: &Finder<'_>, seen: &mut Seen) -> io::Result<bool> {
        let read = self.stream.read(&mut buffer[CARRY..]);
        let now = Instant::now();
        let length = match read {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => CARRY + length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        buffer[..CARRY].copy_from_slice(&self.carry);
        for at in finder.find_iter(&buffer[..length - 1]) {
            if buffer[at + CONTENT.len()] == b'"' {
                continue;
            }
            match self.last.replace(now) {
                None => seen.ttft_ns.push((now - self.sent).as_nanos() as u64),
                Some(last) => seen.itl_ns.push((now - last).as_nanos() as u64),
            }
        }
        self.carry.copy_from_slice(&buffer[length - CARRY..length]);
        if !buffer[..length].ends_with(END) {
            return Ok(false);
        }
        seen.ended += 1;
        seen.e2el_ns.push((now - self.sent).as_nanos() as u64);
        Ok(true)
    }
}

fn message(options: &Options) -> Vec<u8> {
    let prompt = vec!["word"; options.words].join(" ");
    let body = format!(
        r#"{{"model":"{}","messages":[{{"role":"user","content":"{prompt}"}}],"max_tokens":{},"temperature":0,"ignore_eos":true,"stream":true,"stream_options":{{"include_usage":true}}}}"#,
        options.model, options.max_tokens
    );
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        options.address,
        body.len()
    );
    [head, body].concat().into_bytes()
}
