//! Nothing is shown that is not also data, and the same input gives the same bytes.

use std::collections::BTreeSet;

use crate::{assert_well_nested, files, sample::Sample};

/// The numbers in a text: runs of digits and points, as CSV writes them.
fn numbers(text: &str) -> BTreeSet<String> {
    let plain: String = text.chars().filter(|c| *c != '\u{202f}').collect();
    plain
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|run| run.trim_matches('.').to_owned())
        .filter(|run| !run.is_empty())
        .collect()
}

/// The text of every cell of every table and of every list of facts.
fn cells(page: &str) -> Vec<String> {
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
fn every_number_in_a_table_of_the_page_is_in_a_csv_file() {
    let files = files(&Sample::new().input());
    let stored: BTreeSet<String> =
        files.iter().filter(|(name, _)| name.starts_with("csv/")).flat_map(|(_, text)| numbers(text)).collect();
    let page = files["index.html"].split("<dl class=\"formulas\">").next().unwrap();
    let cells = cells(page);
    assert!(cells.len() > 300, "{}", cells.len());
    for cell in cells {
        for number in numbers(&cell.replace("&#39;", "'")) {
            assert!(stored.contains(&number), "{number} of `{cell}`");
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

#[test]
fn every_picture_and_data_file_that_a_document_names_is_there() {
    let files = files(&Sample::new().input());
    let page_links = files["index.html"].split("href=\"").skip(1).map(|part| part.split('"').next().unwrap());
    let markdown_links = files["report.md"].split("](").skip(1).map(|part| part.split(')').next().unwrap());
    for link in page_links.chain(markdown_links) {
        match link.strip_prefix('#') {
            Some(id) => assert!(files["index.html"].contains(&format!("id=\"{id}\"")), "{link}"),
            None => assert!(files.contains_key(link), "{link}"),
        }
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
    let page = &files["index.html"];
    assert_eq!(page.matches("<svg ").count(), page.matches("role=\"img\"").count());
    assert_eq!(
        page.matches("<svg ").count(),
        page.matches("aria-label=\"").count() - page.matches("<div class=\"scroll\"").count() - 1
    );
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("plots/")) {
        assert!(text.contains("<title>"), "{name}");
    }
}
