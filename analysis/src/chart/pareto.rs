//! Throughput against latency: what each arm gives under each load, and which of these points
//! no other one beats in both.

use super::{
    Colour, Drawing, Layout,
    canvas::{At, Canvas, Type, fitted, width_of},
    frame::{Frame, NORMAL, SMALL},
    grid::Grid,
    labels::Labels,
    scale::{Scale, extent},
};

/// The points that no other one beats, by ascending throughput: of two points the one beats the
/// other that has no less throughput and no more latency, and one of the two better. Equal
/// points stand together; what has no value is no point.
pub(crate) fn front(points: &[Option<(f64, f64)>]) -> Vec<usize> {
    let known = || points.iter().enumerate().filter_map(|(i, point)| Some((i, (*point)?)));
    let beats = |a: (f64, f64), b: (f64, f64)| a.0 >= b.0 && a.1 <= b.1 && a != b;
    let mut best: Vec<(usize, (f64, f64))> =
        known().filter(|(_, own)| !known().any(|(_, other)| beats(other, *own))).collect();
    best.sort_by(|(i, a), (j, b)| a.0.total_cmp(&b.0).then(i.cmp(j)));
    best.into_iter().map(|(i, _)| i).collect()
}

/// One arm under one load.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// Throughput and latency; none where one of them is missing.
    pub(crate) at: Option<(f64, f64)>,
    /// Its load, in a word.
    pub(crate) label: String,
}

/// One arm.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Its name.
    pub(crate) name: String,
    /// Its colour.
    pub(crate) colour: Colour,
    /// By ascending load.
    pub(crate) points: Vec<Point>,
}

/// One latency.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// The latency's name and unit.
    pub(crate) title: String,
    /// One for each arm.
    pub(crate) lines: Vec<Line>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Pareto {
    /// The horizontal axis' title, with its unit.
    pub(crate) axis: String,
    /// What the labels are.
    pub(crate) key: String,
    /// In reading order.
    pub(crate) panels: Vec<Panel>,
}

const TOP: f64 = 22.0;
const HEAD: f64 = 30.0;
const LEFT: f64 = 42.0;
const AXIS: f64 = 42.0;
/// From this ratio of the largest to the smallest value on, an axis is logarithmic.
const LOG_FROM: f64 = 5.0;

impl Pareto {
    /// The picture.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        let plot = layout.pick(270.0, 240.0);
        let grid = Grid::of(layout, self.panels.len(), 2, (0.0, HEAD + plot + AXIS));
        Drawing::new(layout.width(), TOP + grid.total(), |canvas| {
            canvas.text((0.0, 6.0), &fitted(&self.key, SMALL, layout.width()), Type::of(SMALL, Colour::Muted));
            for (i, panel) in self.panels.iter().enumerate() {
                let (left, top) = grid.place(i);
                let top = TOP + top + HEAD;
                let right = left + grid.panel - 6.0;
                panel.draw(canvas, &Frame { left: left + LEFT, top, right, bottom: top + plot }, &self.axis);
            }
        })
    }
}

impl Panel {
    fn draw(&self, canvas: &mut Canvas, frame: &Frame, axis: &str) {
        let points = || self.lines.iter().flat_map(|l| &l.points).filter_map(|p| p.at);
        let x = scale(points().map(|p| p.0), frame.left, frame.right, 0.12);
        let y = scale(points().map(|p| p.1), frame.bottom, frame.top, 0.08);
        let said = |words: &str, scale: &Scale| format!("{words}{}", if scale.is_log() { ", log scale" } else { "" });
        canvas.text((frame.left - LEFT, frame.top - 18.0), &said(&self.title, &y), Type::of(SMALL, Colour::Muted));
        frame.y_axis(canvas, &y, &y.ticks(6), "");
        frame.x_axis(canvas, &x, 6, &said(axis, &x));
        let stairs = self.staircase(frame, (&x, &y));
        canvas.path(&stairs, Colour::Muted, 1.2);
        let at = |point: &Point| point.at.map(|(throughput, latency)| (x.at(throughput), y.at(latency)));
        let mut labels = Labels::within(&Frame { left: frame.left + 2.0, ..*frame });
        labels.keep_off(&stairs);
        for line in &self.lines {
            let path: Vec<At> = line.points.iter().filter_map(at).collect();
            canvas.path(&path, line.colour, 1.2);
            labels.keep_off(&path);
        }
        for line in &self.lines {
            for place in line.points.iter().filter_map(at) {
                canvas.dot(place, 4.2, line.colour);
                labels.keep_clear(place, 5.0);
            }
        }
        for line in &self.lines {
            line.name(canvas, &mut labels, at);
        }
        for line in &self.lines {
            line.loads(canvas, &mut labels, at);
        }
    }

    /// From the left edge along the front, and up from its last point.
    fn staircase(&self, frame: &Frame, (x, y): (&Scale, &Scale)) -> Vec<At> {
        let points: Vec<Option<(f64, f64)>> = self.lines.iter().flat_map(|l| l.points.iter().map(|p| p.at)).collect();
        let mut path: Vec<At> = Vec::new();
        for (throughput, latency) in front(&points).into_iter().filter_map(|i| points[i]) {
            let (across, height) = (x.at(throughput), y.at(latency));
            let from = path.last().map_or(frame.left, |last| last.0);
            path.extend([(from, height), (across, height)]);
        }
        if let Some((across, _)) = path.last().copied() {
            path.push((across, frame.top));
        }
        path
    }
}

