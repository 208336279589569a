//! One timed request over one connection.
//!
//! The inner loop is `read, stamp, keep`: the socket stamps a read before a byte of it is
//! looked at, the bytes go to the journal, and only the framing is followed, to know where
//! the response ends. Chunks are made of the bytes after the trial.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::ready,
};

use lab::{
    Nanos,
    bundle::MOST_EVIDENCE,
    records::LARGEST_READ,
    requests::Request,
    wire::{End, Framing},
    workload::Sampling,
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    time::timeout_at,
};

use crate::{
    journal::{Journal, Trail},
    live::{Glance, Tally},
    socket::{Connection, Idle},
    target::{Secret, Target},
};

/// What all clients of one thread share.
pub struct Shard {
    scratch: Box<[u8]>,
    /// This thread's share of what a trial may keep.
    most: u64,
    /// Where evidence goes.
    pub journal: Journal,
    tally: Tally,
    /// What others may look at. Nobody waits for them: a reader that is held up by a display
    /// would stamp late.
    pub shown: Arc<Mutex<Tally>>,
    shown_at: Nanos,
    /// Why this host cannot go on, if it cannot.
    pub fault: Option<String>,
}

impl Shard {
    /// With nothing in it.
    pub fn new(journal: Journal, shards: u32) -> Self {
        let most = MOST_EVIDENCE / u64::from(shards.max(1));
        let scratch = vec![0; LARGEST_READ].into_boxed_slice();
        let (tally, shown) = (Tally::default(), Arc::default());
        Shard { scratch, most, journal, tally, shown, shown_at: Nanos(0), fault: None }
    }

    /// Starts counting anew.
    pub fn begin(&mut self) {
        self.tally.clear();
        self.show(Nanos(u64::MAX));
        self.shown_at = Nanos(0);
    }

    /// Lets others see the counts, now and then, if nobody is looking just now.
    pub(crate) fn show(&mut self, now: Nanos) {
        if now.0.saturating_sub(self.shown_at.0) >= SHOW.0
            && let Ok(mut shown) = self.shown.try_lock()
        {
            shown.copy(&self.tally);
            self.shown_at = now;
        }
    }
}

/// Between two looks that others get at the counts.
const SHOW: Nanos = Nanos(200_000_000);

/// A client that keeps its connection or opens one for each request.
///
/// A kept connection is cheaper and can fail for nothing: a server may say `keep-alive` and
/// close a moment after its answer (llama.cpp does), and then the next request is lost.
pub struct Client {
    target: Arc<Target>,
    shard: Arc<Mutex<Shard>>,
    keep: bool,
    connection: Option<Connection>,
}

/// One request, ready to be sent.
#[derive(Clone)]
pub struct Job {
    /// Id in the request set.
    pub request: u32,
    /// The pause between the turn before it and its own send.
    pub think: Nanos,
    /// Its bytes.
    pub message: Arc<[u8]>,
}

/// What became of a request; its bytes are in the journal.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Id in the request set.
    pub request: u32,
    /// When the schedule wanted it sent.
    pub intended: Nanos,
    /// When the client turned to it.
    pub started: Nanos,
    /// Right before its first byte was handed to the socket.
    pub sent: Nanos,
    /// How reading ended.
    pub end: End,
    /// When.
    pub ended: Nanos,
    /// Its frames.
    pub trail: Trail,
}

/// A response in more reads than this is not one that anybody streams; its evidence would
/// outgrow its bytes.
const MOST_READS: u32 = 1 << 17;

impl Client {
    /// Without a connection yet.
    pub fn new(target: Arc<Target>, shard: Arc<Mutex<Shard>>, keep: bool) -> Self {
        Client { target, shard, keep, connection: None }
    }

    /// Opens a connection before the phase begins; what fails here shows when a request is
    /// sent.
    pub async fn prepare(&mut self, deadline: Nanos) {
        let opening = timeout_at(self.target.clock.at(deadline), Connection::open(&self.target)).await;
        self.connection = opening.ok().and_then(Result::ok);
    }

    /// Sends one request and reads its response to the end or to the deadline.
    ///
    /// Nothing is ever sent twice: a server that hangs up after it has seen a prompt would
    /// otherwise get to answer it off the clock.
    pub async fn ask(&mut self, job: &Job, intended: Nanos, deadline: Nanos) -> Seen {
        let started = self.target.clock.now();
        let mut seen = Seen {
            request: job.request,
            intended,
            started,
            sent: started,
            end: End::Deadline,
            ended: started,
            trail: Trail::default(),
        };
        lock(&self.shard).tally.sent += 1;
        let at = self.target.clock.at(deadline);
        let end = timeout_at(at, self.converse(&job.message, &mut seen)).await.unwrap_or(End::Deadline);
        if end != End::Complete {
            seen.ended = self.target.clock.now();
        }
        seen.end = end;
        if end != End::Complete || !self.keep {
            self.connection = None;
        }
        let mut shard = lock(&self.shard);
        shard.tally.ended += 1;
        shard.tally.failed += u64::from(!matches!(end, End::Complete | End::Closed));
        shard.show(seen.ended);
        seen
    }

