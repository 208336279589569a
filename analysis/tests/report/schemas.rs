//! What `--json` prints is what its committed schema says, key by key, in both directions.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use analysis::{
    Study,
    compare::{Difference, Side, compare},
    history::Board,
    judgement::{Capacity, Judgement, Tolerance},
    reproduction::{self, Here, Word, host, verify},
};
use lab::{
    Digest,
    bundle::{Finding, Kind},
    environment::Environment,
    log::{Absent, Chain, Checked, Counts, Entry, Event, Listing, Open},
};
use serde_json::Value;

use crate::{
    escaping::hostile,
    files,
    sample::{OneWeek, Sample, Weeks},
    schema::Schema,
};

fn schema(name: &str) -> Schema {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(format!("{name}.schema.json"));
    Schema::of(&std::fs::read_to_string(path).unwrap())
}

/// A committed run with its grade, where it has one.
fn committed(run: &str) -> Study {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("results");
    let paths = ["", "-grade"].map(|end| results.join(format!("{run}{end}")));
    let paths: Vec<PathBuf> = paths.into_iter().filter(|path| path.exists()).collect();
    Study::open(&paths).unwrap()
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// Made-up judgements with what the committed runs do not have.
fn made_up() -> Vec<Judgement> {
    let (mut calibrated, plain, controls) = (Sample::new().judgement, Sample::plain(), Sample::controls());
    calibrated.tolerance = Tolerance::Calibrated(controls.judgement.controls.clone().unwrap());
    calibrated.calibration_bundles = calibrated.bundles.clone();
    calibrated.blind_control = Some(calibrated.candidates[0].clone());
    calibrated.candidates[0].look = Some(2);
    calibrated.candidates[0].same_speed = calibrated.self_speeds[0].same;
    calibrated.candidates[0].speed[0].primary.further = vec![(9, 1.2)];
    calibrated.ladders[0].arms[1].rounds =
        vec![(1, Capacity::Below(1.0)), (2, Capacity::At(2.0)), (3, Capacity::Above(3.0))];
    let mut failed = Sample::new().judgement;
    failed.tolerance = Tolerance::Failed { why: "nothing is graded".into() };
    vec![calibrated, failed, plain.judgement, controls.judgement]
}

/// Every key of the schema is in one of the outputs, and says what it is.
fn assert_all_seen(schema: &Schema) {
    for (name, definition) in schema.named() {
        let described = definition.get("description").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        // The value of an enumeration is described where it is chosen.
        let value =
            definition.get("properties").is_some() || name.starts_with("Capacity.") || name.starts_with("Tolerance.");
        assert!(described || value, "{name} has no description");
        assert!(schema.seen.contains(&name), "no output has {name}");
    }
}

#[test]
fn judgements_are_what_their_schema_says() {
    let mut schema = schema("judgement");
    let runs = ["2026-11-22/cpu-vllm-vm-c638858a", "2026-11-22/h100-container-vm-36e4de5e"];
    for run in runs {
        let judgement = analysis::judge(&committed(run));
        assert_eq!(schema.mistake(&json(&judgement)), None, "{run}");
    }
    for judgement in made_up() {
        assert_eq!(schema.mistake(&json(&judgement)), None);
    }
    assert_all_seen(&schema);
    // It can fail.
    let mut changed = json(&made_up()[0]);
    changed["candidates"][0]["verdict"] = "fine".into();
    assert!(schema.mistake(&changed).unwrap().contains("fine"));
    changed["candidates"][0]["verdict"] = "altered".into();
    changed["candidates"][0]["speedup"] = 1.0.into();
    assert_eq!(schema.mistake(&changed).unwrap(), "Candidate: it does not name speedup");
}

#[test]
fn a_hostile_text_is_a_string_like_any_other() {
    let mut schema = schema("judgement");
    for text in ["</script>\"\\\u{0}\u{1b}[2J\u{202e}", "sha256:", "", &"x".repeat(1 << 16)] {
        for sample in [Sample::new(), Sample::controls()] {
            let files = files(&hostile(sample, text).input());
            let verdicts: Value = serde_json::from_str(&files["verdicts.json"]).unwrap();
            assert_eq!(schema.mistake(&verdicts), None, "{}", text.escape_debug().take(40).collect::<String>());
        }
    }
}

#[test]
fn comparisons_are_what_their_schema_says() {
    let mut schema = schema("comparison");
    let study = committed("2026-11-22/cpu-vllm-vm-c638858a");
    let side = |arm| Side { study: &study, arm: Some(arm) };
    let mut told = compare(side("int4"), side("small-batch")).unwrap();
    assert_eq!(schema.mistake(&json(&told)), None);
    let text = "\u{1b}\"</script>".to_owned();
    told.differences = vec![Difference { field: "kernel".into(), a: text.clone(), b: text }];
    assert_eq!(schema.mistake(&json(&told)), None);
    assert_all_seen(&schema);
}

#[test]
fn reproductions_are_what_their_schema_says() {
    let mut schema = schema("reproduction");
    let study = committed("2026-11-22/cpu-vllm-vm-c638858a");
    let here = |change: &dyn Fn(&mut Environment)| {
        let mut environment = study.stages[0].measure.environments().unwrap().remove(0);
        change(&mut environment);
        let found = study.trials.iter().filter_map(|t| Some((t.plan.arm.clone(), t.record.server.program?)));
        Here { environment, programs: found.collect(), lacks: BTreeSet::new() }
    };
    let verified = verify(&study, None).unwrap();
    let held = host(verified.clone(), &study, &here(&|_| {})).unwrap();
    assert_eq!((held.word, held.unequal.len()), (Word::Verified, 0), "{:?}", held.unequal);
    // Held against itself: the baseline answers the same, the speeds are the same to the bit.
    let told = reproduction::compare(held, &study, &study).unwrap();
    let all = told.baseline_outputs.unwrap();
    assert!(all.compared > 0 && all.same == all.compared, "{all:?}");
    assert_eq!(schema.mistake(&json(&told)), None);
    let elsewhere = host(verified, &study, &here(&|e| e.cores += 1)).unwrap();
    assert_eq!((elsewhere.word, elsewhere.unequal[0].field.as_str()), (Word::NotComparable, "processors"));
    assert_eq!(schema.mistake(&json(&elsewhere)), None);
    let mut changed = json(&elsewhere);
    let side = |arm| Side { study: &study, arm: Some(arm) };
    let arms = compare(side("int4"), side("small-batch")).unwrap().arms.remove(0);
    changed["candidates"] = serde_json::json!([{
        "name": "\u{1b}</script>", "word": "consistent", "why": "", "verdicts": ["altered", null], "speed_up": arms.overall,
    }]);
    assert_eq!(schema.mistake(&changed), None);
    assert_all_seen(&schema);
    changed["word"] = "fine".into();
    assert!(schema.mistake(&changed).unwrap().contains("fine"));
}

#[test]
fn indexes_are_what_their_schema_says() {
    let mut schema = schema("index");
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("results");
    let mut index = json(&analysis::index::index(&results, |_, _| {}));
    assert_eq!(schema.mistake(&index), None);
    assert_all_seen(&schema);
    index["bundles"][0]["problem"] = "\u{1b}\"</script>".into();
    assert_eq!(schema.mistake(&index), None);
    index["bundles"][0]["id"] = "17af1b7a".into();
    assert!(schema.mistake(&index).unwrap().contains("17af1b7a"));
}

#[test]
fn logs_are_what_their_schema_says() {
    let mut schema = schema("log");
    let (run, at, id) = (|| "2026-01-01/run".to_owned(), "2026-01-01T00:00:00Z", Digest::of("id"));
    let trials = Counts { complete: 3, failed: 2, void: 1 };
    let (plan, workload, name, parents) = (id, id, "\u{1b}\"".to_owned(), vec![id]);
    let events = [
        Event::Begun { run: run(), plan, workload, name: name.clone() },
        Event::Stage { run: run(), plan, workload, name: name.clone(), number: 2, parent: id },
        Event::Resumed { run: run() },
        Event::Ended { run: run(), class: "interrupted".into(), exit: 130 },
        Event::Sealed { run: run(), id, trials },
        Event::Graded { run: run(), id, parents: parents.clone() },
        Event::Adopted { run: run(), id, kind: Kind::Measure, parents: parents.clone(), trials: Some(trials) },
        Event::Adopted { run: run(), id, kind: Kind::Grade, parents, trials: None },
        Event::Torn { bytes: 3, sha256: id, text: name.clone() },
    ];
    let entry = |event: Event| Entry { format: 1, n: 1, before: id, at: at.into(), event };
    let chain = Chain { entries: events.map(entry).to_vec(), digests: vec![id], torn: Some(name) };
    let check = Checked {
        bundles: 1,
        findings: vec![Finding { path: run(), what: "it is another".into() }],
        open: vec![Open { run: run(), line: 1, at: at.into() }],
        given_up: vec![Open { run: run(), line: 2, at: at.into() }],
        absent: vec![Absent { run: run(), id, line: 1 }],
    };
    for listing in [Listing::of(&chain, &chain.entries, Some(check)), Listing::of(&Chain::default(), &[], None)] {
        assert_eq!(schema.mistake(&json(&listing)), None);
    }
    assert_all_seen(&schema);
    let mut wrong = json(&Listing::of(&chain, &chain.entries[..1], None));
    wrong["entries"][0]["event"]["begun"]["more"] = 1.into();
    assert!(schema.mistake(&wrong).unwrap().contains("0 of 8 fit"));
}

#[test]
fn weeks_are_what_their_schema_says() {
    let mut schema = schema("week");
    let text = |week: &OneWeek| crate::week::files(&week.input())["verdicts.json"].clone();
    let check = |schema: &mut Schema, text: &str| schema.mistake(&serde_json::from_str(text).unwrap());
    let mut week = OneWeek::new();
    assert_eq!(check(&mut schema, &text(&week)), None);
    // A run told again, and one of other settings.
    let mut told = [week.runs[1].entry.clone(), week.runs[2].entry.clone()];
    told[0].bundles.truncate(1);
    (told[1].bundles, told[1].cells) = (Vec::new(), Vec::new());
    week.before[0].runs.extend(told);
    assert_eq!(check(&mut schema, &text(&week)), None);
    week.before[0].runs.truncate(1);
    // What the made-up week has not: rebases, cells, boards without a leader.
    week.before[0].runs[0].baseline = None;
    week.runs[1].entry.cells = Weeks::first().entries[0].cells.clone();
    week.before[0].runs[0].cells = week.runs[1].entry.cells.clone();
    week.runs[1].entry.candidates = Weeks::first().entries[0].candidates.clone();
    for board in [Board::Void("few rounds".into()), Board::Empty, Board::None] {
        week.runs[1].entry.board = board;
        assert_eq!(check(&mut schema, &text(&week)), None);
    }
    assert_all_seen(&schema);
    assert!(check(&mut schema, &text(&week).replace("\"kind\": \"rebased\"", "\"kind\": \"moved\"")).is_some());
    // Those that are published.
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("reports");
    for week in ["2026/W47", "2026/W48"] {
        let published = std::fs::read_to_string(reports.join(week).join("verdicts.json")).unwrap();
        assert_eq!(check(&mut schema, &published), None, "{week}");
    }
}
