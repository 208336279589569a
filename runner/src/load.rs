//! When requests are sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use lab::{Bytes, Nanos, records::Exchange, wire::End, workload::Shape};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    client::{Client, Window},
    clock::Clock,
};

/// A load phase, ready to go.
pub struct Phase {
    /// Its name.
    pub name: String,
    /// When requests are sent.
    pub shape: Shape,
    /// Request ids with their messages, in order.
    pub messages: Vec<(u32, Arc<[u8]>)>,
    /// From a request's send to its end.
    pub request_limit: Nanos,
    /// From the phase's start to its end.
    pub phase_limit: Nanos,
}

/// What it is sent to.
#[derive(Clone, Copy)]
pub struct Target {
    /// The trial's clock.
    pub clock: Clock,
    /// The server's port on this host.
    pub port: u16,
    /// Bytes of one response.
    pub limit: Bytes,
}

/// Sends all requests of a phase; exactly one exchange comes back for each, in the order
/// of the requests. `ended` is called after each, off no one's clock but the client's own.
pub async fn drive(target: Target, phase: Phase, mut ended: impl FnMut(u32)) -> Vec<Exchange> {
    let Shape::Closed { concurrency } = phase.shape;
    let count = phase.messages.len();
    let deadline = Nanos(target.clock.now().0.saturating_add(phase.phase_limit.0));
    let queue = Arc::new(Mutex::new(VecDeque::from(phase.messages)));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let mut clients = JoinSet::new();
    for _ in 0..(concurrency as usize).min(count) {
        let mut client = Client::new(target.clock, target.port, target.limit);
        let (queue, sender, name) = (Arc::clone(&queue), sender.clone(), phase.name.clone());
        clients.spawn(async move {
            loop {
                let Some((id, message)) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                    break;
                };
                // From here on the user waits, also while the server lets nobody connect.
                let now = target.clock.now();
                let exchange = if now >= deadline {
                    not_sent(id, &name, now)
                } else {
                    let window = Window {
                        intended: now,
                        deadline: Nanos(now.0.saturating_add(phase.request_limit.0)).min(deadline),
                    };
                    client.connect(window.deadline).await;
                    client.send(id, &name, &message, window).await
                };
                let _ = sender.send(exchange);
            }
        });
    }
    drop(sender);
    let mut exchanges = Vec::with_capacity(count);
    while let Some(exchange) = receiver.recv().await {
        exchanges.push(exchange);
        ended(exchanges.len() as u32);
    }
    exchanges.sort_by_key(|exchange| exchange.request);
    exchanges
}

fn not_sent(request: u32, phase: &str, now: Nanos) -> Exchange {
    Exchange {
        request,
        phase: phase.to_owned(),
        intended_ns: now,
        sent_ns: now,
        end: End::NotSent,
        end_ns: now,
        reads: Vec::new(),
        bytes: Vec::new(),
    }
}
