//! A made-up run with every kind of verdict: what the report is looked at and tested with.

use std::collections::BTreeMap;

use analysis::{
    judgement::{Judgement, Verdict},
    report::{self, Cell, Drift, Input, Series},
};
use lab::{
    Digest,
    environment::{ComputeMode, Environment, Gpu, ModelFacts, Program},
};

/// A run of controls.
mod controls;
/// A run of many candidates.
mod large;
/// Rates, service levels and a ladder.
mod loads;
/// What was timed.
mod timing;
/// The verdicts.
mod verdicts;
/// The runs of a week.
pub(crate) mod week;
/// Many runs.
mod weeks;

pub(crate) use week::OneWeek;
pub(crate) use weeks::Weeks;

/// Owns what an [`Input`] borrows.
pub(crate) struct Sample {
    pub(crate) judgement: Judgement,
    pub(crate) environments: Vec<Environment>,
    pub(crate) commands: Vec<String>,
    pub(crate) series: Vec<Series>,
    pub(crate) drift: Vec<Drift>,
    pub(crate) notes: BTreeMap<String, String>,
}

/// One made-up candidate.
struct Made {
    name: &'static str,
    description: &'static str,
    verdict: Verdict,
    speed: f64,
    rounds: u32,
    /// Mean x, its upper bound, ln E.
    margins: Option<(f64, f64, f64)>,
    reasons: &'static [(&'static str, &'static str)],
}

const MADE: [Made; 5] = [
    Made {
        name: "fast",
        description: "The baseline's engine with CUDA graphs and prefix caching.",
        verdict: Verdict::Equivalent,
        speed: 1.24,
        rounds: 8,
        margins: Some((0.0031, 0.0046, -3.4)),
        reasons: &[(
            "within-tolerance",
            "mean capped margin 0.00310, upper bound 0.00460 over 8 launches, tolerance 0.05; 0 far of 960 requests, upper bound 0.31 %, tolerance 1.00 %",
        )],
    },
    Made {
        name: "eager",
        description: "The same engine without graphs.",
        verdict: Verdict::Equivalent,
        speed: 0.87,
        rounds: 8,
        margins: Some((0.0028, 0.0041, -3.5)),
        reasons: &[(
            "within-tolerance",
            "mean capped margin 0.00280, upper bound 0.00410 over 8 launches, tolerance 0.05; 0 far of 960 requests, upper bound 0.31 %, tolerance 1.00 %",
        )],
    },
    Made {
        name: "speculative-draft",
        description: "A draft model proposes four tokens at a time.",
        verdict: Verdict::Undecided,
        speed: 1.52,
        rounds: 8,
        margins: Some((0.031, 0.062, 1.9)),
        reasons: &[(
            "mean-not-below-tolerance",
            "mean capped margin 0.03100, upper bound 0.06200 over 8 launches, not below the tolerance of 0.05 (shares of 2.5 nats)",
        )],
    },
    Made {
        name: "crashing",
        description: "Dies under load after three rounds.",
        verdict: Verdict::Undecided,
        speed: 1.08,
        rounds: 3,
        margins: None,
        reasons: &[("not-graded", "none of its sampled outputs could be graded")],
    },
    Made {
        name: "int4",
        description: "Weights quantised to four bits.",
        verdict: Verdict::Altered,
        speed: 1.71,
        rounds: 8,
        margins: Some((0.213, 0.229, 41.7)),
        reasons: &[
            (
                "margins-above-tolerance",
                "26 % of graded tokens are not the reference's first choice; mean capped margin 0.5325 of 2.5 nats against a tolerance of 0.125; E passed 10⁶ after 48 requests",
            ),
            (
                "early-stop-often",
                "not so in 237 of 1920 requests in 8 launches: nine of ten answers have nine tenths of the tokens of the baseline's, as in 0009-int4/131: 14 tokens, the baseline 128",
            ),
        ],
    },
];

/// A number between 0 and 1 that depends on nothing but its arguments.
fn noise(seed: u64, i: u64) -> f64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

impl Sample {
    /// The run.
    pub(crate) fn new() -> Self {
        Sample {
            judgement: verdicts::judgement(),
            environments: vec![environment()],
            commands: [
                "bench verify results/2026-11-18/chat-lab1-7f3a results/2026-11-18/chat-lab1-7f3a-grade",
                "bench judge results/2026-11-18/chat-lab1-7f3a results/2026-11-18/chat-lab1-7f3a-grade",
                "bench report results/2026-11-18/chat-lab1-7f3a results/2026-11-18/chat-lab1-7f3a-grade --out reports/2026-11-18",
            ]
            .map(str::to_owned)
            .into(),
            series: timing::series(),
            drift: vec![timing::drift()],
            notes: BTreeMap::new(),
        }
    }

