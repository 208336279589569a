//! When each token is due: an absolute schedule per stream, so that lateness of
//! one write does not add to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::hash::{Stream, normal};
use crate::options::Options;

/// How many streams are being served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Load(Arc<AtomicUsize>);

/// One stream among those being served, until dropped.
#[derive(Debug)]
pub(crate) struct Share(Arc<AtomicUsize>);

impl Load {
    /// Counts one more stream.
    pub(crate) fn join(&self) -> Share {
        self.0.fetch_add(1, Ordering::Relaxed);
        Share(Arc::clone(&self.0))
    }
}

impl Share {
    fn others(&self) -> usize {
        self.0.load(Ordering::Relaxed).saturating_sub(1)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The schedule of one answer.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When the work on this answer began.
    pub(crate) origin: Instant,
    /// When the role chunk may go; with the first token if none.
    pub(crate) role_due: Option<Instant>,
    /// Whether everything waits for the last token.
    pub(crate) burst: bool,
    /// Time to the first token.
    pub(crate) first: Duration,
    /// Time between tokens of a lone stream.
    pub(crate) itl: Duration,
    due: Option<Instant>,
    jitter: f64,
    batch_effect: f64,
    draw: Stream,
    share: Share,
}

impl Pace {
    /// The honest schedule of a request received at `origin`.
    pub(crate) fn new(options: &Options, origin: Instant, prompt: usize, seed: u64, share: Share) -> Self {
        let prompt = u32::try_from(prompt).unwrap_or(u32::MAX);
        Self {
            origin,
            role_due: None,
            burst: false,
            first: options.ttft + options.prefill_per_token.saturating_mul(prompt),
            itl: options.itl,
            due: None,
            jitter: options.jitter,
            batch_effect: options.batch_effect,
            draw: Stream::new(seed),
            share,
        }
    }

    /// Whether no other stream is being served.
    pub(crate) fn is_alone(&self) -> bool {
        self.share.others() == 0
    }

    /// When the next token is due.
    pub(crate) fn next(&mut self) -> Instant {
        let jitter = (1.0 + self.jitter * normal(self.draw.bits())).max(0.0);
        let due = match self.due {
            None => self.origin + self.first.mul_f64(jitter),
            Some(last) => {
                let slower = 1.0 + self.batch_effect * self.share.others() as f64;
                last + self.itl.mul_f64((jitter * slower).max(0.0))
            }
        };
        self.due = Some(due);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(args: &[&str], load: &Load) -> Pace {
        let options = Options::from_args(args).unwrap();
        Pace::new(&options, Instant::now(), 10, 1, load.join())
    }

    #[test]
    fn the_schedule_counts_from_the_request_and_does_not_drift() {
        let args = ["--ttft", "20ms", "--itl", "2ms", "--prefill-per-token", "1ms"];
        let mut pace = pace(&args, &Load::default());
        let first = pace.next();
        assert_eq!(first - pace.origin, Duration::from_millis(30));
        let last = (0..1000).map(|_| pace.next()).last().unwrap();
        assert_eq!(last - first, Duration::from_millis(2000));
    }

    #[test]
    fn each_further_stream_slows_the_others() {
        let load = Load::default();
        let mut pace = pace(&["--itl", "2ms", "--batch-effect", "0.5"], &load);
        let first = pace.next();
        let others = [load.join(), load.join()];
        let second = pace.next();
        assert_eq!(second - first, Duration::from_millis(4));
        drop(others);
        assert_eq!(pace.next() - second, Duration::from_millis(2));
    }

    #[test]
    fn jitter_is_the_same_for_the_same_seed() {
        let load = Load::default();
        let mut one = pace(&["--jitter", "0.3"], &load);
        let mut two = pace(&["--jitter", "0.3"], &load);
        let gaps = |pace: &mut Pace| -> Vec<Duration> { (0..20).map(|_| pace.next() - pace.origin).collect() };
        assert_eq!(gaps(&mut one), gaps(&mut two));
    }
}
