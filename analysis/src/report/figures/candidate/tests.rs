use std::path::Path;

use super::*;
use crate::{
    chart::seen::{all as all_of, dots, texts},
    judgement::{LoadFacts, Offered, Percentiles, Tolerance},
    report::{figures::Figure, input::Input},
};

/// Made-up runs.
#[path = "../../../../examples/sample-report/sample/mod.rs"]
#[allow(dead_code, unused_imports)]
mod sample;

use sample::Sample;

/// The run under one of its loads.
fn plain() -> Sample {
    let mut sample = Sample::new();
    let judgement = &mut sample.judgement;
    judgement.loads.retain(|facts| facts.load == "closed-8");
    for candidate in &mut judgement.candidates {
        candidate.speed.retain(|speed| speed.load == "closed-8");
    }
    sample
}

/// The run with what each arm did on each step of its ladder.
fn climbed() -> Sample {
    let mut sample = plain();
    let ladder = sample.judgement.ladders[0].clone();
    let one = |arm: &str| sample.judgement.loads.iter().find(|f| f.arm == arm).unwrap().clone();
    let mut steps: Vec<LoadFacts> = Vec::new();
    for climb in &ladder.arms {
        let at_rest = one(&climb.arm);
        let speed = at_rest.tokens_per_s.unwrap() / 721.4;
        for step in &climb.steps {
            // As of a queue with one server: slower the fuller it is.
            let full = (step.value / (9.0 * speed)).min(0.97);
            let slower = |p: &Percentiles| {
                let [body, tail] = match p.metric {
                    "ttft" => [0.3 / (1.0 - full), 0.5 / (1.0 - full)],
                    _ => [0.5 + full, 0.6 + 1.5 * full],
                };
                let times = |ns: Option<u64>, times: f64| ns.map(|ns| (ns as f64 * times) as u64);
                Percentiles { p50_ns: times(p.p50_ns, body), p99_ns: times(p.p99_ns, tail), ..p.clone() }
            };
            steps.push(LoadFacts {
                load: step.load.clone(),
                shape: format!("{} arrivals/s, Poisson arrivals", step.value),
                offered: Some(Offered { value: step.value, unit: "arrivals/s" }),
                tokens_per_s: Some(128.0 * step.value.min(9.0 * speed)),
                latencies: at_rest.latencies.iter().map(slower).collect(),
                ..at_rest.clone()
            });
        }
    }
    sample.judgement.loads.extend(steps);
    sample
}

/// The run with this many cells, each like the other, the later the slower.
fn spread(cells: u32) -> Sample {
    let mut sample = plain();
    let cell = |i: u32| (1 << (i % 3), format!("closed-{}", 1 << (i / 3)));
    let slower = |i: u32| 1.0 + 0.7 * f64::from(i);
    for candidate in &mut sample.judgement.candidates {
        let one = candidate.speed[0].clone();
        let each = (0..cells).map(|i| {
            let mut speed = one.clone();
            (speed.gpus, speed.load) = cell(i);
            let shift = 1.0 + 0.02 * f64::from(i % 5);
            speed.primary.rounds.iter_mut().for_each(|r| r.1 *= shift);
            if let Some(e) = &mut speed.primary.effect {
                (e.speedup, e.low, e.high) = (e.speedup * shift, e.low * shift, e.high * shift);
            }
            speed
        });
        candidate.speed = each.collect();
    }
    let one = std::mem::take(&mut sample.series);
    for i in 0..cells {
        sample.series.extend(one.iter().map(|s| {
            let mut s = s.clone();
            (s.cell.gpus, s.cell.load) = cell(i);
            let values = s.values.sorted_ns().iter().map(|v| (*v as f64 * slower(i)) as u64).collect();
            s.values = stats::quantile::Sample::new(values).unwrap();
            s
        }));
    }
    let gaps: Vec<_> = sample.series.iter().filter(|s| s.metric == "tpot").cloned().collect();
    sample.series.extend(gaps.into_iter().map(|s| crate::report::Series { metric: "itl", ..s }));
    sample
}

