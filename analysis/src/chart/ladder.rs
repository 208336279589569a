//! How many requests are served as asked, against the load; and where each arm's line first
//! falls below what is declared.

use super::{
    Colour, Drawing, Layout,
    canvas::{Canvas, Type, fitted},
    frame::{Frame, NORMAL, SMALL},
    scale::{Scale, Tick, extent},
    spread::spread,
};

/// One arm.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Its name.
    pub(crate) name: String,
    /// Its colour.
    pub(crate) colour: Colour,
    /// Load and share (0 to 1) of each step, by ascending load.
    pub(crate) points: Vec<(f64, f64)>,
    /// The largest load; none where it lies beyond the ladder.
    pub(crate) limit: Option<f64>,
    /// The largest load in words.
    pub(crate) text: String,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Ladder {
    /// The axis' title, with its unit.
    pub(crate) axis: String,
    /// The share that is declared.
    pub(crate) share: f64,
    /// What the vertical axis is, and the share in words.
    pub(crate) title: String,
    /// One for each arm.
    pub(crate) lines: Vec<Line>,
}

const TOP: f64 = 34.0;
/// A name and, beneath it, its number.
const LABEL: f64 = 36.0;

impl Ladder {
    /// The picture, on a logarithmic axis.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        let width = layout.width();
        let height = f64::max(layout.pick(270.0, 230.0), LABEL * self.lines.len() as f64);
        let frame = Frame { left: 46.0, top: TOP, right: width - layout.pick(176.0, 112.0), bottom: TOP + height };
        let (low, high) = extent(self.lines.iter().flat_map(|l| l.points.iter().map(|p| p.0)).filter(|v| *v > 0.0));
        let (low, high) = if low.is_finite() { (low, high) } else { (1.0, 10.0) };
        let room = libm::pow(high / low, 0.04).max(1.02);
        let x = Scale::new(true, low / room, high * room, frame.left, frame.right);
        let y = Scale::new(false, 0.0, 100.0, frame.bottom, frame.top);
        Drawing::new(width, frame.bottom + 46.0, |canvas| {
            frame.y_axis(canvas, &y, &quarters(), &self.title);
            frame.x_axis(canvas, &x, layout.pick(9, 5), &format!("{}, log scale", self.axis));
            let share = y.at(self.share * 100.0);
            canvas.line((frame.left, share), (frame.right, share), Colour::Ink, 1.2);
            // The first candidates last, so that they lie on top.
            for line in self.lines.iter().rev() {
                line.draw(canvas, &x, &y, (share, frame.bottom));
            }
            self.names(canvas, &frame, (&x, &y), width);
        })
    }

    /// Names and limits at the lines' ends, with a thin leader to the last point.
    fn names(&self, canvas: &mut Canvas, frame: &Frame, (x, y): (&Scale, &Scale), width: f64) {
        let ends: Vec<(&Line, (f64, f64))> =
            self.lines.iter().filter_map(|l| l.points.last().map(|p| (l, (x.at(p.0), y.at(p.1 * 100.0))))).collect();
        let places: Vec<f64> = ends.iter().map(|(_, at)| at.1).collect();
        let left = frame.right + 22.0;
        let labels = spread(&places, LABEL, frame.top + LABEL / 4.0, frame.bottom - LABEL / 4.0);
        for ((line, at), label) in ends.iter().zip(labels) {
            canvas.path(&[(at.0 + 6.0, at.1), (frame.right, at.1), (left - 10.0, label)], Colour::Muted, 0.5);
            canvas.dot((left - 7.0, label), 3.4, line.colour);
            let room = width - left - 2.0;
            canvas.text((left + 2.0, label - 7.0), &fitted(&line.name, NORMAL, room), Type::of(NORMAL, Colour::Ink));
            canvas.text((left + 2.0, label + 8.0), &fitted(&line.text, SMALL, room), Type::of(SMALL, Colour::Muted));
        }
    }
}

fn quarters() -> Vec<Tick> {
    [0.0, 25.0, 50.0, 75.0, 100.0].map(|value| Tick { value, label: format!("{value} %") }).into()
}

impl Line {
    /// The line through its steps, and from its limit down to the axis.
    fn draw(&self, canvas: &mut Canvas, x: &Scale, y: &Scale, (share, bottom): (f64, f64)) {
        let at = |(value, attained): &(f64, f64)| (x.at(*value), y.at(attained * 100.0));
        canvas.path(&self.points.iter().map(at).collect::<Vec<_>>(), self.colour, 2.0);
        for point in &self.points {
            canvas.dot(at(point), 3.2, self.colour);
        }
        if let Some(limit) = self.limit {
            canvas.line((x.at(limit), share), (x.at(limit), bottom), self.colour, 1.0);
            canvas.ring((x.at(limit), share), 5.0, self.colour);
        }
    }
}
