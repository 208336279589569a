//! A page of the report as one HTML file: no request, nothing foreign, and one script, which sorts
//! tables and without which nothing is missing.

use super::{
    document::{self, Block, Document, LOG_LINES, Page, Section},
    escape,
    figures::{self, Figure},
    formulas::Formula,
    html::Html,
    notes::{self, Part, Span},
    table::{Cell, Table, word},
    words::Line,
};
use crate::judgement::Verdict;

/// No script but the one whose SHA-256 stands here.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-M1a070JnKNy/9+xr+ro8bbSGTKtjrsjIU1gItXw3K8s='; img-src data:; base-uri 'none'; form-action 'none'";

const SORT: &str = include_str!("sort.js");

/// Rows from which it helps to sort them.
const SORTABLE: usize = 6;

/// Tables whose order says what belongs together.
const IN_ORDER: [&str; 2] = ["environment", "bundles"];

/// Characters from which a name may be broken.
const LONG: usize = 28;

/// The page's file.
pub(crate) fn page(page: &Page) -> Vec<u8> {
    let document = &page.document;
    let mut html = Html::new(page.root());
    html.own("<!doctype html>\n");
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| {
            html.open("meta", &[("charset", "utf-8")]);
            html.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
            html.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
            html.open("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            html.leaf("title", &[], &document.title);
            html.element("style", &[], |html| {
                html.variables(&figures::variables());
                html.own(include_str!("style.css"));
            });
        });
        html.element("body", &[], |html| {
            html.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the contents");
            html.element("header", &[], |html| header(html, document));
            html.element("main", &[("id", "main")], |html| {
                for part in &document.sections {
                    section(html, part);
                }
            });
            html.element("script", &[], |html| html.own(SORT));
        });
    });
    html.into_bytes()
}

fn header(html: &mut Html, document: &Document) {
    html.element("p", &[("class", "above")], |html| {
        if let Some(home) = &document.home {
            html.link("home", &format!("{}index.html", home.folder), &home.title);
            html.text(" · ");
        }
        html.text(&document.above);
    });
    html.leaf("h1", &[], &document.title);
    if !document.description.is_empty() {
        html.leaf("p", &[("class", "about")], &document.description);
    }
    if !document.headline.is_empty() {
        html.element("ul", &[("class", "headline")], |html| {
            for line in &document.headline {
                headline(html, line);
            }
        });
    }
    if !document.caution.is_empty() {
        html.leaf("p", &[("class", "caution")], &document.caution);
    }
    note(html, &document.note);
    html.element("nav", &[("aria-label", "Contents")], |html| {
        for section in &document.sections {
            html.leaf("a", &[("href", &format!("#{}", section.id))], &section.title);
            html.text(" ");
        }
    });
}

fn note(html: &mut Html, note: &str) {
    if note.is_empty() {
        return;
    }
    html.element("aside", &[("class", "note"), ("aria-label", "Note by hand")], |html| {
        html.leaf("p", &[("class", "by")], "Note by hand");
        for part in notes::parts(note) {
            match part {
                Part::Text(text) => html.element("p", &[], |html| spans(html, &text)),
                Part::List(items) => html.element("ul", &[], |html| {
                    items.iter().for_each(|item| html.element("li", &[], |html| spans(html, item)));
                }),
            }
        }
    });
}

fn spans(html: &mut Html, text: &str) {
    for span in notes::spans(text) {
        match span {
            Span::Text(text) => html.text(&escape::detail(text)),
            Span::Code(text) => html.leaf("code", &[], &escape::detail(text)),
            Span::Strong(text) => html.leaf("b", &[], &escape::detail(text)),
        }
    }
}

fn headline(html: &mut Html, line: &Line) {
    html.element("li", &[("class", line.verdict.map_or("", word))], |html| {
        html.element("span", &[("class", "glyph"), ("aria-hidden", "true")], |html| {
            html.text(line.verdict.map_or(line.glyph, glyph));
        });
        html.element("span", &[], |html| {
            html.leaf("b", &[], &line.subject);
            html.text(" ");
            html.text(&line.rest);
        });
    });
}

