//! A value run after run, on an axis of dates: what changed, when, and what cannot be compared.

use super::{
    Colour, Drawing, Layout,
    canvas::{At, Canvas, Type, fitted, width_of},
    frame::{Frame, NORMAL, SMALL},
    scale::{Scale, Tick},
};

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// When it began, in weeks.
    pub(crate) at: f64,
    /// The value, above 0.
    pub(crate) value: f64,
    /// Its interval.
    pub(crate) interval: Option<(f64, f64)>,
}

/// Runs that can be compared: a line joins them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    /// In order.
    pub(crate) points: Vec<Point>,
    /// Where values change within it: between which times, and by how much, in words.
    pub(crate) changes: Vec<((f64, f64), String)>,
    /// The mean from each change to the next, each with its first and last run's time; none
    /// where nothing changes.
    pub(crate) levels: Vec<(f64, f64, f64)>,
}

/// One measure.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// Its name.
    pub(crate) title: String,
    /// Its newest value in words.
    pub(crate) text: String,
    /// Its colour.
    pub(crate) colour: Colour,
    /// What is joined.
    pub(crate) parts: Vec<Part>,
    /// What claims nothing, each in its colour: rings, at which lines end.
    pub(crate) loose: Vec<(Point, Colour)>,
    /// Shaded times.
    pub(crate) shaded: Vec<(f64, f64)>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// What all values are.
    pub(crate) axis: String,
    /// A value to compare with.
    pub(crate) line: Option<f64>,
    /// Whether all panels have one range.
    pub(crate) together: bool,
    /// Times from which nothing is compared with what was before, with what begins there.
    pub(crate) marks: Vec<(f64, String)>,
    /// From top to bottom.
    pub(crate) panels: Vec<Panel>,
    /// The label of a whole number of weeks: short, and with its year.
    pub(crate) week: fn(i64) -> (String, String),
}

/// Above the first panel: what all values are; beneath it, the marks' labels.
const AXIS: f64 = 22.0;
const MARKS: f64 = 20.0;
/// A panel's title, and the labels of its changes.
const TITLE: f64 = 26.0;
const CHANGES: f64 = 18.0;
const BETWEEN: f64 = 22.0;
const LEFT: f64 = 46.0;
const BOTTOM: f64 = 26.0;
/// A range is at least so wide, as a ratio.
const LEAST: f64 = 1.12;

impl Panel {
    fn points(&self) -> impl Iterator<Item = &Point> {
        self.parts.iter().flat_map(|part| &part.points).chain(self.loose.iter().map(|(point, _)| point))
    }

    /// From the least to the largest of what counts, or of what does not.
    fn range(&self, counts: bool) -> Option<(f64, f64)> {
        let ends = |p: &Point| p.interval.map_or([p.value; 2], |(low, high)| [low.min(p.value), high.max(p.value)]);
        let all: Vec<&Point> = match counts {
            true => self.parts.iter().flat_map(|part| &part.points).collect(),
            false => self.loose.iter().map(|(point, _)| point).collect(),
        };
        let values = all.into_iter().flat_map(ends).filter(|v| v.is_finite() && *v > 0.0);
        values.map(|v| (v, v)).reduce(union)
    }

    fn head(&self) -> f64 {
        let changes = self.parts.iter().any(|part| !part.changes.is_empty());
        TITLE + if changes { CHANGES } else { 0.0 }
    }
}

fn union(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// With room around it.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    let wide = libm::pow(f64::max(high / low, LEAST), 0.08);
    let more = libm::sqrt(f64::max(LEAST / (high / low), 1.0)) * wide;
    (low / more, high * more)
}

impl History {
    /// One range for what counts in all panels, if they have one; what does not count widens its own
    /// panel's alone.
    fn ranges(&self) -> Vec<(f64, f64)> {
        let line = self.line.map(|value| (value, value));
        let all = self.panels.iter().filter_map(|panel| panel.range(true)).reduce(union).filter(|_| self.together);
        let of = |panel: &Panel| {
            let own = [all.or_else(|| panel.range(true)), panel.range(false), line];
            widened(own.into_iter().flatten().reduce(union).unwrap_or((1.0, 1.0)))
        };
        self.panels.iter().map(of).collect()
    }

