//! A row for each arm: its name, a dot with its interval, the same in numbers, and one
//! vertical line to compare with.

use super::{
    Colour, Drawing, Layout,
    canvas::{Canvas, Type, fitted, width_of},
    frame::{Frame, NORMAL, SMALL},
    scale::Scale,
};

/// One arm.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: String,
    /// A word or two beneath it.
    pub(crate) note: String,
    /// Where the dot is; none where there is nothing to show.
    pub(crate) point: Option<f64>,
    /// From where to where the line goes.
    pub(crate) interval: Option<(f64, f64)>,
    /// Drawn as a ring: shown, but no claim.
    pub(crate) hollow: bool,
    /// Its colour.
    pub(crate) colour: Colour,
    /// The numbers in words.
    pub(crate) text: String,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// The axis' title, with its unit.
    pub(crate) axis: String,
    /// Where the line is.
    pub(crate) mark: f64,
    /// What it is.
    pub(crate) mark_label: String,
    /// The range to show at least.
    pub(crate) least: (f64, f64),
    /// From top to bottom.
    pub(crate) rows: Vec<Row>,
}

const TOP: f64 = 28.0;
const BOTTOM: f64 = 44.0;

impl Rows {
    fn range(&self, strokes: &[Vec<f64>]) -> (f64, f64) {
        let mut range = self.least;
        for (i, row) in self.rows.iter().enumerate() {
            let ends = row.interval.map_or([None, None], |(low, high)| [Some(low), Some(high)]);
            let strokes = strokes.get(i).into_iter().flatten().copied();
            for value in
                ends.into_iter().flatten().chain(row.point).chain(strokes).filter(|v| v.is_finite() && *v > 0.0)
            {
                range = (range.0.min(value), range.1.max(value));
            }
        }
        // Dots keep clear of the edges.
        let margin = libm::pow(range.1 / range.0, 0.04);
        (range.0 / margin, range.1 * margin)
    }

    /// The picture, on a logarithmic axis.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        self.draw_over(layout, &[])
    }

    /// The picture with strokes beneath the dots: for each row, what its value is the mean of.
    pub(crate) fn draw_over(&self, layout: Layout, strokes: &[Vec<f64>]) -> Drawing {
        let step = layout.pick(44.0, 62.0);
        let width = layout.width();
        let bottom = TOP + step * self.rows.len() as f64;
        let frame =
            Frame { left: layout.pick(170.0, 8.0), top: TOP, right: layout.pick(width - 190.0, width - 8.0), bottom };
        let (low, high) = self.range(strokes);
        let scale = Scale::new(true, low, high, frame.left, frame.right);
        Drawing::new(width, bottom + BOTTOM, |canvas| {
            frame.x_axis(canvas, &scale, layout.pick(12, 6), &self.axis);
            let mark = scale.at(self.mark);
            canvas.line((mark, frame.top - 6.0), (mark, frame.bottom), Colour::Ink, 1.2);
            mark_label(canvas, mark, &frame, &self.mark_label);
            for (i, row) in self.rows.iter().enumerate() {
                let top = TOP + step * i as f64;
                let y = top + layout.pick(step / 2.0, 46.0);
                row.numbers(canvas, layout, &frame, (top, y));
                for value in strokes.get(i).into_iter().flatten() {
                    let x = scale.at(*value);
                    canvas.line((x, y + 8.0), (x, y + 15.0), row.colour, 1.2);
                }
                row.dot(canvas, &scale, y);
            }
        })
    }
}

/// Centred above the line, or as near to that as the picture's edges allow.
fn mark_label(canvas: &mut Canvas, x: f64, frame: &Frame, label: &str) {
    let half = width_of(label, SMALL) / 2.0;
    let how = Type::of(SMALL, Colour::Ink);
    let y = frame.top - 15.0;
    if x + half > frame.right {
        canvas.text((frame.right, y), label, how.end());
    } else if x - half < frame.left {
        canvas.text((frame.left, y), label, how);
    } else {
        canvas.text((x, y), label, how.middle());
    }
}

impl Row {
    fn numbers(&self, canvas: &mut Canvas, layout: Layout, frame: &Frame, (top, y): (f64, f64)) {
        let name = Type::of(NORMAL, Colour::Ink).bold();
        let note = Type::of(SMALL, self.colour);
        let right = layout.width();
        if layout == Layout::Wide {
            canvas.text((0.0, y - 8.0), &fitted(&self.name, NORMAL + 1.0, frame.left - 14.0), name);
            canvas.text((0.0, y + 9.0), &self.note, note);
            canvas.text((right, y), &self.text, Type::of(NORMAL, Colour::Ink).end());
        } else {
            // Grid lines stop around words.
            let words = fitted(&self.name, NORMAL, 190.0);
            canvas.area((0.0, top + 3.0), (width_of(&words, NORMAL) + 6.0, top + 35.0), Colour::Paper);
            canvas.area((right - width_of(&self.text, NORMAL) + 12.0, top + 3.0), (right, top + 21.0), Colour::Paper);
            canvas.text((0.0, top + 12.0), &words, name);
            canvas.text((0.0, top + 27.0), &self.note, note);
            canvas.text((right, top + 12.0), &self.text, Type::of(NORMAL - 0.5, Colour::Ink).end());
        }
    }

    fn dot(&self, canvas: &mut Canvas, scale: &Scale, y: f64) {
        if let Some((low, high)) = self.interval {
            let (low, high) = (scale.at(low), scale.at(high));
            canvas.line((low, y), (high, y), self.colour, 2.4);
            for end in [low, high] {
                canvas.line((end, y - 5.0), (end, y + 5.0), self.colour, 1.6);
            }
        }
        let Some(point) = self.point else { return };
        let at = (scale.at(point), y);
        if self.hollow { canvas.ring(at, 5.0, self.colour) } else { canvas.dot(at, 5.0, self.colour) }
    }
}
