//! Made-up verdicts with their evidence.

use analysis::{judgement::*, nodes::Node, report::Cell};
use lab::{Digest, Nanos};

use super::{MADE, Made, busy, cell, loads, noise};

fn effect(speedup: f64, rounds: u32, seed: u64) -> Effect {
    let wide = 1.02 + 0.03 * noise(seed, 7);
    Effect {
        rounds: u64::from(rounds),
        powered: rounds >= 6,
        speedup,
        low: speedup / wide,
        high: speedup * wide,
        confidence: 0.95,
        p: 0.00031 + 0.02 * noise(seed, 8),
        adjusted_p: Some(0.00093 + 0.06 * noise(seed, 8)),
        sign_flip_p: Some(2.0 / f64::from(1 << rounds)),
        detectable: Some(1.047),
    }
}

fn metric(metric: &'static str, baseline: f64, speedup: f64, rounds: u32, seed: u64) -> MetricEffect {
    let (unit, candidate) = match metric {
        "output-throughput" | "output-throughput-steady" => ("tokens/s", baseline * speedup),
        "request-throughput" | "goodput" => ("requests/s", baseline * speedup),
        _ => ("ns", baseline / speedup),
    };
    let ratio = |round: u32| speedup * (0.98 + 0.04 * noise(seed, u64::from(round)));
    MetricEffect {
        metric,
        unit,
        baseline,
        candidate,
        effect: (rounds > 1).then(|| effect(speedup, rounds, seed)),
        rounds: (1..=rounds).map(|round| (round, ratio(round))).collect(),
        further: Vec::new(),
    }
}

fn speed(cell: Cell, speedup: f64, rounds: u32, seed: u64) -> CellSpeed {
    let Cell { model, gpus, load } = cell;
    CellSpeed {
        model,
        gpus,
        load,
        counts: true,
        primary: metric("e2el-equal-work", 1.412e9, speedup, rounds, seed),
        beside: vec![
            metric("ttft", 41.3e6, 1.0 + (speedup - 1.0) * 0.4, rounds, seed + 1),
            metric("tpot", 10.9e6, speedup * 1.01, rounds, seed + 2),
            metric("itl", 10.8e6, speedup, rounds, seed + 3),
            metric("e2el", 1.434e9, speedup, rounds, seed + 4),
            metric("output-throughput", 721.4, speedup, rounds, seed + 5),
            metric("output-throughput-steady", 803.9, speedup, rounds, seed + 6),
            metric("request-throughput", 5.64, speedup, rounds, seed + 5),
            metric("goodput", 5.51, speedup, rounds, seed + 5),
        ],
    }
}

fn equivalence((mean_x, upper_x, ln_e): (f64, f64, f64), seed: u64) -> Equivalence {
    let far = mean_x > 0.1;
    let token = |i: u32, emitted: &str, best: &str, margin_nats| WorstToken {
        trial: format!("{:04}-arm", 7 * i + 3),
        request: 11 * i + 2,
        position: 5 * i,
        emitted: emitted.into(),
        best: best.into(),
        margin_nats,
    };
    Equivalence {
        requests: 960,
        tokens: 122_880,
        launches: 8,
        from_ids: 960,
        mean_margin_nats: mean_x * 1.9,
        max_margin_nats: 0.9 + mean_x * 60.0 + noise(seed, 3),
        not_first: (mean_x * 1.22 * 122_880.0) as u64,
        mean_x,
        upper_x: Some(upper_x),
        launch_means: (0..8).map(|launch| mean_x * (0.75 + 0.5 * noise(seed + 60, launch))).collect(),
        mean_x_by_tokens: mean_x * 1.02,
        upper_x_by_tokens: Some(upper_x * 1.02),
        far_requests: if far { 214 } else { 0 },
        upper_far: if far { 0.247 } else { 0.0031 },
        ln_e,
        confidence: 0.95,
        requests_to_suspect: far.then_some(21),
        stages: vec![StageEvidence {
            stage: 1,
            requests: 960,
            from_ids: 960,
            launches: 8,
            highest_ln_e: ln_e.max(0.0),
            ln_e,
            requests_to_suspect: far.then_some(21),
        }],
        worst: vec![
            token(1, " the", " a", 0.9 + mean_x * 60.0),
            token(2, "\n\n", ".", 0.8 + mean_x * 41.0),
            token(3, " blue", " green", 0.61 + mean_x * 20.0),
        ],
    }
}

