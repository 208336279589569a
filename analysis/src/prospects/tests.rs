use super::*;
use crate::test_support::{Ask, Script, Sealed, honest};

const STEP: u64 = 1_000_000;
const LOOKS: &str = "looks = [{ rounds = 6, alpha = 0.02 }, { rounds = 12, alpha = 0.03 }]";

fn script() -> Script {
    Script::new(honest(STEP)).arm("fast", honest(STEP)).arm("other", honest(STEP))
}

fn int4(_: &Ask, position: usize) -> f64 {
    position as f64 % 4.0
}

/// What `rounds` more rounds can bring.
fn after(sealed: &Sealed, rounds: u32) -> Vec<Prospect> {
    let study = sealed.study();
    prospects(&study, &crate::judge(&study), rounds, &["fast".into(), "other".into()])
}

fn of(all: &[Prospect], name: &str) -> Prospect {
    all.iter().find(|p| p.candidate == name).unwrap().clone()
}

#[test]
fn what_a_stage_can_do_to_a_verdict_depends_on_the_verdict() {
    let script = script().margins("other", int4);
    let sealed = script.seal();
    let first = after(&sealed, 2);
    let fast = of(&first, "fast");
    assert_eq!(fast.outputs, "equivalent already, and can lose that: its bounds are then held at 97.5 %");
    assert!(of(&first, "other").outputs.starts_with("suspect: this can confirm it"), "{first:?}");
    assert!(first.iter().all(|p| p.open));

    let second = after(&sealed.more(&script, 2, &["other"]), 2);
    let other = of(&second, "other");
    assert_eq!((other.outputs.as_str(), other.open), ("altered for good: no further evidence takes that back", false));
    assert!(of(&second, "fast").outputs.ends_with("97.5 %"), "it was in one stage: {second:?}");
}

#[test]
fn a_pass_that_a_stage_is_too_small_for_is_said_before() {
    let mut script = script();
    script.tolerance = Some((0.5, 0.02, 0.02));
    // n with (1 - 0.02)^n < 0.025; six rounds of four are there, and each more brings four.
    let needs = (libm::log(0.025) / libm::log(0.98)).ceil();
    assert_eq!(needs, 183.0);
    let sealed = script.seal();
    let few = of(&after(&sealed, 2), "fast").outputs;
    assert!(
        few.contains("at least 183 graded requests")
            && few.contains("24 are there and this stage brings them to at most 32, so that it cannot pass"),
        "{few}"
    );
    let enough = of(&after(&sealed, 40), "fast").outputs;
    assert!(enough.contains("at most 184") && !enough.contains("cannot"), "{enough}");
}

#[test]
fn what_no_request_takes_away_is_said_before() {
    let mut untold = script();
    untold.tolerance = None;
    let stays = of(&after(&untold.seal(), 2), "fast");
    assert!(stays.outputs.starts_with("stays undecided whatever comes: ") && !stays.open, "{stays:?}");
    let no_end = |ask: &Ask| {
        let mut said = honest(STEP)(ask);
        said.done = false;
        said
    };
    let cheat = of(&after(&script().arm("other", no_end).seal(), 2), "other");
    assert!(cheat.outputs.starts_with("can become altered, and no more equivalent: "), "{cheat:?}");
}

#[test]
fn without_looks_no_further_round_moves_a_claim() {
    let fast = of(&after(&script().seal(), 2), "fast");
    assert_eq!(fast.speed, "rests on rounds 1 to 6, which are measured; further rounds are shown and no part of it");
    let dead = of(&after(&script().fails("fast", 2, lab::records::Class::Start).seal(), 2), "fast");
    assert!(dead.speed.starts_with("none, and none to come: 1 of 6 launches failed"), "{dead:?}");
}

#[test]
fn a_stage_says_which_look_it_reaches() {
    let mut looking = script();
    looking.looks = LOOKS;
    let sealed = looking.seal();
    let short = of(&after(&sealed, 5), "fast");
    assert_eq!(short.speed, "rests on look 1, and this reaches no other: the next is after 12 rounds, --more 6");
    let long = of(&after(&sealed, 6), "fast");
    assert_eq!(
        long.speed,
        "rests on look 1; this reaches look 2, which takes its place whatever it says: rounds 1 to 12, at 97 %"
    );
    let both = after(&sealed.more(&looking, 6, &["fast"]), 6);
    assert_eq!(
        of(&both, "fast").speed,
        "rests on look 2, and all 2 declared looks are used: further rounds are shown and no part of it"
    );
    assert_eq!(of(&both, "other").speed, "cannot reach a further look, since a stage before left this candidate out");
}

#[test]
fn a_control_is_not_said_to_be_judged() {
    let mut controls = script();
    controls.tolerance = None;
    controls.declared = |_| "control = \"positive\"".into();
    let fast = of(&after(&controls.seal(), 2), "fast");
    assert!(fast.outputs.starts_with("a control: ") && fast.open, "{fast:?}");
}
