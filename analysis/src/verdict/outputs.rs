//! The verdict on one candidate's outputs, and the control that stands before it.

use lab::{
    records::TrialOutcome,
    workload::{BASELINE, Tolerance},
};
use stats::{proportion, stages::Standing};

use crate::{
    calibration,
    judgement::{self, Candidate, Consequence, Equivalence, Reason, Verdict},
    margins::{self, Margins},
    structure::Outcome,
    study::Study,
    voids::class_name,
};

/// Launches in which something must be seen before it disqualifies.
const LAUNCHES: u64 = 2;
/// Requests in which a structural check must be violated before it disqualifies.
const REQUESTS: u64 = 2;

/// What outputs are judged by: the tolerance, and the controls that stand before it.
pub(super) struct Rule {
    /// Where the tolerance comes from.
    pub(super) source: judgement::Tolerance,
    /// The baseline under its own reference.
    pub(super) baseline: Option<Equivalence>,
    tolerance: Option<Tolerance>,
    /// Why margins decide nothing in this run; none where the controls pass, or where there
    /// is nothing to hold them against.
    failure: Option<Reason>,
    /// Whether not even structural checks decide: our own baseline violates them.
    void: bool,
}

pub(super) struct Decision {
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<Reason>,
    pub(super) equivalence: Option<Equivalence>,
}

impl Rule {
    /// The rule of a study, before anybody looked at a blind control.
    pub(super) fn of(study: &Study) -> Self {
        let declared = study.workload.equivalence.as_ref().and_then(|e| e.tolerance);
        let (tolerance, source) = if study.calibration.is_empty() {
            let source = declared.map_or(judgement::Tolerance::None, |t| judgement::Tolerance::Declared {
                cap_nats: t.cap_nats,
                mean: t.mean,
                far: t.far,
            });
            (declared, source)
        } else {
            match calibration::of(&study.calibration) {
                Ok((tolerance, shown)) => (Some(tolerance), judgement::Tolerance::Calibrated(Box::new(shown))),
                Err(why) => (None, judgement::Tolerance::Failed { why }),
            }
        };
        let mut rule = Rule { source, baseline: None, tolerance, failure: None, void: false };
        if let Some(tolerance) = tolerance {
            let (baseline, failure) = self_consistency(study, tolerance);
            (rule.baseline, rule.failure) = (baseline, failure);
        }
        rule
    }

    /// Whether no calibration stands behind its verdicts.
    pub(super) fn is_provisional(&self) -> bool {
        !matches!(self.source, judgement::Tolerance::Calibrated(_))
    }

    /// Takes the verdict on the blind control in: unless it is *equivalent*, nobody's margins
    /// decide; if it is *altered*, nothing does.
    pub(super) fn take_blind_control(&mut self, control: &Candidate) {
        if control.verdict != Verdict::Equivalent {
            let why = control.reasons.first().map(|r| r.text.as_str()).unwrap_or_default();
            let text = format!("the blind control, which is the baseline itself, is not found equivalent: {why}");
            self.failure = Some(Reason { code: "blind-control-not-equivalent", text });
            self.void = control.verdict == Verdict::Altered;
        }
    }
}

/// Grades the baseline by the candidates' own test.
fn self_consistency(study: &Study, tolerance: Tolerance) -> (Option<Equivalence>, Option<Reason>) {
    let failed = |why: String| {
        let text = format!("the baseline does not pass its own grading: {why}");
        Some(Reason { code: "reference-not-self-consistent", text })
    };
    let Some(margins) = margins::of_arm(study, BASELINE, None, tolerance) else {
        let none = study.is_graded().then(|| "none of the baseline's outputs is graded".to_owned());
        return (None, none.and_then(failed));
    };
    let mut open = open_tests(study, BASELINE, &margins, tolerance);
    // A candidate's evidence begins anew in every stage: so does the baseline's.
    if let Some(stage) = margins.equivalence.stages.iter().find(|s| s.requests_to_suspect.is_some()) {
        open.push(Reason { code: "suspect", text: format!("its E passes 10³ in stage {}", stage.stage) });
    }
    let why = open.into_iter().map(|r| r.text).collect::<Vec<_>>().join("; ");
    let failure = if why.is_empty() { None } else { failed(why) };
    (Some(margins.equivalence), failure)
}

