use super::*;

/// A run of day `day` (0 to 99) with this value.
fn run(day: usize, value: f64) -> Point {
    Point {
        started: format!("2026-{:02}-{:02}T09:00:00Z", 1 + day / 25, 1 + day % 25),
        bundles: vec![Digest::of(format!("bundle of day {day}"))],
        value,
        interval: None,
        baseline: Digest::of("vLLM"),
        method: "1.0.0".into(),
    }
}

fn series(name: &str, values: &[f64]) -> Series {
    Series::new(name, "ms", values.iter().enumerate().map(|(day, value)| run(day, *value)).collect())
}

/// `n` values around `middle`, whose geometric mean it is if n is even: ×, ÷ 1.01, ×, ÷ 1.02, …
fn around(middle: f64, n: usize) -> Vec<f64> {
    let factor = |i: usize| 1.01 + 0.01 * ((i / 2) % 3) as f64;
    (0..n).map(|i| if i % 2 == 0 { middle * factor(i) } else { middle / factor(i) }).collect()
}

/// Values without a change: a fixed irregular order of one grid.
fn steady(n: usize, start: usize) -> Vec<f64> {
    (0..n).map(|i| 5.0 + 0.01 * ((start + 7 * i) * (start + 3 * i) % 23) as f64).collect()
}

fn only(series: Series) -> Vec<Segment> {
    changes(&[series]).pop().unwrap()
}

/// Its runs; whether baseline and method are others than before.
type Part = (Range<usize>, Option<(bool, bool)>);

fn runs(segments: &[Segment]) -> Vec<Part> {
    segments.iter().map(|s| (s.runs.clone(), s.cut.map(|cut| (cut.rebase, cut.method)))).collect()
}

#[test]
fn a_change_stands_between_geometric_means() {
    let values = [around(2.0, 10), around(3.0, 8), around(2.5, 12)].concat();
    let segments = only(series("TPOT", &values));
    assert_eq!(runs(&segments), [(0..30, None)]);
    let found = segments[0].changes.as_ref().unwrap();
    let places: Vec<usize> = found.points.iter().map(|change| change.at).collect();
    assert_eq!(places, [10, 18]);
    for (change, (before, after)) in found.points.iter().zip([(2.0, 3.0), (3.0, 2.5)]) {
        assert!((change.before - before).abs() < 1e-14 && (change.after - after).abs() < 1e-14, "{change:?}");
        // None of 999 orders is as clear.
        assert_eq!(change.p, 0.001);
    }
    assert_eq!((found.p, found.level), (0.001, 0.05));
}

#[test]
fn values_are_compared_by_their_ratios() {
    let values = [around(2.0, 10), around(3.0, 10)].concat();
    let found = |factor: f64| {
        let values: Vec<f64> = values.iter().map(|value| factor * value).collect();
        let found = only(series("TPOT", &values)).remove(0).changes.unwrap();
        found.points.iter().map(|change| (change.at, change.p)).collect::<Vec<_>>()
    };
    assert_eq!((found(1.0), found(1e6)), (vec![(10, 0.001)], vec![(10, 0.001)]));
    // Twice as much and half as much are equally far from the middle, to logs alone.
    let symmetric = [[0.25; 6], [4.0; 6]].concat();
    let change = only(series("TPOT", &symmetric)).remove(0).changes.unwrap().points[0];
    assert!((change.before * change.after - 1.0).abs() < 1e-15);
}

#[test]
fn runs_are_in_the_order_in_which_they_began() {
    let values = [around(2.0, 10), around(3.0, 10)].concat();
    let points: Vec<Point> = values.iter().enumerate().map(|(day, value)| run(day, *value)).collect();
    let mixed: Vec<Point> = (0..20).map(|i| points[i * 7 % 20].clone()).collect();
    let mixed = Series::new("TPOT", "ms", mixed);
    assert_eq!(mixed, Series::new("TPOT", "ms", points));
    assert_eq!(only(mixed)[0].changes.as_ref().unwrap().points[0].at, 10);
}