/// The run with a tolerance that controls stand behind.
fn calibrated() -> Sample {
    let mut sample = plain();
    let controls = Sample::controls().judgement.controls.unwrap();
    sample.judgement.tolerance = Tolerance::Calibrated(controls);
    sample
}

/// All pictures of a candidate's page.
fn all(input: &Input, name: &str) -> Vec<Figure> {
    let mut all: Vec<Figure> = rounds(input.judgement, name).into_iter().collect();
    all.extend(distributions(input, name));
    all.extend(latency_against_load(input.judgement, name));
    all.extend(throughput_against_latency(input.judgement, name));
    all.extend(margins(input.judgement, name));
    all
}

fn files(figures: &[Figure]) -> Vec<&str> {
    figures.iter().map(|f| f.name.as_str()).collect()
}

fn words(figure: &Figure) -> Vec<String> {
    texts(&figure.picture.wide)
}

#[test]
fn a_candidate_has_its_pictures_under_its_own_names() {
    let expected = ["rounds", "latency", "load-1", "pareto-1", "margins"].map(|end| format!("eager-{end}"));
    assert_eq!(files(&all(&climbed().input(), "eager")), expected);
    assert_eq!(files(&all(&climbed().input(), "nobody")), [""; 0]);
}

#[test]
fn only_the_baseline_and_the_candidate_are_in_them() {
    for figure in all(&climbed().input(), "fast") {
        let words = words(&figure).join(" ") + &figure.alt;
        assert!(
            !["eager", "int4", "crashing", "speculative"].iter().any(|other| words.contains(other)),
            "{}",
            figure.name
        );
    }
}

#[test]
fn an_arm_has_its_colour_in_every_picture() {
    for figure in all(&climbed().input(), "crashing") {
        let svg = figure.picture.wide.inline("wide", "");
        assert!(svg.contains("var(--arm4)"), "{}", figure.name);
        assert!((1..8).filter(|n| *n != 4).all(|n| !svg.contains(&format!("var(--arm{n})"))), "{}", figure.name);
    }
}

#[test]
fn rounds_without_a_value_are_crossed_and_said() {
    let sample = plain();
    let figure = rounds(&sample.judgement, "crashing").unwrap();
    let crosses = all_of(&figure.picture.wide, "line").iter().filter(|e| e.get("stroke") == "var(--muted)").count();
    assert_eq!(crosses, 2 * 5, "five of eight rounds");
    assert!(figure.caption.contains("A cross") && words(&figure).contains(&"not powered (3 rounds)".to_owned()));
    assert!(!rounds(&sample.judgement, "fast").unwrap().caption.contains("A cross"));
}

#[test]
fn further_rounds_are_rings_and_no_part_of_the_claim() {
    let mut sample = plain();
    sample.judgement.candidates[0].speed[0].primary.further = vec![(9, 1.3)];
    let figure = rounds(&sample.judgement, "fast").unwrap();
    assert_eq!(dots(&figure.picture.wide, "var(--arm1)", 3.4).len(), 8);
    assert!(figure.caption.contains("A ring: a further round"));
}

#[test]
fn there_is_no_picture_of_rounds_without_one() {
    let mut sample = plain();
    sample.judgement.candidates[0].speed[0].primary.rounds.clear();
    assert!(rounds(&sample.judgement, "fast").is_none());
}

#[test]
fn one_cell_has_all_its_latencies_in_one_picture_and_several_have_one_for_each() {
    assert_eq!(files(&distributions(&plain().input(), "fast")), ["fast-latency"]);
    let sample = spread(3);
    let several = distributions(&sample.input(), "fast");
    assert_eq!(files(&several), ["ttft", "tpot", "itl", "e2el"].map(|m| format!("fast-latency-{m}")));
    assert!(["1 GPU", "2 GPUs", "4 GPUs"].iter().all(|cell| words(&several[0]).iter().any(|w| w == cell)));
}

