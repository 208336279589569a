//! The distributions of two arms beside each other, panel by panel: what many cells need.

use super::{
    Colour, Drawing, Layout,
    canvas::{Canvas, Type, fitted, width_of},
    ecdf::Curve,
    frame::{Frame, NORMAL, SMALL},
    grid::Grid,
    scale::{Scale, Tick, extent},
};

/// One cell, or one metric.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// What it shows; may be empty.
    pub(crate) title: String,
    /// The axis' title, with its unit; empty where all panels have that of the picture.
    pub(crate) axis: String,
    /// From the one that is named first.
    pub(crate) curves: Vec<Curve>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Ecdfs {
    /// What the vertical axis is, and the horizontal one where all panels have the same.
    pub(crate) title: String,
    /// In reading order.
    pub(crate) panels: Vec<Panel>,
}

const TOP: f64 = 24.0;
const LINE: f64 = 18.0;
const LEFT: f64 = 44.0;
/// Room for ticks, and for the axis' title beneath.
const AXIS: (f64, f64) = (22.0, 18.0);

impl Ecdfs {
    /// The picture, on logarithmic axes.
    pub(crate) fn draw(&self, layout: Layout) -> Drawing {
        let head = LINE * (1 + self.panels.iter().map(|p| p.curves.len()).max().unwrap_or(0)) as f64 + 10.0;
        let plot = match (self.panels.len(), layout) {
            (1 | 2, Layout::Wide) => 210.0,
            (..=4, _) => 160.0,
            _ => 120.0,
        };
        let titled = self.panels.iter().any(|p| !p.axis.is_empty());
        let axis = AXIS.0 + if titled { AXIS.1 } else { 0.0 };
        let grid = Grid::of(layout, self.panels.len(), 3, (LEFT, head + plot + axis));
        Drawing::new(layout.width(), TOP + grid.total(), |canvas| {
            let muted = Type::of(SMALL, Colour::Muted);
            canvas.text((0.0, 6.0), &self.title, muted);
            for (i, panel) in self.panels.iter().enumerate() {
                let (left, top) = grid.place(i);
                let top = TOP + top;
                let right = left + grid.panel;
                panel.head(canvas, (left, right), top);
                let frame = Frame { left, top: top + head, right: right - 6.0, bottom: top + head + plot };
                let y = Scale::new(false, 0.0, 100.0, frame.bottom, frame.top);
                if grid.is_first(i) {
                    frame.y_axis(canvas, &y, &halves(), "");
                } else {
                    frame.y_lines(canvas, &y, &halves());
                }
                panel.draw(canvas, &frame, &y);
            }
        })
    }
}

fn halves() -> [Tick; 3] {
    [0.0, 50.0, 100.0].map(|value| Tick { value, label: format!("{value} %") })
}

impl Panel {
    /// The title, and beneath it each arm with its median.
    fn head(&self, canvas: &mut Canvas, (left, right): (f64, f64), top: f64) {
        let y = |line: usize| top + LINE * (line as f64 + 0.5);
        let title = fitted(&self.title, NORMAL, right - left);
        canvas.text((left, y(0)), &title, Type::of(NORMAL, Colour::Ink).bold());
        for (i, curve) in self.curves.iter().enumerate() {
            let y = y(i + 1);
            canvas.line((left, y), (left + 14.0, y), curve.colour, 3.0);
            let room = right - left - 28.0 - width_of(&curve.text, SMALL);
            let ink = Type::of(SMALL, Colour::Ink);
            canvas.text((left + 20.0, y), &fitted(&curve.name, SMALL, room), ink);
            canvas.text((right, y), &curve.text, ink.end());
        }
    }

    /// The smallest and the largest value above zero; a value below a tenth of the smallest median
    /// (gaps of zero, where chunks came together) is drawn at the left edge.
    fn range(&self) -> (f64, f64) {
        let above = |value: &f64| *value > 0.0;
        let least = self.curves.iter().map(|c| c.median / 10.0).filter(above).fold(f64::INFINITY, f64::min);
        let (low, high) = extent(self.curves.iter().flat_map(|c| &c.steps).map(|s| s.0).filter(above));
        if !low.is_finite() {
            return (1.0, 10.0);
        }
        let low = if least.is_finite() { low.max(least) } else { low };
        let room = libm::pow(high / low, 0.03).max(1.005);
        (low / room, high * room)
    }

