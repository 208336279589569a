//! The zoo: every way of serving that the built-in test server has, honest, cheating or
//! broken, with the verdict that it gets. README shows the same table.

use Nature::{Cheat, Fault, Honest};

use crate::support::Workload;

/// What a server is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    Honest,
    Cheat,
    Fault,
}

/// One server and what becomes of it.
pub(crate) struct Animal {
    pub(crate) name: &'static str,
    pub(crate) nature: Nature,
    /// What it does, in plain words.
    pub(crate) does: &'static str,
    /// Its arguments of `bench stub`, beside those of its pen.
    pub(crate) stub: &'static str,
    /// How each of its timed requests ends, or the class of its failed launches.
    pub(crate) ends: &'static str,
    pub(crate) verdict: &'static str,
    /// The code of the decisive reason.
    pub(crate) reason: &'static str,
}

/// Servers that are measured together.
pub(crate) struct Pen {
    pub(crate) workload: fn() -> Workload,
    pub(crate) animals: &'static [Animal],
}

/// What all servers of the pens do; the noise is that of honest kernels, of which the bounds stay
/// well below the tolerances.
const PACE: &str = "--noise 0.005 --mean-tokens 40 --ttft 1ms --itl 50us";

/// A workload of two rounds whose outputs are all graded, by the model without noise.
fn graded(requests: u32, mean: f64, far: f64) -> Workload {
    let reference = ["{bench}", "stub", "--port", "{port}", "--model-name", "{served_name}", "--mean-tokens", "40"];
    Workload {
        baseline: PACE.into(),
        rounds: 2,
        requests,
        concurrency: 2,
        max_tokens: 32,
        words: 60,
        equivalence: format!(
            "[equivalence]\nconfirm = 2\nsample = {requests}\n[equivalence.reference]\ncommand = {reference:?}\n[equivalence.tolerance]\ncap_nats = 0.5\nmean = {mean}\nfar = {far}\n"
        ),
        ..Workload::default()
    }
}

/// Most of them: a few dozen graded answers decide.
fn common() -> Workload {
    graded(24, 0.01, 0.07)
}

/// What few answers or few tokens show needs many.
fn rare() -> Workload {
    graded(140, 0.003, 0.015)
}

/// Servers may be honest only where they are asked for logprobs, or lie in them.
fn with_logprobs() -> Workload {
    Workload { sampling: "logprobs = 5\n".into(), ..common() }
}

/// Deadlines short enough to wait for.
fn broken() -> Workload {
    let mut workload = Workload { concurrency: 4, ..graded(4, 0.01, 0.07) };
    workload.limits = workload.limits.replace("request = \"5s\"", "request = \"2500ms\"");
    workload.limits = workload.limits.replace("ready = \"10s\"", "ready = \"3s\"");
    workload
}

pub(crate) const PENS: &[Pen] = &[
    Pen { workload: common, animals: COMMON },
    Pen { workload: rare, animals: RARE },
    Pen { workload: with_logprobs, animals: WITH_LOGPROBS },
    Pen { workload: broken, animals: BROKEN },
];

const fn is(
    nature: Nature,
    name: &'static str,
    does: &'static str,
    stub: &'static str,
    ends: &'static str,
    verdict: &'static str,
    reason: &'static str,
) -> Animal {
    Animal { name, nature, does, stub, ends, verdict, reason }
}