#[test]
fn the_distributions_of_twelve_cells_stay_below_450_kb() {
    let sample = spread(12);
    let figures = distributions(&sample.input(), "speculative-draft");
    let bytes =
        |f: &Figure| f.picture.wide.inline("wide", &f.alt).len() + f.picture.narrow.inline("narrow", &f.alt).len();
    let all: usize = figures.iter().map(bytes).sum();
    assert!(figures.len() == 4 && all < 450_000, "{all}");
}

#[test]
fn every_drawn_step_of_a_distribution_is_a_stored_one() {
    for n in [1, 3, 63, 64, 65, 129, 1_000] {
        let values = (0..n).map(|i| i * 7 % 640 + 100_000).collect();
        let sample = stats::quantile::Sample::new(values).unwrap();
        let drawn = sample.ecdf(crate::report::tables::FEWER_PARTS).unwrap();
        assert!(drawn.len() <= 64);
        for of in [2, 10_000] {
            let stored = crate::report::tables::steps(&sample, of);
            for step in &drawn {
                assert!(stored.contains(&(step.value_ns as f64, step.at_most as f64 / n as f64)), "{step:?} of {n}");
            }
        }
    }
}

#[test]
fn one_load_is_no_picture_against_load() {
    let sample = plain();
    assert!(latency_against_load(&sample.judgement, "fast").is_empty());
    assert!(throughput_against_latency(&sample.judgement, "fast").is_empty());
}

#[test]
fn end_to_end_latency_stands_against_load_only_where_a_level_names_it() {
    let mut sample = climbed();
    let titles = |sample: &Sample| {
        let texts = words(&latency_against_load(&sample.judgement, "fast")[0]);
        ["TTFT", "TPOT", "E2EL"].map(|metric| texts.iter().any(|t| t.starts_with(metric)))
    };
    assert_eq!(titles(&sample), [true, true, false]);
    sample.judgement.slo.as_mut().unwrap().e2el_ns = Some(lab::Nanos::from_millis(30_000));
    assert_eq!(titles(&sample), [true, true, true]);
    // Thirty seconds are shown in seconds, and the limits as they were declared.
    let texts = words(&latency_against_load(&sample.judgement, "fast")[0]);
    assert!(["500 ms", "40 ms", "30 s"].iter().all(|limit| texts.iter().any(|t| t == limit)), "{texts:?}");
}

#[test]
fn without_levels_there_is_no_limit_and_no_ring() {
    let mut sample = climbed();
    (sample.judgement.slo, sample.judgement.ladders) = (None, Vec::new());
    let figure = &latency_against_load(&sample.judgement, "fast")[0];
    assert!(!words(figure).iter().any(|t| t == "at most" || t.starts_with("largest load")));
    assert!(!figure.caption.contains("ring") && figure.alt.contains("fast p50"));
}

#[test]
fn a_percentile_that_is_not_printed_is_not_drawn() {
    let mut sample = climbed();
    sample.judgement.loads.iter_mut().flat_map(|f| &mut f.latencies).for_each(|p| p.p99_ns = None);
    let texts = words(&latency_against_load(&sample.judgement, "fast")[0]);
    assert!(texts.iter().any(|t| t == "p50") && !texts.iter().any(|t| t == "p99"));
}

#[test]
fn loads_of_another_kind_are_another_picture() {
    let mut sample = climbed();
    let clients: Vec<LoadFacts> = sample.judgement.loads.iter().filter(|f| f.load == "closed-8").cloned().collect();
    sample.judgement.loads.extend(clients.into_iter().map(|facts| LoadFacts {
        load: "closed-16".into(),
        offered: Some(Offered { value: 16.0, unit: "clients" }),
        ..facts
    }));
    let figures = latency_against_load(&sample.judgement, "fast");
    assert_eq!(files(&figures), ["fast-load-1", "fast-load-2"]);
    let of = |axis: &str| figures.iter().filter(|f| words(f).iter().any(|t| t == axis)).count();
    assert_eq!((of("clients, log scale"), of("offered load, arrivals/s, log scale")), (1, 1));
    // No ladder stands behind the first.
    assert!(!figures[0].caption.contains("ring") && figures[1].caption.contains("ring"));
}

