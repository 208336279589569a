//! Units that begin when they are due, whether or not others have ended.

use std::sync::{Arc, Mutex, PoisonError};

use lab::Nanos;
use tokio::task::JoinSet;

use super::{Lane, gather, unsent};
use crate::client::{Client, Seen};

/// Sends this thread's share of the units, each on a client that is free or on a new one.
pub(super) async fn run(lane: Lane, clients: Vec<Client>, start: Nanos) -> Vec<Seen> {
    let limits = lane.limits(start);
    let threads = lane.phase.client.threads as usize;
    let free = Arc::new(Mutex::new(clients));
    let lane = Arc::new(lane);
    let (mut tasks, mut skipped) = (JoinSet::new(), Vec::new());
    for index in (lane.index..lane.phase.units.len()).step_by(threads) {
        let unit = &lane.phase.units[index];
        let intended = Nanos(start.0.saturating_add(unit.due.0));
        if let Some(end) = limits.over(intended) {
            skipped.extend(unit.turns.iter().map(|job| unsent(job, intended, end)));
            continue;
        }
        crate::pause::until(limits.clock, intended).await;
        let (lane, free) = (Arc::clone(&lane), Arc::clone(&free));
        let client = take(&free).unwrap_or_else(|| lane.client());
        tasks.spawn(async move {
            let (mut client, mut seen) = (client, Vec::new());
            limits.converse(&mut client, &lane.phase.units[index], intended, &mut seen).await;
            if lane.phase.client.keep {
                free.lock().unwrap_or_else(PoisonError::into_inner).push(client);
            }
            seen
        });
    }
    skipped.extend(gather(tasks).await);
    skipped
}

fn take(free: &Mutex<Vec<Client>>) -> Option<Client> {
    free.lock().unwrap_or_else(PoisonError::into_inner).pop()
}
