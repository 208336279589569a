//! Latency against load: two percentiles of each arm, the limit, and the largest load that
//! meets the service levels.

use super::{
    Colour, Drawing, Layout,
    canvas::{Canvas, Type, fitted},
    frame::{Frame, NORMAL, SMALL},
    grid::Grid,
    scale::{Scale, extent},
    spread::spread,
};

/// One percentile of one arm.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The arm's name.
    pub(crate) name: String,
    /// Which percentile.
    pub(crate) percentile: &'static str,
    /// The arm's colour.
    pub(crate) colour: Colour,
    /// Drawn thick: the median.
    pub(crate) thick: bool,
    /// Load and latency, by ascending load.
    pub(crate) points: Vec<(f64, f64)>,
}

/// One latency.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// The latency's name and unit.
    pub(crate) title: String,
    /// The most that is asked for, and the same in words.
    pub(crate) limit: Option<(f64, String)>,
    /// From the one that is drawn on top.
    pub(crate) lines: Vec<Line>,
}

/// The largest load of an arm.
#[derive(Debug, Clone)]
pub(crate) struct Largest {
    /// The arm's name, and its number.
    pub(crate) text: String,
    /// The arm's colour.
    pub(crate) colour: Colour,
    /// Where it is; none where it lies beyond the ladder.
    pub(crate) at: Option<f64>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// The axis' title, with its unit.
    pub(crate) axis: String,
    /// In reading order.
    pub(crate) panels: Vec<Panel>,
    /// What the rings mark; empty where no load is searched.
    pub(crate) rings: String,
    /// One for each arm.
    pub(crate) largest: Vec<Largest>,
}

const LINE: f64 = 18.0;
/// A name and, beneath it, its percentile.
const LABEL: f64 = 30.0;
const LEFT: f64 = 42.0;
const HEAD: f64 = 30.0;
const AXIS: f64 = 42.0;

impl Load {
    /// The picture, on logarithmic axes.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        let lines = self.panels.iter().map(|p| p.lines.len()).max().unwrap_or(0);
        let plot = f64::max(layout.pick(210.0, 190.0), LABEL * (lines + 1) as f64);
        let grid = Grid::of(layout, self.panels.len(), 2, (0.0, HEAD + plot + AXIS));
        let key = if self.largest.is_empty() { 0.0 } else { LINE * (1 + self.largest.len()) as f64 + 12.0 };
        let x = self.x_range();
        Drawing::new(layout.width(), key + grid.total(), |canvas| {
            self.key(canvas, layout);
            for (i, panel) in self.panels.iter().enumerate() {
                let (left, top) = grid.place(i);
                let right = left + grid.panel;
                let top = key + top + HEAD;
                let gutter = layout.pick(112.0, 100.0);
                let frame = Frame { left: left + LEFT, top, right: right - gutter, bottom: top + plot };
                let x = Scale::new(true, x.0, x.1, frame.left, frame.right);
                canvas.text((left, top - 20.0), &panel.title, Type::of(SMALL, Colour::Muted));
                frame.x_axis(canvas, &x, 6, &fitted(&self.axis, SMALL, grid.panel - gutter));
                panel.draw(canvas, &frame, &x, (&self.largest, right));
            }
        })
    }

    fn x_range(&self) -> (f64, f64) {
        let points = self.panels.iter().flat_map(|p| &p.lines).flat_map(|l| l.points.iter().map(|p| p.0));
        let all = points.chain(self.largest.iter().filter_map(|l| l.at)).filter(|v| *v > 0.0);
        let (low, high) = extent(all);
        let (low, high) = if low.is_finite() { (low, high) } else { (1.0, 10.0) };
        let room = libm::pow(high / low, 0.05).max(1.02);
        (low / room, high * room)
    }

    /// What the rings mark, each with its number.
    fn key(&self, canvas: &mut Canvas, layout: Layout) {
        if self.largest.is_empty() {
            return;
        }
        canvas.text((0.0, LINE * 0.5), &fitted(&self.rings, SMALL, layout.width()), Type::of(SMALL, Colour::Muted));
        for (i, largest) in self.largest.iter().enumerate() {
            let y = LINE * (i as f64 + 1.5);
            if largest.at.is_some() {
                canvas.ring((6.0, y), 5.0, largest.colour);
            } else {
                canvas.dot((6.0, y), 3.4, largest.colour);
            }
            let text = fitted(&largest.text, NORMAL, layout.width() - 18.0);
            canvas.text((18.0, y), &text, Type::of(NORMAL, Colour::Ink));
        }
    }
}

impl Panel {
    fn y_scale(&self, frame: &Frame) -> Scale {
        let points = self.lines.iter().flat_map(|l| l.points.iter().map(|p| p.1));
        let (low, high) = extent(points.chain(self.limit.iter().map(|l| l.0)).filter(|v| *v > 0.0));
        let (low, high) = if low.is_finite() { (low, high) } else { (1.0, 10.0) };
        let room = libm::pow(high / low, 0.06).max(1.03);
        Scale::new(true, low / room, high * room, frame.bottom, frame.top)
    }

