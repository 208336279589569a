//! A ratio in each round, with its mean and interval: whether a speed-up is the same all along,
//! or the doing of some rounds.

use super::{
    Colour, Drawing, Layout,
    canvas::{At, Canvas, Type, fitted},
    frame::{Frame, NORMAL, SMALL},
    grid::Grid,
    scale::Scale,
};

/// One round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// Its number.
    pub(crate) round: u32,
    /// The ratio.
    pub(crate) ratio: f64,
    /// Drawn as a ring: no part of the claim.
    pub(crate) hollow: bool,
}

/// One cell.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// Its name; may be empty.
    pub(crate) title: String,
    /// The mean and its interval in words, or why there is none.
    pub(crate) text: String,
    /// By round.
    pub(crate) points: Vec<Point>,
    /// Rounds that have no ratio.
    pub(crate) without: Vec<u32>,
    /// The geometric mean, and its interval.
    pub(crate) mean: Option<(f64, (f64, f64))>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Rounds {
    /// What the ratio is, and what the line at 1 is.
    pub(crate) axis: String,
    /// The arm's colour.
    pub(crate) colour: Colour,
    /// In reading order.
    pub(crate) panels: Vec<Panel>,
}

const TOP: f64 = 24.0;
const LEFT: f64 = 36.0;
/// Room for the panel's title, and for its mean beneath.
const HEAD: (f64, f64) = (18.0, 24.0);
const AXIS: f64 = 36.0;
/// Room for crosses beneath all values.
const CROSSES: f64 = 16.0;
/// The range to show at least.
const LEAST: (f64, f64) = (0.95, 1.05);

impl Rounds {
    /// One range for all panels, so that they can be compared.
    fn range(&self) -> (f64, f64) {
        let mut range = LEAST;
        for panel in &self.panels {
            let ends = panel.mean.map_or([None, None], |(_, (low, high))| [Some(low), Some(high)]);
            let ratios = panel.points.iter().map(|p| p.ratio).chain(ends.into_iter().flatten());
            for ratio in ratios.filter(|r| r.is_finite() && *r > 0.0) {
                range = (range.0.min(ratio), range.1.max(ratio));
            }
        }
        let margin = libm::pow(range.1 / range.0, 0.07);
        (range.0 / margin, range.1 * margin)
    }

    fn last(&self) -> u32 {
        let rounds = self.panels.iter().flat_map(|p| p.points.iter().map(|p| p.round).chain(p.without.iter().copied()));
        rounds.max().unwrap_or(1)
    }

    /// The picture, on a logarithmic axis.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        let plot = if self.panels.len() <= 2 { layout.pick(200.0, 170.0) } else { 120.0 };
        let titled = self.panels.iter().any(|p| !p.title.is_empty());
        let title = if titled { HEAD.0 } else { 0.0 };
        let head = title + HEAD.1;
        let grid = Grid::of(layout, self.panels.len(), 3, (LEFT, head + plot + AXIS));
        let (low, high) = self.range();
        Drawing::new(layout.width(), TOP + grid.total(), |canvas| {
            canvas.text((0.0, 6.0), &self.axis, Type::of(SMALL, Colour::Muted));
            for (i, panel) in self.panels.iter().enumerate() {
                let (left, top) = grid.place(i);
                let right = left + grid.panel;
                let top = TOP + top;
                let name = fitted(&panel.title, NORMAL, grid.panel);
                canvas.text((left, top + 8.0), &name, Type::of(NORMAL, Colour::Ink).bold());
                let mean = fitted(&panel.text, SMALL, grid.panel);
                canvas.text((left, top + title + 8.0), &mean, Type::of(SMALL, Colour::Ink));
                let frame = Frame { left, top: top + head, right, bottom: top + head + plot };
                let floor = if panel.without.is_empty() { 0.0 } else { CROSSES };
                let y = Scale::new(true, low, high, frame.bottom - floor, frame.top);
                let x = Scale::new(false, 0.5, f64::from(self.last()) + 0.5, frame.left, frame.right);
                panel.band(canvas, &frame, &y);
                if grid.is_first(i) {
                    frame.y_axis(canvas, &y, &y.ticks(5), "");
                } else {
                    frame.y_lines(canvas, &y, &y.ticks(5));
                }
                numbers(canvas, &frame, &x, self.last());
                panel.draw(canvas, &frame, (&x, &y), self.colour);
            }
        })
    }
}

impl Panel {
    fn band(&self, canvas: &mut Canvas, frame: &Frame, y: &Scale) {
        if let Some((_, (low, high))) = self.mean {
            canvas.area((frame.left, y.at(high)), (frame.right, y.at(low)), Colour::Band);
        }
    }

