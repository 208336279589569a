//! The verdict on one candidate's outputs, and the control that stands before it.

use lab::{
    records::TrialOutcome,
    workload::{BASELINE, Tolerance},
};

use crate::{
    judgement::{Consequence, Equivalence, Reason, Verdict},
    margins::{self, Margins},
    structure::Outcome,
    study::Study,
    voids::class_name,
};

/// Launches in which something must be seen before it disqualifies.
const LAUNCHES: u64 = 2;
/// Requests in which a structural check must be violated before it disqualifies.
const REQUESTS: u64 = 2;

/// The baseline under its own reference.
pub(super) struct Control {
    pub(super) equivalence: Option<Equivalence>,
    /// Why it does not pass; none where it does, or where there is nothing to hold it against.
    failure: Option<String>,
}

pub(super) struct Decision {
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<Reason>,
    pub(super) equivalence: Option<Equivalence>,
}

fn tolerance(study: &Study) -> Option<Tolerance> {
    study.workload.equivalence.as_ref().and_then(|e| e.tolerance)
}

/// Grades the baseline by the candidates' own test.
pub(super) fn control(study: &Study) -> Control {
    let Some(tolerance) = tolerance(study) else { return Control { equivalence: None, failure: None } };
    let Some(margins) = margins::of_arm(study, BASELINE, None, tolerance) else {
        let failure = study.is_graded().then(|| "none of the baseline's outputs is graded".to_owned());
        return Control { equivalence: None, failure };
    };
    let open = open_tests(study, BASELINE, &margins, tolerance);
    let failure = (!open.is_empty()).then(|| open.into_iter().map(|r| r.text).collect::<Vec<_>>().join("; "));
    Control { equivalence: Some(margins.equivalence), failure }
}

/// The verdict with its reasons, the decisive one first.
pub(super) fn decide(study: &Study, arm: &str, structure: &[Outcome], control: &Control) -> Decision {
    let complete = study.completed(arm).flat_map(|t| &t.responses).filter(|r| r.complete()).count();
    let (mut altered, mut open) = (Vec::new(), Vec::new());
    for outcome in structure.iter().filter(|o| o.check.holds) {
        let check = &outcome.check;
        let seen = format!("{} of {} requests in {} launches", check.violations, check.asked, outcome.launches);
        let example = check.examples.first().map(|e| format!(", as in {e}")).unwrap_or_default();
        let text = format!("not so in {seen}: {}{example}", check.asks);
        let reason = Reason { code: check.code, text };
        match check.consequence {
            Consequence::Altered if check.violations >= REQUESTS && outcome.launches >= LAUNCHES => {
                altered.push(reason)
            }
            Consequence::Altered | Consequence::NotEquivalent => open.push(reason),
            Consequence::Information => {}
        }
    }
    let margins = tolerance(study).and_then(|t| Some((t, margins::of_arm(study, arm, None, t)?)));
    let mut first = Vec::new();
    if complete == 0 {
        let text = launches_failed(study, arm).unwrap_or_else(|| "no timed request got a whole response".into());
        first.push(Reason { code: "no-successful-request", text });
    } else if let Some(failure) = &control.failure {
        let text = format!("the baseline does not pass its own grading: {failure}");
        first.push(Reason { code: "reference-not-self-consistent", text });
    }
    match &margins {
        None => first.extend(without_margins(study, arm, complete)),
        Some((tolerance, margins)) => {
            let evidence = beyond_tolerance(margins, *tolerance);
            match evidence {
                Some((true, reason)) if control.failure.is_none() => altered.push(reason),
                Some((_, reason)) => first.push(reason),
                None => {}
            }
            first.extend(open_tests(study, arm, margins, *tolerance));
        }
    }
    let equivalence = margins.map(|(_, m)| m.equivalence);
    first.extend(open);
    if !altered.is_empty() {
        altered.extend(first);
        return Decision { verdict: Verdict::Altered, reasons: altered, equivalence };
    }
    if !first.is_empty() {
        return Decision { verdict: Verdict::Undecided, reasons: first, equivalence };
    }
    let text = equivalence.as_ref().zip(tolerance(study)).map(|(e, t)| within(e, t)).unwrap_or_default();
    let reasons = vec![Reason { code: "within-tolerance", text }];
    Decision { verdict: Verdict::Equivalent, reasons, equivalence }
}

/// Why there is no test on margins at all.
fn without_margins(study: &Study, arm: &str, complete: usize) -> Option<Reason> {
    let reason = |code, text: String| Some(Reason { code, text });
    if tolerance(study).is_none() {
        let mut text = "the workload declares no [equivalence.tolerance], and there is no calibration".to_owned();
        if let Some(f) = margins::facts_of_arm(study, arm) {
            text += &format!(
                "; {} graded requests have a mean margin of {:.5} nats and a largest of {:.3} nats, {} of {} tokens are not the reference's first choice",
                f.requests,
                f.mean_nats,
                f.max_nats,
                grouped(f.not_first),
                grouped(f.tokens)
            );
        }
        return reason("no-tolerance-declared", text);
    }
    if !study.is_graded() {
        return reason("not-graded", "no grade bundle was given: run bench grade".into());
    }
    (complete > 0).then(|| Reason { code: "not-graded", text: "none of its sampled outputs could be graded".into() })
}

