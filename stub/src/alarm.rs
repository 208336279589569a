//! Waking at an instant to within tens of microseconds, where the runtime's own
//! timer rounds to milliseconds: one thread with one heap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

/// A wish to be woken; the earliest is the greatest.
struct Wish {
    when: Reverse<Instant>,
    wake: oneshot::Sender<()>,
}

impl PartialEq for Wish {
    fn eq(&self, other: &Self) -> bool {
        self.when == other.when
    }
}

impl Eq for Wish {}

impl PartialOrd for Wish {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wish {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.when.cmp(&other.when)
    }
}

#[derive(Default)]
struct State {
    wishes: BinaryHeap<Wish>,
    over: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The alarm clock; its thread ends with it.
pub(crate) struct Alarm(Arc<Shared>);

impl Alarm {
    /// Starts the clock's thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::Builder::new().name("alarm".into()).spawn(move || tick(&own))?;
        Ok(Self(shared))
    }

    /// Returns at this instant, or at once when it has passed.
    pub(crate) async fn until(&self, when: Instant) {
        if when <= Instant::now() {
            return;
        }
        let (wake, woken) = oneshot::channel();
        {
            let mut state = self.0.lock();
            let first = state.wishes.peek().is_none_or(|wish| when < wish.when.0);
            state.wishes.push(Wish { when: Reverse(when), wake });
            if first {
                self.0.changed.notify_one();
            }
        }
        // An error means that the clock is gone: there is nothing to wait for.
        let _ = woken.await;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.changed.notify_one();
    }
}

fn tick(shared: &Shared) {
    let mut state = shared.lock();
    while !state.over {
        let now = Instant::now();
        let next = state.wishes.peek().map(|wish| wish.when.0);
        state = match next {
            Some(when) if when <= now => {
                if let Some(wish) = state.wishes.pop() {
                    // The sleeper may have been dropped with its connection.
                    let _ = wish.wake.send(());
                }
                state
            }
            Some(when) => {
                let waited = shared.changed.wait_timeout(state, when - now);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
    }
}
