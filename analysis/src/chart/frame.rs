//! Axes and grids: as little of them as reading the values needs.

use super::{
    Colour,
    canvas::{Canvas, Type},
    scale::{Scale, Tick},
};

/// Size of tick labels and axis titles.
pub(crate) const SMALL: f64 = 11.5;
/// Size of labels.
pub(crate) const NORMAL: f64 = 13.0;

/// The part of a picture in which data is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Left edge.
    pub(crate) left: f64,
    /// Upper edge.
    pub(crate) top: f64,
    /// Right edge.
    pub(crate) right: f64,
    /// Lower edge.
    pub(crate) bottom: f64,
}

impl Frame {
    /// Vertical grid lines with labels beneath.
    pub(crate) fn x_ticks(&self, canvas: &mut Canvas, scale: &Scale, most: usize) {
        for tick in scale.ticks(most) {
            let x = scale.at(tick.value);
            canvas.line((x, self.top), (x, self.bottom), Colour::Grid, 1.0);
            let at = canvas.within(x, &tick.label, SMALL);
            canvas.text((at, self.bottom + 13.0), &tick.label, Type::of(SMALL, Colour::Muted).middle());
        }
    }

    /// Horizontal grid lines.
    pub(crate) fn y_lines(&self, canvas: &mut Canvas, scale: &Scale, ticks: &[Tick]) {
        for tick in ticks {
            let y = scale.at(tick.value);
            canvas.line((self.left, y), (self.right, y), Colour::Grid, 1.0);
        }
    }

    /// Vertical grid lines with labels beneath, and the axis' title beneath these.
    pub(crate) fn x_axis(&self, canvas: &mut Canvas, scale: &Scale, most: usize, title: &str) {
        self.x_ticks(canvas, scale, most);
        canvas.text(
            ((self.left + self.right) / 2.0, self.bottom + 32.0),
            title,
            Type::of(SMALL, Colour::Muted).middle(),
        );
    }

    /// Horizontal grid lines with labels at their left, and the title above them.
    pub(crate) fn y_axis(&self, canvas: &mut Canvas, scale: &Scale, ticks: &[Tick], title: &str) {
        self.y_lines(canvas, scale, ticks);
        for tick in ticks {
            let y = scale.at(tick.value);
            canvas.text((self.left - 8.0, y), &tick.label, Type::of(SMALL, Colour::Muted).end());
        }
        canvas.text((0.0, self.top - 18.0), title, Type::of(SMALL, Colour::Muted));
    }
}
