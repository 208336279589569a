use std::{collections::BTreeMap, fs, os::unix::fs::symlink, path::PathBuf};

use lab::{
    bundle::{self, Bundle, ENVIRONMENTS, RUN, WORKLOAD},
    environment,
    records::FORMAT as RECORDS,
};

use super::*;
use crate::test_support::{Script, honest};

const DAY: &str = "2026-01-01";

fn script() -> Script {
    let mut script = Script::new(honest(1_000)).arm("same", honest(1_000));
    script.gpu = "H100";
    script
}

/// As JSON says it.
fn version(format: u32) -> String {
    format!("\"format\": {format}")
}

/// A folder of results.
struct Results(tempfile::TempDir);

impl Results {
    /// One run, its grade, a further stage and the grade of that.
    fn new() -> Self {
        let results = Results(tempfile::tempdir().unwrap());
        fs::create_dir(results.0.path().join(DAY)).unwrap();
        let script = script();
        let sealed = script.seal().more(&script, 2, &["same"]);
        for (path, name) in sealed.paths().iter().zip(["run", "run-grade", "run-stage2", "run-stage2-grade"]) {
            fs::rename(path, results.bundle(name)).unwrap();
        }
        results
    }

    fn bundle(&self, name: &str) -> PathBuf {
        self.0.path().join(DAY).join(name)
    }

    fn index(&self) -> Index {
        index(self.0.path(), |_, _| {})
    }

    fn row(&self, folder: &str) -> Row {
        let rows = self.index().bundles;
        rows.into_iter().find(|row| row.folder == folder).unwrap_or_else(|| panic!("no row of {folder}"))
    }

    fn problem(&self, folder: &str) -> String {
        self.row(folder).problem.unwrap_or_default()
    }

    /// A file of a bundle as somebody else would have sealed it.
    fn forge(&self, bundle: &str, file: &str, change: impl Fn(&str) -> String) {
        let path = self.bundle(bundle);
        let mut manifest = Bundle::open(&path).unwrap().manifest;
        let text = change(&fs::read_to_string(path.join(file)).unwrap());
        let entry = manifest.files.iter_mut().find(|f| f.path == file).unwrap();
        (entry.size, entry.sha256) = (text.len() as u64, Digest::of(&text));
        fs::write(path.join(file), text).unwrap();
        fs::write(path.join(MANIFEST), manifest.to_json()).unwrap();
    }
}

/// The rows of a table by their folder, each field by its column's name.
fn read(csv: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let rows: Vec<BTreeMap<String, String>> = lab::bundle::read_table(csv.as_bytes(), "index.csv").unwrap();
    rows.into_iter().map(|row| (row["folder"].clone(), row)).collect()
}

