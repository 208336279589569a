//! A report on little or nothing says so.

use analysis::{judgement::*, report::Input};

use crate::{assert_well_nested, files, sample::Sample};

/// The sample's files after `change`.
fn with(change: impl FnOnce(&mut Sample)) -> std::collections::BTreeMap<String, String> {
    let mut sample = Sample::new();
    change(&mut sample);
    let files = files(&sample.input());
    for (name, page) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        assert_well_nested(name, page);
    }
    files
}

#[test]
fn without_anything_the_report_says_so() {
    let files = with(|sample| {
        sample.judgement.candidates.clear();
        sample.judgement.loads.clear();
        sample.judgement.ladders.clear();
        sample.series.clear();
        sample.drift.clear();
    });
    for words in ["No load was measured.", "No request was timed.", "No trial has a value."] {
        assert!(files["index.html"].contains(words) && files["report.md"].contains(words), "{words}");
    }
    assert!(!files.contains_key("plots/speed.svg") && files["csv/verdicts.csv"].lines().count() == 1);
}

#[test]
fn without_candidates_nothing_is_held_against_anything() {
    let sample = Sample::plain();
    let files = files(&sample.input());
    for file in ["index.html", "report.md"] {
        for word in ["Verdict", "Speed-up over", "undecided", "Candidates", "no verdict", "No output was graded"] {
            let text = files[file].split("<main").last().unwrap();
            let text = text.split("How the numbers are made").next().unwrap();
            assert!(!text.contains(word), "{file} says `{word}`");
        }
        for word in ["open-2", "721", "Service time: the same from the actual send", "Largest load"] {
            assert!(files[file].contains(word), "{file} does not say `{word}`");
        }
    }
    let table = analysis::report::table(&sample.judgement, 80, false);
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("open-2  3835 of 3840  41.3 ms"), "{table}");
    assert!(table.contains("baseline 4.58 requests/s [4.32, 4.85]"), "{table}");
}

#[test]
fn steps_of_a_ladder_are_one_picture_and_not_many() {
    let mut sample = Sample::new();
    for candidate in &mut sample.judgement.candidates {
        let mut step = candidate.speed[0].clone();
        (step.load, step.counts) = ("rate-3".into(), false);
        candidate.speed[1] = step;
    }
    for i in 0..sample.series.len() {
        let mut step = sample.series[i].clone();
        step.cell.load = "rate-3".into();
        sample.series.push(step);
    }
    let files = files(&sample.input());
    assert!(files.contains_key("plots/capacity-1.svg") && !files.contains_key("plots/speed-1.svg"));
    assert_eq!(files.keys().filter(|name| name.starts_with("plots/latency")).count(), 3);
    assert!(files["csv/latency-percentiles.csv"].contains("rate-3"));
    let pages = files.iter().filter(|(name, _)| name.starts_with("candidates/"));
    assert!(pages.into_iter().all(|(_, page)| !page.contains("rate-3")));
}

#[test]
fn the_capacity_of_altered_outputs_does_not_count() {
    let files = with(|sample| {
        let arms = &mut sample.judgement.ladders[0].arms;
        arms[5].ratio = arms[1].ratio;
    });
    assert!(files["csv/capacity.csv"].lines().last().unwrap().contains("does not count"));
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
