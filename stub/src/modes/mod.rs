//! What each mode does: one small piece for each.

mod counts;
mod decoding;
mod garbage;
mod hostile;
mod lengths;
mod memory;
mod replies;
mod start;
mod streams;
mod timing;
mod wording;

use crate::behaviour::{Behaviour, Honest};
use crate::mode::Mode;
use crate::options::Options;

/// The behaviour of the mode in these options.
pub(crate) fn behaviour(options: &Options) -> Box<dyn Behaviour> {
    match options.mode {
        Mode::Honest => Box::new(Honest),

        Mode::GarbageWithoutLogprobs => Box::new(garbage::WithoutLogprobs),
        Mode::TwoThenGarbage => Box::new(garbage::AfterTwo),
        Mode::AuditAware => Box::new(garbage::AuditAware),
        Mode::ForgedTies => Box::new(garbage::ForgedTies),
        Mode::StuffedLogprobs => Box::new(lengths::StuffedLogprobs),
        Mode::SpamPastEnd => Box::new(lengths::SpamPastEnd),
        Mode::Truncate => Box::new(lengths::Truncate { says_length: false }),
        Mode::TruncateLength => Box::new(lengths::Truncate { says_length: true }),
        Mode::LyingTokenize => Box::new(counts::LyingTokenize),
        Mode::LyingUsage => Box::new(counts::LyingUsage),
        Mode::LyingIds => Box::new(wording::LyingIds),
        Mode::EndOfTextStrings => Box::new(wording::EndOfTextStrings),
        Mode::Burst => Box::new(timing::Burst),
        Mode::OffClock => Box::new(timing::OffClock::default()),
        Mode::Drip => Box::new(timing::Drip),
        Mode::Cached => Box::new(timing::Cached::default()),
        Mode::Stale => Box::new(timing::Stale::default()),
        Mode::EarlyRole => Box::new(timing::EarlyRole),
        Mode::NoDone => Box::new(streams::NoDone),
        Mode::TruncatedContext => Box::new(decoding::TruncatedContext),
        Mode::Sampled => Box::new(decoding::Sampled),
        Mode::Mixture => Box::new(decoding::Mixture),

        Mode::NeverReady => Box::new(start::NeverReady),
        Mode::SlowReady => Box::new(start::SlowReady),
        Mode::ExitAtStart => Box::new(start::ExitAtStart),
        Mode::IgnoreTerm => Box::new(start::IgnoreTerm),
        Mode::LogFlood => Box::new(start::LogFlood),
        Mode::HogMemory => Box::new(memory::HogMemory::default()),
        Mode::Error500 => Box::new(replies::Error500),
        Mode::Redirect => Box::new(replies::Redirect),
        Mode::Gzip => Box::new(replies::Gzip),
        Mode::WrongContentLength => Box::new(replies::WrongContentLength),
        Mode::GiantHeader => Box::new(replies::GiantHeader),
        Mode::SlowHeaders => Box::new(replies::SlowHeaders),
        Mode::DieMidRun => Box::new(streams::MidStream(streams::die)),
        Mode::ErrorInStream => Box::new(streams::MidStream(streams::error)),
        Mode::CloseMidStream => Box::new(streams::MidStream(streams::close)),
        Mode::ResetMidStream => Box::new(streams::MidStream(streams::reset)),
        Mode::HalfClose => Box::new(streams::MidStream(streams::half_close)),
        Mode::Stall => Box::new(streams::MidStream(streams::stall)),
        Mode::GiantLine => Box::new(streams::MidStream(streams::giant_line)),
        Mode::NeverEnds => Box::new(lengths::NeverEnds),
        Mode::InvalidUtf8 => Box::new(hostile::InvalidUtf8),
        Mode::SplitUtf8 => Box::new(hostile::SplitUtf8),
        Mode::HostileText => Box::new(hostile::HostileText),
    }
}