/// The verdict with its reasons, the decisive one first.
pub(super) fn decide(study: &Study, arm: &str, structure: &[Outcome], rule: &Rule) -> Decision {
    let complete = study.completed(arm).flat_map(|t| &t.responses).filter(|r| r.complete()).count();
    let (mut altered, mut open) = (Vec::new(), Vec::new());
    for outcome in structure.iter().filter(|o| o.check.holds) {
        let check = &outcome.check;
        let seen = format!("{} of {} requests in {} launches", check.violations, check.asked, outcome.launches);
        let example = check.examples.first().map(|e| format!(", as in {e}")).unwrap_or_default();
        let text = format!("not so in {seen}: {}{example}", check.asks);
        let reason = Reason { code: check.code, text };
        match check.consequence {
            Consequence::Altered if check.violations >= REQUESTS && outcome.launches >= LAUNCHES && !rule.void => {
                altered.push(reason)
            }
            Consequence::Altered | Consequence::NotEquivalent => open.push(reason),
            Consequence::Information => {}
        }
    }
    let margins = rule.tolerance.and_then(|t| Some((t, margins::of_arm(study, arm, None, t)?)));
    let mut first = Vec::new();
    if complete == 0 {
        let text = launches_failed(study, arm).unwrap_or_else(|| "no timed request got a whole response".into());
        first.push(Reason { code: "no-successful-request", text });
    } else {
        first.extend(rule.failure.clone());
    }
    match &margins {
        None => first.extend(without_margins(study, arm, complete, rule)),
        Some((tolerance, margins)) => {
            match beyond_tolerance(margins, *tolerance) {
                Some((Standing::Altered, reason)) if rule.failure.is_none() => altered.push(reason),
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
    let text = equivalence.as_ref().zip(rule.tolerance).map(|(e, t)| within(e, t)).unwrap_or_default();
    let reasons = vec![Reason { code: "within-tolerance", text }];
    Decision { verdict: Verdict::Equivalent, reasons, equivalence }
}

/// Why there is no test on margins at all.
fn without_margins(study: &Study, arm: &str, complete: usize, rule: &Rule) -> Option<Reason> {
    let reason = |code, text: String| Some(Reason { code, text });
    if let judgement::Tolerance::Failed { why } = &rule.source {
        return reason("calibration-failed", format!("the bundles that the workload names calibrate nothing: {why}"));
    }
    if rule.tolerance.is_none() {
        let mut text = "the workload names no calibration and declares no [equivalence.tolerance]".to_owned();
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

/// Evidence that the tolerance is exceeded, and where it stands.
fn beyond_tolerance(margins: &Margins, tolerance: Tolerance) -> Option<(Standing, Reason)> {
    let e = &margins.equivalence;
    let passed = e.stages.iter().filter_map(|s| {
        let after = s.requests_to_suspect?;
        Some(format!("E passed 10³ in stage {} after {after} of {} requests", s.stage, s.requests))
    });
    let passed: Vec<String> = passed.collect();
    let passed = if passed.is_empty() { "E passed 10³ over all stages".to_owned() } else { passed.join(", ") };
    let numbers = format!("{}; {passed}", beyond(e, tolerance));
    match (margins.standing, margins.standing_of_all) {
        (_, Standing::Clear) => None,
        (Standing::Altered, _) => Some((Standing::Altered, Reason { code: "margins-above-tolerance", text: numbers })),
        (standing, Standing::Altered) => {
            let text_only = e.requests - e.from_ids;
            let why = format!("{text_only} of {} graded from text alone, which disqualifies nobody", e.requests);
            Some((standing, Reason { code: "suspect", text: format!("{numbers}; {why}") }))
        }
        (standing, Standing::Suspect) => {
            let why = match e.stages.len() {
                1 => "another stage, with prompts drawn anew and another launch, can confirm it",
                _ => "no later stage has confirmed it",
            };
            Some((standing, Reason { code: "suspect", text: format!("{numbers}; {why}") }))
        }
    }
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
    let graded = |stage: usize| !study.stages[stage].grades.is_empty();
    let skipped = study.completed(arm).map(|t| t.stage).filter(|stage| !graded(*stage)).max();
    if let Some(stage) = skipped.filter(|_| study.is_graded()) {
        let text = format!("stage {} came and was not graded", stage + 1);
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
                e.mean_x,
                e.launches,
                short(tolerance.mean),
                short(tolerance.cap_nats)
            ),
        }),
        Some(_) => {}
    }
    if e.upper_x.is_some_and(|upper| upper < tolerance.mean)
        && let Some(upper) = e.upper_x_by_tokens.filter(|upper| *upper >= tolerance.mean)
    {
        open.push(Reason {
            code: "long-answers-not-below-tolerance",
            text: format!(
                "{place}over tokens the mean capped margin is {:.5}, upper bound {upper:.5}, not below the tolerance of {}: long answers differ more than short ones",
                e.mean_x_by_tokens,
                short(tolerance.mean)
            ),
        });
    }
    if e.upper_far >= tolerance.far {
        let needs = proportion::trials_needed(e.far_requests, tolerance.far, e.confidence).ok();
        let needs = needs
            .map(|n| format!("; {} graded requests in all without a further one would pass", grouped(n)))
            .unwrap_or_default();
        open.push(Reason {
            code: "far-not-below-tolerance",
            text: format!(
                "{place}{} far of {} requests: upper bound {:.2} %, not below the tolerance of {:.2} %{needs}",
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
        "mean capped margin {:.5}, tolerance {} (shares of {} nats); {} of {} graded tokens are not the reference's first choice; largest margin {:.2} nats; {} of {} requests far",
        e.mean_x,
        short(tolerance.mean),
        short(tolerance.cap_nats),
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
        short(tolerance.mean),
        e.far_requests,
        e.requests,
        100.0 * e.upper_far,
        100.0 * tolerance.far
    )
}

/// Five decimals at most.
fn short(x: f64) -> String {
    let digits = format!("{x:.5}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
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

#[cfg(test)]
mod tests;
