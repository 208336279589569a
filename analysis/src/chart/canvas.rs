//! Lines, dots and text on plotters' SVG backend. The backend rounds to whole units, so a
//! unit is a tenth of a CSS pixel.

use lab::text::shown;
use plotters::{
    prelude::{DrawingBackend, SVGBackend},
    style::{
        Color, FontFamily, FontStyle, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{Colour, colour};

/// Units in a CSS pixel.
const UNITS: f64 = 10.0;
/// Plotters divides a font's size by this.
const PLOTTERS_FONT: f64 = 1.24;
/// Around a picture that is a file of its own.
const MARGIN: f64 = 16.0;
/// What a page sets for all of itself.
const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
/// Characters of any label.
const LABEL: usize = 60;

/// A position in CSS pixels.
pub(crate) type At = (f64, f64);

/// A finished picture; its colours are still sentinels.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    width: f64,
    height: f64,
    body: String,
}

impl Drawing {
    /// Draws a picture of this size.
    pub(crate) fn new(width: f64, height: f64, draw: impl FnOnce(&mut Canvas)) -> Self {
        let mut svg = String::new();
        let mut canvas =
            Canvas { backend: SVGBackend::with_string(&mut svg, (units(width) as u32, units(height) as u32)), width };
        draw(&mut canvas);
        done(canvas.backend.present());
        drop(canvas);
        let inside = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>")).map_or("", |(body, _)| body);
        Drawing { width, height, body: tidy(inside) }
    }

    fn open(&self, margin: f64, attributes: &str) -> String {
        let (width, height) = (self.width + 2.0 * margin, self.height + 2.0 * margin);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{from} {from} {} {}\" role=\"img\"{attributes}>",
            units(width),
            units(height),
            from = units(-margin)
        )
    }

    /// Width and height in pixels.
    #[cfg(test)]
    pub(crate) fn size(&self) -> [f64; 2] {
        [self.width, self.height]
    }

    /// For a page: colours are CSS variables. `label` says in words what is to be seen and is
    /// already escaped, `class` is ours.
    pub(crate) fn inline(&self, class: &str, label: &str) -> String {
        let open = self.open(0.0, &format!(" class=\"{class}\" aria-label=\"{label}\""));
        format!("{open}\n{}</svg>\n", colour::resolve(&self.body, true))
    }

    /// A file of its own: light colours on white, with a margin. `label` is already escaped.
    pub(crate) fn file(&self, label: &str) -> String {
        let (width, height, edge) = (self.width + 2.0 * MARGIN, self.height + 2.0 * MARGIN, units(-MARGIN));
        let open = self.open(MARGIN, &format!(" width=\"{width}\" height=\"{height}\" font-family=\"{FONTS}\""));
        let paper = format!("<rect x=\"{edge}\" y=\"{edge}\" width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
        format!("{open}\n<title>{label}</title>\n{paper}\n{}</svg>\n", colour::resolve(&self.body, false))
    }
}

/// Without what a page sets itself or what changes nothing, with staircases as short paths, and
/// with whole font sizes: plotters' division leaves 120.00000000000001.
fn tidy(svg: &str) -> String {
    let svg = shortened(svg);
    let svg = svg.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "").replace(" \"/>", "\"/>");
    let mut parts = svg.split(" font-size=\"");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (size, rest) = part.split_once('"').unwrap_or((part, ""));
        let size: f64 = size.parse().unwrap_or_default();
        out.push_str(&format!(" font-size=\"{size:.0}\"{rest}"));
    }
    out
}

/// Polylines as paths, which need one number for a step that is level or upright.
fn shortened(svg: &str) -> String {
    let mut parts = svg.split("<polyline ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (attributes, rest) = part.split_once("points=\"").unwrap_or((part, ""));
        let (points, rest) = rest.split_once('"').unwrap_or((rest, ""));
        out.push_str(&format!("<path {attributes}d=\"{}\"{rest}", path(points)));
    }
    out
}

/// `1,2 1,5 3,5` as `M1 2V5H3`.
fn path(points: &str) -> String {
    let mut out = String::new();
    let mut last = None;
    for (x, y) in points.split_whitespace().filter_map(|point| point.split_once(',')) {
        match last {
            None => out.push_str(&format!("M{x} {y}")),
            Some(before) if before == (x, y) => {}
            Some((before, _)) if before == x => out.push_str(&format!("V{y}")),
            Some((_, before)) if before == y => out.push_str(&format!("H{x}")),
            Some(_) => out.push_str(&format!("L{x} {y}")),
        }
        last = Some((x, y));
    }
    out
}

