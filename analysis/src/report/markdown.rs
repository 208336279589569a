//! The report as Markdown, to be read in a repository browser.

use super::{
    document::{self, Block, Home, LOG_LINES, Page},
    escape, notes,
    table::{Cell, Table, word},
};

/// The page's file.
pub(crate) fn markdown(page: &Page) -> Vec<u8> {
    let document = &page.document;
    let mut out = Markdown { out: String::new(), root: page.root() };
    out.line(&format!("# {}", text(&document.title)));
    let home = |home: &Home| format!("[{}]({}{}report.md) · ", text(&home.title), out.root, home.folder);
    let home = document.home.as_ref().map(home).unwrap_or_default();
    out.line(&format!("*{home}{}*", text(&document.above)));
    out.paragraph(&document.description);
    let headline = document.headline.iter().map(|line| format!("**{}** {}", text(&line.subject), text(&line.rest)));
    out.items(headline);
    if !document.caution.is_empty() {
        out.line(&format!("> {}", text(&document.caution)));
    }
    out.line(&notes::place(&document.note));
    for section in &document.sections {
        out.line(&format!("## {}", text(&section.title)));
        for part in &section.blocks {
            out.block(part);
        }
    }
    (out.out.trim_end().to_owned() + "\n").into_bytes()
}

/// Markdown under construction.
struct Markdown {
    out: String,
    /// Where the report's folder is, as seen from this page.
    root: String,
}

fn text(text: &str) -> String {
    escape::markdown(text)
}

impl Markdown {
    /// What is already Markdown, then an empty line.
    fn line(&mut self, markdown: &str) {
        self.out.push_str(markdown);
        self.out.push_str("\n\n");
    }

    fn paragraph(&mut self, words: &str) {
        if !words.is_empty() {
            self.line(&text(words));
        }
    }

    fn items(&mut self, items: impl Iterator<Item = String>) {
        let list: Vec<String> = items.map(|item| format!("- {item}")).collect();
        if !list.is_empty() {
            self.line(&list.join("\n"));
        }
    }

    fn block(&mut self, part: &Block) {
        match part {
            Block::Verdict { verdict, provisional, speed } => {
                let provisional = if *provisional { ", provisional" } else { "" };
                self.line(&format!("**{}**{provisional}; {}.", word(*verdict), text(speed)));
            }
            Block::Text(words) => self.paragraph(words),
            Block::List(list) => self.items(list.iter().map(|item| text(item))),
            Block::Table(table) => self.table(table),
            Block::Facts(table) => self.facts(table),
            Block::Figure(figure) => {
                self.line(&format!("**{}.** {}", text(&figure.title), text(&figure.caption)));
                self.line(&format!("![{}]({}{})", text(&figure.alt), self.root, figure.file()));
            }
            Block::Fold { summary, table, .. } => {
                self.line(&format!("{}:", text(summary)));
                self.table(table);
            }
            Block::Log { title, text: log } => {
                self.paragraph(title);
                let lines: Vec<String> =
                    log.lines().take(LOG_LINES).map(|line| escape::markdown_code(&escape::detail(line))).collect();
                self.line(&lines.join("<br>\n"));
            }
            Block::Commands(commands) => {
                let lines: Vec<String> = commands.iter().map(|c| format!("    {}", escape::detail(c))).collect();
                self.line(&lines.join("\n"));
            }
            Block::Formulas(formulas) => {
                let line = |f: &super::formulas::Formula| {
                    let code = escape::markdown_code(f.formula);
                    format!("**{}** = {code}. {} ({})", text(f.name), text(f.meaning), text(f.source))
                };
                self.items(formulas.iter().map(line));
            }
        }
    }

    fn table(&mut self, table: &Table) {
        let number = |i: usize| table.rows.iter().any(|row| row[i].is_number());
        let titles: Vec<&str> = table.columns.iter().map(|c| c.title).collect();
        let rules: Vec<&str> = (0..titles.len()).map(|i| if number(i) { "--:" } else { "---" }).collect();
        let mut lines = vec![row(titles.iter().map(|t| text(t))), format!("|{}|", rules.join("|"))];
        lines.extend(table.rows.iter().map(|cells| row(cells.iter().map(|c| self.cell(c)))));
        self.line(&lines.join("\n"));
        let caption = text(table.caption.trim_end_matches('.'));
        self.line(&format!("{caption} ([data]({}{}))", self.root, table.file()));
    }

    fn facts(&mut self, table: &Table) {
        let pairs = table.columns.iter().zip(table.rows.iter().flatten());
        let items: Vec<String> =
            pairs.map(|(column, value)| format!("{}: {}", text(column.title), self.cell(value))).collect();
        self.items(items.into_iter());
    }

    fn cell(&self, cell: &Cell) -> String {
        match cell {
            Cell::Link(words, page) | Cell::Week(words, Some(page)) => {
                let file = escape::href(&document::file(page, "report", "md"));
                format!("[{}]({}{file})", text(words), self.root)
            }
            Cell::Code(code) => escape::markdown_code(code),
            Cell::Verdict(verdict, provisional) => {
                format!("**{}**{}", word(*verdict), if *provisional { ", provisional" } else { "" })
            }
            cell => text(&cell.words()),
        }
    }
}

fn row(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}
