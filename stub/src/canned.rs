//! Answers composed once and replayed, for clients faster than the scripted model: the
//! bytes as they go on the wire, and one thread that writes all of them when they are due.

use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::answer::Part;
use crate::ask::Kind;
use crate::connection::write_all;
use crate::fields::Fields;
use crate::http::chunk_bytes;
use crate::pace::Pace;
use crate::send_log::{Event, Row, SendLog};

/// Most answers that are kept; further ones are composed each time.
const MOST_ANSWERS: usize = 64;

/// One part of a canned answer.
struct Mark {
    steps: usize,
    tokens: usize,
    /// Where its bytes end.
    end: usize,
}

/// One streamed answer, framed as it is sent.
pub(crate) struct Canned {
    /// Tokens of the prompt that it was composed for.
    pub(crate) prompt: usize,
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

impl Canned {
    /// Frames the parts of an answer; the body ends with the last of them.
    pub(crate) fn new(prompt: usize, parts: impl Iterator<Item = Part>) -> Self {
        let (mut bytes, mut marks) = (Vec::new(), Vec::new());
        for part in parts {
            bytes.extend(chunk_bytes(&part.bytes));
            marks.push(Mark { steps: part.steps, tokens: part.tokens, end: bytes.len() });
        }
        bytes.extend(b"0\r\n\r\n");
        if let Some(last) = marks.last_mut() {
            last.end = bytes.len();
        }
        Self { prompt, bytes, marks }
    }
}

/// An answer that is composed at most once.
type Slot = Arc<OnceLock<Arc<Canned>>>;

/// The answers so far, by what was asked for beside the prompt.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<HashMap<String, Slot>>);

impl Shelf {
    /// The place of the answer to a request; none when the request has to be read with care.
    pub(crate) fn slot(&self, kind: Kind, body: &[u8]) -> Option<Slot> {
        let mut fields = Fields::read(body).ok()?.0;
        if fields.get("stream") != Some(&Value::Bool(true)) {
            return None;
        }
        fields.remove("messages").or(fields.remove("prompt"))?;
        let key = format!("{kind:?} {}", serde_json::to_string(&fields).ok()?);
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() >= MOST_ANSWERS && !shelf.contains_key(&key) {
            return None;
        }
        Some(Arc::clone(shelf.entry(key).or_default()))
    }
}

/// A canned answer on its way through one connection.
pub(crate) struct Replay {
    stream: Arc<TcpStream>,
    canned: Arc<Canned>,
    pace: Pace,
    /// When the next part is due.
    due: Instant,
    /// Parts that are sent or among the bytes to be sent now.
    next: usize,
    /// Bytes sent.
    sent: usize,
    request: u64,
    request_id: String,
}

/// How far a replay came.
enum Progress {
    Waits,
    Full,
    Over,
    Gone,
}

impl Replay {
    /// The start of a replay.
    pub(crate) fn new(
        stream: Arc<TcpStream>,
        canned: Arc<Canned>,
        mut pace: Pace,
        request: u64,
        request_id: String,
    ) -> Self {
        let due = pace.next();
        Self { stream, canned, pace, due, next: 0, sent: 0, request, request_id }
    }

    /// Takes in all parts that are due; returns how many tokens they hold.
    fn gather(&mut self, now: Instant) -> usize {
        let mut tokens = 0;
        while let Some(mark) = self.canned.marks.get(self.next).filter(|_| self.due <= now) {
            tokens += mark.tokens;
            self.next += 1;
            let steps = self.canned.marks.get(self.next).map_or(0, |mark| mark.steps);
            (0..steps).for_each(|_| self.due = self.pace.next());
        }
        tokens
    }

    /// The bytes to be sent now.
    fn bytes(&self) -> &[u8] {
        let end = self.next.checked_sub(1).map_or(0, |last| self.canned.marks[last].end);
        &self.canned.bytes[self.sent..end]
    }

    fn is_over(&self) -> bool {
        self.sent == self.canned.bytes.len()
    }

    fn note(&self, log: &SendLog, event: Event, chunk: usize, tokens: usize, at: Instant) {
        log.row(Row { request: self.request, request_id: &self.request_id, event, chunk, tokens, at });
    }