/// Evidence that the tolerance is exceeded; true where it disqualifies.
fn beyond_tolerance(margins: &Margins, tolerance: Tolerance) -> Option<(bool, Reason)> {
    let e = &margins.equivalence;
    let numbers = beyond(e, tolerance);
    if let Some(after) = margins.altered_after.filter(|_| margins.launches_from_ids >= LAUNCHES) {
        let text = format!("{numbers}; E passed 10⁶ after {after} requests");
        return Some((true, Reason { code: "margins-above-tolerance", text }));
    }
    let after = margins.suspect_after?;
    let why = if margins.altered_after.is_some() {
        "all of one launch, and two are the least that disqualifies".to_owned()
    } else if e.from_ids < e.requests && e.requests_to_threshold.is_some() {
        let text_only = e.requests - e.from_ids;
        format!("{text_only} of {} graded from text alone, which disqualifies nobody", e.requests)
    } else {
        format!("E passed 10³ after {after} requests, not 10⁶")
    };
    Some((false, Reason { code: "suspect", text: format!("{numbers}; {why}") }))
}

/// Every test that is not passed. Several groups must each pass.
fn open_tests(study: &Study, arm: &str, margins: &Margins, tolerance: Tolerance) -> Vec<Reason> {
    let mut open = Vec::new();
    if study.workload.sampling.temperature != 0.0 {
        let text = format!("temperature {}: margins judge greedy decoding only", study.workload.sampling.temperature);
        open.push(Reason { code: "not-greedy", text });
    }
    if margins.ungraded > 0 {
        let text = format!("{} sampled outputs came and were not graded", margins.ungraded);
        open.push(Reason { code: "not-all-graded", text });
    }
    let mut groups: Vec<(&str, u32)> =
        study.planned().filter(|t| t.arm == arm).map(|t| (t.model.as_str(), t.gpus)).collect();
    groups.sort_unstable();
    groups.dedup();
    if groups.len() < 2 {
        open.extend(bounds(&margins.equivalence, tolerance, ""));
        return open;
    }
    for (model, gpus) in groups {
        let place = format!("{model} on {gpus} GPUs: ");
        match margins::of_arm(study, arm, Some((model, gpus)), tolerance) {
            Some(margins) => open.extend(bounds(&margins.equivalence, tolerance, &place)),
            None => open.push(Reason { code: "not-graded", text: format!("{place}nothing is graded") }),
        }
    }
    open
}

fn bounds(e: &Equivalence, tolerance: Tolerance, place: &str) -> Vec<Reason> {
    let mut open = Vec::new();
    match e.upper_x {
        None => open.push(Reason {
            code: "one-launch",
            text: format!("{place}graded in one launch, and a bound over launches needs two"),
        }),
        Some(upper) if upper >= tolerance.mean => open.push(Reason {
            code: "mean-not-below-tolerance",
            text: format!(
                "{place}mean capped margin {:.5}, upper bound {upper:.5} over {} launches, not below the tolerance of {} (shares of {} nats)",
                e.mean_x, e.launches, tolerance.mean, tolerance.cap_nats
            ),
        }),
        Some(_) => {}
    }
    if e.upper_far >= tolerance.far {
        let needs = margins::requests_needed(e.far_requests, tolerance.far).filter(|_| e.far_requests == 0);
        let needs = needs.map(|n| format!("; it would need {} graded requests", grouped(n))).unwrap_or_default();
        open.push(Reason {
            code: "far-not-below-tolerance",
            text: format!(
                "{place}{} far of {} requests: upper bound {:.1} %, not below the tolerance of {:.1} %{needs}",
                e.far_requests,
                e.requests,
                100.0 * e.upper_far,
                100.0 * tolerance.far
            ),
        });
    }
    open
}

fn beyond(e: &Equivalence, tolerance: Tolerance) -> String {
    format!(
        "mean capped margin {:.4} of {} nats against a tolerance of {:.4}; {} of {} graded tokens are not the reference's first choice; largest margin {:.2} nats; {} of {} requests far",
        e.mean_x * tolerance.cap_nats,
        tolerance.cap_nats,
        tolerance.mean * tolerance.cap_nats,
        grouped(e.not_first),
        grouped(e.tokens),
        e.max_margin_nats,
        e.far_requests,
        e.requests
    )
}

fn within(e: &Equivalence, tolerance: Tolerance) -> String {
    format!(
        "mean capped margin {:.5}, upper bound {:.5} over {} launches, tolerance {}; {} far of {} requests, upper bound {:.2} %, tolerance {:.2} %",
        e.mean_x,
        e.upper_x.unwrap_or(1.0),
        e.launches,
        tolerance.mean,
        e.far_requests,
        e.requests,
        100.0 * e.upper_far,
        100.0 * tolerance.far
    )
}

/// 3072 as `3,072`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// How many launches of an arm failed, and how the first one did; none where none failed.
fn launches_failed(study: &Study, arm: &str) -> Option<String> {
    let own = || study.trials.iter().filter(|trial| trial.plan.arm == arm);
    let mut failures = own().filter_map(|trial| match &trial.record.outcome {
        TrialOutcome::Failed { class, detail } => Some((class_name(*class), detail)),
        TrialOutcome::Completed => None,
    });
    let (class, detail) = failures.next()?;
    let (failed, all) = (failures.count() + 1, own().count());
    let what = detail.lines().next().unwrap_or_default().trim_end_matches("; its last words:");
    Some(format!("{failed} of {all} launches failed, the first by `{class}`: {}", lab::text::shown(what, 300)))
}
