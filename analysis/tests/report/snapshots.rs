//! The files beside this one are what a person last looked at and found good. After a
//! change of the report, `UPDATE_SNAPSHOTS=1 cargo test -p analysis --test report` writes
//! them anew: look at the difference before keeping it.

use std::path::Path;

use crate::{files, sample::Sample};

pub(crate) fn assert_as_before(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, now).unwrap();
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = before.lines().zip(now.lines()).find(|(a, b)| a != b);
    assert!(before == now, "{name} differs, first at {differs:?}; see tests/report/snapshots.rs");
}

#[test]
fn the_terminal_table_fits_80_columns() {
    let table = analysis::report::table(&Sample::new().judgement, 80, false);
    assert!(table.lines().all(|line| line.chars().count() <= 80));
    assert_as_before("terminal.txt", &table);
}

#[test]
fn the_terminal_table_of_a_plain_measurement_reads_as_before() {
    assert_as_before("plain.txt", &analysis::report::table(&Sample::plain().judgement, 80, false));
}

#[test]
fn the_terminal_table_of_a_run_of_controls_reads_as_before() {
    let table = analysis::report::table(&Sample::controls().judgement, 80, false);
    assert!(table.lines().all(|line| line.chars().count() <= 80 || line.starts_with("  calibration = ")), "{table}");
    assert_as_before("controls.txt", &table);
}

#[test]
fn colours_change_nothing_but_colours() {
    let sample = Sample::new();
    let coloured = analysis::report::table(&sample.judgement, 80, true);
    let mut plain = String::new();
    for part in coloured.split('\u{1b}') {
        plain.push_str(part.strip_prefix('[').and_then(|p| p.split_once('m')).map_or(part, |(_, text)| text));
    }
    assert_ne!(plain, coloured);
    assert_eq!(plain, analysis::report::table(&sample.judgement, 80, false));
}

#[test]
fn the_markdown_report_reads_as_before() {
    assert_as_before("report.md", &files(&Sample::new().input())["report.md"]);
}

#[test]
fn the_pictures_look_as_before() {
    let files = files(&Sample::new().input());
    for name in ["speed.svg", "margins.svg", "drift-1.svg", "capacity-1.svg"] {
        assert_as_before(name, &files[&format!("plots/{name}")]);
    }
    // Those of a candidate, under two loads.
    for name in ["fast-load-1.svg", "fast-pareto-1.svg"] {
        assert_as_before(&format!("sample-{name}"), &files[&format!("plots/{name}")]);
    }
}
