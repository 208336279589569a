//! Nothing is shown that is not also data, and the same input gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{assert_well_nested, escaping::parsed, files, sample::Sample};

/// The numbers in a text: runs of digits and points, as CSV writes them.
pub(crate) fn numbers(text: &str) -> BTreeSet<String> {
    marked(text).into_iter().map(|(number, _)| number).collect()
}

/// The same in their order, each with whether it is a percentage: `19–30 %` has two of them.
fn marked(text: &str) -> Vec<(String, bool)> {
    let plain: String = text.chars().filter(|c| *c != '\u{202f}').collect();
    let (mut found, mut rest) = (Vec::new(), plain.as_str());
    let of_number = |c: char| c.is_ascii_digit() || c == '.';
    while let Some(at) = rest.find(of_number) {
        let end = rest[at..].find(|c| !of_number(c)).map_or(rest.len(), |end| at + end);
        let number = rest[at..end].trim_matches('.').to_owned();
        rest = &rest[end..];
        let after = rest.strip_prefix('–').map_or(rest, |to| to.trim_start_matches(of_number));
        found.push((number, after.trim_start().starts_with('%')));
    }
    found.retain(|(number, _)| !number.is_empty());
    found
}

/// What the CSV files of a report hold.
pub(crate) struct Stored {
    numbers: BTreeSet<String>,
    /// Of the columns that hold speed-ups and other ratios.
    ratios: BTreeSet<String>,
    text: String,
}

impl Stored {
    pub(crate) fn of(files: &BTreeMap<String, String>) -> Self {
        let tables = files.iter().filter(|(name, _)| name.starts_with("csv/"));
        let text: String = tables.map(|(_, text)| text.as_str()).collect();
        let mut ratios = BTreeSet::new();
        for lines in files.iter().filter(|(name, _)| name.starts_with("csv/")).map(|(_, text)| parsed(text)) {
            let ratio = |column: &String| column.starts_with("speedup") || column.starts_with("ratio");
            for at in (0..lines[0].len()).filter(|at| ratio(&lines[0][*at])) {
                ratios.extend(lines[1..].iter().map(|line| line[at].clone()));
            }
        }
        Stored { numbers: numbers(&text), ratios, text }
    }

    /// The numbers of a text that are not there: neither as they are, nor, if they are percentages,
    /// as the distance from 1 of a ratio.
    pub(crate) fn lacks(&self, text: &str) -> Vec<String> {
        let there = |number: &str, percent: bool| {
            self.numbers.contains(number) || (percent && self.ratios.iter().any(|ratio| is_percent_of(number, ratio)))
        };
        marked(text)
            .into_iter()
            .filter(|(number, percent)| !there(number, *percent))
            .map(|(number, _)| number)
            .collect()
    }

    /// Whether these are the first digits of a digest that is there.
    pub(crate) fn is_digest(&self, word: &str) -> bool {
        word.len() == 12 && self.text.contains(&format!("sha256:{word}"))
    }
}

/// Whether a percentage can be how far a ratio is from 1, each with the digits that it has.
fn is_percent_of(percent: &str, ratio: &str) -> bool {
    let unit = |number: &str| libm::pow(10.0, -(number.split_once('.').map_or(0, |(_, after)| after.len()) as f64));
    let room = f64::max(unit(ratio) * 100.0, unit(percent)) / 2.0 + 1e-9;
    let (Ok(of), Ok(percent)) = (ratio.parse::<f64>(), percent.parse::<f64>()) else { return false };
    ((of - 1.0).abs() * 100.0 - percent).abs() <= room
}

#[test]
fn a_percentage_is_there_only_as_that_of_a_ratio() {
    let csv = "arm,speedup,seconds\na,1.24,1.37\n".to_owned();
    let stored = Stored::of(&[("csv/speed.csv".to_owned(), csv)].into());
    assert_eq!(stored.lacks("24 % faster, or 23.6–24.4 %"), [""; 0]);
    assert_eq!(stored.lacks("24 faster, 25 % or 37 %"), ["24", "25", "37"]);
}

/// The text of every cell of every table and of every list of facts.
pub(crate) fn cells(page: &str) -> Vec<String> {
    let mut cells = Vec::new();
    for (open, close) in [("<td", "</td>"), ("<th scope=\"row\"", "</th>"), ("<dd>", "</dd>")] {
        for part in page.split(open).skip(1) {
            let inside = part.split(close).next().unwrap();
            let text = inside.split('<').map(|piece| piece.split_once('>').map_or("", |(_, text)| text));
            cells.push(text.collect::<Vec<_>>().join(" "));
        }
    }
    cells
}

