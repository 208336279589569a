use lab::records::Class;

use super::*;
use crate::{
    comparison::speeds,
    test_support::{Ask, Said, Script, answer, honest},
    voids::voids,
};

/// One request of two tokens, half a percent quicker or slower from round to round.
fn around(ask: &Ask) -> Said {
    let step = [1_000_000, 1_005_000, 995_000][ask.round as usize % 3];
    Said::ids(&answer(ask.request, ask.max_tokens), step, ask.max_tokens)
}

fn small() -> Script {
    let mut script = Script::new(honest(1_000_000)).arm("fast", around).arm("other", around);
    (script.requests, script.max_tokens, script.sample, script.grade) = (1, 2, 1, false);
    script
}

/// The rounds of an arm's overall effect, or why there is none.
fn told(study: &Study, arm: &str) -> Result<u64, (&'static str, String)> {
    let voids = voids(study);
    let overall = overall(study, arm, &speeds(study, arm, &voids), &voids);
    overall.effect.map(|e| e.rounds).ok_or_else(|| overall.note.map(|n| (n.code, n.text)).unwrap())
}

#[test]
fn an_arms_own_failed_launches_take_its_number_and_nobody_elses() {
    let study = small().fails("fast", 2, Class::Start).fails("other", 3, Class::Host).seal().study();
    let text = "1 of 6 launches failed; the speed of the others would hide that";
    assert_eq!(told(&study, "fast"), Err(("fewer-rounds", text.into())));
    assert_eq!(told(&study, "other"), Ok(5), "a failure of the host is void");
    let all = (1..=6).fold(small(), |script, round| script.fails("fast", round, Class::Start)).seal().study();
    assert_eq!(told(&all, "fast"), Err(("fewer-rounds", "all 6 launches failed".into())));
    assert_eq!(told(&all, "other"), Ok(6));
}

#[test]
fn a_tenth_of_the_work_may_be_left_undone_and_no_more() {
    let study = small().seal().study();
    let with = |undone| {
        let mut speeds = speeds(&study, "fast", &BTreeMap::new());
        speeds[0].undone = undone;
        let overall = overall(&study, "fast", &speeds, &BTreeMap::new());
        (overall.effect.is_some(), overall.note.map(|note| note.code))
    };
    for enough in [(0, 0), (1, 0), (10, 1), (30, 3)] {
        assert_eq!(with(enough), (true, None), "{enough:?}");
    }
    for less in [(1, 1), (10, 2), (29, 3)] {
        assert_eq!(with(less), (false, Some("work-left-undone")), "{less:?}");
    }
}

#[test]
fn what_was_never_measured_takes_the_number_of_those_in_its_block() {
    let mut study = small().seal().study();
    study.missing.push(study.trials.iter().find(|t| t.plan.arm == "fast").unwrap().plan.clone());
    let text = "the run was sealed before its end: 1 trials of its rounds were never measured";
    assert_eq!(told(&study, "fast"), Err(("sealed-early", text.into())));
    // A block that no trial of it was planned in.
    (study.missing[0].n, study.missing[0].block) = (999, 99);
    study.missing[0].arm = "third".into();
    assert_eq!(told(&study, "fast"), Ok(6));
}
