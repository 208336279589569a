//! Cheats about numbers of tokens.

use std::time::Instant;

use crate::behaviour::Behaviour;
use crate::wire_json::Usage;

/// `/tokenize` reports half of the tokens.
pub(super) struct LyingTokenize;

impl Behaviour for LyingTokenize {
    fn tokenize(&self, ids: &mut Vec<u32>, _topic: &str, _now: Instant) {
        ids.truncate(ids.len() / 2);
    }
}

/// Half as many completion tokens again in `usage`.
pub(super) struct LyingUsage;

impl Behaviour for LyingUsage {
    fn usage(&self, honest: Usage) -> Usage {
        let completion_tokens = honest.completion_tokens * 3 / 2;
        let total_tokens = honest.prompt_tokens + completion_tokens;
        Usage { completion_tokens, total_tokens, ..honest }
    }
}
