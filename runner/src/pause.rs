//! Waiting until an offset to within tens of microseconds, where the runtime's own timer
//! rounds to milliseconds.

use std::{os::fd::OwnedFd, time::Duration};

use lab::Nanos;
use nix::sys::{
    time::TimeSpec,
    timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
};
use tokio::net::unix::pipe::Receiver;

use crate::clock::Clock;

/// Returns at `offset`, or at once when it has passed.
pub(crate) async fn until(clock: Clock, offset: Nanos) {
    let left = offset.0.saturating_sub(clock.now().0);
    if left == 0 {
        return;
    }
    match armed(left) {
        Ok(timer) => {
            // A timer has no error to give.
            let _ = timer.readable().await;
        }
        Err(_) => tokio::time::sleep_until(clock.at(offset)).await,
    }
}

/// A timer of the kernel. Like the end of a pipe, it is a descriptor that becomes readable,
/// and nothing more is asked of it.
fn armed(nanos: u64) -> std::io::Result<Receiver> {
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
    let once = Expiration::OneShot(TimeSpec::from(Duration::from_nanos(nanos)));
    timer.set(once, TimerSetTimeFlags::empty())?;
    Receiver::from_owned_fd_unchecked(OwnedFd::from(timer))
}