    /// The same run as a plain measurement: no candidates, and arrivals at a rate.
    pub(crate) fn plain() -> Self {
        let mut sample = Sample::new();
        let open = |load: &mut String| *load = "open-2".into();
        sample.judgement.candidates.clear();
        sample.judgement.baseline.opening_closing.clear();
        sample.judgement.baseline.equivalence = None;
        sample.judgement.loads.retain(|f| f.arm == "baseline" && f.load == cell().load);
        sample.judgement.ladders.iter_mut().for_each(|l| l.arms.truncate(1));
        for facts in sample.judgement.loads.iter_mut().filter(|f| f.load == "closed-8") {
            open(&mut facts.load);
            facts.shape = "2 requests/s, Poisson arrivals, for 120.0 s".into();
            facts.offered = Some(analysis::judgement::Offered { value: 2.0, unit: "arrivals/s" });
        }
        sample.series.retain(|s| s.arm == "baseline");
        let served = sample.series.iter().filter(|s| s.metric != "tpot").map(|s| report::Series {
            metric: if s.metric == "ttft" { "ttft-service" } else { "e2el-service" },
            ..s.clone()
        });
        let served: Vec<_> = served.collect();
        sample.series.extend(served);
        sample.series.iter_mut().for_each(|s| open(&mut s.cell.load));
        sample.drift.iter_mut().for_each(|d| {
            open(&mut d.cell.load);
            d.points.retain(|p| p.role == lab::plan::Role::Opening && p.block % 2 == 1);
            (1..).zip(&mut d.points).for_each(|(trial, p)| p.trial = trial);
        });
        sample
    }

    /// The same run as one of controls: who is honest and who is altered is known.
    pub(crate) fn controls() -> Self {
        let sample = Sample::new();
        Sample { judgement: controls::of(sample.judgement), ..sample }
    }

    /// A run of so many candidates in so many cells.
    pub(crate) fn large(candidates: usize, cells: usize) -> Self {
        large::of(Sample::new(), candidates, cells)
    }

    /// What the report is made from.
    pub(crate) fn input(&self) -> Input<'_> {
        Input {
            title: "Chat on one H100",
            description: "Five candidates against the pinned baseline: 240 prose requests a round at concurrency 8 and at 24, eight rounds, a fresh server for each trial.",
            judgement: &self.judgement,
            environments: &self.environments,
            commands: &self.commands,
            series: &self.series,
            drift: &self.drift,
            notes: &self.notes,
        }
    }
}

fn cell() -> Cell {
    Cell { model: "smollm2-135m".into(), gpus: 1, load: "closed-8".into() }
}

/// The same under more clients.
fn busy() -> Cell {
    Cell { load: "closed-24".into(), ..cell() }
}

fn environment() -> Environment {
    let model = ModelFacts { digest: Digest::of("model"), bytes: 272_432_129, tokenizer: Digest::of("tokenizer") };
    Environment {
        format: 1,
        host: "lab1".into(),
        system: Some("NixOS 25.11".into()),
        kernel: Some("6.12.57".into()),
        cpu: Some("AMD EPYC 9554 64-Core Processor".into()),
        cores: 16,
        memory_bytes: Some(137_438_953_472),
        governor: None,
        clock_source: Some("tsc".into()),
        gpus: vec![Gpu {
            uuid: "GPU-5b0f1c3e-9c57-4a44-8a5b-0d1d9c4f7a21".into(),
            name: "NVIDIA H100 80GB HBM3".into(),
            driver: "580.95.05".into(),
            vbios: Some("96.00.99.00.01".into()),
            pci: Some("0000:3b:00.0".into()),
            minor: Some(0),
            numa_node: Some(0),
            memory_bytes: Some(85_520_809_984),
            power_limit_mw: Some(700_000),
            ecc: Some(true),
            mig: Some(false),
            persistence: Some(true),
            compute_mode: Some(ComputeMode::Default),
            pcie_generation: Some(5),
            pcie_width: Some(16),
            pcie_generation_max: Some(5),
            pcie_width_max: Some(16),
            sm_clock_max_mhz: Some(1_980),
            memory_clock_max_mhz: Some(2_619),
            sm_clock_application_mhz: None,
            memory_clock_application_mhz: None,
        }],
        program: Program { version: "0.1.0".into(), digest: Some(Digest::of("program")), ..Program::default() },
        models: BTreeMap::from([("smollm2-135m".to_owned(), model)]),
        ..Environment::default()
    }
}
