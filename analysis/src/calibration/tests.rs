use lab::{Kind, workload::Control};
use stats::equivalence::{Limits, Seen, evidence};

use crate::{
    Judgement, Study,
    judgement::{Calibration, Tolerance, Verdict},
    test_support::{Ask, Script, Sealed, honest},
};

const STEP: u64 = 1_000_000;

/// Every tenth token a little off: as honest kernels are.
fn noise(nats: f64) -> impl Fn(&Ask, usize) -> f64 {
    move |_, position| if position.is_multiple_of(10) { nats } else { 0.0 }
}

/// A run of controls: six honest configurations, the baseline among them, and two altered
/// servers, one of them hardly.
fn controls() -> Script {
    let mut script = Script::new(honest(STEP)).margins("baseline", noise(0.20));
    for (name, nats) in [("batch", 0.21), ("eager", 0.24), ("graph", 0.19), ("order", 0.22), ("split", 0.20)] {
        script = script.arm(name, honest(STEP)).margins(name, noise(nats));
    }
    script = script.arm("int4", honest(STEP)).margins("int4", |_, position| f64::from(position as u32 % 4));
    script = script.arm("int8", honest(STEP)).margins("int8", noise(0.25));
    script.declared = |name| match name {
        "int4" | "int8" => "control = \"negative\"".into(),
        _ => "control = \"positive\"".into(),
    };
    script.rounds = 2;
    script
}

/// A run with one candidate, judged by the calibration of another run.
fn judged(calibration: &Sealed, nats: f64) -> Judgement {
    let mut script = Script::new(honest(STEP)).margins("baseline", noise(0.2));
    script = script.arm("fast", honest(STEP / 2)).margins("fast", noise(nats));
    script.calibration = vec![calibration.id()];
    let sealed = script.seal();
    let all: Vec<_> = sealed.paths().into_iter().chain(calibration.paths()).collect();
    crate::judge(&Study::open(&all).unwrap())
}

fn calibration(judgement: &Judgement) -> &Calibration {
    let Tolerance::Calibrated(calibration) = &judgement.tolerance else { panic!("{:?}", judgement.tolerance) };
    calibration
}

#[test]
fn verdicts_under_a_calibrated_tolerance_are_not_provisional() {
    let controls = controls().seal();
    let judgement = judged(&controls, 0.21);
    let fast = &judgement.candidates[0];
    assert_eq!((fast.verdict, fast.provisional), (Verdict::Equivalent, false), "{:?}", fast.reasons);
    let calibration = calibration(&judgement);
    assert_eq!(calibration.bundles, [controls.id()]);
    // Two of twenty tokens at most 0.24 nats: that is the cap, and x of `eager` is a tenth.
    assert!((calibration.cap_nats - 0.24).abs() < 1e-12);
    let mean = |name: &str| calibration.positive.iter().find(|c| c.name == name).unwrap().mean_x;
    assert!((mean("eager") - 0.1).abs() < 1e-12 && (mean("batch") - 0.1 * 0.21 / 0.24).abs() < 1e-12);
    let names: Vec<_> = calibration.positive.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["baseline", "batch", "eager", "graph", "order", "split"]);
    assert!(calibration.mean > 0.1 && calibration.mean < 0.2, "δ covers all of them: {}", calibration.mean);
}

#[test]
fn the_detection_floor_says_what_is_found_and_what_is_not() {
    let judgement = judged(&controls().seal(), 0.2);
    let found = |name: &str| {
        let control = calibration(&judgement).negative.iter().find(|c| c.name == name).unwrap();
        control.requests_to_suspect.is_some()
    };
    assert!(found("int4") && !found("int8"));
    let honest = &calibration(&judgement).positive;
    assert!(honest.iter().all(|c| c.requests_to_suspect.is_none()), "{honest:?}");
}

#[test]
fn launches_of_one_configuration_count_once() {
    let mut script = controls();
    script.declared = |name| match name {
        "int4" | "int8" => "control = \"negative\"".into(),
        "graph" | "order" => "control = \"positive\"\nconfiguration = \"eager\"".into(),
        _ => "control = \"positive\"".into(),
    };
    let judgement = judged(&script.seal(), 0.2);
    // Four are left, and five are the least.
    let why = "4 distinct honest configurations are graded (baseline, batch, eager, split), and at least 5 are needed; measure and grade 1 more, with control = \"positive\", and name that bundle too";
    assert_eq!(judgement.tolerance, Tolerance::Failed { why: why.into() });
    let fast = &judgement.candidates[0];
    assert_eq!((fast.verdict, fast.reasons[0].code), (Verdict::Undecided, "calibration-failed"));
}

#[test]
fn a_calibration_that_fails_says_what_is_missing_and_what_to_do() {
    let failed = |script: Script| {
        let judgement = judged(&script.seal(), 0.2);
        let Tolerance::Failed { why } = judgement.tolerance else { panic!("{:?}", judgement.tolerance) };
        assert!(!why.contains("n/a") && why.contains("; "), "{why}");
        why
    };
    let exact = ["baseline", "batch", "eager", "graph", "order", "split"];
    let exact = exact.into_iter().fold(controls(), |script, name| script.margins(name, |_, _| 0.0));
    let why = failed(exact);
    assert!(why.contains("every token of theirs is the reference's first choice"), "{why}");
    let why = failed(controls().margins("eager", noise(0.000_01)).margins("graph", noise(1e-9)));
    assert!(why.contains("differ so much that their tolerance would allow anything"), "{why}");
}

