//! Pictures for reports. Plain numbers come in, a [`Drawing`] goes out; nothing here knows
//! what a verdict is made of, and nothing outside knows a pixel.
//!
//! Every picture is drawn twice, [`Layout::Wide`] for a desk and [`Layout::Narrow`] for a
//! phone, so that text has the same size on both.

// Downward: a group uses only those above it.
/// One arm, one colour, in every picture; light and dark.
pub(crate) mod colour;
/// From values to positions, and where the ticks are.
pub(crate) mod scale;
/// Labels that do not overlap.
pub(crate) mod spread;

/// Lines, dots and text on plotters' SVG backend; the finished drawing.
pub(crate) mod canvas;

/// Axes and grids.
pub(crate) mod frame;
/// Small multiples.
pub(crate) mod grid;
/// Labels beside points.
pub(crate) mod labels;

/// One value for each trial, in the order in which they ran.
pub(crate) mod drift;
/// Empirical distributions.
pub(crate) mod ecdf;
/// Distributions of two arms, panel by panel.
pub(crate) mod ecdfs;
/// A value run after run.
pub(crate) mod history;
/// Service against load.
pub(crate) mod ladder;
/// Latency against load.
pub(crate) mod load;
/// Throughput against latency.
pub(crate) mod pareto;
/// A ratio in each round.
pub(crate) mod rounds;
/// A row for each arm: dot, interval, and a line to compare with.
pub(crate) mod rows;

/// What is in a drawing.
#[cfg(test)]
pub(crate) mod seen;

pub(crate) use canvas::Drawing;
pub(crate) use colour::Colour;

/// For which width a picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A desk or paper.
    Wide,
    /// A phone.
    Narrow,
}

impl Layout {
    /// Width of the picture in CSS pixels.
    pub(crate) fn width(self) -> f64 {
        match self {
            Layout::Wide => 860.0,
            Layout::Narrow => 360.0,
        }
    }

    /// One of two values.
    pub(crate) fn pick<T>(self, wide: T, narrow: T) -> T {
        match self {
            Layout::Wide => wide,
            Layout::Narrow => narrow,
        }
    }
}

/// A picture in both layouts.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    /// For a desk, paper and files.
    pub(crate) wide: Drawing,
    /// For a phone.
    pub(crate) narrow: Drawing,
}

impl Picture {
    /// Draws both layouts.
    pub(crate) fn of(draw: impl Fn(Layout) -> Drawing) -> Self {
        Picture { wide: draw(Layout::Wide), narrow: draw(Layout::Narrow) }
    }
}