fn units(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

/// Writing into a string cannot fail.
fn done<T, E>(_: Result<T, E>) {}

/// How a text is set.
#[derive(Clone, Copy)]
pub(crate) struct Type {
    size: f64,
    colour: Colour,
    side: HPos,
    bold: bool,
}

impl Type {
    /// Text of this size, starting at its position, vertically centred on it.
    pub(crate) fn of(size: f64, colour: Colour) -> Self {
        Type { size, colour, side: HPos::Left, bold: false }
    }

    /// Ends at its position.
    pub(crate) fn end(mut self) -> Self {
        self.side = HPos::Right;
        self
    }

    /// Centred on its position.
    pub(crate) fn middle(mut self) -> Self {
        self.side = HPos::Center;
        self
    }

    /// In bold.
    pub(crate) fn bold(mut self) -> Self {
        self.bold = true;
        self
    }
}

/// Width of an average character, as a share of its size, in a wide font.
const WIDTH: f64 = 0.6;

/// Width of a digit, as a share of its size, in a wide font: DejaVu Sans has 0.636.
const DIGIT: f64 = 0.64;

/// About how wide a text will be: fonts differ, so leave room.
pub(crate) fn width_of(text: &str, size: f64) -> f64 {
    let wide = |c: char| if c.is_ascii_digit() { DIGIT } else { WIDTH };
    text.chars().take(LABEL).map(wide).sum::<f64>() * size
}

/// `text`, cut so that it fits about this width.
pub(crate) fn fitted(text: &str, size: f64, width: f64) -> String {
    let room = ((width / (size * WIDTH)) as usize).clamp(4, LABEL);
    // The sign of a cut stands behind what is left.
    shown(text, if text.chars().count() > room { room - 1 } else { room })
}

/// Where a picture is drawn. Positions and lengths are CSS pixels.
pub(crate) struct Canvas<'a> {
    backend: SVGBackend<'a>,
    width: f64,
}

impl Canvas<'_> {
    /// Where text of this size is whose middle should be at `x`: within the picture.
    pub(crate) fn within(&self, x: f64, text: &str, size: f64) -> f64 {
        let half = width_of(text, size) / 2.0;
        x.min(self.width - half).max(half)
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: At, to: At, colour: Colour, width: f64) {
        done(self.backend.draw_line(point(from), point(to), &stroke(colour, width)));
    }

    /// A line through points.
    pub(crate) fn path(&mut self, points: &[At], colour: Colour, width: f64) {
        if points.len() > 1 {
            done(self.backend.draw_path(points.iter().copied().map(point), &stroke(colour, width)));
        }
    }

    /// A disc with a thin rim of paper, so that it stays visible over lines.
    pub(crate) fn dot(&mut self, at: At, radius: f64, colour: Colour) {
        let disc = |radius: f64| units(radius) as u32;
        done(self.backend.draw_circle(point(at), disc(radius + 1.0), &stroke(Colour::Paper, 0.0), true));
        done(self.backend.draw_circle(point(at), disc(radius), &stroke(colour, 0.0), true));
    }

    /// A ring.
    pub(crate) fn ring(&mut self, at: At, radius: f64, colour: Colour) {
        self.dot(at, radius, Colour::Paper);
        done(self.backend.draw_circle(point(at), units(radius - 0.75) as u32, &stroke(colour, 1.5), false));
    }

    /// A filled rectangle.
    pub(crate) fn area(&mut self, from: At, to: At, colour: Colour) {
        done(self.backend.draw_rect(point(from), point(to), &stroke(colour, 0.0), true));
    }

    /// A text, at most 60 characters; control characters are shown, not obeyed.
    pub(crate) fn text(&mut self, at: At, text: &str, how: Type) {
        if text.is_empty() {
            return;
        }
        let font = (FontFamily::SansSerif, how.size * UNITS * PLOTTERS_FONT);
        let colour = how.colour.sentinel();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(how.side, VPos::Center));
        let style = if how.bold { TextStyle { font: style.font.style(FontStyle::Bold), ..style } } else { style };
        done(self.backend.draw_text(&shown(text, LABEL), &style, point(at)));
    }
}

fn point((x, y): At) -> (i32, i32) {
    (units(x), units(y))
}

fn stroke(colour: Colour, width: f64) -> ShapeStyle {
    ShapeStyle { color: colour.sentinel().to_rgba(), filled: true, stroke_width: units(width) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> Drawing {
        Drawing::new(40.0, 20.0, |canvas| {
            canvas.text((1.0, 2.0), "<b>\u{1b}[2J\"", Type::of(12.0, Colour::Ink).end().bold());
            canvas.line((0.0, 0.0), (1.25, 2.0), Colour::Grid, 1.0);
        })
    }

    #[test]
    fn text_is_escaped_and_control_characters_are_shown() {
        let svg = drawn().inline("wide", "words");
        assert!(svg.contains("&lt;b&gt;\\u{1b}[2J&quot;") && !svg.contains("<b>") && !svg.contains('\u{1b}'), "{svg}");
    }

    #[test]
    fn a_staircase_is_a_short_path() {
        let stairs = [(0.0, 1.0), (0.0, 2.0), (0.0, 2.0), (3.0, 2.0), (4.0, 0.5)];
        let svg = Drawing::new(9.0, 9.0, |canvas| canvas.path(&stairs, Colour::Ink, 1.0)).inline("wide", "words");
        let line = "<path fill=\"none\" stroke=\"var(--ink)\" stroke-width=\"10\" d=\"M0 10V20H30L40 5\"/>";
        assert!(svg.contains(line), "{svg}");
    }

    #[test]
    fn font_sizes_are_whole_tenths_of_pixels() {
        let svg = drawn().inline("wide", "words");
        assert!(svg.contains("font-size=\"120\""), "{svg}");
    }

    #[test]
    fn a_file_has_its_own_background_and_a_page_has_variables() {
        let (page, file) = (drawn().inline("wide", "words"), drawn().file("words"));
        assert!(page.contains("var(--ink)") && page.contains("aria-label=\"words\"") && !page.contains("#F0"));
        assert!(file.contains("fill=\"#ffffff\"") && file.contains("<title>words</title>") && !file.contains("var("));
    }
}
