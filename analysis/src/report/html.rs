//! HTML that cannot forget to escape: tags and attribute names are ours, everything else is
//! escaped on the way in.

use super::escape;
use crate::chart::Drawing;

/// HTML under construction.
#[derive(Debug, Default)]
pub(crate) struct Html {
    out: String,
    /// Where the report's folder is, as seen from this page.
    root: String,
}

/// Names and values of attributes.
type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    /// A page that sees the report's folder there.
    pub(crate) fn new(root: String) -> Self {
        Html { out: String::new(), root }
    }

    /// A link to a file of the report.
    pub(crate) fn link(&mut self, class: &str, file: &str, text: &str) {
        let href = format!("{}{file}", self.root);
        self.leaf("a", &[("class", class), ("href", &href)], text);
    }

    /// An element with what `inside` writes.
    pub(crate) fn element(&mut self, tag: &'static str, attributes: Attributes, inside: impl FnOnce(&mut Self)) {
        self.open(tag, attributes);
        inside(self);
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
        if !matches!(tag, "a" | "code" | "b" | "span" | "td" | "th" | "dt" | "dd" | "li" | "cite" | "sub") {
            self.out.push('\n');
        }
    }

    /// An element with text.
    pub(crate) fn leaf(&mut self, tag: &'static str, attributes: Attributes, text: &str) {
        self.element(tag, attributes, |html| html.text(text));
    }

    /// An element without an end.
    pub(crate) fn open(&mut self, tag: &'static str, attributes: Attributes) {
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.out.push_str(&escape::html(value));
            self.out.push('"');
        }
        self.out.push('>');
    }

    /// Text. A number is never parted from its percent sign.
    pub(crate) fn text(&mut self, text: &str) {
        self.out.push_str(&escape::html(text).replace(" %", "\u{a0}%"));
    }

    /// Words of this program itself: the document type, the style sheet.
    pub(crate) fn own(&mut self, text: &'static str) {
        self.out.push_str(text);
    }

    /// The colours' definitions, which are ours.
    pub(crate) fn variables(&mut self, (light, dark): &(String, String)) {
        self.out.push_str(&format!(":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"));
    }

    /// A picture; its texts were escaped when it was drawn.
    pub(crate) fn drawing(&mut self, drawing: &Drawing, class: &'static str, label: &str) {
        self.out.push_str(&drawing.inline(class, &escape::html(label)));
    }

    /// The finished page.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }
}
