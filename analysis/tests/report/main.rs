//! The report as others see it: its files.
#![allow(clippy::unwrap_used)]

#[path = "../../examples/sample-report/sample/mod.rs"]
mod sample;

mod complete;
mod controls;
mod empty;
mod escaping;
mod history;
mod html;
mod large;
mod notes;
mod schema;
mod schemas;
mod snapshots;
mod week;

use std::collections::BTreeMap;

/// The files of a report as text, by name.
fn files(input: &analysis::report::Input) -> BTreeMap<String, String> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    analysis::report::render(input).into_iter().map(|(name, bytes)| (name, text(bytes))).collect()
}

/// Checks that every element is closed in order.
fn assert_well_nested(name: &str, text: &str) {
    const WITHOUT_END: [&str; 1] = ["meta"];
    let mut open: Vec<&str> = Vec::new();
    let script = format!("<script>{}</script>", include_str!("../../src/report/sort.js"));
    let text = text.replace(&script, "");
    let mut rest = text.strip_prefix("<!doctype html>").unwrap_or(&text);
    while let Some(start) = rest.find('<') {
        let tag = &rest[start + 1..];
        let end = tag.find('>').unwrap();
        let (inside, after) = (&tag[..end], &tag[end + 1..]);
        let word = inside.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if inside.starts_with('/') {
            assert_eq!(open.pop(), Some(word), "{name}: </{word}>");
        } else if !inside.ends_with('/') && !WITHOUT_END.contains(&word) {
            open.push(word);
        }
        rest = after;
    }
    assert!(open.is_empty(), "{name}: {open:?} left open");
}
