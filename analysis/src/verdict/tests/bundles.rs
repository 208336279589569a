//! Which bundles are judged together.

use lab::Kind;

use super::*;

#[test]
fn the_same_bundles_in_any_order_give_the_same_bytes() {
    let sealed = Script::new(paced(STEP)).arm("fast", honest(STEP)).margins("fast", int4).seal();
    let bytes =
        |paths: &[std::path::PathBuf]| serde_json::to_vec(&crate::judge(&crate::Study::open(paths).unwrap())).unwrap();
    let mut paths = sealed.paths();
    let first = bytes(&paths);
    paths.reverse();
    assert_eq!(first, bytes(&paths));
}

#[test]
fn a_forged_audit_sample_is_broken() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    script.reveal = [8; 32];
    let problem = crate::Study::open(&script.seal().paths()).err().unwrap();
    assert_eq!(problem.kind, Kind::Broken);
    assert!(problem.to_string().contains("committed to"), "{problem}");
}

#[test]
fn another_runs_grade_and_two_measurements_are_not_comparable() {
    let (a, b) =
        (Script::new(honest(STEP)).arm("fast", honest(STEP)), Script::new(honest(STEP)).arm("other", honest(STEP)));
    let (a, b) = (a.seal(), b.seal());
    for paths in [
        vec![a.measure.clone(), b.grade.clone().unwrap()],
        vec![a.measure.clone(), b.measure.clone()],
        vec![a.grade.clone().unwrap()],
        vec![a.measure.clone(), a.grade.clone().unwrap(), a.grade.clone().unwrap()],
    ] {
        let problem = crate::Study::open(&paths).err().unwrap();
        assert_eq!(problem.kind, Kind::NotComparable, "{problem}");
        assert!(problem.next.is_some());
    }
}

/// A run that awaits a value, its grade, and a stage drawn after it.
fn awaited(change: impl Fn(&mut Script)) -> Result<String, String> {
    let mut script = Script::new(honest(1_000)).arm("same", honest(1_000));
    (script.rounds, script.awaits, script.value) = (2, Some("the hash of block 9"), Some("00ff00ff00ff00ff"));
    change(&mut script);
    let sealed = script.seal();
    crate::Study::open(&sealed.paths()).map(|_| String::new()).map_err(|problem| {
        assert_eq!(problem.kind.exit_code(), 20);
        problem.what
    })
}

#[test]
fn what_is_graded_follows_from_the_seed_and_the_revealed_value_together() {
    assert_eq!(awaited(|_| {}), Ok(String::new()));
    assert_eq!(
        awaited(|script| script.value = None),
        Err("the plan awaits a public value, and none is revealed: the hash of block 9".into())
    );
    assert_eq!(awaited(|script| script.awaits = None), Err("a value is revealed, and the plan awaits none".into()));
    for drawn in ["00ff00ff00ff00fe", " "] {
        let found = awaited(|script| script.drawn = Some(drawn)).unwrap_err();
        assert!(found.contains("are not the sample that the audit seed draws"), "{found}");
    }
    assert!(awaited(|script| script.value = Some("00ff00ff00ff00ff\n")).unwrap_err().contains("a revealed value is"));
}

#[test]
fn a_stage_is_drawn_from_the_value_with_which_the_one_before_was_graded() {
    let mut script = Script::new(honest(1_000)).arm("same", honest(1_000));
    (script.rounds, script.awaits, script.value) = (2, Some("the hash of block 9"), Some("00ff00ff00ff00ff"));
    let good = script.seal().more(&script, 2, &["same"]);
    assert_eq!(good.study().stages.len(), 2);
    let sealed = script.seal();
    (script.awaits, script.value, script.drawn) = (None, None, Some("00ff00ff00ff00fe"));
    script.grade = false;
    let problem = crate::Study::open(&sealed.more(&script, 2, &["same"]).paths()).err().unwrap();
    assert!(problem.what.contains("drawn from another value"), "{problem}");
    let mut unawaited = Script::new(honest(1_000)).arm("same", honest(1_000));
    unawaited.rounds = 2;
    let sealed = unawaited.seal();
    (unawaited.drawn, unawaited.grade) = (Some("00ff00ff00ff00ff"), false);
    let problem = crate::Study::open(&sealed.more(&unawaited, 2, &["same"]).paths()).err().unwrap();
    assert!(problem.what.contains("the plan awaits none"), "{problem}");
}
