use std::{fs, path::Path};

use lab::bundle::{File, MANIFEST};

use super::*;
use crate::test_support::{Ask, Said, Script, Sealed, honest};

fn sealed() -> Sealed {
    let mut script = Script::new(honest(1_000))
        .arm("fast", |ask: &Ask| if ask.request.is_multiple_of(4) { Said::error() } else { honest(900)(ask) });
    script.rounds = 2;
    script.fails("fast", 2, lab::records::Class::Protocol).seal()
}

/// Changes a file and makes the manifest anew, as a forger would.
fn forge(bundle: &Path, file: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let path = bundle.join(file);
    fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    remake(bundle);
}

fn remake(bundle: &Path) {
    let mut manifest = Manifest::from_json(&fs::read_to_string(bundle.join(MANIFEST)).unwrap()).unwrap();
    let paths = lab::digest::files_below(bundle).unwrap().into_iter().filter(|p| p != MANIFEST);
    manifest.files = paths
        .map(|path| {
            let (sha256, size) = lab::Digest::of_file(&bundle.join(&path)).unwrap();
            File { path, size, sha256 }
        })
        .collect();
    fs::write(bundle.join(MANIFEST), manifest.to_json()).unwrap();
}

fn replaced(from: &str, to: &str) -> impl Fn(Vec<u8>) -> Vec<u8> {
    move |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "`{from}` is not in {text}");
        text.replacen(from, to, 1).into_bytes()
    }
}

type Change = Box<dyn Fn(Vec<u8>) -> Vec<u8>>;

/// What is found in the measure bundle after a change.
fn found(file: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let sealed = sealed();
    forge(&sealed.measure, file, change);
    let findings = verify(&sealed.measure).unwrap().1;
    assert!(!findings.is_empty(), "a change of {file} goes unnoticed");
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const TRIAL: &str = "trials/0001-baseline";

#[test]
fn what_was_sealed_verifies_alone_and_as_a_set() {
    let sealed = sealed();
    for (path, findings) in verify_set(&sealed.paths()).unwrap() {
        assert_eq!(findings, [], "{}", path.display());
    }
}

#[test]
fn a_changed_byte_is_named_once() {
    let sealed = sealed();
    let path = sealed.measure.join(TRIAL).join("requests.csv");
    fs::write(&path, replaced("complete", "deadline")(fs::read(&path).unwrap())).unwrap();
    let findings = verify(&sealed.measure).unwrap().1;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].what.starts_with("changed"));
}

#[test]
fn a_table_that_does_not_follow_from_the_wire_is_named_though_the_manifest_was_made_anew() {
    let text = found(&format!("{TRIAL}/requests.csv"), replaced("length", "stop"));
    assert!(
        text.starts_with(&format!("{TRIAL}/requests.csv: it does not follow from wire.zst (first at request")),
        "{text}"
    );
}

#[test]
fn quicker_chunks_are_named_though_the_manifest_was_made_anew() {
    let text = found(&format!("{TRIAL}/chunks.csv.zst"), |bytes| {
        let mut rows: Vec<lab::records::ChunkRow> = lab::bundle::read_table(&bytes, "x.zst").unwrap();
        rows[30].offset_ns.0 -= 1;
        lab::bundle::write_table(&rows, lab::records::ChunkRow::HEADER, "x.zst")
    });
    assert!(text.starts_with(&format!("{TRIAL}/chunks.csv.zst: it does not follow")), "{text}");
}

#[test]
fn other_promises_than_the_runs_are_named() {
    for (file, from, to) in [
        ("plan.json", "\"round\": 1", "\"round\": 2"),
        ("workload.toml", "max_tokens = 20", "max_tokens = 21"),
        ("requests.jsonl", "Write", "Wrote"),
        ("run.json", "sha256:", "sha257:"),
        ("run.json", "\"format\": 2", "\"format\": 3"),
    ] {
        let text = found(file, |bytes| {
            let text = String::from_utf8(bytes).unwrap();
            text.replacen(from, to, 1).into_bytes()
        });
        assert!(!text.is_empty(), "{file}: {text}");
    }
}

#[test]
fn a_trial_that_tells_another_story_is_named() {
    let place = format!("{TRIAL}/trial.json");
    assert!(found(&place, replaced("\"arm\": \"baseline\"", "\"arm\": \"fast\"")).contains("planned trial"));
    assert!(found(&place, replaced("\"host\": \"here\"", "\"host\": \"there\"")).contains("not described"));
    assert!(
        found(&place, replaced("\"load\": \"c1\",\n        \"start_ns\"", "\"load\": \"c2\",\n        \"start_ns\""))
            .contains("phases")
    );
}