/// Told apart without colour.
fn glyph(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Equivalent => "✓",
        Verdict::Undecided => "?",
        Verdict::Altered => "✕",
    }
}

fn section(html: &mut Html, section: &Section) {
    html.element("section", &[("id", &section.id)], |html| {
        html.leaf("h2", &[], &section.title);
        for part in &section.blocks {
            block(html, part);
        }
    });
}

fn block(html: &mut Html, part: &Block) {
    match part {
        Block::Verdict { verdict, provisional, speed } => html.element("p", &[("class", "verdict")], |html| {
            html.element("span", &[], |html| chip(html, *verdict, *provisional));
            html.leaf("span", &[], speed);
        }),
        Block::Text(text) => html.leaf("p", &[], text),
        Block::List(items) => html.element("ul", &[], |html| items.iter().for_each(|item| html.leaf("li", &[], item))),
        Block::Table(table) => self::table(html, table),
        Block::Facts(table) => facts(html, table),
        Block::Figure(figure) => self::figure(html, figure),
        Block::Fold { summary, open, table } => {
            let attributes: &[_] = if *open { &[("open", "")] } else { &[] };
            html.element("details", attributes, |html| {
                html.leaf("summary", &[], summary);
                self::table(html, table);
            });
        }
        Block::Log { title, text } => html.element("div", &[("class", "log")], |html| {
            html.leaf("p", &[], title);
            html.element("pre", &[], |html| {
                for line in text.lines().take(LOG_LINES) {
                    html.text(&escape::detail(line));
                    html.own("\n");
                }
            });
        }),
        Block::Commands(commands) => html.element("pre", &[("class", "commands")], |html| {
            for command in commands {
                html.leaf("code", &[], command);
                html.own("\n");
            }
        }),
        Block::Formulas(formulas) => self::formulas(html, formulas),
    }
}

fn chip(html: &mut Html, verdict: Verdict, provisional: bool) {
    html.element("span", &[("class", &format!("chip {}", word(verdict)))], |html| {
        html.leaf("span", &[("class", "glyph"), ("aria-hidden", "true")], glyph(verdict));
        html.text(word(verdict));
    });
    if provisional {
        html.leaf("span", &[("class", "provisional")], " provisional");
    }
}

fn figure(html: &mut Html, figure: &Figure) {
    html.element("figure", &[], |html| {
        html.element("figcaption", &[], |html| {
            html.leaf("b", &[], &figure.title);
            html.element("span", &[], |html| {
                html.text(&figure.caption);
                html.text(" ");
                html.link("data", &figure.data, "data");
            });
        });
        html.drawing(&figure.picture.wide, "wide", &figure.alt);
        html.drawing(&figure.picture.narrow, "narrow", &figure.alt);
    });
}

fn table(html: &mut Html, table: &Table) {
    let class = |i: usize| if table.rows.iter().any(|row| row[i].is_number()) { "n" } else { "" };
    let classes: Vec<&str> = (0..table.columns.len()).map(class).collect();
    let region: &[_] = &[("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", table.caption)];
    html.element("div", region, |html| {
        let sortable = table.rows.len() >= SORTABLE && !IN_ORDER.contains(&table.name);
        let class = format!("{}{}", table.name, if sortable { " sortable" } else { "" });
        html.element("table", &[("class", &class)], |html| {
            html.leaf("caption", &[], table.caption);
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    for (column, class) in table.columns.iter().zip(&classes) {
                        html.leaf("th", &[("scope", "col"), ("class", class)], column.title);
                    }
                });
            });
            html.element("tbody", &[], |html| {
                for row in &table.rows {
                    html.element("tr", &[], |html| row_cells(html, row, &classes, table, sortable));
                }
            });
        });
    });
}

