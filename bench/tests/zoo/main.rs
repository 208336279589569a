//! Every cheat and fault of the test server, from the server to the verdict: stub, runner,
//! sealed bundle, grade, judge.
#![allow(clippy::unwrap_used)]

mod animals;
#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeMap, fs, path::Path};

use animals::{Animal, Nature, PENS, Pen};
use lab::bundle::Bundle;
use serde_json::Value;
use support::{Lab, code, stderr, stdout};

fn all() -> impl Iterator<Item = &'static Animal> {
    PENS.iter().flat_map(|pen| pen.animals)
}

/// Measures, grades and judges a pen; says what is not as the table says.
fn wrong_in(pen: &Pen) -> Vec<String> {
    let lab = Lab::new();
    let output = lab.run(&pen.workload());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    everything_is_bounded(&lab);
    // Nothing is judged that does not verify, so this says that the bundles hold together, too.
    let judged = lab.on_bundles(&["judge", "--json"]);
    let judgement: Value = serde_json::from_str(&stdout(&judged)).unwrap_or_else(|_| panic!("{}", stderr(&judged)));
    let candidates = judgement["candidates"].as_array().unwrap();
    let of = |name: &str| candidates.iter().find(|c| c["name"] == name).unwrap();
    pen.animals.iter().filter_map(|animal| wrong_with(animal, of(animal.name))).collect()
}

/// However much a server sends, little is kept.
fn everything_is_bounded(lab: &Lab) {
    for bundle in lab.runs().iter().filter_map(|run| Bundle::open(run).ok()).filter(Bundle::is_measure) {
        for trial in &bundle.plan().unwrap().trials {
            let record = bundle.trial(&trial.folder()).unwrap();
            assert!(record.trial.server.log_kept <= (1 << 20) + 64, "{}: its log", trial.folder());
            for request in &record.requests {
                assert!(request.bytes <= (256 << 10) + (64 << 10), "{}, {}", trial.folder(), request.request);
            }
        }
    }
}

fn wrong_with(animal: &Animal, candidate: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let seen = [ends(candidate), text(&candidate["verdict"]), text(&candidate["reasons"][0]["code"])];
    let needed = &candidate["equivalence"]["requests_to_suspect"];
    println!("{:<20} {:<40} requests until suspect: {needed}", animal.name, seen.join(", "));
    let expected = [animal.ends, animal.verdict, animal.reason];
    (seen != expected).then(|| {
        let reasons: Vec<String> = candidate["reasons"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|r| format!("\n  {}: {}", r["code"], r["text"]))
            .collect();
        format!("{}: {seen:?}, expected {expected:?}{}", animal.name, reasons.concat())
    })
}

/// How its timed requests ended, or of what class its launches failed.
fn ends(candidate: &Value) -> String {
    let classes = candidate["failures"].as_array().unwrap().iter().map(|f| f["class"].as_str().unwrap());
    let outcomes = candidate["outcomes"].as_array().unwrap().iter().map(|o| o[0].as_str().unwrap());
    let mut ends: Vec<&str> = classes.collect();
    if ends.is_empty() {
        ends = outcomes.collect();
    }
    ends.dedup();
    ends.join(" and ")
}

#[test]
fn common_cheats_and_honest_servers_get_their_verdicts() {
    assert_eq!(wrong_in(&PENS[0]).join("\n"), "");
}

#[test]
fn rare_cheats_are_found_by_more_requests() {
    assert_eq!(wrong_in(&PENS[1]).join("\n"), "");
}

#[test]
fn lies_in_logprobs_help_nobody() {
    assert_eq!(wrong_in(&PENS[2]).join("\n"), "");
}

#[test]
fn broken_servers_are_undecided_and_their_requests_end_as_the_table_says() {
    assert_eq!(wrong_in(&PENS[3]).join("\n"), "");
}

#[test]
fn every_mode_and_all_weights_of_the_test_server_are_in_the_zoo() {
    assert_eq!(PENS.len(), 4, "each pen has its test");
    let said: Vec<&str> = all().flat_map(|animal| animal.stub.split_whitespace()).collect();
    for mode in stub::Mode::all().iter().filter(|mode| **mode != stub::Mode::Honest) {
        assert!(said.contains(&mode.name().as_str()), "{} is missing", mode.name());
    }
    for weights in ["int8", "fp8", "drop-layer", "int4", "small", "other"] {
        assert!(said.contains(&weights), "{weights} is missing");
    }
}

#[test]
fn nobody_honest_and_nothing_broken_is_ever_altered() {
    for animal in all() {
        match animal.nature {
            Nature::Honest => assert_eq!(animal.verdict, "equivalent", "{}", animal.name),
            Nature::Fault => assert_ne!(animal.verdict, "altered", "{}", animal.name),
            Nature::Cheat => {}
        }
    }
}

/// The cells of README's table of the zoo, without the last column, which says what was
/// measured once.
fn documented() -> Vec<Vec<String>> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let rows = readme.lines().skip_while(|line| !line.starts_with("| server |")).skip(2);
    let cells = |line: &str| {
        let mut cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        cells.pop();
        cells
    };
    rows.take_while(|line| line.starts_with('|')).map(cells).collect()
}

#[test]
fn readme_shows_this_table() {
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    let row = |a: &Animal| {
        let nature = format!("{:?}", a.nature).to_lowercase();
        [a.name.into(), nature, a.does.into(), code(a.stub), a.ends.into(), a.verdict.into(), code(a.reason)].to_vec()
    };
    let expected: Vec<Vec<String>> = all().map(row).collect();
    let shown: BTreeMap<String, Vec<String>> = documented().into_iter().map(|row| (row[0].clone(), row)).collect();
    let rows: Vec<String> = expected.iter().map(|row| format!("| {} | |", row.join(" | "))).collect();
    for row in &expected {
        assert_eq!(shown.get(&row[0]), Some(row), "README's table has to be:\n{}", rows.join("\n"));
    }
    assert_eq!(documented().len(), expected.len(), "README's table has to be:\n{}", rows.join("\n"));
}