#[test]
fn missing_and_foreign_trials_and_tables_are_named() {
    let sealed = sealed();
    fs::rename(sealed.measure.join(TRIAL), sealed.measure.join("trials/0099-ghost")).unwrap();
    fs::remove_file(sealed.measure.join("trials/0003-baseline/wire.zst")).unwrap();
    remake(&sealed.measure);
    let text = format!("{:?}", verify(&sealed.measure).unwrap().1);
    assert!(text.contains("no trial of the plan") && text.contains("0003-baseline/wire.zst"), "{text}");
}

#[test]
fn a_strangers_numbers_are_not_counted_with() {
    let huge = |bytes| replaced("count = 2", "count = 1000")(replaced("requests = 6", "requests = 16000000")(bytes));
    let sealed = sealed();
    forge(&sealed.measure, "workload.toml", huge);
    let digest = |file: &str| lab::Digest::of(fs::read(sealed.measure.join(file)).unwrap()).to_string();
    let plan = fs::read_to_string(sealed.measure.join("plan.json")).unwrap();
    let promised = lab::plan::Plan::from_json(&plan).unwrap().workload.to_string();
    forge(&sealed.measure, "plan.json", replaced(&promised, &digest("workload.toml")));
    let old = lab::Digest::of(&plan).to_string();
    forge(&sealed.measure, "run.json", replaced(&old, &digest("plan.json")));
    let text = format!("{:?}", verify(&sealed.measure).unwrap().1);
    assert!(text.contains("requests in all are more than"), "{text}");
}

#[test]
fn a_manifest_that_leads_out_is_followed_nowhere() {
    let sealed = sealed();
    let mut manifest = Manifest::from_json(&fs::read_to_string(sealed.measure.join(MANIFEST)).unwrap()).unwrap();
    manifest.files[0].path = "environments/../../grade/grade.json".into();
    fs::write(sealed.measure.join(MANIFEST), manifest.to_json()).unwrap();
    let findings = verify(&sealed.measure).unwrap().1;
    assert!(findings.iter().any(|f| f.what.contains("leads out")), "{findings:?}");
}

#[test]
fn a_request_without_a_row_is_named() {
    let text = found(&format!("{TRIAL}/requests.csv"), |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        (lines[..lines.len() - 1].join("\n") + "\n").into_bytes()
    });
    assert!(text.contains("1 planned requests have no row"), "{text}");
}

#[test]
fn a_grade_of_other_tokens_is_found_by_the_set() {
    let sealed = sealed();
    let grade = sealed.grade.clone().unwrap();
    forge(&grade, "reference/0001-baseline.csv.zst", |bytes| {
        let mut rows: Vec<lab::records::ReferenceRow> = lab::bundle::read_table(&bytes, "x.zst").unwrap();
        rows[0].id += 1;
        lab::bundle::write_table(&rows, lab::records::ReferenceRow::HEADER, "x.zst")
    });
    let set = verify_set(&sealed.paths()).unwrap();
    assert!(set[1].1[0].what.contains("received was"), "{set:?}");
}

#[test]
fn a_grade_that_does_not_add_up_is_named() {
    let cases: [(&str, Change, &str); 4] = [
        ("graded.csv", Box::new(replaced(",ids,20,", ",ids,19,")), "20 rows"),
        ("graded.csv", Box::new(replaced(",ids,20,", ",none,20,")), "disagree"),
        ("grade.json", Box::new(replaced("0707", "07")), "64 hexadecimal"),
        (
            "reference/0001-baseline.csv.zst",
            Box::new(|bytes| {
                let mut rows: Vec<lab::records::ReferenceRow> = lab::bundle::read_table(&bytes, "x.zst").unwrap();
                rows[0].logprob = f64::NAN;
                lab::bundle::write_table(&rows, lab::records::ReferenceRow::HEADER, "x.zst")
            }),
            "finite",
        ),
    ];
    for (file, change, expected) in cases {
        let sealed = sealed();
        let grade = sealed.grade.clone().unwrap();
        forge(&grade, file, change);
        let text = format!("{:?}", verify(&grade).unwrap().1);
        assert!(text.contains(expected), "{file}: {text}");
    }
}

#[test]
fn no_cut_or_flipped_file_makes_it_panic() {
    let sealed = sealed();
    for bundle in sealed.paths() {
        for file in lab::digest::files_below(&bundle).unwrap().into_iter().filter(|f| f != MANIFEST) {
            let original = fs::read(bundle.join(&file)).unwrap();
            for part in [original[..original.len() / 2].to_vec(), original.iter().map(|b| b ^ 1).collect(), Vec::new()]
            {
                fs::write(bundle.join(&file), part).unwrap();
                remake(&bundle);
                assert!(!verify(&bundle).unwrap().1.is_empty(), "{file}");
                let _ = Study::open(&sealed.paths());
            }
            fs::write(bundle.join(&file), &original).unwrap();
        }
        remake(&bundle);
    }
}