#[test]
fn every_column_of_a_run_a_stage_and_a_grade_says_what_their_files_say() {
    let results = Results::new();
    let index = results.index();
    assert_eq!((index.unreadable(), index.unfinished, index.bundles.len()), (0, 0, 4));
    let rows = read(&index.csv());
    let opened = |name: &str| Bundle::open(&results.bundle(name)).unwrap();
    let run = opened("run");
    let sizes: u64 = run.manifest.files.iter().map(|f| f.size).sum();
    let facts = run.trial_facts("0001-baseline").unwrap();
    let workload = run.workload().unwrap();
    let baseline = crate::identity::server(&workload, "baseline", &facts.server, &run.environments().unwrap());
    assert_eq!(facts.server.program.is_some(), baseline.is_some());
    let expected = [
        ("week", "2026-W01".to_owned()), // 2026 begins on a Thursday
        ("date", DAY.into()),
        ("folder", "run".into()),
        ("kind", "measure".into()),
        ("id", run.id.to_string()),
        ("parents", String::new()),
        ("stage", "1".into()),
        ("run", "test".into()),
        ("started", "2026-01-01T00:00:00Z".into()),
        ("sealed", "2026-01-01T00:00:00Z".into()),
        ("workload", "test".into()),
        ("workload_digest", Digest::of(fs::read(results.bundle("run").join(WORKLOAD)).unwrap()).to_string()),
        ("models", "toy".into()),
        ("gpus", "1 × H100".into()),
        ("loads", "c1".into()),
        ("arms", "baseline same".into()),
        ("rounds", "6".into()),
        ("trials", "18".into()), // six rounds between two baselines
        ("baseline_digest", baseline.map(|d| d.to_string()).unwrap_or_default()),
        ("program", "0".into()),
        ("files", run.manifest.files.len().to_string()),
        ("bytes", sizes.to_string()),
        (
            "formats",
            format!("manifest={} run={RECORDS} environment={} trial={RECORDS}", bundle::FORMAT, environment::FORMAT),
        ),
        ("problem", String::new()),
    ];
    for (column, value) in &expected {
        assert_eq!(rows["run"][*column], *value, "{column}");
    }
    assert_eq!(rows["run"].len(), expected.len());
    let header = expected.map(|(column, _)| column).join(",");
    assert!(index.csv().starts_with(&format!("{header}\n")), "in this order");

    let stage = &rows["run-stage2"];
    let told = ["stage", "rounds", "trials", "parents", "arms"].map(|column| stage[column].as_str());
    assert_eq!(told, ["2", "2", "6", &run.id.to_string(), "baseline same"]);
    let grade = &rows["run-stage2-grade"];
    assert_eq!((grade["kind"].as_str(), &grade["parents"]), ("grade", &opened("run-stage2").id.to_string()));
    let facts = std::fs::read_to_string(opened("run-stage2-grade").path.join(bundle::GRADE)).unwrap();
    let facts: serde_json::Value = serde_json::from_str(&facts).unwrap();
    assert_eq!(grade["week"], "2026-W01");
    assert!(grade["formats"].split(' ').any(|format| format == format!("grade={}", facts["format"])), "{facts}");
    for none in ["stage", "run", "workload", "workload_digest", "loads", "arms", "rounds", "trials", "baseline_digest"]
    {
        assert_eq!(grade[none], "", "{none}");
    }
}

#[test]
fn the_same_bundles_give_the_same_bytes_wherever_they_lie_and_each_is_told_once() {
    let results = Results::new();
    fs::write(results.bundle("run").join(RUN), "{}").unwrap();
    let seen = std::sync::Mutex::new(Vec::new());
    let first = index(results.0.path(), |done, of| seen.lock().unwrap().push((done, of)));
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert_eq!(seen, [(1, 4), (2, 4), (3, 4), (4, 4)]);
    let moved = tempfile::tempdir().unwrap();
    fs::rename(results.0.path().join(DAY), moved.path().join(DAY)).unwrap();
    assert_eq!(index(moved.path(), |_, _| {}).csv(), first.csv());
    let order: Vec<String> = first.bundles.into_iter().map(|row| row.folder).collect();
    assert_eq!(order, ["run", "run-grade", "run-stage2", "run-stage2-grade"]);
}

