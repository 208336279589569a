//! What `bench index` says of a folder of results, whoever filled it.
#![allow(clippy::unwrap_used)]

mod support;

use std::{collections::BTreeMap, fs, os::unix::fs::symlink, path::Path};

use lab::bundle::{Bundle, MANIFEST};
use support::{Lab, Workload, code, stderr, stdout};

/// The rows of `results/index.csv`, each field by its column's name.
fn rows(lab: &Lab) -> Vec<BTreeMap<String, String>> {
    lab::bundle::read_table(&fs::read(lab.path("results/index.csv")).unwrap(), "index.csv").unwrap()
}

/// A run of two arms, and its grade.
fn measured() -> Lab {
    let lab = Lab::new();
    let output = lab.run(&Workload::default().candidate("same", "").graded(1));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    lab
}

#[test]
fn a_run_and_its_grade_are_two_rows_and_the_file_changes_only_when_they_do() {
    let lab = measured();
    let output = lab.bench(&["index"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (0, "results/index.csv: 2 bundles\n"), "{}", stderr(&output));
    let bundle = lab.bundle();
    let [measure, grade] = rows(&lab).try_into().unwrap();
    let name = bundle.path.file_name().unwrap().to_str().unwrap();
    assert_eq!((measure["folder"].as_str(), grade["folder"].as_str()), (name, format!("{name}-grade").as_str()));
    assert_eq!((&measure["id"], &grade["parents"]), (&bundle.id.to_string(), &bundle.id.to_string()));
    assert_eq!((measure["arms"].as_str(), measure["trials"].as_str()), ("baseline same", "3"));
    assert!(measure["baseline_digest"].starts_with("sha256:") && measure["program"].contains(" sha256:"));
    assert_eq!((measure["problem"].as_str(), grade["problem"].as_str()), ("", ""));
    let day = Path::new(&bundle.path).parent().unwrap().file_name().unwrap().to_str().unwrap();
    assert_eq!(measure["date"], day);
    assert!(measure["started"].starts_with(day), "{measure:?}");

    // Again, and the same as JSON, which touches no file.
    let (file, before) = (lab.path("results/index.csv"), fs::read(lab.path("results/index.csv")).unwrap());
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(stdout(&lab.bench(&["index", "results"])), "results/index.csv: unchanged, 2 bundles\n");
    assert_eq!((fs::read(&file).unwrap(), fs::metadata(&file).unwrap().modified().unwrap()), (before, written));
    fs::remove_file(&file).unwrap();
    let json: serde_json::Value = serde_json::from_str(&stdout(&lab.bench(&["index", "--json"]))).unwrap();
    assert!(!file.exists());
    assert_eq!((&json["format"], &json["unfinished"]), (&1.into(), &0.into()));
    assert_eq!(json["bundles"][0]["id"], measure["id"].as_str());
    assert_eq!(json["bundles"][0]["arms"], serde_json::json!(["baseline", "same"]));
    assert_eq!(json["bundles"][1]["week"], measure["week"].as_str());
}

#[test]
fn broken_and_foreign_bundles_are_rows_and_nothing_that_they_name_is_touched() {
    let lab = measured();
    let bundle = lab.bundle().path;
    let workload = bundle.join("workload.toml");
    fs::write(&workload, fs::read_to_string(&workload).unwrap().replace("test", "tset")).unwrap();
    // Somebody else's: another program's manifest, a bundle that is elsewhere, a run that goes on.
    let day = bundle.parent().unwrap().to_owned();
    for (folder, file) in [("=cmd|' \u{1b}[2J", MANIFEST), ("begun", "plan.json")] {
        fs::create_dir(day.join(folder)).unwrap();
        fs::write(day.join(folder).join(file), "{}").unwrap();
    }
    symlink(&bundle, day.join("zz-linked")).unwrap();
    lab.write("precious", "precious");
    symlink(lab.path("precious"), lab.path("results/index.csv")).unwrap();

    let output = lab.bench(&["index"]);
    assert_eq!(code(&output), 20, "{}", stderr(&output));
    let said =
        "results/index.csv: 4 bundles, 3 of them not readable as a whole (column problem), and 1 run not sealed\n";
    assert_eq!(stdout(&output), said);
    assert_eq!(fs::read_to_string(lab.path("precious")).unwrap(), "precious");
    let text = fs::read_to_string(lab.path("results/index.csv")).unwrap();
    assert!(!text.contains('\u{1b}') && !fs::symlink_metadata(lab.path("results/index.csv")).unwrap().is_symlink());
    let found: Vec<(String, String)> =
        rows(&lab).into_iter().map(|row| (row["folder"].clone(), row["problem"].clone())).collect();
    let name = bundle.file_name().unwrap().to_string_lossy().into_owned();
    let grade = format!("{name}-grade");
    let expected = [
        ("'=cmd|' \\u{1b}[2J", "manifest.json: not readable: missing field `format` at line 1 column 2"),
        (&name, "workload.toml: these are not the bytes that were sealed"),
        (&grade, ""),
        ("zz-linked", "a link leads here, and none is followed"),
    ];
    assert_eq!(found, expected.map(|(folder, problem)| (folder.to_owned(), problem.to_owned())));
    // The evidence is as it was.
    assert_eq!(
        Bundle::open(&bundle).unwrap().manifest.files.len() + 1,
        lab::digest::files_below(&bundle).unwrap().len()
    );
}

#[test]
fn a_folder_that_holds_no_results_gets_no_file() {
    let lab = Lab::new();
    let nowhere = lab.bench(&["index"]);
    assert_eq!(code(&nowhere), 10);
    assert_eq!(
        stderr(&nowhere),
        "error: results: there is no such folder\n  next: name the folder that holds DATE/RUN, as bench run writes it with --out\n"
    );
    fs::create_dir_all(lab.path("results/2026-11-22")).unwrap();
    for folder in ["results", "results/2026-11-22", "."] {
        let output = lab.bench(&["index", folder]);
        assert_eq!(code(&output), 10);
        assert!(stderr(&output).contains("no bundle lies in a folder of a date below it"), "{}", stderr(&output));
        assert!(!lab.path(folder).join("index.csv").exists());
    }
    // Nor does a bundle, which never changes.
    let bundle = lab.path("results/2026-11-22/run");
    fs::create_dir(&bundle).unwrap();
    fs::write(bundle.join(MANIFEST), "").unwrap();
    assert_eq!(code(&lab.bench(&["index", "results/2026-11-22/run"])), 10);
    assert_eq!(fs::read_dir(&bundle).unwrap().count(), 1);
}
