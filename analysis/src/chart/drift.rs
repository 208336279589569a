//! One value for each trial, in the order in which the trials ran: what a machine did to a
//! run over hours shows here.

use super::{
    Colour, Drawing, Layout,
    canvas::{Canvas, Type, fitted},
    frame::{Frame, NORMAL, SMALL},
    scale::{Scale, extent},
    spread::spread,
};

/// One trial.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// Position in the plan.
    pub(crate) trial: u32,
    /// The value.
    pub(crate) value: f64,
    /// Drawn as a ring: the closing baseline.
    pub(crate) hollow: bool,
}

/// One arm.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Its name.
    pub(crate) name: String,
    /// Its colour.
    pub(crate) colour: Colour,
    /// By trial.
    pub(crate) points: Vec<Point>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Drift {
    /// The value's name and unit.
    pub(crate) axis: String,
    /// Each round with its first and last trial.
    pub(crate) rounds: Vec<(u32, u32, u32)>,
    /// One for each arm.
    pub(crate) lines: Vec<Line>,
}

const TOP: f64 = 52.0;
const LINE: f64 = 19.0;
/// From this ratio of the largest to the smallest value on, the axis is logarithmic.
const LOG_FROM: f64 = 5.0;

impl Drift {
    fn y_scale(&self, frame: &Frame) -> Scale {
        let (low, high) = extent(self.lines.iter().flat_map(|l| &l.points).map(|p| p.value).filter(|v| v.is_finite()));
        let low = if low.is_finite() { low } else { 0.0 };
        if low > 0.0 && high / low >= LOG_FROM {
            return Scale::new(true, low / 1.1, high * 1.1, frame.bottom, frame.top);
        }
        let room = (high - low).max(high * 0.02) * 0.08;
        Scale::new(false, (low - room).max(0.0), high + room, frame.bottom, frame.top)
    }

    /// The picture.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        let width = layout.width();
        let height = f64::max(layout.pick(260.0, 220.0), LINE * (self.lines.len() as f64 - 1.0));
        let frame = Frame { left: 52.0, top: TOP, right: width - layout.pick(176.0, 104.0), bottom: TOP + height };
        let trials = || self.lines.iter().flat_map(|l| &l.points).map(|p| p.trial);
        let (first, last) = (trials().min().unwrap_or(1), trials().max().unwrap_or(1));
        let x = Scale::new(false, f64::from(first) - 0.5, f64::from(last) + 0.5, frame.left, frame.right);
        let y = self.y_scale(&frame);
        Drawing::new(width, frame.bottom + 46.0, |canvas| {
            self.bands(canvas, &frame, &x, layout);
            let kind = if y.is_log() { ", log scale" } else { "" };
            let raised = Frame { top: frame.top - 18.0, ..frame };
            let axis = format!("{}{kind}", self.axis);
            frame.y_axis(canvas, &y, &y.ticks(layout.pick(6, 5)), "");
            canvas.text((0.0, raised.top - 20.0), &axis, Type::of(SMALL, Colour::Muted));
            let middle = (frame.left + frame.right) / 2.0;
            let title = Type::of(SMALL, Colour::Muted).middle();
            canvas.text((middle, frame.bottom + 32.0), "trial, in the order of the plan", title);
            for tick in x.ticks(layout.pick(10, 5)) {
                if tick.value >= 1.0 && !tick.label.contains('.') {
                    canvas.text((x.at(tick.value), frame.bottom + 13.0), &tick.label, title);
                }
            }
            for line in self.lines.iter().rev() {
                line.draw(canvas, &x, &y, layout.pick(3.4, 2.5));
            }
            self.names(canvas, &frame, &x, &y, width);
        })
    }

    fn bands(&self, canvas: &mut Canvas, frame: &Frame, x: &Scale, layout: Layout) {
        let many = self.rounds.len() > layout.pick(12, 5);
        for (i, (round, first, last)) in self.rounds.iter().enumerate() {
            let (from, to) = (x.at(f64::from(*first) - 0.5), x.at(f64::from(*last) + 0.5));
            if i % 2 == 0 {
                canvas.area((from, frame.top), (to, frame.bottom), Colour::Band);
            }
            let label = if i == 0 { format!("round {round}") } else { round.to_string() };
            if !many || i % 5 == 0 {
                canvas.text(((from + to) / 2.0, frame.top - 10.0), &label, Type::of(SMALL, Colour::Muted).middle());
            }
        }
    }

    /// Names at the lines' ends, with a thin leader to the last point.
    fn names(&self, canvas: &mut Canvas, frame: &Frame, x: &Scale, y: &Scale, width: f64) {
        let ends: Vec<(&Line, &Point)> = self.lines.iter().filter_map(|l| Some((l, l.points.last()?))).collect();
        let places: Vec<f64> = ends.iter().map(|(_, p)| y.at(p.value)).collect();
        let left = frame.right + 22.0;
        for ((line, point), label) in ends.iter().zip(spread(&places, LINE, frame.top, frame.bottom)) {
            let (from, height) = (x.at(f64::from(point.trial)) + 6.0, y.at(point.value));
            let edge = frame.right.max(from);
            canvas.path(&[(from, height), (edge, height), (left - 10.0, label)], Colour::Muted, 0.5);
            canvas.dot((left - 7.0, label), 3.4, line.colour);
            canvas.text(
                (left + 2.0, label),
                &fitted(&line.name, NORMAL, width - left - 2.0),
                Type::of(NORMAL, Colour::Ink),
            );
        }
    }
}

impl Line {
    fn draw(&self, canvas: &mut Canvas, x: &Scale, y: &Scale, radius: f64) {
        let at = |p: &Point| (x.at(f64::from(p.trial)), y.at(p.value));
        canvas.path(&self.points.iter().map(at).collect::<Vec<_>>(), self.colour, 1.3);
        for point in &self.points {
            if point.hollow {
                canvas.ring(at(point), radius + 0.4, self.colour);
            } else {
                canvas.dot(at(point), radius, self.colour);
            }
        }
    }
}
