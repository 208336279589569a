use super::*;
use crate::{
    judgement::Sameness,
    test_support::{Ask, Said, Script, Sealed, honest},
};

const STEP: u64 = 1_100_000;

/// A pace; `rounds` moves both arms of a round together, `own` this arm alone.
fn paced(step: u64, own: u32, rounds: bool) -> impl Fn(&Ask) -> Said {
    move |ask| {
        let together = if rounds { [1_000, 1_300, 800, 1_100, 900, 1_200][ask.round as usize % 6] } else { 1_000 };
        let alone = 995 + u64::from((ask.round * 7 + own * 13) * (own + 3) % 11);
        honest(step * together / 1_000 * alone / 1_000)(ask)
    }
}

fn open(sealed: &Sealed) -> Study {
    Study::open(&sealed.paths()).unwrap()
}

fn all(study: &Study) -> Side<'_> {
    Side { study, arm: None }
}

fn of<'a>(study: &'a Study, arm: &'a str) -> Side<'a> {
    Side { study, arm: Some(arm) }
}

fn problem(a: &Script, b: &Script) -> Problem {
    let (a, b) = (a.seal(), b.seal());
    compare(all(&open(&a)), all(&open(&b))).unwrap_err()
}

#[test]
fn a_run_is_the_same_as_itself_to_the_bit() {
    let sealed = Script::new(paced(STEP, 1, false)).arm("fast", paced(STEP, 2, false)).seal();
    let study = open(&sealed);
    let found = compare(all(&study), all(&study)).unwrap();
    assert!(found.paired && found.differences.is_empty());
    assert_eq!(found.arms.iter().map(|a| a.a.as_str()).collect::<Vec<_>>(), ["baseline", "fast"]);
    let cells = found.arms.iter().flat_map(|a| &a.cells);
    let contrasts: Vec<_> = cells.flat_map(|c| c.over_baseline.iter().chain(&c.metrics)).collect();
    assert!(contrasts.len() > 10 && contrasts.iter().all(|c| c.identical && c.ratio.is_none()));
    let text = crate::report::compared(&found, 80);
    assert!(text.contains("fast: over its own baseline, the same in every round, to the bit."), "{text}");
}

#[test]
fn two_arms_of_one_run_are_compared_round_by_round() {
    let script = Script::new(paced(STEP, 1, true)).arm("a", paced(STEP / 2, 2, true)).arm("b", paced(STEP, 4, true));
    let sealed = script.seal();
    let study = open(&sealed);
    let found = compare(of(&study, "a"), of(&study, "b")).unwrap();
    let [arms] = found.arms.as_slice() else { panic!("{found:?}") };
    let e2el = arms.cells[0].metrics.iter().find(|m| m.metric == "e2el").unwrap();
    let ratio = e2el.ratio.unwrap();
    // The rounds move by 30 %, the arms against each other by half a percent.
    assert!(ratio.low > 1.98 && ratio.high < 2.02 && ratio.powered, "{ratio:?}");
    assert_eq!((e2el.rounds, ratio.same), ((6, 6), Sameness::Different));
    let overall = arms.overall.as_ref().unwrap().ratio.unwrap();
    assert!((overall.ratio - 2.0).abs() < 0.02 && overall.adjusted_p.unwrap() >= overall.p, "{overall:?}");
    let text = crate::report::compared(&found, 80);
    assert!(text.contains("a (A) against b (B): over its own baseline, A is 10"), "{text}");
    assert!(text.lines().take(6).all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn on_a_machine_that_is_twice_as_slow_a_speed_up_is_the_same() {
    let run = |slower: u64, own| {
        let script = Script::new(paced(slower * STEP, own, false));
        script.arm("fast", paced(slower * STEP * 4 / 5, own + 4, false)).seal()
    };
    let (a, b) = (run(1, 1), run(2, 2));
    let found = compare(all(&open(&a)), all(&open(&b))).unwrap();
    assert!(!found.paired);
    let fast = &found.arms[1];
    let overall = fast.overall.as_ref().unwrap().ratio.unwrap();
    assert_eq!(overall.same, Sameness::Same, "{overall:?}");
    assert!((overall.ratio - 1.0).abs() < 0.01, "{overall:?}");
    let e2el = fast.cells[0].metrics.iter().find(|m| m.metric == "e2el").unwrap().ratio.unwrap();
    assert!((e2el.ratio - 2.0).abs() < 0.02 && e2el.low > 1.9 && e2el.same == Sameness::Different, "{e2el:?}");
    let rate = fast.cells[0].metrics.iter().find(|m| m.metric == "output-throughput").unwrap().ratio.unwrap();
    assert!((rate.ratio - 2.0).abs() < 0.02, "more tokens a second is faster: {rate:?}");
}

#[test]
fn another_number_of_rounds_is_no_other_contract_and_is_told() {
    let mut longer = Script::new(paced(STEP, 1, false)).arm("fast", paced(STEP, 2, false));
    let shorter = longer.seal();
    longer.rounds = 7;
    let longer = longer.seal();
    let found = compare(all(&open(&shorter)), all(&open(&longer))).unwrap();
    let fields: Vec<_> = found.differences.iter().map(|d| (d.field.as_str(), d.a.as_str(), d.b.as_str())).collect();
    assert!(fields.contains(&("rounds", "6", "7")), "{fields:?}");
    assert_eq!(found.arms[1].overall.as_ref().unwrap().rounds, (6, 7));
}

#[test]
fn what_has_to_be_equal_is_named_with_both_values() {
    let script = || Script::new(honest(STEP)).arm("fast", honest(STEP));
    type Change = fn(&mut Script);
    let cases: [(&str, &str, Change); 4] = [
        ("load c1", "2 clients", |s| s.load = "name = \"c1\"\nclosed = { concurrency = 2 }"),
        ("sampling", "temperature = 0.5", |s| s.sampling = "temperature = 0.5"),
        ("times", "of version 1", |s| s.old = true),
        ("requests", "sha256:", |s| s.most = |_| Some(19)),
    ];
    for (field, value, change) in cases {
        let mut other = script();
        change(&mut other);
        let problem = problem(&script(), &other);
        assert_eq!(problem.kind, Kind::NotComparable);
        assert!(problem.what.starts_with(&format!("{field} is ")), "{problem}");
        assert!(problem.what.contains(value) && problem.next.is_some(), "{problem}");
    }
}

#[test]
fn an_arm_that_is_not_there_is_refused_and_failed_launches_are_told() {
    let sealed = Script::new(honest(STEP)).arm("fast", paced(STEP, 2, false)).arm("dead", paced(STEP, 4, false));
    let sealed = sealed.fails("dead", 2, lab::records::Class::Start).seal();
    let study = open(&sealed);
    let problem = compare(of(&study, "fast"), of(&study, "none")).unwrap_err();
    assert_eq!(problem.kind, Kind::NotComparable);
    assert!(problem.to_string().contains("name one of baseline, dead, fast"), "{problem}");
    let found = compare(of(&study, "fast"), of(&study, "dead")).unwrap();
    assert!(found.arms[0].overall.is_none());
    assert!(found.arms[0].note.as_ref().unwrap().contains("1 of 6 launches failed"), "{:?}", found.arms[0].note);
    assert!(found.arms[0].cells[0].metrics.iter().all(|m| m.ratio.is_none()), "the others would hide it");
}