    fn draw(&self, canvas: &mut Canvas, frame: &Frame, x: &Scale, (largest, right): (&[Largest], f64)) {
        let y = self.y_scale(frame);
        frame.y_axis(canvas, &y, &y.ticks(6), "");
        for line in self.lines.iter().rev() {
            let at = |p: &(f64, f64)| (x.at(p.0), y.at(p.1));
            canvas.path(
                &line.points.iter().map(at).collect::<Vec<_>>(),
                line.colour,
                if line.thick { 2.4 } else { 1.2 },
            );
            for point in &line.points {
                canvas.dot(at(point), if line.thick { 3.2 } else { 2.4 }, line.colour);
            }
        }
        if let Some((limit, _)) = &self.limit {
            let height = y.at(*limit);
            canvas.line((frame.left, height), (frame.right, height), Colour::Ink, 1.2);
            for arm in largest {
                let Some(load) = arm.at else { continue };
                canvas.line((x.at(load), height), (x.at(load), frame.bottom), arm.colour, 1.0);
                canvas.ring((x.at(load), height), 5.0, arm.colour);
            }
        }
        self.names(canvas, frame, (x, &y), right);
    }

    /// Names at the lines' ends, with a thin leader to the last point; and the limit's.
    fn names(&self, canvas: &mut Canvas, frame: &Frame, (x, y): (&Scale, &Scale), right: f64) {
        let lines = self.lines.iter().filter_map(|l| {
            let (load, latency) = l.points.last()?;
            Some((l.name.as_str(), l.percentile, (x.at(*load) + 5.0, y.at(*latency)), Some((l.colour, l.thick))))
        });
        let limit =
            self.limit.iter().map(|(most, words)| ("at most", words.as_str(), (frame.right, y.at(*most)), None));
        let ends: Vec<_> = lines.chain(limit).collect();
        let places: Vec<f64> = ends.iter().map(|(_, _, at, _)| at.1).collect();
        let left = frame.right + 20.0;
        let labels = spread(&places, LABEL, frame.top + LABEL / 4.0, frame.bottom - LABEL / 4.0);
        for ((name, beneath, at, dot), label) in ends.into_iter().zip(labels) {
            canvas.path(&[at, (frame.right.max(at.0), at.1), (left - 8.0, label)], Colour::Muted, 0.5);
            if let Some((colour, thick)) = dot {
                canvas.dot((left - 6.0, label), if thick { 3.4 } else { 2.4 }, colour);
            }
            let room = right - left - 2.0;
            canvas.text((left + 2.0, label - 6.0), &fitted(name, SMALL, room), Type::of(SMALL, Colour::Ink));
            canvas.text((left + 2.0, label + 7.0), &fitted(beneath, SMALL, room), Type::of(SMALL, Colour::Muted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::seen::{Element, all, dots, texts};

    fn line(percentile: &'static str, thick: bool, points: &[(f64, f64)]) -> Line {
        Line { name: "fast".into(), percentile, colour: Colour::Arm(1), thick, points: points.into() }
    }

    fn load() -> Load {
        Load {
            axis: "clients, log scale".into(),
            panels: vec![Panel {
                title: "TTFT, milliseconds, log scale".into(),
                limit: Some((40.0, "40 ms".into())),
                lines: vec![
                    line("p50", true, &[(1.0, 10.0), (4.0, 20.0), (16.0, 40.0)]),
                    line("p99", false, &[(1.0, 20.0), (4.0, 80.0)]),
                ],
            }],
            rings: "largest load".into(),
            largest: vec![Largest { text: "fast 4.00 clients".into(), colour: Colour::Arm(1), at: Some(4.0) }],
        }
    }

    #[test]
    fn a_ring_stands_where_the_limit_and_the_largest_load_meet() {
        let drawing = load().draw(Layout::Wide);
        let dots = dots(&drawing, "var(--arm1)", 3.2);
        let ring = |e: &&Element| e.get("stroke") == "var(--arm1)" && e.number("cx") > 100.0;
        let rings: Vec<(f64, f64)> =
            all(&drawing, "circle").iter().filter(ring).map(|e| (e.number("cx"), e.number("cy"))).collect();
        // As far right as the second load, as high as the third median.
        assert_eq!(rings, [(dots[1].0, dots[2].1)]);
    }

    #[test]
    fn equal_factors_of_load_and_latency_are_equal_lengths() {
        let dots = dots(&load().draw(Layout::Wide), "var(--arm1)", 3.2);
        assert!((2.0 * dots[1].0 - dots[0].0 - dots[2].0).abs() <= 1.0, "{dots:?}");
        assert!((2.0 * dots[1].1 - dots[0].1 - dots[2].1).abs() <= 1.0, "{dots:?}");
    }

    #[test]
    fn every_line_and_the_limit_are_named_beside_it_without_overlap() {
        let drawing = load().draw(Layout::Narrow);
        let named: Vec<Element> =
            all(&drawing, "text").into_iter().filter(|e| ["fast", "at most"].contains(&e.get("text"))).collect();
        let mut places: Vec<f64> = named.iter().map(|e| e.number("y")).collect();
        places.sort_by(f64::total_cmp);
        assert_eq!(places.len(), 3);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 10.0 * LABEL - 1.0), "{places:?}");
        assert!(["p50", "p99", "40 ms"].iter().all(|word| texts(&drawing).iter().any(|t| t == word)));
    }

    #[test]
    fn what_lies_beyond_the_ladder_has_its_words_and_no_ring() {
        let mut load = load();
        load.largest[0].at = None;
        let drawing = load.draw(Layout::Wide);
        assert!(texts(&drawing).contains(&"fast 4.00 clients".to_owned()));
        assert!(!all(&drawing, "circle").iter().any(|e| e.get("stroke") == "var(--arm1)"));
    }
}
