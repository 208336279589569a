//! A report on little or nothing says so.

use analysis::{judgement::*, report::Input};

use crate::{assert_well_nested, files, sample::Sample};

/// The sample's files after `change`.
fn with(change: impl FnOnce(&mut Sample)) -> std::collections::BTreeMap<String, String> {
    let mut sample = Sample::new();
    change(&mut sample);
    let files = files(&sample.input());
    assert_well_nested("index.html", &files["index.html"]);
    files
}

#[test]
fn without_candidates_the_report_says_so() {
    let files = with(|sample| {
        sample.judgement.candidates.clear();
        sample.series.clear();
        sample.drift.clear();
    });
    for words in
        ["No candidate was measured.", "No speed was measured", "No request was timed.", "No trial has a value."]
    {
        assert!(files["index.html"].contains(words) && files["report.md"].contains(words), "{words}");
    }
    assert!(!files.contains_key("plots/speed.svg") && files["csv/verdicts.csv"].lines().count() == 1);
}

#[test]
fn without_graded_outputs_there_is_no_picture_of_margins() {
    let files = with(|sample| {
        sample.judgement.baseline.equivalence = None;
        sample.judgement.candidates.iter_mut().for_each(|c| c.equivalence = None);
    });
    assert!(files["index.html"].contains("No output was graded"));
    assert!(!files.contains_key("plots/margins.svg"));
}

#[test]
fn without_a_tolerance_the_first_thing_said_is_that_outputs_could_not_be_judged() {
    let files = with(|sample| sample.judgement.tolerance = Tolerance::None);
    assert!(files["index.html"].contains("No tolerance was declared: outputs could not be judged"));
}

#[test]
fn without_an_effect_no_speed_is_claimed() {
    let files = with(|sample| {
        for candidate in &mut sample.judgement.candidates {
            (candidate.overall, candidate.overall_note) = (None, None);
            for metric in candidate.speed.iter_mut().flat_map(|s| std::iter::once(&mut s.primary).chain(&mut s.beside))
            {
                metric.effect = None;
            }
        }
    });
    assert!(files["report.md"].contains("**fast** has no measured speed, outputs equivalent (provisional)."));
    assert!(!files.contains_key("plots/speed.svg"));
}

#[test]
fn too_few_rounds_are_a_ring_and_no_claim() {
    let files = with(|sample| {
        for candidate in &mut sample.judgement.candidates {
            let effect = candidate.overall.as_mut().map(|e| (e.rounds, e.powered) = (3, false));
            assert!(effect.is_some() || candidate.overall_note.is_some());
        }
    });
    assert!(files["csv/verdicts.csv"].contains("not powered (3 rounds),,"), "{}", files["csv/verdicts.csv"]);
    assert!(files["index.html"].contains("A ring is an estimate from too few rounds: no claim."));
}

#[test]
fn too_few_requests_have_no_percentile() {
    let files = with(|sample| {
        for series in &mut sample.series {
            series.values = stats::quantile::Sample::new(series.values.sorted_ns()[..100].to_vec()).unwrap();
        }
    });
    assert!(files["csv/latency-percentiles.csv"].contains(",n/a (n < 130),n/a (n < 662)\n"));
}

#[test]
fn every_cell_has_its_own_pictures_where_there_are_several() {
    let mut sample = Sample::new();
    for candidate in &mut sample.judgement.candidates {
        let mut second = candidate.speed[0].clone();
        second.load = "open-4".into();
        candidate.speed.push(second);
    }
    let mut second = sample.drift[0].clone();
    second.cell.load = "open-4".into();
    sample.drift.push(second);
    let files = files(&Input { title: "Two cells", ..sample.input() });
    for plot in ["plots/speed-1.svg", "plots/speed-2.svg", "plots/drift-2.svg"] {
        assert!(files.contains_key(plot), "{plot}");
    }
}
