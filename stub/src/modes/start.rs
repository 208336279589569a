//! Faults at the start, at the end, and beside the work.

use crate::behaviour::{Behaviour, Readiness};
use crate::options::Options;

/// 503 for ever.
pub(super) struct NeverReady;

impl Behaviour for NeverReady {
    fn readiness(&self, _options: &Options) -> Readiness {
        Readiness::Never
    }
}

/// 503 for some time.
pub(super) struct SlowReady;

impl Behaviour for SlowReady {
    fn readiness(&self, options: &Options) -> Readiness {
        Readiness::After(options.slow_ready)
    }
}

/// Ends instead of listening.
pub(super) struct ExitAtStart;

impl Behaviour for ExitAtStart {
    fn readiness(&self, _options: &Options) -> Readiness {
        Readiness::Exit
    }
}

/// Deaf to SIGTERM.
pub(super) struct IgnoreTerm;

impl Behaviour for IgnoreTerm {
    fn ignores_term(&self) -> bool {
        true
    }
}

/// Log lines without end.
pub(super) struct LogFlood;

impl Behaviour for LogFlood {
    fn log_lines(&self, options: &Options) -> u32 {
        options.flood
    }
}
