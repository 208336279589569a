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
    for Verified { path, findings, .. } in verify_set(&sealed.paths()).unwrap() {
        assert_eq!(findings, [], "{}", path.display());
    }
}

#[test]
fn what_was_gone_through_is_counted() {
    // One request warms up and six are timed, each of them with one piece of text a token and an
    // end; of three trials a round all completed.
    let mut script = Script::new(honest(1_000)).arm("fast", honest(900));
    script.rounds = 2;
    let sealed = script.seal();
    let set = verify_set(&sealed.paths()).unwrap();
    let (measured, graded) = (set[0].counts, set[1].counts);
    assert_eq!((measured.trials, measured.requests, measured.tokens), (6, 42, 0));
    let stored: usize = lab::digest::files_below(&sealed.measure).unwrap().len();
    assert_eq!(measured.files, stored as u64 - 1, "all but the manifest");
    let tables = lab::bundle::Bundle::open(&sealed.measure).unwrap();
    let chunks: usize =
        tables.plan().unwrap().trials.iter().map(|t| tables.trial(&t.folder()).unwrap().chunks.len()).sum();
    assert_eq!(measured.chunks, chunks as u64);
    assert_eq!((graded.trials, graded.requests, graded.chunks), (6, 24, 0), "four of each trial");
    assert!(graded.tokens > 24 && graded.bytes > 0, "{graded:?}");
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
fn quicker_chunks_of_an_old_bundle_are_named_though_the_manifest_was_made_anew() {
    let mut old = Script::new(honest(1_000)).arm("fast", honest(900));
    (old.rounds, old.old) = (2, true);
    let changed = |change: fn(&mut Vec<lab::records::ChunkRow>)| {
        let sealed = old.seal();
        forge(&sealed.measure, &format!("{TRIAL}/chunks.csv.zst"), |bytes| {
            let mut rows: Vec<lab::records::ChunkRow> = lab::bundle::read_table(&bytes, "x.zst").unwrap();
            change(&mut rows);
            lab::bundle::write_table(&rows, lab::records::ChunkRow::HEADER, "x.zst")
        });
        findings(&sealed)
    };
    let follows = format!("{TRIAL}/chunks.csv.zst: it does not follow");
    assert_eq!(changed(|_| {}), "");
    assert!(
        changed(|rows| rows[30].offset_ns.0 -= 1).starts_with(&format!("{follows} from wire.zst (first at request"))
    );
    assert_eq!(changed(|rows| drop(rows.pop())), format!("{follows} from wire.zst"));
    assert_eq!(changed(|rows| rows.push(rows[0].clone())), format!("{follows} from wire.zst"));
}

#[test]
fn other_promises_than_the_runs_are_named() {
    for (file, from, to) in [
        ("plan.json", "\"round\": 1", "\"round\": 2"),
        ("workload.toml", "max_tokens = 20", "max_tokens = 21"),
        ("requests.jsonl", "Write", "Wrote"),
        ("run.json", "sha256:", "sha257:"),
        ("run.json", "\"format\": 6", "\"format\": 7"),
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
    assert!(set[1].findings[0].what.contains("received was"), "{set:?}");
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

/// Six requests, ten milliseconds apart.
fn open() -> Script {
    let mut script = Script::new(honest(1_000)).arm("fast", honest(900));
    script.rounds = 2;
    script.load = "name = \"o\"\nopen = { rate = 100.0, arrivals = \"constant\" }";
    script
}

/// Three sessions of two turns with a pause between them.
fn sessions() -> Script {
    let mut script = open();
    script.load = "name = \"o\"\nthink = \"3ms\"\nopen = { rate = 100.0, arrivals = \"constant\" }";
    // Seven requests a round, the first of them for the warm-up.
    script.session = |id| (!id.is_multiple_of(7)).then(|| id / 7 * 10 + (id % 7 - 1) / 2);
    script
}

fn findings(sealed: &Sealed) -> String {
    let findings = verify(&sealed.measure).unwrap().1;
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Changes the first trial's raw evidence, and makes its tables and the manifest follow.
fn forge_wire(sealed: &Sealed, change: impl Fn(&mut lab::records::Exchange)) -> String {
    use lab::{
        bundle::{REQUEST_TABLE, WIRE, write_exchanges, write_table},
        records::RequestRow,
    };
    let folder = sealed.measure.join(TRIAL);
    let mut exchanges = lab::bundle::read_exchanges(&fs::read(folder.join(WIRE)).unwrap(), WIRE).unwrap();
    exchanges.iter_mut().for_each(change);
    let rows: Vec<_> = exchanges.iter().map(|e| e.row(&e.derive())).collect();
    fs::write(folder.join(WIRE), write_exchanges(&exchanges)).unwrap();
    fs::write(folder.join(REQUEST_TABLE), write_table(&rows, RequestRow::HEADER, REQUEST_TABLE)).unwrap();
    remake(&sealed.measure);
    findings(sealed)
}

#[test]
fn open_loads_and_sessions_verify_and_so_do_bundles_of_version_1() {
    let mut old = Script::new(honest(1_000)).arm("fast", honest(900));
    (old.rounds, old.old) = (2, true);
    for script in [open(), sessions(), old] {
        let sealed = script.seal();
        for Verified { path, findings, .. } in verify_set(&sealed.paths()).unwrap() {
            assert_eq!(findings, [], "{}", path.display());
        }
    }
}

#[test]
fn a_schedule_that_was_edited_after_the_fact_is_refused() {
    let sealed = open().seal();
    let later = replaced(",20000000,", ",25000000,");
    let plan = fs::read(sealed.measure.join("plan.json")).unwrap();
    let old = lab::Digest::of(fs::read(sealed.measure.join("schedule.csv")).unwrap()).to_string();
    forge(&sealed.measure, "schedule.csv", later);
    assert!(findings(&sealed).contains("not the schedule of this workload"), "{}", findings(&sealed));
    // Plan and run made to name the edited one.
    let digest = |file: &str| lab::Digest::of(fs::read(sealed.measure.join(file)).unwrap()).to_string();
    forge(&sealed.measure, "plan.json", replaced(&old, &digest("schedule.csv")));
    forge(&sealed.measure, "run.json", replaced(&lab::Digest::of(plan).to_string(), &digest("plan.json")));
    assert!(findings(&sealed).contains("not the schedule of this workload"), "{}", findings(&sealed));
    fs::remove_file(sealed.measure.join("schedule.csv")).unwrap();
    remake(&sealed.measure);
    assert!(findings(&sealed).contains("missing: this workload schedules"), "{}", findings(&sealed));
}

#[test]
fn a_schedule_or_a_trace_that_nothing_needs_is_refused() {
    for (file, expected) in [("schedule.csv", "no request of this workload"), ("traces/c1.zst", "no load")] {
        let sealed = sealed();
        fs::create_dir_all(sealed.measure.join("traces")).unwrap();
        fs::write(sealed.measure.join(file), "").unwrap();
        remake(&sealed.measure);
        assert!(findings(&sealed).contains(expected), "{}", findings(&sealed));
    }
}

#[test]
fn an_old_format_is_no_way_around_a_schedule() {
    let mut script = open();
    script.old = true;
    assert!(findings(&script.seal()).contains("format 1 knows no schedule"));
}

#[test]
fn an_intended_time_that_was_moved_is_refused() {
    for by in [1, 5_000] {
        let text = forge_wire(&open().seal(), |e| {
            if e.request == 3 {
                e.intended_ns.0 += by;
                e.started_ns = Some(e.intended_ns);
                e.sent_ns.0 += by;
                e.reads.iter_mut().for_each(|r| r.at.0 += by);
                e.end_ns.0 += by;
            }
        });
        assert!(text.contains("request 3 was intended at") && text.contains("the schedule says"), "{text}");
    }
    let text = forge_wire(&sessions().seal(), |e| e.intended_ns.0 += u64::from(e.request == 4));
    assert!(text.contains("request 4 was intended at") && text.contains("the turn before it"), "{text}");
}

#[test]
fn a_start_before_its_time_or_none_at_all_is_refused() {
    let text = forge_wire(&open().seal(), |e| e.started_ns = Some(lab::Nanos(e.intended_ns.0 - 1)));
    assert!(text.contains("was started before it was intended"), "{text}");
    let text = forge_wire(&open().seal(), |e| e.started_ns = Some(lab::Nanos(e.sent_ns.0 + 1)));
    assert!(text.contains("was sent before it was started"), "{text}");
    let text = forge_wire(&open().seal(), |e| e.started_ns = None);
    assert!(text.contains("does not say when its client turned to it"), "{text}");
}

#[test]
fn a_slow_request_cannot_be_passed_off_as_one_whose_time_was_up() {
    let hide = |e: &mut lab::records::Exchange| {
        if e.request == 3 {
            (e.reads, e.bytes, e.end) = (Vec::new(), Vec::new().into(), lab::wire::End::TimeUp);
        }
    };
    assert!(forge_wire(&open().seal(), hide).contains("declares no time"));
    let mut timed = open();
    timed.load = "name = \"o\"\ntime = \"45ms\"\nopen = { rate = 100.0, arrivals = \"constant\" }";
    assert_eq!(findings(&timed.seal()), "");
    assert!(forge_wire(&timed.seal(), hide).contains("was due at 20.0 ms of 45.0 ms"));
    let mut closed = open();
    closed.load = "name = \"c2\"\ntime = \"1s\"\nclosed = { concurrency = 2 }";
    assert_eq!(findings(&closed.seal()), "");
    assert!(forge_wire(&closed.seal(), hide).contains("every client was free before 1.0 s"));
}

#[test]
fn reads_out_of_order_and_answers_before_their_question_are_refused() {
    let text = forge_wire(&open().seal(), |e| e.reads.swap(1, 2));
    assert!(text.contains("not in the order of time"), "{text}");
    // Time stamps of the kernel that make an answer quicker than its question.
    let text = forge_wire(&open().seal(), |e| e.reads[0].behind = lab::Nanos(11));
    assert!(text.contains("arrived before it was sent"), "{text}");
}

mod contracts;
mod tables;
mod telemetry;

#[test]
fn an_answer_that_is_longer_than_the_workload_lets_anybody_send_is_refused_before_it_is_read() {
    let said = |bytes: usize| {
        let mut script = Script::new(honest(1_000)).arm("fast", move |ask: &Ask| {
            let mut said = honest(900)(ask);
            said.parts[0].text = "x".repeat(bytes);
            said
        });
        (script.rounds, script.more) = (2, "[limits]\nresponse = \"16KiB\"");
        format!("{:?}", verify(&script.seal().measure).unwrap().1)
    };
    assert!(!said(40_000).contains("lets nobody send so many"));
    let text = said(100_000);
    assert!(
        text.contains("0002-fast/wire.zst") && text.contains("and its workload lets nobody send so many"),
        "{text}"
    );
}

#[test]
fn a_plan_without_the_phases_that_its_workload_makes_is_refused_before_they_are_made() {
    let sealed = sealed();
    let before = fs::read_to_string(sealed.measure.join("plan.json")).unwrap();
    let mut plan = lab::plan::Plan::from_json(&before).unwrap();
    plan.trials[0].phases.clear();
    forge(&sealed.measure, "plan.json", |_| plan.to_json().into_bytes());
    forge(&sealed.measure, "run.json", replaced(&lab::Digest::of(&before).to_string(), &plan.digest().to_string()));
    let text = format!("{:?}", verify(&sealed.measure).unwrap().1);
    assert!(text.contains("it holds 5 phases, its workload makes 1 of each trial"), "{text}");
}
