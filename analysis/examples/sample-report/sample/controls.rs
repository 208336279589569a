//! The made-up run as a run of controls.

use analysis::judgement::{
    Baseline, Calibration, Candidate, ControlFacts, Judgement, Leaderboard, Reason, Tolerance, Verdict,
};
use lab::{Digest, workload::Control};

fn facts(name: &str, mean_x: f64, highest_ln_e: f64, requests_to_suspect: Option<u64>) -> ControlFacts {
    ControlFacts {
        name: name.into(),
        arms: vec![name.into()],
        launches: 8,
        requests: 960,
        tokens: 122_880,
        mean_x,
        launch_means: (mean_x * 0.8, mean_x * 1.3),
        far_requests: 0,
        highest_ln_e,
        requests_to_suspect,
    }
}

/// What the controls give.
pub(crate) fn calibration() -> Calibration {
    let honest = ["baseline", "batch-1", "batch-64", "eager", "fast", "split-kv"];
    Calibration {
        bundles: vec![Digest::of("chat-lab1-7f3a")],
        cap_nats: 0.25,
        tokens: 737_280,
        mean: 0.0153,
        factor: 6.11,
        raised: 0,
        far: 0.0312,
        positive: honest.into_iter().zip(1..).map(|(name, i)| facts(name, 0.0011 * f64::from(i), 0.2, None)).collect(),
        negative: vec![facts("int4", 0.21, 880.4, Some(5)), facts("speculative-draft", 0.012, 3.1, None)],
    }
}

/// Nobody is judged; `crashing` was never graded.
pub(crate) fn of(judgement: Judgement) -> Judgement {
    let none = "the workload names no calibration and declares no [equivalence.tolerance]";
    let control = |candidate: Candidate| {
        let altered = ["int4", "speculative-draft"].contains(&candidate.name.as_str());
        let reason = match candidate.name.as_str() {
            "crashing" => Reason { code: "no-successful-request", text: "5 of 8 launches failed".into() },
            _ => Reason { code: "no-tolerance-declared", text: none.into() },
        };
        Candidate {
            control: Some(if altered { Control::Negative } else { Control::Positive }),
            verdict: Verdict::Undecided,
            provisional: true,
            reasons: vec![reason],
            equivalence: None,
            ..candidate
        }
    };
    Judgement {
        tolerance: Tolerance::None,
        leaderboard: judgement.leaderboard.map(|board| Leaderboard { entries: Vec::new(), pairs: Vec::new(), ..board }),
        baseline: Baseline { equivalence: None, ..judgement.baseline },
        controls: Some(Box::new(calibration())),
        candidates: judgement.candidates.into_iter().map(control).collect(),
        ..judgement
    }
}
