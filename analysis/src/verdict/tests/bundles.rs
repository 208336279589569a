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