    fn times(&self) -> (f64, f64) {
        let all = self.panels.iter().flat_map(Panel::points).map(|p| p.at);
        let (first, last) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), at| (a.min(at), b.max(at)));
        let room = f64::max((last - first) * 0.02, 0.3);
        if first <= last { (first - room, last + room) } else { (0.0, 1.0) }
    }

    /// The picture, on logarithmic axes: equal ratios are equally high.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        let plot = layout.pick(118.0, 108.0);
        let (width, marks) = (layout.width(), if self.marks.is_empty() { 0.0 } else { MARKS });
        let (left, right) = (LEFT, width - 10.0);
        let x = Scale::new(false, self.times().0, self.times().1, left, right);
        let mut top = AXIS + marks;
        let mut frames = Vec::new();
        for panel in &self.panels {
            top += panel.head();
            frames.push(Frame { left, top, right, bottom: top + plot });
            top += plot + BETWEEN;
        }
        let bottom = frames.last().map_or(top, |frame| frame.bottom);
        Drawing::new(width, bottom + BOTTOM, |canvas| {
            canvas.text((0.0, 6.0), &fitted(&self.axis, SMALL, width), Type::of(SMALL, Colour::Muted));
            let ticks = self.ticks(&x, layout.pick(76.0, 58.0));
            let ranges = self.ranges();
            for ((panel, frame), (low, high)) in self.panels.iter().zip(&frames).zip(ranges) {
                let y = Scale::new(true, low, high, frame.bottom, frame.top);
                self.ground(canvas, panel, frame, (&x, &y), &ticks);
            }
            for tick in &ticks {
                let at = canvas.within(x.at(tick.value), &tick.label, SMALL);
                canvas.text((at, bottom + 14.0), &tick.label, Type::of(SMALL, Colour::Muted).middle());
            }
            self.marks(canvas, &x, bottom, layout);
            for ((panel, frame), (low, high)) in self.panels.iter().zip(&frames).zip(self.ranges()) {
                let y = Scale::new(true, low, high, frame.bottom, frame.top);
                panel.head_line(canvas, frame);
                panel.draw(canvas, frame, (&x, &y), self.radius(&x));
            }
        })
    }

    /// Mondays, so far apart that their labels do not touch; the first of each year says which.
    fn ticks(&self, x: &Scale, room: f64) -> Vec<Tick> {
        let (first, last) = self.times();
        let week = x.at(first + 1.0) - x.at(first);
        let step = [1, 2, 4, 8, 13, 26, 52, 104, 260].into_iter().find(|step| week * f64::from(*step) >= room);
        let step = i64::from(step.unwrap_or(520));
        let mondays =
            (libm::ceil(first) as i64..=libm::floor(last) as i64).filter(|monday| monday.rem_euclid(step) == 0);
        let mut year = String::new();
        let tick = |monday: i64| {
            let (short, whole) = (self.week)(monday);
            let of = whole.split('-').next().unwrap_or_default().to_owned();
            let label = if of == year { short } else { whole };
            year = of;
            Tick { value: monday as f64, label }
        };
        mondays.map(tick).collect()
    }

    fn radius(&self, x: &Scale) -> f64 {
        let most = self.panels.iter().map(|panel| panel.points().count()).max().unwrap_or(0);
        let (first, last) = self.times();
        let each = (x.at(last) - x.at(first)) / most.max(1) as f64;
        (each / 3.0).clamp(1.6, 3.6)
    }

    fn ground(&self, canvas: &mut Canvas, panel: &Panel, frame: &Frame, (x, y): (&Scale, &Scale), ticks: &[Tick]) {
        for (from, to) in &panel.shaded {
            canvas.area((x.at(*from), frame.top), (x.at(*to), frame.bottom), Colour::Band);
        }
        for tick in ticks {
            canvas.line((x.at(tick.value), frame.top), (x.at(tick.value), frame.bottom), Colour::Grid, 1.0);
        }
        frame.y_axis(canvas, y, &y.ticks(6), "");
        if let Some(value) = self.line {
            canvas.line((frame.left, y.at(value)), (frame.right, y.at(value)), Colour::Ink, 1.0);
        }
    }

    /// Upright lines through all panels, each with a label above them where there is room.
    fn marks(&self, canvas: &mut Canvas, x: &Scale, bottom: f64, layout: Layout) {
        let mut taken = f64::NEG_INFINITY;
        for (at, label) in &self.marks {
            let at = x.at(*at);
            canvas.line((at, AXIS + 12.0), (at, bottom), Colour::Muted, 1.4);
            let words = fitted(label, SMALL, layout.width() / 2.0);
            let middle = canvas.within(at, &words, SMALL);
            let half = width_of(&words, SMALL) / 2.0;
            if middle - half > taken {
                canvas.text((middle, AXIS + 4.0), &words, Type::of(SMALL, Colour::Ink).middle());
                taken = middle + half + 8.0;
            }
        }
    }
}