fn structure(short: bool) -> Vec<Check> {
    let check = |code, asks, consequence, violations| Check {
        code,
        asks,
        consequence,
        asked: 1920,
        violations,
        holds: violations > 0,
        examples: if violations > 0 { vec!["0009-int4/131: 14 tokens, the baseline 128".into()] } else { vec![] },
    };
    vec![
        check(
            "failed-requests",
            "every request gets a whole response, as often as with the baseline",
            Consequence::NotEquivalent,
            0,
        ),
        check("done-seen", "a stream ends with [DONE]", Consequence::NotEquivalent, 0),
        check("within-max-tokens", "no more ids than were asked for", Consequence::Altered, 0),
        check("ids-match-text", "the ids decode to the text", Consequence::NotEquivalent, 0),
        check(
            "claimed-output",
            "the server's count of output tokens is the number of its ids",
            Consequence::NotEquivalent,
            0,
        ),
        check(
            "early-stop-often",
            "nine of ten answers have nine tenths of the tokens of the baseline's",
            Consequence::NotEquivalent,
            if short { 237 } else { 0 },
        ),
        Check {
            holds: false,
            ..check("coalesced", "no more than half of the tokens come with the last read", Consequence::Information, 4)
        },
        Check {
            asked: 0,
            ..check(
                "claimed-prompt",
                "the server's count of prompt tokens is the reference's",
                Consequence::NotEquivalent,
                0,
            )
        },
    ]
}

/// What V1 would have said: a floor at 0, and cut answers that look fast.
fn divergence(identical: u64, median: u64) -> Divergence {
    let part = |trial: &str, request, shared_characters, own: &str, baseline: &str| Parting {
        trial: trial.into(),
        request,
        shared_characters,
        shared: "the harbour was quiet, and the boats".into(),
        own: own.into(),
        baseline: baseline.into(),
    };
    Divergence {
        requests: 960,
        identical,
        median_shared_characters: Some(median),
        examples: vec![
            part("0002-steady", 41, 36, " came in at dusk,\nwhich", " came home at dusk, and"),
            part("0005-steady", 112, 61, " slept <under> their | nets", " slept beneath their nets"),
        ],
    }
}

fn scores(made: &Made, seed: u64) -> Vec<Score> {
    let failed = Reason { code: "launch-failed", text: "5 of 8 launches failed, which V1 disqualified".into() };
    let of = |(mode, more): (&'static str, f64)| {
        let gain = |round: u32| (1.0 - 1.0 / made.speed + 0.01 * noise(seed, u64::from(round))).max(0.0) * more;
        let rounds: Vec<(u32, f64)> = (1..=made.rounds).map(|round| (round, gain(round))).collect();
        let score = stats::score::median(rounds.iter().map(|(_, s)| *s).collect()).filter(|_| made.rounds == 8);
        let why = (made.rounds < 8).then(|| failed.clone());
        Score { mode, score, rounds, entries: "logprobs", why }
    };
    [("v1-launch", 1.3), ("v1-aligned-tps", 1.1), ("v1-e2e", 1.0)].map(of).into()
}

fn gates(made: &Made) -> Vec<Gate> {
    let gate = |code, asks, value, passed, why| Gate { code, asks, rounds: 8, passed, value, why };
    let none = Reason { code: "not-asked", text: "no answer of it is graded".into() };
    let why = made.margins.is_none().then_some(none);
    let forced = "22 and 30 May: a reference gives each answer a mean logprob of −4, no token below −12";
    vec![
        gate("teacher-forcing", forced, why.is_none().then_some(-0.61), 8, why),
        gate("text-similarity", "12 June: a mean similarity of texts of 0.40", Some(0.83), 8, None),
    ]
}

fn candidate(i: u64, made: &Made) -> Candidate {
    let failures = (made.rounds..8).map(|round| Failure {
        trial: format!("{:04}-{}", 7 * (round + 1), made.name),
        class: lab::records::Class::Protocol,
        detail: "The server died in the run: signal 6.\nterminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc".into(),
    });
    let failed = u64::from(8 - made.rounds) * 240;
    Candidate {
        name: made.name.into(),
        description: made.description.into(),
        control: None,
        verdict: made.verdict,
        provisional: made.verdict != Verdict::Undecided,
        reasons: made.reasons.iter().map(|(code, text)| Reason { code, text: (*text).into() }).collect(),
        equivalence: made.margins.map(|m| equivalence(m, i)),
        divergence: Some(divergence(498, 188)),
        structure: structure(made.verdict == Verdict::Altered),
        speed: vec![
            speed(cell(), made.speed, made.rounds, 10 * i),
            speed(busy(), made.speed, made.rounds, 10 * i + 500),
        ],
        overall: (made.rounds == 8).then(|| effect(made.speed, made.rounds, 10 * i)),
        overall_note: (made.rounds < 8).then(|| Reason {
            code: "fewer-rounds",
            text: "5 of 8 launches failed; the speed of the others would hide that".into(),
        }),
        look: None,
        same_speed: None,
        scores: scores(made, 10 * i),
        gates: gates(made),
        notes: (made.name == "eager")
            .then(|| Reason {
                code: "client-late",
                text: "in 1 of 8 launches the client was late: p99 of its lag up to 1.62 ms (0010-eager), above 1.00 ms; the lag is part of the latencies, and these rounds count".into(),
            })
            .into_iter()
            .collect(),
        failures: failures.collect(),
        outcomes: [("complete".to_owned(), 1920 - failed), ("reset".to_owned(), failed)]
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .collect(),
    }
}

