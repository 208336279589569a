//! A fixed number of clients, each taking the next unit when its last has ended.

use std::sync::{Arc, PoisonError};

use lab::Nanos;
use tokio::task::JoinSet;

use super::{Lane, gather};
use crate::client::{Client, Seen};

/// Runs this thread's clients until no unit is left.
pub(super) async fn run(lane: Lane, clients: Vec<Client>, start: Nanos, concurrency: u32, ramp: Nanos) -> Vec<Seen> {
    let limits = lane.limits(start);
    let threads = lane.phase.client.threads as usize;
    let mut tasks = JoinSet::new();
    for (i, mut client) in clients.into_iter().enumerate() {
        let number = (lane.index + i * threads) as u64;
        let begin = Nanos(start.0 + ramp.0 * number / u64::from(concurrency));
        let (phase, queue) = (Arc::clone(&lane.phase), Arc::clone(&lane.queue));
        tasks.spawn(async move {
            let mut seen = Vec::new();
            crate::pause::until(limits.clock, begin).await;
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(unit) = next.and_then(|i| phase.units.get(i)) else { return seen };
                // From here on the user waits, also while the server lets nobody connect.
                limits.converse(&mut client, unit, limits.clock.now(), &mut seen).await;
            }
        });
    }
    gather(tasks).await
}
