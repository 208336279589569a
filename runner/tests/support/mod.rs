//! A server made of one closure for each connection, and a client's view of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test file uses its part")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use lab::{Bytes, Nanos, records::Read as Frame, workload};
use runner::{
    client::{Job, Seen, Shard, lock},
    clock::Clock,
    journal::Journal,
    load::{self, Flow, Phase, Unit},
    target::Target,
};

/// What a server saw.
#[derive(Default)]
pub struct Log {
    /// Connections accepted.
    pub connections: AtomicUsize,
    /// Heads of requests, in the order in which they were read whole.
    pub requests: Mutex<Vec<String>>,
    /// Requests that are being answered now, and the most that ever were.
    pub busy: AtomicUsize,
    pub busiest: AtomicUsize,
}

/// One connection of a server.
pub struct Peer {
    pub stream: TcpStream,
    pub log: Arc<Log>,
}

impl Peer {
    /// Reads one request to its end; its head with the body behind it.
    pub fn request(&mut self) -> Option<String> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|l| l.strip_prefix("Content-Length: "));
                if length.and_then(|l| l.parse().ok()) == Some(body.len()) {
                    self.log.requests.lock().unwrap().push(text.clone());
                    let busy = self.log.busy.fetch_add(1, Ordering::SeqCst) + 1;
                    self.log.busiest.fetch_max(busy, Ordering::SeqCst);
                    return Some(text);
                }
            }
            match self.stream.read(&mut buffer) {
                Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
                _ => return None,
            }
        }
    }

    /// A whole answer of one word, after which the connection can be used again.
    pub fn answer(&mut self, word: &str) {
        let body = format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\"finish_reason\":\"stop\"}}]}}\n\ndata: [DONE]\n\n"
        );
        self.log.busy.fetch_sub(1, Ordering::SeqCst);
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n", body.len());
        // A client that is gone has got what it wanted.
        let _ = self.stream.write_all((head + &body).as_bytes());
    }
}

/// Serves each connection by `each`, which is told the connection's number.
pub fn serve(each: impl Fn(usize, Peer) + Send + Sync + 'static) -> (u16, Arc<Log>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (log, each) = (Arc::new(Log::default()), Arc::new(each));
    let own = Arc::clone(&log);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (log, each) = (Arc::clone(&own), Arc::clone(&each));
            let number = log.connections.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || each(number, Peer { stream, log }));
        }
    });
    (port, log)
}

/// A server that answers every request at once and keeps its connections.
pub fn honest() -> (u16, Arc<Log>) {
    serve(|_, mut peer| {
        while peer.request().is_some() {
            peer.answer("hi");
        }
    })
}

/// A phase of single requests; a closed one unless changed.
pub fn phase(requests: u32, flow: Flow) -> Phase {
    Phase {
        flow,
        units: (0..requests).map(|id| Unit { due: Nanos(0), turns: vec![job(id, Nanos(0))] }).collect(),
        request_limit: Nanos::from_secs(20),
        phase_limit: Nanos::from_secs(60),
        time: None,
        client: workload::Client::default(),
    }
}

/// A request that says its own number.
pub fn job(request: u32, think: Nanos) -> Job {
    let body = format!("request {request}");
    let message = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    Job { request, think, message: message.into_bytes().into() }
}

/// What came of a phase.
pub struct Outcome {
    pub start: Nanos,
    /// In the order of the requests, with the reads and bytes of each.
    pub seen: Vec<(Seen, Vec<Frame>, Vec<u8>)>,
}

/// Runs a phase against a port of this host.
pub fn drive(port: u16, phase: Phase) -> Outcome {
    let temp = tempfile::tempdir().unwrap();
    let target = Arc::new(Target::local(Clock::start(), port, Bytes(1 << 20), None));
    let shards: Vec<Arc<Mutex<Shard>>> = (0..phase.client.threads)
        .map(|i| Journal::create(&temp.path().join(i.to_string())).unwrap())
        .map(|journal| Arc::new(Mutex::new(Shard::new(journal, 1))))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let driven = runtime.block_on(load::drive(&target, phase, &shards, |_| {})).unwrap();
    let mut all = Vec::new();
    for (shard, seen) in shards.iter().zip(driven.seen) {
        lock(shard).journal.finish().unwrap();
        for seen in seen {
            let (reads, bytes) = lock(shard).journal.read(seen.trail).unwrap();
            all.push((seen, reads, bytes));
        }
    }
    all.sort_by_key(|(seen, ..)| seen.request);
    Outcome { start: driven.start, seen: all }
}