    fn draw(&self, canvas: &mut Canvas, frame: &Frame, (x, y): (&Scale, &Scale), colour: Colour) {
        if let Some((mean, (low, high))) = self.mean {
            for (value, width) in [(low, 0.8), (mean, 1.6), (high, 0.8)] {
                canvas.line((frame.left, y.at(value)), (frame.right, y.at(value)), colour, width);
            }
        }
        canvas.line((frame.left, y.at(1.0)), (frame.right, y.at(1.0)), Colour::Ink, 1.2);
        let radius = if frame.right - frame.left < 8.0 * f64::from(self.points.len() as u32) { 2.2 } else { 3.4 };
        let at = |p: &Point| -> At { (x.at(f64::from(p.round)), y.at(p.ratio)) };
        for point in &self.points {
            if point.hollow {
                canvas.ring(at(point), radius + 0.4, colour);
            } else {
                canvas.dot(at(point), radius, colour);
            }
        }
        for round in &self.without {
            let (centre, middle) = (x.at(f64::from(*round)), frame.bottom - CROSSES / 2.0);
            for slope in [-3.0, 3.0] {
                canvas.line((centre - 3.0, middle - slope), (centre + 3.0, middle + slope), Colour::Muted, 1.2);
            }
        }
    }
}

/// As many rounds as there is room for, always the first.
fn numbers(canvas: &mut Canvas, frame: &Frame, x: &Scale, last: u32) {
    let muted = Type::of(SMALL, Colour::Muted).middle();
    let room = ((frame.right - frame.left) / 24.0).max(2.0) as u32;
    let step = [1, 2, 5, 10, 20, 50, 100, 200, 500].into_iter().find(|step| last / step < room).unwrap_or(1000);
    for round in (1..=last).filter(|round| *round == 1 || (step == 1 || *round % step == 0)) {
        canvas.text((x.at(f64::from(round)), frame.bottom + 12.0), &round.to_string(), muted);
    }
    canvas.text(((frame.left + frame.right) / 2.0, frame.bottom + 28.0), "round", muted);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::seen::{Element, all, dots, texts};

    fn panel(ratios: &[f64]) -> Panel {
        Panel {
            title: String::new(),
            text: "1.20× [1.10, 1.31]".into(),
            points: (1..).zip(ratios).map(|(round, ratio)| Point { round, ratio: *ratio, hollow: false }).collect(),
            without: Vec::new(),
            mean: Some((1.2, (1.1, 1.31))),
        }
    }

    fn drawn(panels: Vec<Panel>) -> Drawing {
        Rounds { axis: "speed-up".into(), colour: Colour::Arm(1), panels }.draw(Layout::Wide)
    }

    fn levels(drawing: &Drawing, colour: &str) -> Vec<f64> {
        let level = |e: &&Element| e.get("stroke") == colour && e.get("y1") == e.get("y2");
        all(drawing, "line").iter().filter(level).map(|e| e.number("y1")).collect()
    }

    #[test]
    fn a_round_stands_on_the_line_of_its_ratio_and_rounds_stand_in_order() {
        let drawing = drawn(vec![panel(&[1.0, 1.2, 1.31, 1.1])]);
        let at = dots(&drawing, "var(--arm1)", 3.4);
        let one = levels(&drawing, "var(--ink)");
        let [low, mean, high] = levels(&drawing, "var(--arm1)")[..] else { panic!("a mean with two limits") };
        assert_eq!(at.iter().map(|at| at.1).collect::<Vec<_>>(), [one[0], mean, high, low]);
        assert!(at.windows(2).all(|pair| pair[0].0 < pair[1].0) && high < mean && mean < low && low < one[0]);
    }

    #[test]
    fn equal_factors_are_equally_far_from_1() {
        let at = dots(&drawn(vec![panel(&[1.0, 1.25, 0.8])]), "var(--arm1)", 3.4);
        assert!(((at[0].1 - at[1].1) - (at[2].1 - at[0].1)).abs() <= 1.0, "{at:?}");
    }

    #[test]
    fn all_panels_have_one_scale_and_only_the_first_of_a_row_has_its_numbers() {
        let drawing = drawn(vec![panel(&[1.3]), panel(&[0.7])]);
        let ones = levels(&drawing, "var(--ink)");
        assert_eq!(ones[0], ones[1]);
        assert_eq!(texts(&drawing).iter().filter(|t| *t == "1.0").count(), 1);
    }

    #[test]
    fn a_round_without_a_ratio_has_a_cross_and_one_that_does_not_count_a_ring() {
        let mut one = panel(&[1.2]);
        one.without = vec![2];
        one.points.push(Point { round: 3, ratio: 1.2, hollow: true });
        let drawing = drawn(vec![one]);
        let crosses: Vec<Element> =
            all(&drawing, "line").into_iter().filter(|e| e.get("stroke") == "var(--muted)").collect();
        assert_eq!(crosses.len(), 2);
        let middle = (crosses[0].number("x1") + crosses[0].number("x2")) / 2.0;
        let number = |round: &str| all(&drawing, "text").iter().find(|e| e.get("text") == round).unwrap().number("x");
        assert!((middle - number("2")).abs() <= 1.0);
        assert_eq!(dots(&drawing, "var(--arm1)", 3.4).len(), 1);
        assert!(
            all(&drawing, "circle").iter().any(|e| e.get("stroke") == "var(--arm1)" && e.number("cx") == number("3"))
        );
    }

    #[test]
    fn many_rounds_are_numbered_in_steps_from_the_first_on() {
        let drawing = drawn(vec![panel(&[1.2; 60])]);
        let numbers: Vec<u32> = texts(&drawing).iter().filter_map(|t| t.parse().ok()).collect();
        assert_eq!(numbers[..3], [1, 2, 4]);
        assert!(numbers.len() <= 36 && numbers.last() == Some(&60));
    }
}