#[test]
fn a_limit_beyond_the_ladder_is_said_and_not_drawn() {
    let sample = climbed();
    let figure = &latency_against_load(&sample.judgement, "int4")[0];
    assert!(words(figure).contains(&"int4 above 15.2 requests/s in 3 of 8 rounds".to_owned()));
    let rings = all_of(&figure.picture.wide, "circle");
    assert!(!rings.iter().any(|e| e.get("stroke") == "var(--arm5)"));
}

#[test]
fn the_front_is_told_in_words_too() {
    let figure = &throughput_against_latency(&climbed().judgement, "fast")[0];
    // The candidate gives more at less latency under each load.
    assert!(
        figure.alt.contains("fast at 2, fast at 3, fast at 4.5") && !figure.alt.contains("baseline at"),
        "{}",
        figure.alt
    );
}

#[test]
fn margins_show_each_launch_and_need_a_tolerance_and_a_grade() {
    let mut sample = plain();
    let figure = margins(&sample.judgement, "fast").unwrap();
    let strokes = all_of(&figure.picture.wide, "line");
    let of = |colour: &str| {
        strokes.iter().filter(|e| e.get("stroke") == colour && e.number("y2") - e.number("y1") == 70.0).count()
    };
    assert_eq!((of("var(--equivalent)"), of("var(--ink)")), (8, 8));
    assert!(words(&figure).contains(&"tolerance δ = 0.0500".to_owned()));
    assert!(margins(&sample.judgement, "crashing").is_none(), "never graded");
    sample.judgement.tolerance = Tolerance::None;
    assert!(margins(&sample.judgement, "fast").is_none());
}

#[test]
fn the_controls_behind_a_tolerance_stand_beneath_the_hardest_to_find_first() {
    let sample = calibrated();
    let texts = words(&margins(&sample.judgement, "fast").unwrap());
    let place = |word: &str| texts.iter().position(|t| t == word).unwrap();
    assert!(place("honest controls") < place("speculative-draft") && place("speculative-draft") < place("int4"));
    // From the smallest launch of the closest configuration to the largest of the farthest.
    assert!(
        texts.contains(&"6 configurations".to_owned()) && texts.contains(&"8.8e-4 to 0.0086".to_owned()),
        "{texts:?}"
    );
}

#[test]
fn what_a_stranger_named_is_shown_and_obeyed_nowhere() {
    let mut sample = climbed();
    let bad = "<img src=x>\u{1b}[2J";
    let rename = |name: &mut String| {
        if name == "fast" {
            *name = bad.into();
        }
    };
    sample.judgement.candidates.iter_mut().for_each(|c| rename(&mut c.name));
    sample.judgement.loads.iter_mut().for_each(|f| rename(&mut f.arm));
    sample.judgement.ladders.iter_mut().flat_map(|l| &mut l.arms).for_each(|a| rename(&mut a.arm));
    sample.series.iter_mut().for_each(|s| rename(&mut s.arm));
    let figures = all(&sample.input(), bad);
    assert_eq!(figures.len(), 5);
    for figure in figures {
        let svg = figure.picture.wide.inline("wide", "") + &figure.picture.narrow.inline("narrow", "");
        assert!(!svg.contains("<img") && !svg.contains('\u{1b}') && !figure.alt.contains('\u{1b}'), "{}", figure.name);
    }
}

#[test]
fn the_pictures_look_as_before() {
    // As in tests/report/snapshots.rs: UPDATE_SNAPSHOTS=1 writes them anew.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/snapshots");
    let sample = climbed();
    for figure in all(&sample.input(), "fast").iter().filter(|f| !f.name.ends_with("latency")) {
        let path = folder.join(format!("{}.svg", figure.name));
        let now = figure.picture.wide.file(&crate::report::escape::html(&figure.alt));
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = before.lines().zip(now.lines()).find(|(a, b)| a != b);
        assert!(before == now, "{} differs, first at {differs:?}; see tests/report/snapshots.rs", figure.name);
    }
}
