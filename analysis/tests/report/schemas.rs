//! What `--json` prints is what its committed schema says, key by key, in both directions.

use std::path::{Path, PathBuf};

use analysis::{
    Study,
    compare::{Difference, Side, compare},
    judgement::{Capacity, Judgement, Tolerance},
};
use serde_json::Value;

use crate::{escaping::hostile, files, sample::Sample, schema::Schema};

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