fn row_cells(html: &mut Html, row: &[Cell], classes: &[&str], table: &Table, sortable: bool) {
    for (i, (cell, class)) in row.iter().zip(classes).enumerate() {
        let class = match table.columns[i].title {
            "Why" | "Examples" | "Check" => "prose",
            // Of two columns the second has all the room that there is.
            "Why not" => "words",
            _ if matches!(cell, Cell::Week(..)) => "week",
            // A name is one word, unless it is absurd.
            _ if i == 0 && cell.words().chars().count() > LONG => "prose",
            _ => class,
        };
        let key = cell.key().filter(|_| sortable);
        let mut attributes = vec![("class", class)];
        attributes.extend(key.as_deref().map(|key| ("data-k", key)));
        if i == 0 {
            attributes.insert(0, ("scope", "row"));
        }
        html.element(if i == 0 { "th" } else { "td" }, &attributes, |html| self::cell(html, cell));
    }
}

fn cell(html: &mut Html, cell: &Cell) {
    match cell {
        Cell::Link(text, page) | Cell::Week(text, Some(page)) => {
            html.link("", &escape::href(&document::file(page, "index", "html")), text)
        }
        Cell::Code(text) => html.leaf("code", &[], text),
        Cell::Nothing(_) | Cell::Empty => html.leaf("span", &[("class", "nothing")], &cell.words()),
        Cell::Verdict(verdict, provisional) => chip(html, *verdict, *provisional),
        Cell::Limit(point, ends, unit) => {
            html.leaf("b", &[], &format!("{}\u{a0}{unit}", point.typeset()));
            if let Some((low, high)) = ends {
                html.leaf("span", &[("class", "interval")], &format!(" [{}, {}]", low.typeset(), high.typeset()));
            }
        }
        Cell::Interval(point, low, high) => {
            html.leaf("b", &[], &format!("{}×", point.typeset()));
            html.leaf("span", &[("class", "interval")], &format!(" [{}, {}]", low.typeset(), high.typeset()));
        }
        cell => html.text(&cell.words()),
    }
}

fn facts(html: &mut Html, table: &Table) {
    html.element("dl", &[("class", "facts")], |html| {
        for (column, cell) in table.columns.iter().zip(table.rows.iter().flatten()) {
            html.element("div", &[], |html| {
                html.leaf("dt", &[], column.title);
                html.element("dd", &[], |html| self::cell(html, cell));
            });
        }
    });
}

/// Text in which `_{…}` is a subscript.
fn subscripts(html: &mut Html, formula: &str) {
    let mut parts = formula.split("_{");
    html.text(parts.next().unwrap_or_default());
    for part in parts {
        let (below, after) = part.split_once('}').unwrap_or((part, ""));
        html.leaf("sub", &[], below);
        html.text(after);
    }
}

fn formulas(html: &mut Html, formulas: &[Formula]) {
    html.element("dl", &[("class", "formulas")], |html| {
        for formula in formulas {
            html.leaf("dt", &[], formula.name);
            html.element("dd", &[], |html| {
                html.element("p", &[("class", "formula")], |html| subscripts(html, formula.formula));
                html.element("p", &[], |html| {
                    html.text(formula.meaning);
                    html.text(" ");
                    html.leaf("cite", &[], formula.source);
                });
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 4.
    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let number = three.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            for i in 0..4 {
                let letter = LETTERS[(number >> (18 - 6 * i)) as usize & 63];
                text.push(if i > three.len() { '=' } else { char::from(letter) });
            }
        }
        text
    }

    #[test]
    fn the_policy_allows_this_script_and_no_other() {
        assert_eq!(base64(b"fooba"), "Zm9vYmE=");
        let digest = lab::Digest::of(SORT).to_string();
        let hex = digest.strip_prefix("sha256:").unwrap();
        let bytes: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        assert!(POLICY.contains(&format!("script-src 'sha256-{}';", base64(&bytes))));
    }
}
