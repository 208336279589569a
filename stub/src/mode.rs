//! The names of what this server can do wrong.

use clap::ValueEnum;

/// What the server does: be honest, cheat, or fail. One at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, ValueEnum)]
pub enum Mode {
    // Honest.
    /// Honest: serves the scripted model as asked.
    #[default]
    Honest,

    // Cheats: replies that look well-formed and are not what was asked for.
    /// Cheat: garbage wherever logprobs were not asked for.
    GarbageWithoutLogprobs,
    /// Cheat: two right tokens, then garbage.
    TwoThenGarbage,
    /// Cheat: goes on with cheap tokens past the end of the answer.
    SpamPastEnd,
    /// Cheat: holds everything back, then sends it in one burst.
    Burst,
    /// Cheat: honest for requests that look like an audit, garbage for the rest.
    AuditAware,
    /// Cheat: right tokens for 145 of 512, then one chunk of empty logprob entries.
    StuffedLogprobs,
    /// Cheat: garbage whose forged logprobs make each token a near-tie.
    ForgedTies,
    /// Cheat: stops after 26 % of the tokens and says `stop`.
    Truncate,
    /// Cheat: stops after 26 % of the tokens and says `length`.
    TruncateLength,
    /// Cheat: `/tokenize` reports half of the tokens.
    LyingTokenize,
    /// Cheat: `usage` claims half as many completion tokens again.
    LyingUsage,
    /// Cheat: right token ids beside text that is another.
    LyingIds,
    /// Cheat: begins generating at `/tokenize` or at a pre-flight call of one token.
    OffClock,
    /// Cheat: writes the names of end tokens into the text and goes on.
    EndOfTextStrings,
    /// Cheat: one byte per `--drip`, so that the connection never looks idle.
    Drip,
    /// Cheat: closes the stream without `[DONE]`.
    NoDone,
    /// Cheat: answers a prompt whose first 32 tokens it has seen from a cache.
    Cached,
    /// Cheat: answers a share `--mixture` of the requests with the answer to an earlier prompt.
    Stale,
    /// Cheat: reads only the last 64 tokens of the context.
    TruncatedContext,
    /// Cheat: samples at temperature 0.2 when asked for greedy decoding.
    Sampled,
    /// Cheat: serves a share `--mixture` of the requests from an unrelated model.
    Mixture,
    /// Cheat: sends the role chunk at once, long before the first token.
    EarlyRole,

    // Faults: servers that break, or that try to break their client.
    /// Fault: answers 503 for ever.
    NeverReady,
    /// Fault: answers 503 for `--slow-ready`, then works.
    SlowReady,
    /// Fault: exits at once with an error.
    ExitAtStart,
    /// Fault: dies in the middle of the first request that the mode applies to.
    DieMidRun,
    /// Fault: replies 500.
    #[value(name = "error-500")]
    Error500,
    /// Fault: sends an error object inside the stream.
    ErrorInStream,
    /// Fault: closes the connection in mid-stream.
    CloseMidStream,
    /// Fault: resets the connection in mid-stream.
    ResetMidStream,
    /// Fault: sends bytes that are not UTF-8.
    #[value(name = "invalid-utf8")]
    InvalidUtf8,
    /// Fault: sends one line of `--giant` bytes without an end.
    GiantLine,
    /// Fault: sends a response header of `--giant` bytes.
    GiantHeader,
    /// Fault: never stops generating.
    NeverEnds,
    /// Fault: stops sending but keeps the connection.
    Stall,
    /// Fault: redirects to another host.
    Redirect,
    /// Fault: claims gzip over plain text.
    Gzip,
    /// Fault (legal): splits multi-byte characters over two writes.
    #[value(name = "split-utf8")]
    SplitUtf8,
    /// Fault: sends the response head one byte per `--drip`.
    SlowHeaders,
    /// Fault: ignores SIGTERM.
    IgnoreTerm,
    /// Fault: writes endless log lines to stderr, `--flood` a second.
    LogFlood,
    /// Fault: markup, terminal escapes and formulas in every text, and a 1 MiB model name.
    HostileText,
    /// Fault: takes `--hog` bytes of memory in the first request that the mode applies to.
    HogMemory,
    /// Fault: claims a longer body than it sends.
    WrongContentLength,
    /// Fault: closes its sending side in mid-stream and stays.
    HalfClose,
}

impl Mode {
    /// All modes, in the order of the documentation.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