impl Line {
    /// The arm's name beside the last point that has room for it.
    fn name(&self, canvas: &mut Canvas, labels: &mut Labels, at: impl Fn(&Point) -> Option<At>) {
        let name = fitted(&self.name, NORMAL, 130.0);
        let width = width_of(&name, NORMAL);
        let centre = self.points.iter().rev().filter_map(at).find_map(|place| labels.place(place, width, NORMAL + 2.0));
        if let Some(centre) = centre {
            canvas.text(centre, &name, Type::of(NORMAL, Colour::Ink).middle().bold());
        }
    }

    /// The load beside each point.
    fn loads(&self, canvas: &mut Canvas, labels: &mut Labels, at: impl Fn(&Point) -> Option<At>) {
        for (point, place) in self.points.iter().filter_map(|point| Some((point, at(point)?))) {
            if let Some(centre) = labels.place(place, width_of(&point.label, SMALL), SMALL) {
                canvas.text(centre, &point.label, Type::of(SMALL, Colour::Muted).middle());
            }
        }
    }
}

/// A scale around values that are not negative, with some room at both ends.
fn scale(values: impl Iterator<Item = f64>, from: f64, to: f64, room: f64) -> Scale {
    let (low, high) = extent(values);
    let (low, high) = if low.is_finite() { (low, high) } else { (0.0, 1.0) };
    if low > 0.0 && high / low >= LOG_FROM {
        let margin = libm::pow(high / low, room);
        return Scale::new(true, low / margin, high * margin, from, to);
    }
    let margin = (high - low).max(high * 0.02) * 2.0 * room;
    Scale::new(false, (low - margin).max(0.0), high + margin, from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::seen::{all, dots, texts};

    fn line(name: &str, arm: usize, points: &[Option<(f64, f64)>]) -> Line {
        let point = |(n, at): (u32, &Option<(f64, f64)>)| Point { at: *at, label: format!("load {n}") };
        Line { name: name.into(), colour: Colour::Arm(arm), points: (1..).zip(points).map(point).collect() }
    }

    fn drawn(lines: Vec<Line>) -> Drawing {
        let panels = vec![Panel { title: "TPOT".into(), lines }];
        Pareto { axis: "tokens/s".into(), key: String::new(), panels }.draw(Layout::Wide)
    }

    #[test]
    fn the_staircase_turns_at_the_points_of_the_front() {
        let drawing = drawn(vec![
            line("baseline", 0, &[Some((10.0, 8.0)), Some((15.0, 12.0))]),
            line("fast", 1, &[Some((12.0, 6.0)), None, Some((20.0, 9.0))]),
        ]);
        let stairs: Vec<String> = all(&drawing, "path")
            .iter()
            .filter(|e| e.get("stroke") == "var(--muted)")
            .map(|e| e.get("d").into())
            .collect();
        let [a, b] = dots(&drawing, "var(--arm1)", 4.2)[..] else { panic!("two points have values") };
        // From the left edge across to a, up to the height of b, across to b, up to the edge.
        let turns = format!(" {}H{}V{}H{}V", a.1, a.0, b.1, b.0);
        assert!(matches!(&stairs[..], [only] if only.contains(&turns)), "{stairs:?} {turns}");
    }

    #[test]
    fn each_arm_is_named_once_and_each_point_has_its_load() {
        let drawing = drawn(vec![
            line("baseline", 0, &[Some((10.0, 8.0)), Some((15.0, 12.0))]),
            line("fast", 1, &[Some((12.0, 6.0)), None, Some((20.0, 9.0))]),
        ]);
        let count = |word: &str| texts(&drawing).iter().filter(|t| *t == word).count();
        assert_eq!(["baseline", "fast", "load 1", "load 2", "load 3"].map(count), [1, 1, 2, 1, 1]);
    }

    #[test]
    fn the_front_is_what_no_other_point_beats() {
        // a: little and fast; b: more and slower; c: as much as b and slower still; d: the most.
        let [a, b, c, d] = [(10.0, 5.0), (20.0, 7.0), (20.0, 8.0), (30.0, 20.0)];
        assert_eq!(front(&[Some(d), Some(c), Some(b), Some(a)]), [3, 2, 0]);
        // e is beaten by b in both, and f by b in latency alone.
        assert_eq!(front(&[Some(a), Some(b), Some((15.0, 9.0)), Some((20.0, 7.5)), Some(d)]), [0, 1, 4]);
    }

    #[test]
    fn one_point_is_a_front_and_nothing_is_none() {
        assert_eq!(front(&[Some((1.0, 1.0))]), [0]);
        assert_eq!(front(&[]), [0_usize; 0]);
    }

    #[test]
    fn equal_points_stand_together() {
        assert_eq!(front(&[Some((2.0, 3.0)), Some((1.0, 3.0)), Some((2.0, 3.0))]), [0, 2]);
    }

    #[test]
    fn what_has_no_value_beats_nobody_and_is_not_on_the_front() {
        assert_eq!(front(&[None, Some((1.0, 9.0)), None]), [1]);
    }
}
