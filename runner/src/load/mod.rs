//! When requests are sent.
//!
//! A phase is driven by its own threads, so that neither the display nor a server's log
//! delays a send. Connections are opened and staggered first; then the phase's clock starts.

mod closed;
mod open;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lab::{Nanos, Problem, Result, wire::End, workload};
use tokio::{sync::oneshot, task::JoinSet};

use crate::{
    client::{Client, Job, Seen, Shard, lock},
    clock::Clock,
    host,
    live::Tally,
    target::Target,
};

/// A load phase, ready to go.
pub struct Phase {
    /// How its units follow each other.
    pub flow: Flow,
    /// Sessions and single requests, in order.
    pub units: Vec<Unit>,
    /// From a request's intended send to its end.
    pub request_limit: Nanos,
    /// From the phase's start to its end.
    pub phase_limit: Nanos,
    /// Nothing is sent after so much time.
    pub time: Option<Nanos>,
    /// How requests are sent.
    pub client: workload::Client,
}

/// How units follow each other.
#[derive(Debug, Clone, Copy)]
pub enum Flow {
    /// So many clients, beginning evenly over the ramp, each going on when it is free.
    Closed {
        /// The clients.
        concurrency: u32,
        /// Until the last of them begins.
        ramp: Nanos,
    },
    /// Each unit when it is due.
    Open,
}

/// A session or a single request.
pub struct Unit {
    /// When it is due in an open phase, from the phase's start.
    pub due: Nanos,
    /// Its requests, each sent when the one before it has ended.
    pub turns: Vec<Job>,
}

/// What became of a phase.
pub struct Driven {
    /// When its clock started.
    pub start: Nanos,
    /// Exactly one for each request, in the order of the request set.
    pub seen: Vec<Vec<Seen>>,
}

/// A phase on one of its threads.
struct Lane {
    target: Arc<Target>,
    shard: Arc<Mutex<Shard>>,
    phase: Arc<Phase>,
    /// This thread's number.
    index: usize,
    /// Units that no client has taken yet; all threads of a closed phase share it.
    queue: Arc<Mutex<VecDeque<usize>>>,
}

/// The pause between two looks at what goes on.
const LOOK: Duration = Duration::from_millis(250);
/// From when all connections are open to the phase's start.
const LEAD: Nanos = Nanos(2_000_000);

/// Sends all requests of a phase, on one thread for each shard. `watch` sees the counts of
/// all threads a few times a second.
pub async fn drive(
    target: &Arc<Target>,
    phase: Phase,
    shards: &[Arc<Mutex<Shard>>],
    mut watch: impl FnMut(&Tally),
) -> Result<Driven> {
    let phase = Arc::new(phase);
    let queue = Arc::new(Mutex::new((0..phase.units.len()).collect()));
    let mut threads = Vec::new();
    for (index, shard) in shards.iter().enumerate() {
        lock(shard).begin();
        let lane = Lane {
            target: Arc::clone(target),
            shard: Arc::clone(shard),
            phase: Arc::clone(&phase),
            index,
            queue: Arc::clone(&queue),
        };
        threads.push(Thread::spawn(lane)?);
    }
    for thread in &mut threads {
        thread.prepared().await?;
    }
    let start = Nanos(target.clock.now().0 + LEAD.0);
    threads.iter_mut().for_each(|thread| thread.start(start));
    let mut seen = Vec::new();
    let shown: Vec<Arc<Mutex<Tally>>> = shards.iter().map(|shard| Arc::clone(&lock(shard).shown)).collect();
    let mut look = tokio::time::interval(LOOK);
    let mut all = Tally::default();
    let mut sum = |watch: &mut dyn FnMut(&Tally)| {
        all.clear();
        shown.iter().for_each(|shown| all.add(&shown.lock().unwrap_or_else(PoisonError::into_inner)));
        watch(&all);
    };
    for thread in &mut threads {
        let ended = loop {
            tokio::select! {
                ended = thread.ended() => break ended?,
                _ = look.tick() => sum(&mut watch),
            }
        };
        seen.push(ended);
    }
    shards.iter().for_each(|shard| lock(shard).show(Nanos(u64::MAX)));
    sum(&mut watch);
    seen.iter_mut().for_each(|seen| seen.sort_by_key(|s| s.request));
    match shards.iter().find_map(|shard| lock(shard).fault.take()) {
        Some(fault) => Err(Problem::machine(fault)
            .next("give this process more descriptors or ports, or ask for fewer streams at once")),
        None => Ok(Driven { start, seen }),
    }
}

/// One thread of a phase; dropping it stops it.
struct Thread {
    prepared: Option<oneshot::Receiver<()>>,
    start: Option<oneshot::Sender<Nanos>>,
    ended: oneshot::Receiver<Vec<Seen>>,
    _leash: oneshot::Sender<()>,
}

impl Thread {
    fn spawn(lane: Lane) -> Result<Self> {
        let failed = |e: &std::io::Error| Problem::machine(format!("a thread for the load cannot be started: {e}"));
        let (say_prepared, prepared) = oneshot::channel();
        let (start, go) = oneshot::channel();
        let (say_ended, ended) = oneshot::channel();
        let (leash, let_go) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
        let work = move || {
            pin(&lane.phase.client, lane.index);
            runtime.block_on(async {
                tokio::select! {
                    seen = lane.run(say_prepared, go) => drop(say_ended.send(seen)),
                    _ = let_go => {}
                }
            });
        };
        std::thread::Builder::new().name("load".into()).spawn(work).map_err(|e| failed(&e))?;
        Ok(Thread { prepared: Some(prepared), start: Some(start), ended, _leash: leash })
    }