    fn draw(&self, canvas: &mut Canvas, frame: &Frame, y: &Scale) {
        let (low, high) = self.range();
        let x = Scale::new(true, low, high, frame.left, frame.right);
        let most = (((frame.right - frame.left) / 45.0) as usize).max(2);
        if self.axis.is_empty() {
            frame.x_ticks(canvas, &x, most);
        } else {
            frame.x_axis(canvas, &x, most, &self.axis);
        }
        // The baseline, which is named first, lies beneath.
        for curve in &self.curves {
            canvas.path(&curve.points(&x, y), curve.colour, 1.8);
        }
        for curve in &self.curves {
            canvas.dot((x.at(curve.median), y.at(50.0)), 3.2, curve.colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::seen::{all, dots, texts};

    fn curve(name: &str, arm: usize, steps: &[(f64, f64)]) -> Curve {
        let median = steps.iter().find(|s| s.1 >= 0.5).unwrap().0;
        let text = format!("{median} ms");
        Curve { name: name.into(), colour: Colour::Arm(arm), steps: steps.into(), median, text }
    }

    fn drawn(panels: usize, layout: Layout) -> Drawing {
        let curves = vec![
            curve("baseline", 0, &[(10.0, 0.25), (20.0, 0.5), (40.0, 1.0)]),
            curve("fast", 1, &[(5.0, 0.5), (20.0, 1.0)]),
        ];
        let panel = |n: usize| Panel { title: format!("cell {n}"), axis: String::new(), curves: curves.clone() };
        Ecdfs { title: "share of requests".into(), panels: (0..panels).map(panel).collect() }.draw(layout)
    }

    #[test]
    fn gaps_that_are_all_zero_have_a_range_and_so_have_medians_of_zero() {
        let panel = |steps: &[&[(f64, f64)]]| Panel {
            title: "ITL".into(),
            axis: String::new(),
            curves: steps.iter().map(|steps| curve("baseline", 0, steps)).collect(),
        };
        assert_eq!(panel(&[&[(0.0, 1.0)]]).range(), (1.0, 10.0));
        let (low, high) = panel(&[&[(0.0, 0.6), (4.0, 1.0)], &[(0.0, 0.9), (8.0, 1.0)]]).range();
        assert!(0.0 < low && low < high && high.is_finite(), "{low} {high}");
    }

    #[test]
    fn the_median_stands_on_the_curve_at_one_half() {
        let drawing = drawn(1, Layout::Wide);
        let level = |words: &str| all(&drawing, "text").iter().find(|e| e.get("text") == words).unwrap().number("y");
        let (none, half) = (level("0 %"), level("50 %"));
        let [baseline, fast] = ["var(--ink)", "var(--arm1)"].map(|colour| dots(&drawing, colour, 3.2)[0]);
        let stairs: Vec<String> = all(&drawing, "path").iter().map(|e| e.get("d").to_owned()).collect();
        assert_eq!((baseline.1, fast.1), (half, half));
        // The baseline's second step, the other's first.
        assert!(stairs[0].contains(&format!("H{}V{half}H", baseline.0)), "{} {baseline:?}", stairs[0]);
        assert!(stairs[1].starts_with(&format!("M{} {none}V{half}H", fast.0)), "{} {fast:?}", stairs[1]);
    }

    #[test]
    fn a_staircase_begins_at_nothing_and_ends_at_all() {
        let drawing = drawn(1, Layout::Wide);
        let level = |words: &str| all(&drawing, "text").iter().find(|e| e.get("text") == words).unwrap().number("y");
        let stairs = all(&drawing, "path")[1].get("d").to_owned();
        assert!(
            stairs.starts_with('M') && stairs.contains(&format!(" {}V{}H", level("0 %"), level("50 %"))),
            "{stairs}"
        );
        assert!(stairs.ends_with(&format!("V{}", level("100 %"))), "{stairs}");
    }

    #[test]
    fn each_panel_names_both_arms_with_their_medians() {
        for layout in [Layout::Wide, Layout::Narrow] {
            let texts = texts(&drawn(6, layout));
            let count = |word: &str| texts.iter().filter(|t| *t == word).count();
            assert_eq!(["baseline", "fast", "20 ms", "5 ms", "cell 5"].map(count), [6, 6, 6, 6, 1]);
            assert_eq!(count("50 %"), layout.pick(2, 3), "one for each row");
        }
    }

    #[test]
    fn nothing_is_drawn_outside_the_picture() {
        for (layout, panels) in [(Layout::Wide, 12), (Layout::Narrow, 12), (Layout::Narrow, 3)] {
            let drawing = drawn(panels, layout);
            let [width, height] = drawing.size().map(|side| side * 10.0);
            for text in all(&drawing, "text") {
                assert!(
                    (0.0..=width).contains(&text.number("x")) && (0.0..=height).contains(&text.number("y")),
                    "{text:?}"
                );
            }
        }
    }
}