    async fn converse(&mut self, message: &[u8], seen: &mut Seen) -> End {
        let mut idle = Idle::Closed;
        if let Some(connection) = &mut self.connection {
            idle = connection.idle().await;
        }
        if idle == Idle::Closed {
            match Connection::open(&self.target).await {
                Ok(mut connection) => {
                    idle = connection.idle().await;
                    self.connection = Some(connection);
                }
                Err(error) => return self.unconnected(&error),
            }
        }
        if idle == Idle::Talking {
            return End::Early;
        }
        let Some(connection) = &mut self.connection else { return End::NoConnection };
        seen.sent = self.target.clock.now();
        connection.begin(seen.sent);
        // A server may refuse and hang up before it has read everything; what it says then is
        // still there to be read.
        let _ = connection.write_all(message).await;
        let mut framing = Framing::default();
        let end = receive(connection, &self.shard, seen, self.target.limit.0, &mut framing).await;
        if framing.head().is_some_and(|head| head.closes) {
            self.connection = None;
        }
        end.unwrap_or(End::Reset)
    }

    /// A failure of this host must not look like one of the server.
    fn unconnected(&self, error: &io::Error) -> End {
        use nix::errno::Errno;
        let ours = [Errno::EMFILE, Errno::ENFILE, Errno::EADDRNOTAVAIL, Errno::ENOBUFS, Errno::ENOMEM];
        let ours = if self.target.shared { &ours[..2] } else { &ours };
        if error.raw_os_error().is_some_and(|code| ours.contains(&Errno::from_raw(code))) {
            lock(&self.shard).fault = Some(format!("a connection could not be opened: {error}"));
        }
        End::NoConnection
    }
}

/// Reads one response: each read is stamped, kept, and followed as far as its framing.
async fn receive(
    connection: &mut Connection,
    shard: &Mutex<Shard>,
    seen: &mut Seen,
    limit: u64,
    framing: &mut Framing,
) -> io::Result<End> {
    let mut glance = Glance::default();
    poll_fn(|cx| {
        loop {
            let mut shard = lock(shard);
            shard.show(connection.stamp().at);
            let Shard { scratch, most, journal, tally, .. } = &mut *shard;
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut *connection).poll_read(cx, &mut buffer))?;
            let (stamp, bytes) = (connection.stamp(), buffer.filled());
            let arrived = stamp.arrived();
            if bytes.is_empty() {
                return ready_end(End::Closed);
            }
            if seen.trail.reads == MOST_READS || journal.size() > *most {
                return ready_end(End::TooLarge);
            }
            journal.append(&mut seen.trail, stamp, bytes);
            if connection.early() {
                return ready_end(End::Early);
            }
            glance.see(tally, seen.intended, arrived, bytes);
            framing.feed(bytes, |_| {});
            if framing.fault().is_some() {
                return ready_end(End::NotHttp);
            }
            if framing.is_complete() {
                seen.ended = arrived;
                return ready_end(End::Complete);
            }
            if seen.trail.bytes > limit {
                return ready_end(End::TooLarge);
            }
        }
    })
    .await
}

fn ready_end(end: End) -> std::task::Poll<io::Result<End>> {
    std::task::Poll::Ready(Ok(end))
}

/// Nobody panics while holding a shard but for a bug, and then its counts still stand.
pub fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes of a timed request: a streamed chat completion.
pub fn message(target: &Target, keep: bool, served_name: &str, request: &Request, sampling: &Sampling) -> Arc<[u8]> {
    let mut body = serde_json::json!({
        "model": served_name,
        "messages": request.messages,
        "max_tokens": request.max_tokens.unwrap_or(sampling.max_tokens),
        "temperature": sampling.temperature,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let mut set = |name: &str, value: Option<serde_json::Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    set("min_tokens", sampling.min_tokens.map(Into::into));
    set("top_p", sampling.top_p.map(Into::into));
    set("top_k", sampling.top_k.map(Into::into));
    set("seed", sampling.seed.map(Into::into));
    set("stop", (!sampling.stop.is_empty()).then(|| sampling.stop.clone().into()));
    set("ignore_eos", sampling.ignore_eos.then(|| true.into()));
    set("return_token_ids", sampling.token_ids.then(|| true.into()));
    set("logprobs", sampling.logprobs.map(|_| true.into()));
    set("top_logprobs", sampling.logprobs.map(Into::into));
    for (name, value) in &sampling.extra {
        set(name, Some(value.clone()));
    }
    let body = body.to_string();
    let key = target.key.as_ref().map(Secret::expose).map(|key| format!("Authorization: Bearer {key}\r\n"));
    let head = format!(
        "POST {}/v1/chat/completions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n{}Connection: {}\r\nContent-Length: {}\r\n\r\n",
        target.url.prefix,
        target.url.authority(),
        key.unwrap_or_default(),
        if keep { "keep-alive" } else { "close" },
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat().into()
}
