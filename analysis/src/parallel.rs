//! The same work on many things at once. Results come in the order of the things, so that
//! nothing depends on how many threads there are.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Says how many threads, as it does to many programs; else as many as this process may run at
/// once.
const THREADS: &str = "RAYON_NUM_THREADS";

/// `of` of each item, in order, on several threads.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let told = std::env::var(THREADS).ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    let threads = told.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    map_on(threads, items, of)
}

/// [`map`] on so many threads.
fn map_on<T: Sync, R: Send>(threads: usize, items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((i, item)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, items.get(i)?))) {
            done.push((i, of(item)));
        }
        done
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(items.len())).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_on_any_number_of_threads() {
        let items: Vec<u64> = (0..100).collect();
        let squares: Vec<u64> = items.iter().map(|n| n * n).collect();
        for threads in [0, 1, 2, 7, 200] {
            assert_eq!(map_on(threads, &items, |n| n * n), squares, "{threads}");
        }
        assert!(map_on(2, &[], |n: &u64| *n).is_empty());
    }

    #[test]
    #[should_panic(expected = "seven")]
    fn a_panic_of_one_is_a_panic_of_all() {
        map_on(2, &[1, 7, 3], |n| assert_ne!(*n, 7, "seven"));
    }
}
