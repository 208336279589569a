//! What is in a drawing, for tests.

use std::collections::BTreeMap;

use super::Drawing;

/// An element: its attributes, and the text in it as `text`. Lengths are tenths of a pixel.
#[derive(Debug, Clone)]
pub(crate) struct Element(BTreeMap<String, String>);

impl Element {
    /// An attribute; empty where it has none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// An attribute as a number.
    pub(crate) fn number(&self, name: &str) -> f64 {
        self.get(name).parse().unwrap()
    }
}

/// All elements of this name, in the order in which they are drawn.
pub(crate) fn all(drawing: &Drawing, tag: &str) -> Vec<Element> {
    let svg = drawing.inline("wide", "");
    let element = |part: &str| {
        let (inside, rest) = part.split_once('>').unwrap();
        let mut element = BTreeMap::new();
        let mut words = inside.split('"');
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            element.insert(name.trim().trim_end_matches('=').to_owned(), value.to_owned());
        }
        element.insert("text".into(), rest.split('<').next().unwrap().trim().to_owned());
        Element(element)
    };
    svg.split(&format!("<{tag} ")).skip(1).map(element).collect()
}

/// The texts, in the order in which they are drawn.
pub(crate) fn texts(drawing: &Drawing) -> Vec<String> {
    all(drawing, "text").iter().map(|e| e.get("text").to_owned()).collect()
}

/// The centres of the discs of a colour with this radius in pixels, without their rims.
pub(crate) fn dots(drawing: &Drawing, colour: &str, radius: f64) -> Vec<(f64, f64)> {
    let wanted = |e: &&Element| e.get("fill") == colour && e.number("r") == radius * 10.0;
    all(drawing, "circle").iter().filter(wanted).map(|e| (e.number("cx"), e.number("cy"))).collect()
}