#[test]
fn every_number_in_a_table_of_a_page_is_in_a_csv_file() {
    let files = files(&Sample::new().input());
    let stored: BTreeSet<String> =
        files.iter().filter(|(name, _)| name.starts_with("csv/")).flat_map(|(_, text)| numbers(text)).collect();
    for (name, page) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        let cells = cells(page.split("<dl class=\"formulas\">").next().unwrap());
        assert!(cells.len() > 100, "{name}: {}", cells.len());
        for cell in cells {
            for number in numbers(&cell.replace("&#39;", "'")) {
                assert!(stored.contains(&number), "{name}: {number} of `{cell}`");
            }
        }
    }
}

#[test]
fn every_csv_file_has_as_many_fields_in_each_line_as_in_its_header() {
    for (name, text) in files(&Sample::new().input()).iter().filter(|(name, _)| name.starts_with("csv/")) {
        let lines = crate::escaping::parsed(text);
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{name}");
    }
}

/// Where a link of a page leads, from the report's folder.
fn target(page: &str, link: &str) -> String {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    match link.strip_prefix("../") {
        Some(rest) => rest.to_owned(),
        None if folder.is_empty() => link.to_owned(),
        None => format!("{folder}/{link}"),
    }
}

#[test]
fn every_page_picture_and_data_file_that_a_page_names_is_there() {
    let files = files(&Sample::new().input());
    let mut pages = 0;
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".html") || name.ends_with(".md")) {
        pages += 1;
        let (before, after) = if name.ends_with(".html") { ("href=\"", '"') } else { ("](", ')') };
        for link in text.split(before).skip(1).map(|part| part.split(after).next().unwrap()) {
            match link.strip_prefix('#') {
                Some(id) => assert!(text.contains(&format!("id=\"{id}\"")), "{name}: {link}"),
                None => assert!(files.contains_key(&target(name, link)), "{name}: {link}"),
            }
        }
    }
    assert_eq!(pages, 2 * (1 + Sample::new().judgement.candidates.len()));
}

#[test]
fn the_first_page_leads_to_the_page_of_each_candidate_and_that_leads_back() {
    let sample = Sample::new();
    let files = files(&sample.input());
    for candidate in &sample.judgement.candidates {
        let path = format!("candidates/{}", candidate.name);
        assert!(files["index.html"].contains(&format!("href=\"{path}.html\"")), "{path}");
        assert!(files["report.md"].contains(&format!("]({path}.md)")), "{path}");
        assert!(files[&format!("{path}.html")].contains("href=\"../index.html\""), "{path}");
        assert!(files[&format!("{path}.md")].contains("](../report.md)"), "{path}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(files(&Sample::new().input()), files(&Sample::new().input()));
}

#[test]
fn the_page_and_the_pictures_are_well_nested_and_load_nothing() {
    for (name, text) in files(&Sample::new().input()) {
        if name.ends_with(".html") || name.ends_with(".svg") {
            assert_well_nested(&name, &text);
            let script = format!("<script>{}</script>", include_str!("../../src/report/sort.js"));
            assert_eq!(text.matches(&script).count(), usize::from(name.ends_with(".html")), "{name}");
            let text = text.replace(&script, "");
            for loads in ["<script", "<link", "<iframe", "<img", "url(", "@import", " src=", "http-equiv=\"refresh"] {
                assert!(!text.contains(loads), "{name} has {loads}");
            }
            let addresses = text.matches("://").count() - text.matches("http://www.w3.org/2000/svg").count();
            assert_eq!(addresses, 0, "{name}");
        }
    }
}

#[test]
fn the_verdicts_are_there_as_json() {
    let files = files(&Sample::new().input());
    let json: serde_json::Value = serde_json::from_str(&files["verdicts.json"]).unwrap();
    assert_eq!(json["candidates"][4]["verdict"], "altered");
}

#[test]
fn every_picture_says_in_words_what_it_shows() {
    let files = files(&Sample::new().input());
    for (name, page) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
        let pictures = page.matches("<svg ").count();
        assert_eq!(pictures, page.matches("role=\"img\"").count(), "{name}");
        let labels = page.matches("aria-label=\"").count() - page.matches("<div class=\"scroll\"").count() - 1;
        assert_eq!(pictures, labels, "{name}");
    }
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("plots/")) {
        assert!(text.contains("<title>"), "{name}");
    }
}