#[test]
fn what_cannot_be_read_is_a_row_that_says_why_and_keeps_what_could_be_read() {
    let results = Results::new();
    fs::write(results.bundle("run").join(RUN), "{}").unwrap();
    let row = results.row("run");
    assert_eq!(row.problem.unwrap(), "run.json: this is not the file that was sealed");
    assert!(row.id.is_some() && row.started.is_none() && row.trials == Some(18));
    fs::remove_file(results.bundle("run-grade/grade.json")).unwrap();
    assert!(results.problem("run-grade").starts_with("grade.json: cannot read: "), "{}", results.problem("run-grade"));

    results.forge("run-stage2", RUN, |text| text.replace(&version(RECORDS), &version(99)));
    let newer = format!("run.json: format 99 is newer than this program's {RECORDS}");
    assert_eq!(results.problem("run-stage2"), newer);
    results.forge("run-stage2", RUN, |text| {
        text.replace(&version(99), &version(RECORDS)).replace("2026-01-01T00:00:00Z", "yesterday")
    });
    assert_eq!(results.problem("run-stage2"), "it began at `yesterday`, which is no time in UTC");

    fs::write(results.bundle("run-stage2-grade").join(MANIFEST), r#"{ "name": "of another program" }"#).unwrap();
    let row = results.row("run-stage2-grade");
    assert!(row.id.is_none() && row.problem.unwrap().starts_with("manifest.json: not readable"));
    assert_eq!(results.index().unreadable(), 4);
}

#[test]
fn no_path_of_a_file_and_no_link_is_followed() {
    let results = Results::new();
    let secret = results.0.path().join("secret.json");
    fs::write(&secret, "{}").unwrap();
    // An environment that lies outside of the bundle.
    let path = results.bundle("run");
    let mut manifest = Bundle::open(&path).unwrap().manifest;
    manifest.files[0].path = format!("{ENVIRONMENTS}/../../../secret.json");
    (manifest.files[0].size, manifest.files[0].sha256) = (2, Digest::of("{}"));
    fs::write(path.join(MANIFEST), manifest.to_json()).unwrap();
    assert!(results.problem("run").ends_with("this path leads out of the bundle"), "{}", results.problem("run"));
    // A file, a manifest and a whole bundle that are links.
    fs::remove_file(results.bundle("run-stage2").join(RUN)).unwrap();
    symlink(&secret, results.bundle("run-stage2").join(RUN)).unwrap();
    assert_eq!(results.problem("run-stage2"), "run.json: this is not the file that was sealed");
    fs::remove_file(results.bundle("run-stage2-grade").join(MANIFEST)).unwrap();
    symlink(&secret, results.bundle("run-stage2-grade").join(MANIFEST)).unwrap();
    assert!(results.problem("run-stage2-grade").contains("no plain file of a manifest's size"));
    symlink(results.bundle("run-grade"), results.bundle("linked")).unwrap();
    assert_eq!(results.problem("linked"), "a link leads here, and none is followed");
    assert_eq!(results.row("linked").id, None);
}

#[test]
fn no_cell_is_a_formula_acts_on_a_terminal_or_is_huge() {
    let results = Results::new();
    let huge = format!("=HYPERLINK(\\\"http://x\\\";\\\"\\u001b[2J\\u202e\\\"){}", "x".repeat(1 << 20));
    results.forge("run", RUN, |text| text.replace("\"test\"", &format!("\"{huge}\"")));
    results.forge("run", "environments/here.json", |text| text.replace("\"H100\"", &format!("\"{huge}\"")));
    results.forge("run-stage2", RUN, |text| text.replace("2026-01-01T00:00:00Z", "@SUM(1)\\n=1+1"));
    fs::rename(results.bundle("run-grade"), results.bundle("=cmd|' \n,\"x")).unwrap();
    let index = results.index();
    assert!(!index.bundles.iter().any(|row| row.problem.is_some() && row.folder == "run"), "{:?}", index.bundles[1]);
    let csv = index.csv();
    assert!(csv.len() < 8_000 && csv.lines().count() == 5, "{}", csv.len());
    let rows = read(&csv);
    assert!(rows["run"]["run"].starts_with("'=HYPERLINK") && rows["run"]["gpus"].starts_with("1 × =HYPERLINK"));
    for value in rows.values().flat_map(BTreeMap::values) {
        assert!(!value.starts_with(['=', '+', '-', '@']), "{value}");
        assert!(!value.chars().any(lab::text::is_unprintable), "{value}");
    }
    assert!(rows.contains_key("'=cmd|' ⏎,\"x"), "{:?}", rows.keys());
    let json = serde_json::to_string(&index).unwrap();
    assert!(json.len() < 16_000, "the JSON is cut in the same places: {}", json.len());
}

#[test]
fn a_run_that_is_not_sealed_is_counted_and_any_other_folder_is_nothing() {
    let results = Results::new();
    for folder in ["begun", "notes"] {
        fs::create_dir(results.bundle(folder)).unwrap();
    }
    fs::write(results.bundle("begun").join(PLAN), "{").unwrap();
    fs::write(results.bundle("run.begun"), "").unwrap();
    let index = results.index();
    assert_eq!((index.unfinished, index.bundles.len(), index.unreadable()), (1, 4, 0));
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(super::index(nothing.path(), |_, _| {}).bundles, []);
    assert_eq!(super::index(&nothing.path().join("nowhere"), |_, _| {}).bundles, []);
}

#[test]
fn a_trial_that_failed_says_nothing_of_the_baseline() {
    let results = Results::new();
    let failed = r#"{ "failed": { "class": "host", "detail": "no power" } }"#;
    let trial = "trials/0001-baseline/trial.json";
    results.forge("run", trial, |text| text.replace("\"completed\"", failed).replace(&version(RECORDS), &version(1)));
    let row = results.row("run");
    assert_eq!((row.problem, row.formats.last().unwrap()), (None, &format!("trial={RECORDS}")), "it is the next one's");
}
