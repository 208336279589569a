//! The report as one HTML file: no script, no request, nothing foreign.

use super::{
    document::{Block, Document, LOG_LINES, Section},
    escape,
    figures::{self, Figure},
    formulas::Formula,
    html::Html,
    table::{Cell, Column, Table, word},
    words::Line,
};
use crate::judgement::Verdict;

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Characters from which a name may be broken.
const LONG: usize = 28;

/// `index.html`.
pub(crate) fn page(document: &Document) -> Vec<u8> {
    let mut html = Html::default();
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
            html.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the verdicts");
            html.element("header", &[], |html| header(html, document));
            html.element("main", &[("id", "main")], |html| {
                for part in &document.sections {
                    section(html, part);
                }
            });
        });
    });
    html.into_bytes()
}

fn header(html: &mut Html, document: &Document) {
    html.leaf("p", &[("class", "above")], &document.above);
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
    html.element("nav", &[("aria-label", "Contents")], |html| {
        for section in &document.sections {
            html.leaf("a", &[("href", &format!("#{}", section.id))], &section.title);
            html.text(" ");
        }
    });
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
        Block::Heading { id, text } => html.leaf("h3", &[("id", id)], text),
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
                html.leaf("a", &[("class", "data"), ("href", &figure.data)], "data");
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
        html.element("table", &[("class", table.name)], |html| {
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
                    html.element("tr", &[], |html| row_cells(html, row, &classes, &table.columns));
                }
            });
        });
    });
}

fn row_cells(html: &mut Html, row: &[Cell], classes: &[&str], columns: &[Column]) {
    for (i, (cell, class)) in row.iter().zip(classes).enumerate() {
        let class = match columns[i].title {
            "Why" | "Examples" | "Check" => "prose",
            // Of two columns the second has all the room that there is.
            "Why not" => "words",
            // A name is one word, unless it is absurd.
            _ if i == 0 && cell.words().chars().count() > LONG => "prose",
            _ => class,
        };
        let (tag, attributes): (_, &[_]) =
            if i == 0 { ("th", &[("scope", "row"), ("class", class)]) } else { ("td", &[("class", class)]) };
        html.element(tag, attributes, |html| self::cell(html, cell));
    }
}

fn cell(html: &mut Html, cell: &Cell) {
    match cell {
        Cell::Link(text, id) => html.leaf("a", &[("href", &format!("#{id}"))], text),
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