    /// Takes in what is due and notes it; what nobody follows is brought to the file.
    fn take(&mut self, now: Instant, log: &SendLog) {
        let chunk = self.next;
        let tokens = self.gather(now);
        self.note(log, Event::Chunk, chunk, tokens, Instant::now());
        if self.next == self.canned.marks.len() {
            self.note(log, Event::Done, self.next, 0, Instant::now());
            if self.pace.is_alone() {
                log.flush();
            }
        }
    }

    /// Sends the head with all that is due, in one write if the socket takes it, and the rest
    /// at its time.
    pub(crate) async fn run(mut self, mut head: Vec<u8>, pacer: &Pacer, log: &SendLog) -> io::Result<()> {
        let now = Instant::now();
        self.note(log, Event::Headers, 0, 0, now);
        if self.due <= now {
            self.take(now, log);
            head.extend_from_slice(self.bytes());
            self.sent += self.bytes().len();
        }
        write_all(&self.stream, &head).await?;
        drop(head);
        while !self.is_over() {
            self = pacer.replay(self).await?;
            write_all(&self.stream, self.bytes()).await?;
            self.sent += self.bytes().len();
        }
        Ok(())
    }

    /// Writes what is due, without waiting.
    fn advance(&mut self, now: Instant, log: &SendLog) -> Progress {
        self.take(now, log);
        let wanted = self.bytes().len();
        match self.stream.try_write(self.bytes()) {
            Ok(written) => {
                self.sent += written;
                if self.is_over() {
                    Progress::Over
                } else if written < wanted {
                    Progress::Full
                } else {
                    Progress::Waits
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Progress::Full,
            Err(_) => Progress::Gone,
        }
    }
}

/// A replay in the pacer's hands; the earliest is the greatest.
struct Waiting {
    replay: Box<Replay>,
    back: oneshot::Sender<Box<Replay>>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.replay.due == other.replay.due
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.replay.due.cmp(&self.replay.due)
    }
}

#[derive(Default)]
struct Inbox {
    new: Vec<Waiting>,
    over: bool,
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that writes the parts of all replays at their times: no task wakes for them.
pub(crate) struct Pacer(Arc<Shared>);

impl Pacer {
    /// Starts the thread.
    pub(crate) fn start(log: Arc<SendLog>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::Builder::new().name("pacer".into()).spawn(move || pace(&own, &log))?;
        Ok(Self(shared))
    }

    /// Returns the replay when it is over, or when its socket is full of what is due.
    async fn replay(&self, replay: Replay) -> io::Result<Replay> {
        let (back, returned) = oneshot::channel();
        self.0.lock().new.push(Waiting { replay: Box::new(replay), back });
        self.0.changed.notify_one();
        // The thread drops a replay whose client is gone.
        returned.await.map(|replay| *replay).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.changed.notify_one();
    }
}

fn pace(shared: &Shared, log: &SendLog) {
    let mut heap = BinaryHeap::new();
    loop {
        {
            let mut inbox = shared.lock();
            let next = heap.peek().map(|waiting: &Waiting| waiting.replay.due);
            let left = next.map(|due| due.saturating_duration_since(Instant::now()));
            if inbox.new.is_empty() && !inbox.over && left != Some(Duration::ZERO) {
                inbox = match left {
                    None => shared.changed.wait(inbox).unwrap_or_else(PoisonError::into_inner),
                    Some(left) => shared.changed.wait_timeout(inbox, left).unwrap_or_else(PoisonError::into_inner).0,
                };
            }
            if inbox.over {
                return;
            }
            heap.extend(inbox.new.drain(..));
        }
        let now = Instant::now();
        while heap.peek().is_some_and(|waiting| waiting.replay.due <= now) {
            let Some(mut waiting) = heap.pop() else { break };
            match waiting.replay.advance(now, log) {
                Progress::Waits => heap.push(waiting),
                Progress::Full | Progress::Over => {
                    // The task may be gone with its connection.
                    let _ = waiting.back.send(waiting.replay);
                }
                Progress::Gone => {}
            }
        }
    }
}