impl Panel {
    /// Its name and its newest value; lines stop around words.
    fn head_line(&self, canvas: &mut Canvas, frame: &Frame) {
        let y = frame.top - self.head() + 9.0;
        let text = Type::of(NORMAL, Colour::Ink);
        let taken = width_of(&self.text, NORMAL);
        let title = fitted(&self.title, NORMAL + 1.0, frame.right - taken - 14.0);
        let wide = width_of(&title, NORMAL + 1.0);
        for (from, to) in [(0.0, wide + 4.0), (frame.right - taken, frame.right)] {
            canvas.area((from, y - 9.0), (to, y + 9.0), Colour::Paper);
        }
        canvas.text((0.0, y), &title, text.bold());
        canvas.text((frame.right, y), &self.text, text.end());
    }

    /// Runs of a part with nothing between them that claims nothing.
    fn joined<'p>(&self, part: &'p Part) -> Vec<&'p [Point]> {
        let between = |a: &Point, b: &Point| self.loose.iter().any(|(p, _)| (a.at..b.at).contains(&p.at));
        part.points.chunk_by(|a, b| !between(a, b)).collect()
    }

    /// The colour of lines between dots: means are drawn in ink.
    fn thread(&self) -> Colour {
        if self.colour == Colour::Ink { Colour::Muted } else { self.colour }
    }

    fn draw(&self, canvas: &mut Canvas, frame: &Frame, (x, y): (&Scale, &Scale), radius: f64) {
        let at = |p: &Point| -> At { (x.at(p.at), y.at(p.value)) };
        let bar = |canvas: &mut Canvas, p: &Point, colour| {
            if let Some((low, high)) = p.interval {
                canvas.line((x.at(p.at), y.at(low)), (x.at(p.at), y.at(high)), colour, 1.2);
            }
        };
        let mut taken = f64::NEG_INFINITY;
        for part in &self.parts {
            for ((from, to), label) in &part.changes {
                let middle = x.at((from + to) / 2.0);
                canvas.line((middle, frame.top - 5.0), (middle, frame.bottom), Colour::Ink, 0.8);
                let centre = canvas.within(middle, label, SMALL);
                let half = width_of(label, SMALL) / 2.0;
                if centre - half > taken {
                    canvas.text((centre, frame.top - 13.0), label, Type::of(SMALL, Colour::Ink).middle());
                    taken = centre + half + 8.0;
                }
            }
            part.points.iter().for_each(|p| bar(canvas, p, self.colour));
            for joined in self.joined(part) {
                canvas.path(&joined.iter().map(at).collect::<Vec<_>>(), self.thread(), 1.3);
            }
            for (from, to, mean) in &part.levels {
                let (from, to) = (x.at(*from) - radius - 2.0, x.at(*to) + radius + 2.0);
                canvas.line((from, y.at(*mean)), (to, y.at(*mean)), Colour::Ink, 2.0);
            }
            part.points.iter().for_each(|p| canvas.dot(at(p), radius, self.colour));
        }
        for (point, colour) in &self.loose {
            bar(canvas, point, *colour);
            canvas.ring(at(point), radius + 0.6, *colour);
        }
    }
}

#[cfg(test)]
mod tests;
