//! How every number is made: tools disagree on the same words, so a report prints its own.

/// A quantity, how it is computed, what it means, and who defined it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Formula {
    pub(crate) name: &'static str,
    /// `_{…}` is a subscript.
    pub(crate) formula: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) source: &'static str,
}

const fn formula(name: &'static str, formula: &'static str, meaning: &'static str, source: &'static str) -> Formula {
    Formula { name, formula, meaning, source }
}

/// Of a page on many runs.
pub(crate) const HISTORY: [Formula; 4] = [
    formula(
        "Value of a run",
        "√(opening · closing), or the speed-up over the baseline",
        "Of the baseline the geometric mean over rounds of its opening and closing launches; of a candidate what its run's judgement says. Everything is computed from natural logs, so that equal ratios weigh the same.",
        "METHOD, History",
    ),
    formula(
        "Change point",
        "largest Q = mn/(m + n) · (2 · mean |x_{i} − y_{j}| − mean |x_{i} − x_{k}| − mean |y_{j} − y_{k}|)",
        "x: m values before, y: n values from there on, two at least on each side. Only within runs of one baseline and one method.",
        "E-divisive, Matteson and James 2014",
    ),
    formula(
        "p of a change point",
        "(orders of the runs whose largest Q is as large + 1) / (orders + 1)",
        "Held against 0.05 over all segments of the page by Holm's procedure: a page on which nothing changes says that something does with probability 0.05 at most.",
        "METHOD, History",
    ),
    formula(
        "Same server",
        "digest of image (or program), arguments, variables and folders",
        "A rebase is where the baseline's is another one. A candidate of the same name with another one begins a new line.",
        "METHOD, History",
    ),
];

