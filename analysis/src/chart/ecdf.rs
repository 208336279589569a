//! Empirical distributions: for each latency, the share of requests at or below it.

use super::{
    Colour, Drawing, Layout,
    canvas::{At, Canvas, Type, fitted},
    frame::{Frame, NORMAL, SMALL},
    scale::{Scale, Tick, extent},
};

/// One arm.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    /// Its name.
    pub(crate) name: String,
    /// Its colour.
    pub(crate) colour: Colour,
    /// Value and share (0 to 1) of each step, ascending.
    pub(crate) steps: Vec<(f64, f64)>,
    /// The median.
    pub(crate) median: f64,
    /// The median in words.
    pub(crate) text: String,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Ecdf {
    /// The axis' title, with its unit.
    pub(crate) axis: String,
    /// What is counted, in the plural.
    pub(crate) counted: &'static str,
    /// One for each arm.
    pub(crate) curves: Vec<Curve>,
}

/// From this ratio of the largest to the smallest value on, a linear axis would press
/// most requests into its left edge.
const LOG_FROM: f64 = 12.0;
const TOP: f64 = 34.0;
const LINE: f64 = 24.0;

impl Ecdf {
    /// The smallest and the largest value; a value below a tenth of the smallest median
    /// (gaps of zero, where chunks came together) is drawn at the left edge.
    fn range(&self) -> (f64, f64) {
        let least = self.curves.iter().map(|c| c.median / 10.0).fold(f64::INFINITY, f64::min);
        let (low, high) = extent(self.curves.iter().flat_map(|c| &c.steps).map(|s| s.0));
        if low.is_finite() { (low.max(least), high) } else { (0.0, 1.0) }
    }

    /// The picture.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        let width = layout.width();
        let (low, high) = self.range();
        let log = low > 0.0 && high / low >= LOG_FROM;
        let low = if log { low } else { 0.0 };
        let (height, gutter) = layout.pick((250.0, 250.0), (200.0, 8.0));
        let frame = Frame { left: 46.0, top: TOP, right: width - gutter, bottom: TOP + height };
        let x = Scale::new(log, low, high, frame.left, frame.right);
        let y = Scale::new(false, 0.0, 100.0, frame.bottom, frame.top);
        let list = LINE * (self.curves.len() + 1) as f64;
        let beneath = frame.bottom + 46.0;
        let total = layout.pick(beneath.max(TOP - 12.0 + list), beneath + 6.0 + list);
        Drawing::new(width, total, |canvas| {
            frame.y_axis(canvas, &y, &quarters(), &format!("share of {} at or below", self.counted));
            let kind = if x.is_log() { ", log scale" } else { "" };
            frame.x_axis(canvas, &x, layout.pick(8, 5), &format!("{}{kind}", self.axis));
            // The first candidates last, so that they lie on top.
            for curve in self.curves.iter().rev() {
                canvas.path(&curve.points(&x, &y), curve.colour, 2.0);
            }
            for curve in self.curves.iter().rev() {
                canvas.dot((x.at(curve.median), y.at(50.0)), 3.6, curve.colour);
            }
            let from = layout.pick((frame.right + 22.0, TOP - 12.0), (0.0, beneath + 6.0));
            self.names(canvas, from, width);
        })
    }

    /// Arms by their median, as the curves stand from left to right.
    fn names(&self, canvas: &mut Canvas, (left, top): At, right: f64) {
        let mut curves: Vec<&Curve> = self.curves.iter().collect();
        curves.sort_by(|a, b| a.median.total_cmp(&b.median));
        canvas.text((right, top + LINE / 2.0), "median ●", Type::of(SMALL, Colour::Muted).end());
        for (i, curve) in curves.into_iter().enumerate() {
            let y = top + LINE * (i as f64 + 1.5);
            canvas.line((left, y), (left + 18.0, y), curve.colour, 3.0);
            let room = (right - left) - 24.0 - 66.0;
            canvas.text((left + 26.0, y), &fitted(&curve.name, NORMAL, room), Type::of(NORMAL, Colour::Ink));
            canvas.text((right, y), &curve.text, Type::of(NORMAL, Colour::Ink).end());
        }
    }
}

fn quarters() -> Vec<Tick> {
    [0.0, 25.0, 50.0, 75.0, 100.0].map(|value| Tick { value, label: format!("{value} %") }).into()
}

impl Curve {
    /// The staircase from 0 up to the last value.
    pub(super) fn points(&self, x: &Scale, y: &Scale) -> Vec<At> {
        let mut points: Vec<At> = Vec::with_capacity(2 * self.steps.len() + 1);
        let mut level = y.at(0.0);
        for (value, share) in &self.steps {
            let (x, next) = (x.at(*value), y.at(share * 100.0));
            points.push((x, level));
            points.push((x, next));
            level = next;
        }
        points
    }
}
