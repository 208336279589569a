//! A run of controls judges nobody: it says what its controls calibrate.

use analysis::judgement::Tolerance;

use crate::{assert_well_nested, files, sample::Sample};

#[test]
fn a_run_of_controls_leads_with_what_they_calibrate() {
    let files = files(&Sample::controls().input());
    let report = &files["report.md"];
    let above = report.split("\n## ").next().unwrap();
    assert!(
        above.contains("- **Calibration of 6 honest configurations:** cap c 0.250 nats, tolerance δ 0.0153"),
        "{above}"
    );
    assert!(above.contains("- **Altered controls found:** int4 after 5 graded requests."), "{above}");
    assert!(above.contains("- **Altered controls not found, the detection floor:** speculative-draft."), "{above}");
    assert!(report.contains("\n## Calibration\n") && report.contains("calibration = [\"sha256:"), "{report}");
    assert!(report.contains("\n## Controls\n") && report.contains("| honest control | mean x"), "{report}");
    let pages = files.iter().filter(|(name, _)| name.starts_with("candidates/") && name.ends_with(".md"));
    assert!(pages.into_iter().any(|(_, page)| page.contains("Honest control: mean x")));
    for word in ["undecided", "## Verdicts", "## Leaderboard", "## Candidates", "No tolerance was declared"] {
        let text = report.split("## How the numbers are made").next().unwrap();
        assert!(!text.contains(word), "it says `{word}`");
    }
    assert_well_nested("index.html", &files["index.html"]);
}

#[test]
fn controls_that_calibrate_nothing_are_said_to_lack_what_they_lack() {
    let mut sample = Sample::controls();
    sample.judgement.controls = None;
    sample.judgement.controls_lack =
        Some("4 honest configurations are graded, and at least 5 are needed; measure 1 more".into());
    let report = &files(&sample.input())["report.md"];
    assert!(
        report.contains(
            "- **No calibration:** 4 honest configurations are graded, and at least 5 are needed.\n- **Measure 1 more**"
        ),
        "{report}"
    );
    let table = analysis::report::table(&sample.judgement, 80, false);
    assert!(
        table.starts_with(
            "no calibration: 4 honest configurations are graded, and at least 5 are needed\n  measure 1 more\n"
        ),
        "{table}"
    );
}

#[test]
fn beside_candidates_that_are_judged_controls_are_marked() {
    let (mut sample, controls) = (Sample::new(), Sample::controls());
    sample.judgement.controls = controls.judgement.controls;
    let int4 = sample.judgement.candidates.iter_mut().find(|c| c.name == "int4").unwrap();
    int4.control = Some(lab::workload::Control::Negative);
    assert!(matches!(sample.judgement.tolerance, Tolerance::Declared { .. }));
    let files = files(&sample.input());
    let above = files["report.md"].split("\n## ").next().unwrap();
    assert!(above.contains("- **fast** is") && !above.contains("**int4**"), "{above}");
    assert!(above.contains("- **Altered controls found:** int4 after 5"), "{above}");
    assert!(files["csv/verdicts.csv"].contains("int4,altered control,altered,"), "{}", files["csv/verdicts.csv"]);
    let table = analysis::report::table(&sample.judgement, 80, false);
    assert!(table.starts_with("candidate ") && table.contains("  altered control: found after 5 of 960"), "{table}");
}
