//! What `bench report DIR --week` makes of a folder of results.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use lab::{Week, bundle::Bundle};
use serde_json::Value;
use support::{Lab, Workload, code, stderr, stdout};

/// A graded run of two arms, and the week in which it began.
fn measured() -> (Lab, Week) {
    let lab = Lab::new();
    let output = lab.run(&Workload::default().candidate("same", "").graded(1));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let week = Week::begun(&lab.bundle().run().unwrap().started).unwrap();
    (lab, week)
}

/// `bench report results --week WEEK --out year`.
fn report(lab: &Lab, week: Week) -> (i32, String) {
    let output = lab.bench(&["report", "results", "--week", &week.to_string(), "--out", "year"]);
    (code(&output), stdout(&output) + &stderr(&output))
}

/// The files below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            let inside = files(&entry).into_iter();
            found.extend(inside.map(|(name, bytes)| (Path::new(entry.file_name().unwrap()).join(name), bytes)));
        } else {
            found.insert(entry.file_name().unwrap().into(), fs::read(&entry).unwrap());
        }
    }
    found
}

fn verdicts(lab: &Lab, week: Week) -> Value {
    serde_json::from_slice(&fs::read(lab.path(&format!("year/{}/verdicts.json", week.in_year()))).unwrap()).unwrap()
}

#[test]
fn a_week_holds_the_report_of_each_comparison_byte_for_byte_and_the_same_bytes_again() {
    let (lab, week) = measured();
    let (first, said) = report(&lab, week);
    let folder = week.in_year();
    assert_eq!(first, 0, "{said}");
    assert!(said.contains(&format!("year/{folder}/index.html\nyear/index.html\n")), "{said}");
    let bundle = lab.bundle();
    let run = bundle.path.file_name().unwrap().to_str().unwrap().to_owned();
    let alone = lab.on_bundles(&["report", "--out", "alone"]);
    assert_eq!(code(&alone), 0, "{}", stderr(&alone));
    assert_eq!(files(&lab.path(&format!("year/{folder}/{run}"))), files(&lab.path("alone")));

    let told = verdicts(&lab, week);
    assert_eq!((&told["week"], &told["runs"][0]["run"]), (&week.to_string().into(), &run.clone().into()));
    assert_eq!(told["runs"][0]["bundles"][0], bundle.id.to_string());
    assert_eq!((told["changes"][0]["what"]["kind"].as_str(), &told["unjudged"]), (Some("new"), &Value::Array(vec![])));
    let page = fs::read_to_string(lab.path("year/report.md")).unwrap();
    assert!(page.contains(&format!("({folder}/report.md)")), "{page}");

    let before = files(&lab.path("year"));
    assert_eq!(report(&lab, week).0, 0);
    assert_eq!(files(&lab.path("year")), before);
}

#[test]
fn notes_by_hand_stay_on_the_week_on_its_runs_and_on_the_year() {
    let (lab, week) = measured();
    assert_eq!(report(&lab, week).0, 0);
    let run = lab.bundle().path.file_name().unwrap().to_str().unwrap().to_owned();
    let folder = week.in_year();
    let pages = ["report.md".to_owned(), format!("{folder}/report.md"), format!("{folder}/{run}/candidates/same.md")];
    for page in &pages {
        let path = lab.path(&format!("year/{page}"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("<!-- end of note -->", "Written in *haste*.\n\n<!-- end of note -->")).unwrap();
    }
    assert_eq!(report(&lab, week).0, 0);
    for page in &pages {
        assert!(
            fs::read_to_string(lab.path(&format!("year/{page}"))).unwrap().contains("Written in *haste*."),
            "{page}"
        );
        let html = page.replace("report.md", "index.html").replace(".md", ".html");
        let html = fs::read_to_string(lab.path(&format!("year/{html}"))).unwrap();
        assert!(html.contains("Note by hand") && html.contains("Written in *haste*."), "{page}");
    }
}

#[test]
fn what_cannot_be_judged_is_listed_and_the_exit_code_says_so() {
    let (lab, week) = measured();
    let bundle = lab.bundle();
    let table = fs::read_dir(bundle.path.join("trials")).unwrap().next().unwrap().unwrap().path().join("trial.json");
    let bytes = fs::read(&table).unwrap();
    fs::write(&table, [&bytes[..], b" "].concat()).unwrap();
    let broken = bundle.path.with_file_name("torn");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("manifest.json"), "{").unwrap();

    let (exit, said) = report(&lab, week);
    assert_eq!(exit, 20, "{said}");
    let run = bundle.path.file_name().unwrap().to_str().unwrap();
    assert!(said.contains("not judged: ") && said.contains(run) && said.contains("/torn: "), "{said}");
    let told = verdicts(&lab, week);
    assert_eq!((told["runs"].as_array().unwrap().len(), told["unjudged"].as_array().unwrap().len()), (0, 2));
    let page = fs::read_to_string(lab.path(&format!("year/{}/report.md", week.in_year()))).unwrap();
    assert!(page.contains("## Not judged") && page.contains("/torn"), "{page}");
}