#[test]
fn a_calibration_that_is_not_there_is_named() {
    let calibration = controls().seal();
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    script.calibration = vec![calibration.id()];
    let problem = Study::open(&script.seal().paths()).err().unwrap();
    assert_eq!(problem.kind, Kind::NotComparable);
    assert!(problem.to_string().contains(&calibration.id().to_string()), "{problem}");
}

#[test]
fn a_calibration_on_other_hardware_is_refused() {
    let mut elsewhere = controls();
    elsewhere.gpu = "NVIDIA A100";
    let calibration = elsewhere.seal();
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    (script.calibration, script.gpu) = (vec![calibration.id()], "NVIDIA H100");
    let sealed = script.seal();
    let all: Vec<_> = sealed.paths().into_iter().chain(calibration.paths()).collect();
    let problem = Study::open(&all).err().unwrap();
    assert_eq!(problem.kind, Kind::NotComparable);
    assert!(problem.to_string().contains("A100") && problem.to_string().contains("H100"), "{problem}");
}

#[test]
fn a_run_of_controls_is_judged_like_any_other() {
    let judgement = controls().seal().judge();
    assert_eq!(judgement.candidates.len(), 7);
    assert!(judgement.candidates.iter().all(|c| c.provisional));
    let controls = judgement.controls.unwrap();
    assert_eq!((controls.positive.len(), controls.negative.len()), (6, 2));
    assert_eq!(Script::new(honest(STEP)).arm("fast", honest(STEP)).seal().judge().controls, None);
}

#[test]
fn a_control_is_suspect_after_the_request_with_which_its_evidence_reaches_a_thousand() {
    let judgement = judged(&controls().seal(), 0.2);
    let calibration = calibration(&judgement);
    let int4 = calibration.negative.iter().find(|c| c.name == "int4").unwrap();
    // Every request of it is like the others: margins 0, 1, 2 and 3 nats in turn.
    let margins: Vec<f64> = (0..20).map(|position| f64::from(position % 4)).collect();
    let seen = Seen::of(&margins, calibration.cap_nats).unwrap();
    let limits = Limits { mean: calibration.mean, far: calibration.far };
    let reaches = |n: &usize| evidence(&vec![seen; *n], limits).unwrap().final_ln() >= libm::log(1e3);
    assert_eq!(int4.requests_to_suspect, (1..8).find(reaches).map(|n| n as u64));
    assert!(int4.requests_to_suspect.is_some_and(|n| n > 1));
    assert_eq!((int4.launches, int4.requests, int4.tokens), (2, 8, 160));
}

#[test]
fn a_run_of_controls_says_who_is_one_and_what_they_would_give_or_lack() {
    let run = |script: Script| script.seal().judge();
    let judgement = run(controls());
    let control = |name: &str| judgement.candidates.iter().find(|c| c.name == name).unwrap().control;
    assert_eq!((control("eager"), control("int8")), (Some(Control::Positive), Some(Control::Negative)));
    let own = judgement.controls.as_ref().unwrap();
    assert_eq!((own.positive.len(), own.negative.len(), &judgement.controls_lack), (6, 2, &None));

    let mut shared = controls();
    shared.declared = |name| match name {
        "int4" | "int8" => "control = \"negative\"".into(),
        "graph" | "order" => "control = \"positive\"\nconfiguration = \"eager\"".into(),
        _ => "control = \"positive\"".into(),
    };
    let judgement = run(shared);
    assert!(judgement.controls.is_none());
    assert!(judgement.controls_lack.unwrap().starts_with("4 distinct honest configurations are graded"));
}

#[test]
fn arms_of_one_configuration_are_named_with_it() {
    let mut script = controls();
    script.declared = |name| match name {
        "int4" | "int8" => "control = \"negative\"".into(),
        "graph" => "control = \"positive\"\nconfiguration = \"eager\"".into(),
        _ => "control = \"positive\"".into(),
    };
    let judgement = script.seal().judge();
    let own = judgement.controls.unwrap();
    let eager = own.positive.iter().find(|c| c.name == "eager").unwrap();
    assert_eq!(eager.arms, ["eager", "graph"]);
}

#[test]
fn how_many_configurations_there_are_is_told_as_people_count() {
    let said = |names: &[&str]| {
        let positive = names.iter().map(|name| ((*name).to_owned(), super::Launched::default())).collect();
        super::missing(&positive, &stats::NoAnswer::TooFew { have: 1, need: 2 })
    };
    assert!(said(&[]).starts_with(
        "none of the honest configurations is graded, and at least 5 are needed; measure and grade 5 more,"
    ));
    assert!(
        said(&["a"])
            .starts_with("1 honest configuration is graded (a), and at least 5 are needed; measure and grade 4 more,")
    );
    assert!(
        said(&["a", "b", "c", "d"])
            .starts_with("4 distinct honest configurations are graded (a, b, c, d), and at least 5")
    );
    // Five are enough: what is too few is something else.
    let five = "5 distinct honest configurations are graded (a, b, c, d, e), and their margins have no tolerance bound: n/a (n < 2)";
    assert_eq!(said(&["a", "b", "c", "d", "e"]), five);
}