#[test]
fn another_baseline_or_method_cuts_a_series_and_is_no_change() {
    let mut points: Vec<Point> = (0..40).map(|day| run(day, if day < 10 { 2.0 } else { 3.0 })).collect();
    points[10..].iter_mut().for_each(|point| point.baseline = Digest::of("vLLM, a version later"));
    points[20..].iter_mut().for_each(|point| point.method = "2.0.0".into());
    points[30..].iter_mut().for_each(|point| point.baseline = Digest::of("vLLM"));
    points[32..].iter_mut().for_each(|point| point.baseline = Digest::of("another"));
    points[32..].iter_mut().for_each(|point| point.method = "3.0.0".into());
    let segments = only(Series::new("TPOT", "ms", points));
    let (rebase, method, both) = (Some((true, false)), Some((false, true)), Some((true, true)));
    assert_eq!(runs(&segments), [(0..10, None), (10..20, rebase), (20..30, method), (30..32, rebase), (32..40, both)]);
    let why = segments.into_iter().map(|segment| segment.changes.unwrap_err());
    let few = NoAnswer::TooFew { have: 2, need: 8 };
    let equal = NoAnswer::NoSpread;
    assert_eq!(why.collect::<Vec<_>>(), [equal, equal, equal, few, equal]);
}

#[test]
fn a_change_is_counted_from_the_first_run_of_the_series() {
    let values = [around(7.0, 9), around(2.0, 9), around(3.0, 10)].concat();
    let mut points: Vec<Point> = values.iter().enumerate().map(|(day, value)| run(day, *value)).collect();
    points[9..].iter_mut().for_each(|point| point.baseline = Digest::of("vLLM, a version later"));
    let segments = only(Series::new("TPOT", "ms", points));
    let places = |i: usize| -> Vec<usize> {
        segments[i].changes.as_ref().unwrap().points.iter().map(|change| change.at).collect()
    };
    assert_eq!((places(0), places(1)), (vec![], vec![18]));
}

#[test]
fn what_cannot_be_asked_says_why() {
    assert_eq!(only(series("TPOT", &[])), []);
    let why = |values: &[f64]| only(series("TPOT", values)).remove(0).changes.unwrap_err();
    assert_eq!(why(&around(2.0, 7)), NoAnswer::TooFew { have: 7, need: 8 });
    assert_eq!(why(&[2.0; 9]), NoAnswer::NoSpread);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(why(&[&around(2.0, 8)[..], &[bad]].concat()), NoAnswer::NotFinite, "{bad}");
    }
}

#[test]
fn on_a_page_of_more_series_a_change_has_to_be_clearer() {
    // The clearest step in the middle of eight runs: 1 order of 35 is as clear.
    let step = || series("step", &[around(2.0, 4), around(3.0, 4)].concat());
    let alone = only(step())[0].changes.clone().unwrap();
    assert!(alone.points.len() == 1 && (0.017..0.05).contains(&alone.p), "{alone:?}");
    let page = [series("first", &steady(12, 3)), step(), series("third", &steady(12, 5))];
    let found = changes(&page)[1][0].changes.clone().unwrap();
    // The same orders; Holm's first level is a third of 0.05.
    assert_eq!((found.p, found.level), (alone.p, 0.05 / 3.0));
    assert_eq!(found.points, []);
    // Two short series are no further questions.
    let page = [series("first", &steady(7, 3)), step(), series("third", &[1.0; 9])];
    assert_eq!(changes(&page)[1][0].changes, Ok(alone));
}

#[test]
fn on_a_long_page_there_are_orders_enough_to_pass_holm() {
    let step = [around(2.0, 10), around(3.0, 10)].concat();
    let page = |others: usize| -> Vec<Series> {
        let values = |i| if i == 13 { step.clone() } else { steady(others, i) };
        (0..20).map(|i| series(&format!("{i}"), &values(i))).collect()
    };
    let found = |page: &[Series]| changes(page)[13][0].changes.clone().unwrap();
    assert_eq!(found(&page(7)).p, 1.0 / 1_000.0, "one segment is asked");
    let all = found(&page(8));
    assert_eq!((all.p, all.level, all.points.len()), (1.0 / 2_000.0, 0.05 / 20.0, 1));
}

#[test]
fn orders_follow_from_the_bundles_and_the_name_and_from_nothing_else() {
    let p = |series: Series| only(series)[0].changes.as_ref().unwrap().p;
    let named = |name: &str| series(name, &steady(12, 4));
    assert_eq!(p(named("TPOT")), p(named("TPOT")));
    assert_ne!(p(named("TPOT")), p(named("TTFT")));
    let with = |change: &dyn Fn(&mut Point)| {
        let mut points = named("TPOT").points;
        points.iter_mut().for_each(change);
        p(Series::new("TPOT", "s", points))
    };
    assert_ne!(p(named("TPOT")), with(&|point| point.bundles.push(Digest::of("of another stage"))));
    assert_eq!(p(named("TPOT")), with(&|point| point.interval = Some((4.0, 6.0))));
    let beside = changes(&[series("TTFT", &steady(20, 2)), named("TPOT")]);
    assert_eq!(beside[1][0].changes.as_ref().unwrap().p, p(named("TPOT")));
}