#[rustfmt::skip]
const COMMON: &[Animal] = &[
    is(Honest, "same", "what the baseline does", "", "complete", "equivalent", "within-tolerance"),
    is(Honest, "faster", "half the time to the first token", "--ttft 500us --itl 25us", "complete", "equivalent", "within-tolerance"),
    is(Honest, "slower", "three times the time", "--ttft 3ms --itl 150us", "complete", "equivalent", "within-tolerance"),
    is(Honest, "uneven", "every latency varies by half, more so in larger batches", "--jitter 0.5 --batch-effect 0.3", "complete", "equivalent", "within-tolerance"),
    is(Honest, "chunky", "four tokens a chunk", "--tokens-per-chunk 4", "complete", "equivalent", "within-tolerance"),
    is(Honest, "early-role", "an empty chunk with the role at once, long before the first token", "--mode early-role", "complete", "equivalent", "within-tolerance"),
    is(Honest, "no-role", "no chunk with the role", "--dialect no-role", "complete", "equivalent", "within-tolerance"),
    is(Honest, "no-ids", "text alone, no token ids", "--dialect no-ids", "complete", "equivalent", "within-tolerance"),
    is(Honest, "no-usage", "no chunk with usage", "--dialect no-usage", "complete", "equivalent", "within-tolerance"),
    is(Honest, "silent-end", "no id for the end token, which it still counts, as llama.cpp", "--dialect silent-end", "complete", "equivalent", "within-tolerance"),
    is(Honest, "comments", "comments between the events, lines that end with CR LF", "--dialect comments,crlf", "complete", "equivalent", "within-tolerance"),
    is(Honest, "slow-ready", "503 for a while before it is ready", "--mode slow-ready --slow-ready 300ms", "complete", "equivalent", "within-tolerance"),
    is(Cheat, "burst", "holds all tokens and sends them at once; equal work gains nothing by it", "--mode burst", "complete", "equivalent", "within-tolerance"),
    is(Cheat, "off-clock", "starts at `/tokenize` or a call before the timed one; there is none", "--mode off-clock", "complete", "equivalent", "within-tolerance"),
    is(Cheat, "lying-tokenize", "half the count from `/tokenize`; nobody asks it", "--mode lying-tokenize", "complete", "equivalent", "within-tolerance"),
    is(Cheat, "cached", "old answers to prompts whose first 32 tokens it knows; no prompt comes twice", "--mode cached", "complete", "equivalent", "within-tolerance"),
    is(Cheat, "garbage", "random words, at once, where logprobs are not asked for", "--mode garbage-without-logprobs --ttft 0ms --itl 0ms", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "two-then-garbage", "two right tokens, then random words", "--mode two-then-garbage", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "honest-at-first", "the same from its ninth request on", "--mode two-then-garbage --mode-after 8", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "audit-aware", "honest to whole requests and those with logprobs, random words to all others", "--mode audit-aware", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "forged-ties", "random words that its own logprobs call near-ties", "--mode forged-ties", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "spam-past-end", "cheap words past the end, up to the limit", "--mode spam-past-end", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "truncate", "stops after 26 % of the tokens and says `stop`", "--mode truncate", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "truncate-length", "stops after 26 % of the tokens and says `length`", "--mode truncate-length", "complete", "altered", "length-is-full"),
    is(Cheat, "truncated-context", "reads the last 64 tokens only", "--mode truncated-context", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "sampled", "temperature 0.2 in place of 0", "--mode sampled", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "int4", "weights of 4-bit integers", "--weights int4", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "drop-layer", "one layer left out", "--weights drop-layer", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "small", "a smaller model of the family", "--weights small", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "other", "an unrelated model", "--weights other", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "lying-ids", "right ids beside other text", "--mode lying-ids", "complete", "altered", "ids-of-another-text"),
    is(Cheat, "stuffed", "right tokens for 28 % of the answer, then empty ones, all in one chunk", "--mode stuffed-logprobs", "complete", "undecided", "suspect"),
    is(Cheat, "end-of-text", "names of end tokens in the text, to stop a scorer early", "--mode end-of-text-strings", "complete", "undecided", "within-max-tokens-text"),
    is(Cheat, "lying-usage", "claims half as many tokens again", "--mode lying-usage", "complete", "undecided", "claimed-output"),
    is(Cheat, "no-done", "no `[DONE]`", "--mode no-done", "complete", "undecided", "done-seen"),
    is(Fault, "split-utf8", "writes that end in the middle of a character", "--mode split-utf8", "complete", "equivalent", "within-tolerance"),
    is(Fault, "ignore-term", "ignores SIGTERM", "--mode ignore-term", "complete", "equivalent", "within-tolerance"),
    is(Fault, "log-flood", "ten thousand log lines a second", "--mode log-flood", "complete", "equivalent", "within-tolerance"),
    is(Fault, "hostile-text", "markup, escapes and formulas in every text, a model name of 1 MiB", "--mode hostile-text", "too-large", "undecided", "no-successful-request"),
    is(Fault, "hog-memory", "takes memory and keeps it, here 1 MiB", "--mode hog-memory --hog 1048576", "complete", "equivalent", "within-tolerance"),
];