#[test]
fn a_week_that_is_not_there_and_a_folder_of_another_year_are_refused_with_what_to_do() {
    let (lab, week) = measured();
    let other: Week = "1999-W07".parse().unwrap();
    let (exit, said) = report(&lab, other);
    assert_eq!(exit, 10, "{said}");
    assert!(
        said.contains("no run of 1999-W07 is sealed here") && said.contains(&format!("its weeks are {week}")),
        "{said}"
    );
    assert!(!lab.path("year").exists());

    let output = lab.bench(&["report", "results", "results", "--week", &week.to_string(), "--out", "year"]);
    assert_eq!(code(&output), 10, "{}", stderr(&output));
    let output = lab.bench(&["report", "results", "--week", "47", "--out", "year"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("write it as ISO 8601 does, like 2026-W47"), "{}", stderr(&output));

    assert_eq!(report(&lab, week).0, 0);
    let file = lab.path(&format!("year/{}/verdicts.json", week.in_year()));
    let text = fs::read_to_string(&file).unwrap();
    let before = files(&lab.path("year"));
    let older = format!("1980-{}", week.in_year());
    fs::write(&file, text.replace(&format!("\"week\": \"{week}\""), &format!("\"week\": \"{older}\""))).unwrap();
    let (exit, said) = report(&lab, week);
    assert!(exit == 10 && said.contains("name the folder of another year"), "{said}");
    fs::write(&file, &text).unwrap();
    // What an earlier week was is needed; a later one is left out of the history, and told.
    for (neighbour, code) in [("W00", 10), ("W99", 20)] {
        let neighbour = lab.path(&format!("year/{neighbour}/verdicts.json"));
        fs::create_dir(neighbour.parent().unwrap()).unwrap();
        for wrong in ["{", &text.replacen("\"format\": 2", "\"format\": 99", 1), &text] {
            fs::write(&neighbour, wrong).unwrap();
            let (exit, said) = report(&lab, week);
            assert!(exit == code && said.contains("make that week again"), "{said}");
        }
        fs::remove_dir_all(neighbour.parent().unwrap()).unwrap();
    }
    assert_eq!(files(&lab.path("year")), before, "what is refused writes nothing");
    // What is wrong with the week itself is mended by making it again.
    fs::write(&file, "{").unwrap();
    assert_eq!(report(&lab, week).0, 0);
    assert_eq!(files(&lab.path("year")), before);
}

#[test]
fn a_bundle_is_no_place_for_a_report() {
    let (lab, week) = measured();
    let bundle: Bundle = lab.bundle();
    let output = lab.bench(&["report", "results", "--week", &week.to_string(), "--out", bundle.path.to_str().unwrap()]);
    assert_eq!(code(&output), 10, "{}", stderr(&output));
}

#[test]
fn a_run_keeps_its_name_whatever_its_folder_is_called_and_a_published_one_that_is_gone_is_told() {
    let (lab, week) = measured();
    let bundle = lab.bundle().path;
    let (odd, grade) = (bundle.with_file_name("csv"), bundle.with_file_name("csv-grade"));
    let name = bundle.file_name().unwrap().to_str().unwrap().to_owned();
    fs::rename(bundle.with_file_name(format!("{name}-grade")), &grade).unwrap();
    fs::rename(&bundle, &odd).unwrap();
    assert_eq!(report(&lab, week).0, 0);
    let run = verdicts(&lab, week)["runs"][0]["run"].as_str().unwrap().to_owned();
    assert_eq!(run, name);
    assert!(lab.path(&format!("year/{}/{run}/index.html", week.in_year())).exists());
    // A further folder that leads there is no further run.
    std::os::unix::fs::symlink(&odd, odd.with_file_name("linked")).unwrap();
    assert_eq!(report(&lab, week).0, 0);
    assert_eq!(verdicts(&lab, week)["runs"].as_array().unwrap().len(), 1);

    let (second, _) = measured();
    fs::rename(second.bundle().path, odd.with_file_name("another")).unwrap();
    fs::remove_file(odd.with_file_name("linked")).unwrap();
    fs::remove_dir_all(&odd).unwrap();
    let (exit, said) = report(&lab, week);
    assert_eq!(exit, 20, "{said}");
    assert!(said.contains(&format!("not judged: {run}: this week was published with it")), "{said}");
    let page = fs::read_to_string(lab.path(&format!("year/{}/report.md", week.in_year()))).unwrap();
    assert!(page.contains("**1 bundle** could not be judged"), "{page}");
    let left = format!("no part of {week} any more: year/{}/{run}: remove the folder", week.in_year());
    assert!(said.contains(&left), "{said}");
    // A note there is not lost without a word.
    let noted = lab.path(&format!("year/{}/{run}/report.md", week.in_year()));
    let text = fs::read_to_string(&noted).unwrap();
    fs::write(&noted, text.replace("<!-- end of note -->", "Mind this.\n\n<!-- end of note -->")).unwrap();
    assert!(report(&lab, week).1.contains(": it has a note by hand: move that, then remove the folder"));
}

#[test]
fn what_is_not_sealed_and_what_lies_in_the_folder_of_another_day_is_told() {
    let (lab, week) = measured();
    let bundle = lab.bundle().path;
    fs::create_dir(bundle.with_file_name("running")).unwrap();
    let (exit, said) = report(&lab, week);
    assert!(exit == 20 && said.contains("/running: not sealed, not judged"), "{said}");
    let page = fs::read_to_string(lab.path(&format!("year/{}/report.md", week.in_year()))).unwrap();
    assert!(page.contains("/running` | not sealed, not judged |"), "{page}");

    fs::remove_dir(bundle.with_file_name("running")).unwrap();
    fs::rename(bundle.parent().unwrap(), lab.path("results/1999-01-01")).unwrap();
    let (exit, said) = report(&lab, week);
    assert!(exit == 20 && said.contains("in the folder of another day: "), "{said}");
}

#[test]
fn a_link_below_the_folder_of_reports_is_not_followed() {
    let (lab, week) = measured();
    assert_eq!(report(&lab, week).0, 0);
    let (folder, outside) = (lab.path(&format!("year/{}", week.in_year())), lab.path("outside"));
    fs::create_dir(&outside).unwrap();
    for inside in ["csv", "candidates", ""] {
        let place = folder.join(inside);
        if inside != "candidates" {
            fs::remove_dir_all(&place).unwrap();
        }
        std::os::unix::fs::symlink(&outside, place.to_str().unwrap().trim_end_matches('/')).unwrap();
        fs::write(outside.join("kept.csv"), "").unwrap();
        let (exit, said) = report(&lab, week);
        assert!(exit == 10 && said.contains("a link, which is not followed"), "{inside}: {said}");
        assert_eq!(files(&outside).len(), 1);
        fs::remove_file(place.to_str().unwrap().trim_end_matches('/')).unwrap();
        fs::create_dir_all(&folder).unwrap();
    }
    // A link in the place of a file is replaced.
    assert_eq!(report(&lab, week).0, 0);
    fs::write(outside.join("kept.csv"), "kept").unwrap();
    fs::remove_file(folder.join("csv/runs.csv")).unwrap();
    std::os::unix::fs::symlink(outside.join("kept.csv"), folder.join("csv/runs.csv")).unwrap();
    assert_eq!(report(&lab, week).0, 0);
    assert_eq!(fs::read(outside.join("kept.csv")).unwrap(), b"kept");
    assert!(fs::symlink_metadata(folder.join("csv/runs.csv")).unwrap().is_file());
}

#[test]
fn a_note_that_is_not_text_is_refused_before_anything_is_lost() {
    let (lab, week) = measured();
    assert_eq!(report(&lab, week).0, 0);
    let path = lab.path(&format!("year/{}/report.md", week.in_year()));
    let note = [&fs::read(&path).unwrap()[..], b"caf\xe9"].concat();
    fs::write(&path, &note).unwrap();
    let (exit, said) = report(&lab, week);
    assert!(exit == 10 && said.contains("a note is kept in UTF-8"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), note);
}