    async fn prepared(&mut self) -> Result<()> {
        match self.prepared.take() {
            Some(prepared) => prepared.await.map_err(|_| died()),
            None => Ok(()),
        }
    }

    fn start(&mut self, at: Nanos) {
        if let Some(start) = self.start.take() {
            // A thread that is gone is noticed when its end is awaited.
            let _ = start.send(at);
        }
    }

    async fn ended(&mut self) -> Result<Vec<Seen>> {
        (&mut self.ended).await.map_err(|_| died())
    }
}

fn died() -> Problem {
    Problem::machine("a thread of the load ended by itself")
}

/// The thread's core, where cores are declared.
fn pin(client: &workload::Client, index: usize) {
    if let Some(core) = client.cores.get(index % client.cores.len().max(1)) {
        // `cores::check` has tried it before.
        let _ = host::keep_to(&[*core]);
    }
}

impl Lane {
    async fn run(self, prepared: oneshot::Sender<()>, go: oneshot::Receiver<Nanos>) -> Vec<Seen> {
        let mut clients = self.clients();
        self.open_all(&mut clients).await;
        // Whoever waits for it may be gone; then so is this thread in a moment.
        let _ = prepared.send(());
        let Ok(start) = go.await else { return Vec::new() };
        match self.phase.flow {
            Flow::Closed { concurrency, ramp } => closed::run(self, clients, start, concurrency, ramp).await,
            Flow::Open => open::run(self, clients, start).await,
        }
    }

    /// This thread's share of the clients that exist before the phase begins.
    fn clients(&self) -> Vec<Client> {
        let all = match self.phase.flow {
            Flow::Closed { concurrency, .. } => concurrency.min(self.phase.units.len() as u32),
            Flow::Open => self.phase.client.connections,
        } as usize;
        let threads = self.phase.client.threads as usize;
        (self.index..all).step_by(threads).map(|_| self.client()).collect()
    }

    fn client(&self) -> Client {
        Client::new(Arc::clone(&self.target), Arc::clone(&self.shard), self.phase.client.keep)
    }

    /// Opens the clients' connections one after the other, as declared.
    async fn open_all(&self, clients: &mut [Client]) {
        let clock = self.target.clock;
        let begun = clock.now();
        let step = self.phase.client.stagger.0 * u64::from(self.phase.client.threads);
        // One limit for all of them: a server that lets nobody in does not hold up the phase.
        let pause = step * clients.len() as u64;
        let deadline = Nanos(begun.0.saturating_add(self.phase.request_limit.0).saturating_add(pause));
        for (i, client) in clients.iter_mut().enumerate() {
            crate::pause::until(clock, Nanos(begun.0 + step * i as u64)).await;
            client.prepare(deadline).await;
        }
    }

    /// Until when something may be sent, and until when something may go on.
    fn limits(&self, start: Nanos) -> Limits {
        let after = |time: Nanos| Nanos(start.0.saturating_add(time.0));
        Limits {
            clock: self.target.clock,
            time: self.phase.time.map(after),
            phase: after(self.phase.phase_limit),
            request: self.phase.request_limit,
        }
    }
}

/// The deadlines of a phase that has begun.
#[derive(Clone, Copy)]
struct Limits {
    clock: Clock,
    time: Option<Nanos>,
    phase: Nanos,
    request: Nanos,
}

impl Limits {
    /// Why nothing is sent any more at an offset, if so.
    fn over(self, at: Nanos) -> Option<End> {
        match self.time {
            _ if at >= self.phase => Some(End::NotSent),
            Some(time) if at >= time => Some(End::TimeUp),
            _ => None,
        }
    }

    /// Sends the turns of a unit, the first at `intended`, each further one when the one
    /// before it has ended and its user has thought.
    async fn converse(self, client: &mut Client, unit: &Unit, mut intended: Nanos, seen: &mut Vec<Seen>) {
        for (turn, job) in unit.turns.iter().enumerate() {
            if turn > 0 {
                intended = Nanos(seen.last().map_or(intended, |s| s.ended).0.saturating_add(job.think.0));
                if self.over(intended).is_none() {
                    crate::pause::until(self.clock, intended).await;
                }
            }
            match self.over(intended) {
                Some(end) => seen.push(unsent(job, intended, end)),
                None => {
                    let deadline = Nanos(intended.0.saturating_add(self.request.0)).min(self.phase);
                    seen.push(client.ask(job, intended, deadline).await);
                }
            }
        }
    }
}

fn unsent(job: &Job, intended: Nanos, end: End) -> Seen {
    let at = intended;
    Seen { request: job.request, intended: at, started: at, sent: at, end, ended: at, trail: Default::default() }
}

/// Waits for tasks that each bring what they saw.
async fn gather(mut tasks: JoinSet<Vec<Seen>>) -> Vec<Seen> {
    let mut all = Vec::new();
    while let Some(seen) = tasks.join_next().await {
        match seen {
            Ok(seen) => all.extend(seen),
            Err(e) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
            Err(_) => {}
        }
    }
    all
}