#[rustfmt::skip]
const RARE: &[Animal] = &[
    is(Honest, "same-again", "what the baseline does, under a tolerance a third as large", "", "complete", "equivalent", "within-tolerance"),
    is(Cheat, "mixture-10", "one request in ten on an unrelated model", "--mode mixture --mixture 0.1", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "mixture-5", "one request in twenty on an unrelated model", "--mode mixture --mixture 0.05", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "stale-3", "three answers in a hundred from a cache of other prompts", "--mode stale --mixture 0.03", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "fp8", "weights of 8-bit floats", "--weights fp8", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "int8", "weights of 8-bit integers", "--weights int8", "complete", "altered", "margins-above-tolerance"),
];

#[rustfmt::skip]
const WITH_LOGPROBS: &[Animal] = &[
    is(Honest, "same-with-logprobs", "what the baseline does, asked for logprobs", "", "complete", "equivalent", "within-tolerance"),
    is(Cheat, "forged-logprobs", "random words, each 0.03 nats under the best by its own logprobs", "--mode forged-ties", "complete", "altered", "margins-above-tolerance"),
    is(Cheat, "stuffed-logprobs", "one chunk of empty logprob entries after 28 % of the text, no ids", "--mode stuffed-logprobs --dialect no-ids", "complete", "undecided", "length-is-full-text"),
];

#[rustfmt::skip]
const BROKEN: &[Animal] = &[
    is(Cheat, "drip", "one byte a second, so that the connection never looks idle", "--mode drip", "deadline", "undecided", "no-successful-request"),
    is(Fault, "error-500", "replies 500", "--mode error-500", "http-error", "undecided", "no-successful-request"),
    is(Fault, "redirect", "redirects to another host", "--mode redirect", "http-error", "undecided", "no-successful-request"),
    is(Fault, "error-in-stream", "an error inside of the stream", "--mode error-in-stream", "malformed", "undecided", "no-successful-request"),
    is(Fault, "invalid-utf8", "bytes that are not UTF-8", "--mode invalid-utf8", "malformed", "undecided", "no-successful-request"),
    is(Fault, "gzip", "claims gzip over plain text", "--mode gzip", "malformed", "undecided", "no-successful-request"),
    is(Fault, "giant-header", "a header of 1 GiB", "--mode giant-header", "malformed", "undecided", "no-successful-request"),
    is(Fault, "giant-line", "a line of 1 GiB", "--mode giant-line", "too-large", "undecided", "no-successful-request"),
    is(Cheat, "never-ends", "tokens without end, whatever was asked for", "--mode never-ends", "too-large", "altered", "within-max-tokens"),
    is(Fault, "wrong-content-length", "claims a longer body than it sends", "--mode wrong-content-length", "closed", "undecided", "no-successful-request"),
    is(Fault, "close-mid-stream", "closes the connection in mid-stream", "--mode close-mid-stream", "closed", "undecided", "no-successful-request"),
    is(Fault, "half-close", "closes its sending side in mid-stream and stays", "--mode half-close", "closed", "undecided", "no-successful-request"),
    is(Fault, "reset-mid-stream", "resets the connection in mid-stream", "--mode reset-mid-stream", "reset", "undecided", "no-successful-request"),
    is(Fault, "stall", "silence in mid-stream", "--mode stall", "deadline", "undecided", "no-successful-request"),
    is(Fault, "slow-headers", "the response head one byte a second", "--mode slow-headers", "deadline", "undecided", "no-successful-request"),
    is(Fault, "exit-at-start", "ends at once with an error", "--mode exit-at-start", "start", "undecided", "no-successful-request"),
    is(Fault, "another-port", "cannot listen on the port that it was given", "--port 1", "start", "undecided", "no-successful-request"),
    is(Fault, "die-mid-run", "dies in its first request", "--mode die-mid-run", "protocol", "undecided", "no-successful-request"),
    is(Fault, "never-ready", "503 for ever", "--mode never-ready", "load-timeout", "undecided", "no-successful-request"),
];

impl Pen {
    /// Its workload with the commands of all its animals.
    pub(crate) fn workload(&self) -> Workload {
        let mut workload = (self.workload)();
        for animal in self.animals {
            let own = |option: &str| animal.stub.split_whitespace().any(|word| word == option);
            let pace: Vec<&str> = PACE.split_whitespace().collect();
            let pace = pace.chunks(2).filter(|pair| !own(pair[0])).flatten().copied().collect::<Vec<_>>().join(" ");
            workload.candidates.push((animal.name.into(), format!("{pace} {}", animal.stub)));
        }
        workload
    }
}
