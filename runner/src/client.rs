//! One timed request over one socket.
//!
//! The inner loop is `read, stamp, keep`: the clock is asked right after the read returns
//! and before a byte is looked at. Only the framing is followed while time counts, to know
//! where the response ends; chunks are made of the bytes later.

use std::net::{Ipv4Addr, SocketAddr};

use lab::{
    Bytes, Nanos,
    records::Exchange,
    requests::Request,
    wire::{End, Framing},
    workload::Sampling,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout_at,
};

use crate::clock::Clock;

/// A client that opens a connection for each request.
///
/// Kept connections would be cheaper, and wrong: a server may say `keep-alive` and close a
/// moment after its answer (llama.cpp does), and then the next request fails for nothing.
pub struct Client {
    clock: Clock,
    address: SocketAddr,
    limit: Bytes,
    connection: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// A response in more reads than this is not one that anybody streams; its evidence would
/// outgrow its bytes.
const MOST_READS: usize = 1 << 17;

/// When a request may be sent and when it must have ended.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// When the schedule wants it sent.
    pub intended: Nanos,
    /// When its time is up.
    pub deadline: Nanos,
}

impl Client {
    /// A client of the server on a port of this host.
    pub fn new(clock: Clock, port: u16, limit: Bytes) -> Self {
        Client {
            clock,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            limit,
            connection: None,
            buffer: vec![0; 16 << 10],
        }
    }

    /// Opens a connection for the next request; a failure shows when the request is sent.
    pub async fn connect(&mut self, deadline: Nanos) {
        let connecting = timeout_at(self.clock.at(deadline), TcpStream::connect(self.address)).await;
        self.connection = connecting.ok().and_then(Result::ok).filter(|stream| stream.set_nodelay(true).is_ok());
    }

    /// Sends `message` on the open connection and reads the response to its end or to the
    /// deadline.
    ///
    /// Nothing is ever sent twice: a server that hangs up after it has seen a prompt would
    /// otherwise get to answer it off the clock.
    pub async fn send(&mut self, request: u32, phase: &str, message: &[u8], window: Window) -> Exchange {
        let mut exchange = Exchange {
            request,
            phase: phase.to_owned(),
            intended_ns: window.intended,
            sent_ns: window.intended,
            end: End::Deadline,
            end_ns: window.intended,
            reads: Vec::new(),
            bytes: Vec::new(),
        };
        exchange.sent_ns = self.clock.now();
        let deadline = self.clock.at(window.deadline);
        exchange.end = timeout_at(deadline, self.converse(message, &mut exchange)).await.unwrap_or(End::Deadline);
        exchange.end_ns = self.clock.now();
        self.connection = None;
        exchange
    }

    async fn converse(&mut self, message: &[u8], exchange: &mut Exchange) -> End {
        let Some(stream) = &mut self.connection else { return End::NoConnection };
        let mut framing = Framing::default();
        if stream.write_all(message).await.is_err() {
            return End::Reset;
        }
        loop {
            let read = stream.read(&mut self.buffer).await;
            let at = self.clock.now();
            let n = match read {
                Ok(0) => return End::Closed,
                Ok(n) => n,
                Err(_) => return End::Reset,
            };
            if exchange.reads.len() == MOST_READS {
                return End::TooLarge;
            }
            exchange.reads.push((at, n));
            exchange.bytes.extend_from_slice(&self.buffer[..n]);
            framing.feed(&self.buffer[..n], |_| {});
            if framing.fault().is_some() {
                return End::NotHttp;
            }
            if framing.is_complete() {
                return End::Complete;
            }
            if exchange.bytes.len() as u64 > self.limit.0 {
                return End::TooLarge;
            }
        }
    }
}

/// The bytes of a timed request: a streamed chat completion.
pub fn message(port: u16, served_name: &str, request: &Request, sampling: &Sampling) -> Vec<u8> {
    let mut body = serde_json::json!({
        "model": served_name,
        "messages": request.messages,
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    if sampling.ignore_eos {
        body["ignore_eos"] = true.into();
    }
    if sampling.token_ids {
        body["return_token_ids"] = true.into();
    }
    if let Some(top) = sampling.logprobs {
        body["logprobs"] = true.into();
        body["top_logprobs"] = top.into();
    }
    let body = body.to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}