/// In the order in which a reader needs them.
pub(crate) const FORMULAS: [Formula; 25] = [
    formula(
        "TTFT",
        "t(first chunk with output) − t(send)",
        "Time to first token. Output is text, or ids that are not all special tokens. t(send) is when the schedule wants it sent: a server that lets nobody connect makes its users wait. A chunk's time is when the kernel had its bytes, where it says so, and when they were read elsewhere.",
        "MLPerf Inference, token latencies",
    ),
    formula("E2EL", "t(end of response) − t(send)", "End-to-end latency of one request.", "vLLM bench serve"),
    formula(
        "TPOT",
        "(E2EL − TTFT) / (output tokens − 1)",
        "Time per output token after the first. The tokens are counted by us on what was received.",
        "MLPerf Inference; vLLM bench serve",
    ),
    formula("ITL", "t(chunk i+1) − t(chunk i)", "Gap between two content chunks.", "vLLM bench serve"),
    formula(
        "Service time",
        "t(first chunk with output, or end) − t(actual send)",
        "TTFT and E2EL without the wait for a connection and without the client's lag. Beside the headline where requests arrive whether or not others have ended.",
        "Tene, coordinated omission",
    ),
    formula(
        "E2EL at equal work",
        "t(token k) − t(send), k = min(N candidate, N of both baselines)",
        "The primary metric: both arms are timed to the same token of the same request, so that a shorter answer is not a faster one. An answer below nine tenths of the baselines', or a failed one, counts as no faster than the baseline's.",
        "METHOD, Speed",
    ),
    formula(
        "Output throughput",
        "output tokens of completed requests / duration of the load phase",
        "Tokens per second.",
        "vLLM bench serve",
    ),
    formula(
        "Request throughput",
        "completed requests / duration of the load phase",
        "Requests per second.",
        "vLLM bench serve",
    ),
    formula(
        "Steady output",
        "output tokens of completed requests that came in the steady window / its length",
        "The window of a closed load is from the moment when most requests are in flight to the last intended send; of other loads from the first to the last intended send. None where it is shorter than a tenth of the phase.",
        "METHOD, Metrics",
    ),
    formula(
        "Cost of 10⁶ tokens",
        "price of a GPU's hour · GPUs · hours of the load phases / output tokens of completed requests · 10⁶",
        "In the currency of the workload's [cost].",
        "METHOD, Metrics",
    ),
    formula(
        "Energy a token",
        "energy of the GPUs in the load phases / output tokens of completed requests",
        "In joules, from the GPUs' own energy counters, read on the line between the samples around a phase's start and end.",
        "NVML; METHOD, Metrics",
    ),
    formula(
        "SLO met",
        "requests complete within every service level / requests due",
        "Failed requests are misses. Left out are requests that never were due (the phase's declared time was over) and, up to a tenth of a phase, answers in time that stop early beside the baselines'.",
        "METHOD, Metrics",
    ),
    formula(
        "Goodput",
        "requests complete within every service level / duration of the load phase",
        "Requests per second that were served as asked.",
        "DistServe, OSDI 2024",
    ),
    formula(
        "Largest load",
        "exp(ln v_{i} + (a_{i} − s) / (a_{i} − a_{i+1}) · (ln v_{i+1} − ln v_{i}))",
        "v are the loads of a ladder's steps, a the shares of requests that meet the service levels, s the share asked for; i is the last step before a first falls below s. Each round by itself, then the geometric mean and a t interval on logs over rounds; beyond an end of the ladder nothing is guessed.",
        "METHOD, Ladders",
    ),
    formula(
        "Speed-up",
        "exp(mean over rounds of ln(baseline / candidate))",
        "Geometric mean ratio. Each candidate is held against the mean log of its neighbouring baselines. Throughputs enter the other way up, so above 1 is always better.",
        "Fleming and Wallace 1986",
    ),
    formula(
        "95 % interval",
        "exp(m ± t_{n−1} · s / √n), m and s over n rounds",
        "Paired t on the log ratios of rounds, never of pooled requests. Below six rounds no claim is made. With declared looks the level is the look's own, and no round after it moves the claim.",
        "Student 1908; METHOD, Speed",
    ),
    formula(
        "p, Holm; p, adjusted",
        "max over j ≤ i of (m − j + 1) p_{(j)}; min over j ≥ i of m p_{(j)} / j",
        "The overall speed-ups of all candidates are held together by Holm's procedure; everything else that is compared of them by that of Benjamini and Hochberg.",
        "Holm 1979; Benjamini and Hochberg 1995",
    ),
    formula(
        "Same speed",
        "1/(1 + d) < the 1 − 2α interval < 1 + d",
        "d is declared in the workload and never grows with the noise; different where the whole interval lies beyond it.",
        "Schuirmann 1987",
    ),
    formula(
        "Sign-flip p",
        "share of the 2ⁿ sign patterns whose |mean| ≥ the observed |mean|",
        "An exact test beside the t test, without its assumption of normality.",
        "Fisher 1935",
    ),
    formula(
        "Percentile p",
        "the ⌈n p⌉-th of n sorted values",
        "Always an observed value. Printed from 11 (p50), 64 (p90), 130 (p95) or 662 (p99) requests on.",
        "Hyndman and Fan 1996, type 1; MLPerf LoadGen, early stopping",
    ),
    formula(
        "Margin m",
        "log p_{ref}(best token) − log p_{ref}(emitted token)",
        "In nats, at each output token, given the candidate's own tokens before it. 0 where the reference would have chosen the same token.",
        "Token-DiFR, arXiv 2511.20621",
    ),
    formula(
        "x of a request",
        "mean over tokens of min(m, c) / c",
        "Between 0 and 1; the cap c bounds what one token can weigh. Equivalent only if the launch-clustered upper 95 % bound of the mean of x is below δ.",
        "Token-DiFR; METHOD, Equivalence",
    ),
    formula(
        "Far request h",
        "1 if any margin is above 4c, else 0",
        "Catches a few very wrong tokens in an otherwise good answer. Its share has an exact binomial upper bound.",
        "Clopper and Pearson 1934",
    ),
    formula(
        "E",
        "½ · 1/G · Σ_{g} Π_{i} (1 + λ_{g} (x_{i} − δ)) + ½ · the same on h",
        "Evidence against “the mean is at most δ”, as a bet that cannot win in the long run if that is true. Suspect from 10³, altered from 10⁶; METHOD says how many launches must agree.",
        "Waudby-Smith and Ramdas 2024; METHOD, Equivalence",
    ),
    formula(
        "V1 scores",
        "v1-e2e: median over prompts of max(0, (b_{k} − m_{k}) / b_{k}), k = min(N_{b}, N_{m})",
        "Times b and m of baseline and candidate to the k-th counted entry, 0 below nine tenths of the baseline's entries. v1-launch and v1-aligned-tps: half the gain in median TTFT, half that in median tokens a second. Medians over rounds.",
        "Cacheon, May and June 2026; METHOD, Scores",
    ),
];