fn itself() -> Effect {
    Effect { low: 0.991, high: 1.008, p: 0.71, adjusted_p: None, ..effect(0.999, 8, 90) }
}

fn leaderboard() -> Leaderboard {
    let made = |name: &str| MADE.iter().zip(1..).find(|(made, _)| made.name == name).expect("it is made up above");
    let entry = |place, name: &str, letters: &str| {
        let (made, i) = made(name);
        let overall = effect(made.speed, made.rounds, 10 * i);
        Entry { place, name: name.into(), letters: letters.into(), score: overall.speedup - 1.0, overall }
    };
    let ranked = |made: &Made| made.verdict == Verdict::Equivalent;
    let why = |made: &Made| {
        let (code, text) = made.reasons[0];
        Reason { code, text: text.into() }
    };
    let below = MADE.iter().filter(|made| !ranked(made));
    Leaderboard {
        mode: "paired",
        void: None,
        margin: 0.01,
        entries: vec![entry(1, "fast", "a"), entry(2, "eager", "b")],
        pairs: vec![Pair {
            ahead: "fast".into(),
            behind: "eager".into(),
            rounds: 8,
            ratio: Some(PairRatio {
                ratio: 1.425,
                low: 1.382,
                high: 1.47,
                confidence: 0.95,
                p: 0.0000021,
                adjusted_p: 0.0000021,
            }),
            faster_with_confidence: Some("fast".into()),
            exceeds_by_margin: Some("fast".into()),
        }],
        unranked: below.map(|made| Unranked { name: made.name.into(), why: why(made) }).collect(),
        notes: vec![Reason { code: "alike", text: "images of baseline, eager, fast share 11 layers".into() }],
    }
}

pub(crate) fn judgement() -> Judgement {
    let bundle = |kind, folder: &str| BundleRef {
        id: Digest::of(folder),
        kind,
        stage: 1,
        folder: folder.into(),
        sealed: "2026-11-18T09:41:07Z".into(),
    };
    Judgement {
        format: FORMAT,
        method: "1",
        bundles: vec![bundle("measure", "chat-lab1-7f3a"), bundle("grade", "chat-lab1-7f3a-grade")],
        calibration_bundles: Vec::new(),
        workload: "chat".into(),
        workload_digest: Digest::of("workload"),
        tolerance: Tolerance::Declared { cap_nats: 2.5, mean: 0.05, far: 0.01 },
        controls: None,
        controls_lack: None,
        slo: Some(Slo {
            ttft_ns: Some(Nanos::from_millis(500)),
            tpot_ns: Some(Nanos::from_millis(40)),
            e2el_ns: None,
            share: 0.99,
        }),
        blind_control: None,
        candidates: MADE.iter().zip(1..).map(|(made, i)| candidate(i, made)).collect(),
        leaderboard: Some(leaderboard()),
        self_speeds: vec![SelfSpeed {
            of: "closing-opening",
            effect: Some(itself()),
            note: None,
            rejects: Some(false),
            same: Some(SameSpeed {
                word: Sameness::Same,
                within: 0.05,
                low: 0.992,
                high: 1.006,
                confidence: 0.9,
                p: 0.0000017,
            }),
        }],
        baseline: Baseline {
            opening_closing: vec![CellSpeed {
                primary: MetricEffect { effect: Some(itself()), ..metric("e2el-equal-work", 1.412e9, 0.999, 8, 90) },
                ..speed(cell(), 0.999, 8, 90)
            }],
            equivalence: Some(equivalence((0.0024, 0.0035, -3.6), 99)),
            divergence: Some(divergence(611, 207)),
            structure: structure(false),
            client_lag_p99_ns: Some(Nanos(23_000)),
            send_lag_p99_ns: Some(Nanos(81_000)),
            read_behind_ns: Some(Nanos(412_000)),
            nodes: vec![node("n1", 4, 0.952, (0.941, 0.963)), node("n2", 4, 1.05, (1.038, 1.063))],
            containers: None,
        },
        loads: loads::facts(),
        ladders: vec![loads::ladder()],
        voids: vec![Void {
            round: 6,
            block: 11,
            why: "the client was late in 0041-baseline: p99 of its lag 1.80 ms, at most 1.00 ms".into(),
        }],
    }
}

fn node(host: &str, blocks: usize, ratio: f64, (low, high): (f64, f64)) -> Node {
    let Cell { model, gpus, load } = cell();
    Node {
        host: host.into(),
        model,
        gpus,
        load,
        blocks,
        ratio: Some(ratio),
        low: Some(low),
        high: Some(high),
        closing_opening: Some(1.001),
        slow: low > 1.0 + analysis::nodes::SLOWER,
    }
}
