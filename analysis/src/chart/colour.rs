//! Colours by meaning. A drawing holds a sentinel colour for each meaning; a page replaces
//! it by a CSS variable, a file by the light colour itself.

use plotters::style::RGBColor;

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Text and the baseline.
    Ink,
    /// Secondary text.
    Muted,
    /// Grid lines.
    Grid,
    /// Shading behind a part of a picture.
    Band,
    /// The background.
    Paper,
    /// Outputs are the model's.
    Equivalent,
    /// Not decided.
    Undecided,
    /// Outputs are not the model's.
    Altered,
    /// An arm by its position: 0 is the baseline, candidates follow.
    Arm(usize),
}

/// Name, light, dark. The arms' hues are Okabe and Ito's, which people with any of the
/// common colour blindnesses tell apart; those too pale (or too deep) for their background
/// are darkened (or lightened) until they stand out 3 : 1.
const COLOURS: [(&str, &str, &str); 15] = [
    ("ink", "#1b1f24", "#e8eaed"),
    ("muted", "#5b636e", "#a3abb5"),
    ("grid", "#dfe3e8", "#343a42"),
    ("band", "#f3f5f8", "#1e2329"),
    ("paper", "#ffffff", "#15181c"),
    ("equivalent", "#00785a", "#34c79b"),
    ("undecided", "#6b7079", "#a9afb8"),
    ("altered", "#c2410c", "#ff8a4c"),
    ("arm1", "#0072b2", "#4aa8e8"),
    ("arm2", "#d55e00", "#f0803c"),
    ("arm3", "#009e73", "#21c79a"),
    ("arm4", "#b4588f", "#dd93bd"),
    ("arm5", "#b57c00", "#e69f00"),
    ("arm6", "#2f93cc", "#8ccbf0"),
    ("arm7", "#8a8000", "#f0e442"),
];

const FIRST_ARM: usize = 8;
const HUES: usize = COLOURS.len() - FIRST_ARM;

/// From the eighth candidate on hues repeat, with dashes (in tenths of a pixel).
const DASHES: [&str; 4] = ["", "70 35", "20 30", "120 30 20 30"];

impl Colour {
    /// Position in [`COLOURS`] and in [`DASHES`].
    fn position(self) -> (usize, usize) {
        match self {
            Colour::Ink | Colour::Arm(0) => (0, 0),
            Colour::Muted => (1, 0),
            Colour::Grid => (2, 0),
            Colour::Band => (3, 0),
            Colour::Paper => (4, 0),
            Colour::Equivalent => (5, 0),
            Colour::Undecided => (6, 0),
            Colour::Altered => (7, 0),
            Colour::Arm(n) => (FIRST_ARM + (n - 1) % HUES, (n - 1) / HUES % DASHES.len()),
        }
    }

    /// The colour that stands for it in a drawing.
    pub(crate) fn sentinel(self) -> RGBColor {
        let (colour, dash) = self.position();
        RGBColor(0xF0, dash as u8, colour as u8)
    }
}

/// The value of a sentinel as plotters wrote it (`#F0ddcc`), with its dash pattern.
fn meant(written: &str) -> Option<(&'static (&'static str, &'static str, &'static str), &'static str)> {
    let digits = written.strip_prefix("#F0")?;
    let dash = usize::from_str_radix(digits.get(..2)?, 16).ok()?;
    let colour = usize::from_str_radix(digits.get(2..)?, 16).ok()?;
    Some((COLOURS.get(colour)?, DASHES.get(dash)?))
}

/// `svg` with every sentinel replaced, for a page or for a file.
pub(crate) fn resolve(svg: &str, for_page: bool) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg;
    // Text cannot hold a quote (plotters escapes it), so this is always an attribute.
    while let Some(at) = rest.find("=\"#F0") {
        let (before, found) = rest.split_at(at + 2);
        out.push_str(before);
        let (written, after) = found.split_at(found.len().min(7));
        match meant(written) {
            Some(((name, light, _), dash)) => {
                if for_page {
                    out.push_str(&format!("var(--{name})"));
                } else {
                    out.push_str(light);
                }
                if before.ends_with("stroke=\"") && !dash.is_empty() {
                    out.push_str(&format!("\" stroke-dasharray=\"{dash}"));
                }
            }
            None => out.push_str(written),
        }
        rest = after;
    }
    out + rest
}

/// The variables' definitions: `light` and `dark` each as `--name:value;…`.
pub(crate) fn variables() -> (String, String) {
    let all = |pick: fn(&(&str, &'static str, &'static str)) -> &'static str| {
        COLOURS.iter().map(|c| format!("--{}:{};", c.0, pick(c))).collect()
    };
    (all(|c| c.1), all(|c| c.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(hex: &str) -> f64 {
        let part = |at: usize| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_colour_stands_out_from_its_background_on_light_and_dark() {
        let (paper, text) = (COLOURS[4], ["ink", "muted", "equivalent", "undecided", "altered"]);
        for colour in COLOURS.iter().filter(|c| !["grid", "band", "paper"].contains(&c.0)) {
            let least = if text.contains(&colour.0) { 4.5 } else { 3.0 };
            assert!(contrast(colour.1, paper.1) >= least, "{} light {}", colour.0, contrast(colour.1, paper.1));
            assert!(contrast(colour.2, paper.2) >= least, "{} dark {}", colour.0, contrast(colour.2, paper.2));
        }
    }

    #[test]
    fn no_two_of_the_first_28_candidates_look_the_same() {
        let looks: std::collections::BTreeSet<_> = (0..=28).map(|n| Colour::Arm(n).position()).collect();
        assert_eq!(looks.len(), 29);
    }

    #[test]
    fn a_sentinel_becomes_a_variable_on_a_page_and_a_colour_in_a_file() {
        let svg = "<line stroke=\"#F00108\"/><rect fill=\"#F00000\"/><text fill=\"#ABCDEF\">";
        assert_eq!(
            resolve(svg, true),
            "<line stroke=\"var(--arm1)\" stroke-dasharray=\"70 35\"/><rect fill=\"var(--ink)\"/><text fill=\"#ABCDEF\">"
        );
        assert!(resolve(svg, false).contains("fill=\"#1b1f24\""));
    }
}
