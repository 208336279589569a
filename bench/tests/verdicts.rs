//! From servers to verdicts: stub, runner, bundle, grade, judge, report.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use support::{Lab, QUICK, Workload, code, stderr, stdout};

/// Runs and judges; gives the bundles' paths and the judgement.
fn judged(lab: &Lab, workload: &Workload) -> (Vec<String>, serde_json::Value) {
    let output = lab.run(workload);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let bundles: Vec<String> = lab.runs().iter().map(|p| p.display().to_string()).collect();
    let judge = with(lab, &["judge", "--json"], &bundles);
    (bundles, serde_json::from_str(&stdout(&judge)).unwrap())
}

fn with(lab: &Lab, arguments: &[&str], bundles: &[String]) -> std::process::Output {
    let arguments: Vec<&str> = arguments.iter().copied().chain(bundles.iter().map(String::as_str)).collect();
    lab.bench(&arguments)
}

fn verdict(judgement: &serde_json::Value, name: &str) -> String {
    let candidates = judgement["candidates"].as_array().unwrap();
    candidates.iter().find(|c| c["name"] == name).unwrap()["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn speed_has_its_sign_and_the_same_bundles_give_the_same_bytes() {
    let lab = Lab::new();
    let slow = "--ttft 20ms --itl 2ms --noise 0.02";
    let mut workload = Workload {
        baseline: slow.into(),
        rounds: 6,
        requests: 12,
        concurrency: 6,
        max_tokens: 24,
        ..Workload::default()
    }
    .confirmed(10, 2);
    for (name, options) in [("same", ""), ("fast", "--ttft 12ms --itl 1ms"), ("int4", "--weights int4")] {
        let options =
            if options.contains("--itl") { format!("{options} --noise 0.02") } else { format!("{slow} {options}") };
        workload.candidates.push((name.into(), options));
    }
    let (bundles, judgement) = judged(&lab, &workload);
    assert_eq!(verdict(&judgement, "same"), "equivalent", "{judgement:#}");
    assert_eq!(verdict(&judgement, "fast"), "equivalent");
    assert_eq!(verdict(&judgement, "int4"), "altered");
    let overall = |name: &str| {
        judgement["candidates"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()["overall"].clone()
    };
    assert!(overall("fast")["speedup"].as_f64().unwrap() > 1.1, "12 + 23 ms against 20 + 46 ms: {}", overall("fast"));
    assert!((0.8..1.25).contains(&overall("same")["speedup"].as_f64().unwrap()), "{}", overall("same"));
    assert!(judgement["candidates"].as_array().unwrap().iter().all(|c| c["provisional"] == true));

    // The same bundles give the same bytes, and the judge's exit code says the worst.
    let judge = || with(&lab, &["judge", "--json"], &bundles);
    assert_eq!((code(&judge()), judge().stdout), (30, judge().stdout));
    let explain = |name: &str, more: &[&str]| with(&lab, &[&["judge", "--explain", name], more].concat(), &bundles);
    let shown = stdout(&explain("int4", &[]));
    assert!(shown.starts_with("int4 is altered provisional\n\nmargins-above-tolerance\n"), "{shown}");
    assert!(shown.contains("-grade/reference/") && shown.contains("emitted") && shown.contains("rank"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&stdout(&explain("int4", &["--json"]))).unwrap();
    assert_eq!((json["candidate"].as_str(), json["verdict"].as_str()), (Some("int4"), Some("altered")));
    let unknown = explain("int9", &[]);
    assert_eq!(code(&unknown), 10);
    assert!(
        stderr(&unknown).contains("no candidate `int9`") && stderr(&unknown).contains("same"),
        "{}",
        stderr(&unknown)
    );
    for out in ["a", "b"] {
        assert_eq!(code(&with(&lab, &["report", "--out", out], &bundles)), 0);
    }
    let files = lab::digest::files_below(&lab.path("a")).unwrap();
    assert!(files.iter().any(|f| f == "index.html") && files.iter().any(|f| f == "report.md"), "{files:?}");
    for file in &files {
        assert_eq!(fs::read(lab.path("a").join(file)).unwrap(), fs::read(lab.path("b").join(file)).unwrap(), "{file}");
    }
}

#[test]
fn without_a_declared_tolerance_every_verdict_is_undecided() {
    let lab = Lab::new();
    let mut workload = Workload { rounds: 2, ..Workload::default() }.candidate("same", "");
    workload.equivalence = "[equivalence]\nsample = 2\n".into();
    let (bundles, judgement) = judged(&lab, &workload);
    assert_eq!(verdict(&judgement, "same"), "undecided");
    assert_eq!(code(&with(&lab, &["judge"], &bundles)), 31);
}

#[test]
fn what_a_hostile_server_says_is_shown_escaped() {
    let lab = Lab::new();
    let mut workload = Workload { rounds: 2, baseline: QUICK.into(), ..Workload::default() }
        .candidate("hostile", "--mode hostile-text")
        .graded(2);
    workload.limits = workload.limits.replace("256KiB", "8MiB");
    let (bundles, _) = judged(&lab, &workload);
    let judge = with(&lab, &["judge"], &bundles);
    assert!(!stdout(&judge).contains('\u{1b}'), "no terminal escape reaches the terminal");
    let out = lab.path("report");
    assert_eq!(code(&with(&lab, &["report", "--out", out.to_str().unwrap()], &bundles)), 0);
    for page in ["index.html", "candidates/hostile.html"] {
        let page = fs::read_to_string(out.join(page)).unwrap();
        assert!(page.matches("<script").count() == 1 && !page.contains('\u{1b}'), "markup and escapes are text");
    }
    for file in lab::digest::files_below(&out).unwrap() {
        let bytes = fs::read(out.join(&file)).unwrap();
        assert!(bytes.len() < 1 << 21, "{file} is bounded");
        let text = String::from_utf8(bytes).unwrap();
        if file.ends_with(".csv") {
            assert!(
                !text.lines().any(|l| l.split(',').any(|cell| cell.trim_matches('"').starts_with("=HYPERLINK"))),
                "{file}"
            );
        }
    }
}

#[test]
fn a_report_that_is_made_again_keeps_its_notes_and_nothing_else() {
    let lab = Lab::new();
    let (bundles, _) = judged(&lab, &Workload { rounds: 2, ..Workload::default() }.candidate("same", "").graded(2));
    let out = lab.path("report");
    let report = || with(&lab, &["report", "--out", out.to_str().unwrap()], &bundles);
    assert_eq!(code(&report()), 0);
    let (path, stale) = (out.join("candidates/same.md"), out.join("csv/gone.csv"));
    let page = fs::read_to_string(&path).unwrap();
    let written = page.replace("\n\n<!-- end of note -->", "\n\nAsked its maker.\n\n<!-- end of note -->");
    fs::write(&path, &written).unwrap();
    fs::write(&stale, "a table of an older report").unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    assert_eq!(code(&report()), 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
    assert!(fs::read_to_string(out.join("candidates/same.html")).unwrap().contains("Asked its maker."));
    assert!(!stale.exists() && out.join("notes.txt").exists());
    // A note on somebody who is not there any more is not thrown away.
    let other = out.join("candidates/other.md");
    fs::rename(&path, &other).unwrap();
    let refused = report();
    assert_eq!(code(&refused), 10);
    assert!(stderr(&refused).contains("has a note on a page that the new one has not"), "{}", stderr(&refused));
    fs::write(&other, written.replace("<!-- end of note -->", "")).unwrap();
    assert!(stderr(&report()).contains("the marks of its note are not one"));
}

#[test]
fn verify_names_what_was_changed_missing_or_added() {
    let lab = Lab::new();
    let (bundles, _) = judged(&lab, &Workload { rounds: 2, ..Workload::default() }.candidate("same", "").graded(2));
    let good = with(&lab, &["verify"], &bundles);
    assert_eq!(code(&good), 0);
    // Two rounds of three trials, one request to warm up and four that are timed; two are graded.
    for says in [
        ": good: 6 trials, 30 requests and ",
        " chunks made again from their bytes; ",
        ": good: 6 trials, 12 requests and ",
    ] {
        assert!(stdout(&good).contains(says), "{says}: {}", stdout(&good));
    }
    let bundle = lab.bundle().path;
    let into = with(&lab, &["report", "--out", bundle.join("trials").to_str().unwrap()], &bundles);
    assert_eq!(code(&into), 10, "a report never lands in a bundle");
    assert_eq!(code(&with(&lab, &["verify"], &bundles)), 0);
    let table = bundle.join("trials/0001-baseline/requests.csv");
    let before = fs::read_to_string(&table).unwrap();
    fs::write(&table, before.replacen("complete", "deadline", 1)).unwrap();
    fs::remove_file(bundle.join("trials/0002-same/server.log")).unwrap();
    fs::write(bundle.join("note.txt"), "hi").unwrap();
    let output = with(&lab, &["verify"], &bundles);
    assert_eq!(code(&output), 20);
    for named in
        ["trials/0001-baseline/requests.csv: changed", "trials/0002-same/server.log: missing", "note.txt: extra"]
    {
        assert!(stdout(&output).contains(named), "{named}: {}", stdout(&output));
    }
    assert_eq!(code(&with(&lab, &["judge"], &bundles)), 20, "nothing is judged from changed bytes");
}

#[test]
fn a_path_that_is_no_bundle_is_told_where_bundles_are() {
    let lab = Lab::new();
    let nowhere = lab.bench(&["verify", "NOTHERE"]);
    assert_eq!(code(&nowhere), 10);
    assert_eq!(
        stderr(&nowhere),
        "error: NOTHERE: there is no such folder\n  next: name a sealed bundle, a folder with manifest.json, like results/DATE/RUN or results/DATE/RUN-grade\n"
    );
    lab.write("x.txt", "");
    assert!(stderr(&lab.bench(&["judge", "x.txt"])).contains("x.txt: this is no folder"));
    assert_eq!(code(&lab.run(&Workload { rounds: 1, ..Workload::default() })), 0);
    let above = lab.bench(&["report", "results", "--out", "r"]);
    assert_eq!(code(&above), 20);
    let run = lab.runs().remove(0);
    let name = run.file_name().unwrap().to_str().unwrap();
    assert!(
        stderr(&above).contains("next: name bundles below it: results/") && stderr(&above).contains(name),
        "{}",
        stderr(&above)
    );
}

#[test]
fn bundles_of_different_runs_are_not_one_study() {
    let lab = Lab::new();
    let workload = Workload { rounds: 1, ..Workload::default() }.candidate("same", "").graded(1);
    for _ in 0..2 {
        assert_eq!(code(&lab.run(&workload)), 0);
    }
    let bundles: Vec<String> =
        lab.runs().iter().map(|p| p.display().to_string()).filter(|p| !p.ends_with("-grade")).collect();
    assert_eq!(bundles.len(), 2);
    let output = with(&lab, &["judge"], &bundles);
    assert_eq!(code(&output), 21, "{}", stderr(&output));
}
