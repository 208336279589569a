use super::*;
use crate::chart::seen::{Element, all, dots, texts};

const FIRST: f64 = 105_674.5;

fn point(week: u32, value: f64) -> Point {
    Point { at: FIRST + f64::from(week), value, interval: None }
}

fn panel(parts: &[&[f64]]) -> Panel {
    let mut weeks = 0..;
    let part = |values: &&[f64]| Part {
        points: values.iter().zip(weeks.by_ref()).map(|(value, week)| point(week, *value)).collect(),
        ..Part::default()
    };
    Panel {
        title: "fast".into(),
        text: "1.20×".into(),
        colour: Colour::Arm(1),
        parts: parts.iter().map(part).collect(),
        loose: Vec::new(),
        shaded: Vec::new(),
    }
}

fn history(panels: Vec<Panel>) -> History {
    History {
        axis: "speed-up".into(),
        line: Some(1.0),
        together: true,
        marks: Vec::new(),
        panels,
        week: |week| (format!("W{}", week % 100), format!("{}-W{}", week / 100, week % 100)),
    }
}

/// The paths of a colour, each as its number of points.
fn joined(drawing: &Drawing, colour: &str) -> Vec<usize> {
    let paths = all(drawing, "path").into_iter().filter(|e| e.get("stroke") == colour);
    paths.map(|e| e.get("d").matches(['M', 'L', 'H', 'V']).count()).collect()
}

fn upright<'e>(lines: &'e [Element], colour: &'e str) -> impl Iterator<Item = &'e Element> {
    lines.iter().filter(move |e| e.get("stroke") == colour && e.get("x1") == e.get("x2"))
}

#[test]
fn equal_ratios_are_equally_high_and_equal_times_equally_wide() {
    let drawing = history(vec![panel(&[&[1.0, 1.25, 1.5625]])]).draw(Layout::Wide);
    let [a, b, c] = dots(&drawing, "var(--arm1)", 3.6)[..] else { panic!("three runs") };
    assert!(((a.1 - b.1) - (b.1 - c.1)).abs() <= 1.0 && ((b.0 - a.0) - (c.0 - b.0)).abs() <= 1.0);
    assert!(a.0 < b.0 && a.1 > b.1);
}

#[test]
fn a_line_joins_the_runs_of_a_part_and_never_two_parts() {
    let drawing = history(vec![panel(&[&[1.1, 1.2, 1.1], &[1.3, 1.25]])]).draw(Layout::Wide);
    assert_eq!(joined(&drawing, "var(--arm1)"), [3, 2]);
}

#[test]
fn what_claims_nothing_is_a_ring_at_which_lines_end() {
    let mut one = panel(&[&[1.1, 1.2]]);
    one.parts[0].points.extend([point(3, 1.15), point(4, 1.15)]);
    one.loose = vec![(point(2, 1.2), Colour::Undecided), (point(5, 1.2), Colour::Altered)];
    let drawing = history(vec![one]).draw(Layout::Wide);
    assert_eq!(joined(&drawing, "var(--arm1)"), [2, 2]);
    assert_eq!(dots(&drawing, "var(--arm1)", 3.6).len(), 4);
    let rings = |colour| all(&drawing, "circle").iter().filter(|e| e.get("stroke") == colour).count();
    assert_eq!((rings("var(--undecided)"), rings("var(--altered)")), (1, 1));
}

#[test]
fn a_change_has_its_label_its_line_and_the_means_of_both_sides() {
    let mut one = panel(&[&[1.0, 1.0, 1.2, 1.2]]);
    one.parts[0].changes = vec![((FIRST + 1.0, FIRST + 2.0), "+20.0 %".into())];
    one.parts[0].levels = vec![(FIRST, FIRST + 1.0, 1.0), (FIRST + 2.0, FIRST + 3.0, 1.2)];
    let picture = history(vec![one]);
    for layout in [Layout::Wide, Layout::Narrow] {
        let drawing = picture.draw(layout);
        assert!(texts(&drawing).contains(&"+20.0 %".to_owned()));
        let lines = all(&drawing, "line");
        let dots = dots(&drawing, "var(--arm1)", 3.6);
        let at: Vec<f64> = upright(&lines, "var(--ink)").map(|e| e.number("x1")).collect();
        assert!(at.len() == 1 && dots[1].0 < at[0] && at[0] < dots[2].0, "{at:?}");
        let levels: Vec<f64> = lines.iter().filter(|e| e.get("stroke-width") == "20").map(|e| e.number("y1")).collect();
        assert_eq!(levels, [dots[0].1, dots[2].1]);
    }
}

#[test]
fn a_mark_goes_through_all_panels_and_labels_that_would_meet_are_left_out() {
    let mut picture = history(vec![panel(&[&[1.1; 30]]), panel(&[&[1.2; 30]])]);
    picture.marks =
        vec![(FIRST + 9.5, "rebase".into()), (FIRST + 10.5, "method 2".into()), (FIRST + 28.0, "rebase".into())];
    let drawing = picture.draw(Layout::Narrow);
    let lines = all(&drawing, "line");
    let marks: Vec<&Element> = upright(&lines, "var(--muted)").collect();
    let bottom = dots(&drawing, "var(--arm1)", 3.6).iter().map(|at| at.1).fold(0.0, f64::max);
    assert!(marks.len() == 3 && marks.iter().all(|e| e.number("y1").max(e.number("y2")) > bottom));
    assert_eq!(texts(&drawing).iter().filter(|t| ["rebase", "method 2"].contains(&t.as_str())).count(), 2);
}

#[test]
fn panels_together_have_one_range_that_what_does_not_count_does_not_widen() {
    let mut altered = panel(&[]);
    altered.loose = vec![(point(0, 9.0), Colour::Altered)];
    let ranges = history(vec![panel(&[&[1.2, 1.3]]), panel(&[&[1.4]]), altered]).ranges();
    assert_eq!(ranges[0], ranges[1]);
    assert!(ranges[0].1 < 1.5 && ranges[2].1 > 9.0 && ranges[0].0 < 1.0);
    let mut apart = history(vec![panel(&[&[10.0, 11.0]]), panel(&[&[700.0]])]);
    (apart.together, apart.line) = (false, None);
    let ranges = apart.ranges();
    assert!(ranges[0].1 < 12.0 && ranges[1].0 > 600.0);
    assert!(ranges[1].1 / ranges[1].0 >= LEAST, "a single value has room around it");
}

#[test]
fn ticks_are_mondays_with_the_year_where_it_is_another() {
    let labels = |first: f64, weeks: u32| {
        let mut one = panel(&[]);
        one.parts = vec![Part {
            points: (0..weeks).map(|week| Point { at: first + f64::from(week), ..point(0, 1.0) }).collect(),
            ..Part::default()
        }];
        let mut picture = history(vec![one]);
        picture.week = |week| (format!("W{}", week % 52 + 1), format!("{}-W{}", 2026 + week / 52, week % 52 + 1));
        texts(&picture.draw(Layout::Wide)).into_iter().filter(|t| t.contains('W')).collect::<Vec<_>>()
    };
    assert_eq!(labels(0.4, 4), ["2026-W2", "W3", "W4"]);
    assert_eq!(labels(50.0, 4), ["2026-W51", "W52", "2027-W1", "W2"]);
    assert_eq!(labels(0.0, 100).len(), 8);
    assert!(labels(0.0, 2_000).len() < 12);
}
