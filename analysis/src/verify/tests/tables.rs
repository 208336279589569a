//! Tables that are cut, reordered, or hold what no table holds: the problem names the file, and
//! the column where there is one. A forger has made the manifest anew each time.

use lab::{
    bundle::{RunFolder, read_table, write_table},
    records::{GradedRow, PromptRow, ReferenceRow},
};

use super::*;

const REQUESTS: &str = "trials/0001-baseline/requests.csv";
const REFERENCE: &str = "reference/0001-baseline.csv.zst";

type Edit = fn(&mut Vec<Vec<String>>);

/// The table as CSV, whatever its file.
fn plain(file: &str, bytes: &[u8]) -> String {
    let plain = match file {
        REFERENCE => write_table(&read_table::<ReferenceRow>(bytes, file).unwrap(), ReferenceRow::HEADER, "x.csv"),
        "prompts.csv.zst" => write_table(&read_table::<PromptRow>(bytes, file).unwrap(), PromptRow::HEADER, "x.csv"),
        "graded.csv" => write_table(&read_table::<GradedRow>(bytes, file).unwrap(), GradedRow::HEADER, "x.csv"),
        _ => bytes.to_vec(),
    };
    String::from_utf8(plain).unwrap()
}

/// The bytes of a table's file.
fn stored(file: &str, text: &str) -> Vec<u8> {
    if !file.ends_with(".zst") {
        return text.as_bytes().to_vec();
    }
    let temp = tempfile::tempdir().unwrap();
    RunFolder::create(&temp.path().join("run")).unwrap().put_compressed("x.zst", text.as_bytes()).unwrap();
    fs::read(temp.path().join("run/x.zst")).unwrap()
}

/// What `bench verify` and every verb after it say of a set in which a table was edited.
fn said(file: &str, edit: impl Fn(String) -> String) -> String {
    let sealed = sealed();
    let bundle = if sealed.measure.join(file).exists() { &sealed.measure } else { sealed.grade.as_ref().unwrap() };
    forge(bundle, file, |bytes| stored(file, &edit(plain(file, &bytes))));
    let findings = match verify_set(&sealed.paths()) {
        Ok(all) => all.into_iter().flat_map(|verified| verified.findings).map(|f| f.to_string()).collect::<Vec<_>>(),
        Err(problem) => vec![problem.to_string()],
    };
    findings.join("\n")
}

/// The same where single cells were edited: rows of the table, the header first. No cell of
/// these tables holds a comma or a line feed.
fn edited(file: &str, edit: Edit) -> String {
    said(file, |text| {
        let mut rows: Vec<Vec<String>> =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        edit(&mut rows);
        rows.iter().map(|row| row.join(",") + "\n").collect()
    })
}

/// Puts a value into the first row of a column.
fn put(rows: &mut [Vec<String>], column: &str, value: &str) {
    let at = rows[0].iter().position(|name| name == column).unwrap();
    rows[1][at] = value.to_owned();
}

#[test]
fn a_value_that_its_column_cannot_hold_is_named_with_file_and_column() {
    let cases: &[(&str, &str, Edit)] = &[
        (REQUESTS, "sent_ns", |rows| put(rows, "sent_ns", "-1")),
        (REQUESTS, "end_ns", |rows| put(rows, "end_ns", "NaN")),
        (REQUESTS, "head_ns", |rows| put(rows, "head_ns", "0.5")),
        (REQUESTS, "intended_ns", |rows| put(rows, "intended_ns", "soon")),
        (REQUESTS, "outcome", |rows| put(rows, "outcome", "fine")),
        (REQUESTS, "claimed_output", |rows| put(rows, "claimed_output", "inf")),
        (REQUESTS, "end_ns", |rows| {
            rows[0].iter_mut().filter(|name| *name == "end_ns").for_each(|name| name.push('x'))
        }),
        (REFERENCE, "id", |rows| put(rows, "id", "4294967296")),
        (REFERENCE, "position", |rows| put(rows, "position", "-1")),
        (REFERENCE, "logprob", |rows| put(rows, "logprob", "likely")),
        ("graded.csv", "source", |rows| put(rows, "source", "guess")),
        ("prompts.csv.zst", "ids", |rows| put(rows, "ids", "NaN")),
    ];
    for (file, column, edit) in cases {
        let text = edited(file, *edit);
        assert!(text.contains(file), "{file}, {column}: {text}");
        assert!(text.contains(&format!("`{column}`")), "{file}, {column}: {text}");
    }
}

#[test]
fn numbers_that_are_none_never_become_margins() {
    for (column, value) in [("logprob", "NaN"), ("logprob", "-inf"), ("best_logprob", "inf"), ("best_logprob", "NaN")] {
        let text = said(REFERENCE, |text| {
            let mut rows: Vec<Vec<String>> = text.lines().map(|l| l.split(',').map(str::to_owned).collect()).collect();
            put(&mut rows, column, value);
            rows.iter().map(|row| row.join(",") + "\n").collect()
        });
        assert!(text.contains(REFERENCE) && text.contains("finite"), "{column} {value}: {text}");
    }
}

#[test]
fn a_reference_that_disagrees_with_itself_is_broken() {
    let cases: [(Edit, &str); 3] = [
        // The emitted token is the first choice, and yet less likely than the first choice.
        (|rows| put(rows, "logprob", "-3.5"), "its own first choice"),
        // More likely than the first choice.
        (|rows| put(rows, "best_logprob", "-3.5"), "first choice of -3.5"),
        // More than certain.
        (
            |rows| {
                put(rows, "logprob", "0.5");
                put(rows, "best_logprob", "0.5");
            },
            "first choice of 0.5",
        ),
    ];
    for (edit, expected) in cases {
        let text = edited(REFERENCE, edit);
        assert!(text.contains("reference/0001-baseline") && text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn tables_that_are_cut_or_reordered_are_named() {
    let cut_in_a_row = |text: String| text[..text.len() - 9].to_owned();
    let without_last_row = |text: String| {
        let lines: Vec<&str> = text.lines().collect();
        lines[..lines.len() - 1].join("\n") + "\n"
    };
    let swapped = |text: String| {
        let mut lines: Vec<&str> = text.lines().collect();
        let last = lines.len() - 1;
        lines.swap(last - 1, last);
        lines.join("\n") + "\n"
    };
    for file in [REQUESTS, REFERENCE, "graded.csv"] {
        let edits: [(&str, &dyn Fn(String) -> String); 4] = [
            ("cut in a row", &cut_in_a_row),
            ("without its last row", &without_last_row),
            ("with two rows swapped", &swapped),
            ("empty", &|_| String::new()),
        ];
        for (what, edit) in edits {
            let text = said(file, edit);
            // The order of graded.csv means nothing.
            if file != "graded.csv" || what != "with two rows swapped" {
                let name = file.trim_end_matches(".csv.zst");
                assert!(text.contains(name), "{file} {what}: {text}");
            }
        }
    }
}
