use std::collections::BTreeMap;

use lab::bundle::{Bundle, MANIFEST, Manifest, PLAN, REQUESTS, RUN};

use super::*;
use crate::{
    gather::report_of,
    judgement::Sameness,
    test_support::{Ask, Said, Script, Sealed, honest},
};

const STEP: u64 = 1_100_000;

/// A pace that moves by half a percent from round to round, in its own way for each `own`.
fn paced(step: u64, own: u32) -> impl Fn(&Ask) -> Said {
    move |ask| honest(step * (995 + u64::from((ask.round * 7 + own * 13) * (own + 3) % 11)) / 1_000)(ask)
}

/// A study, and its bundles as long as it is looked at.
struct Kept(Study, #[expect(dead_code, reason = "its folder goes with it")] Sealed);

impl std::ops::Deref for Kept {
    type Target = Study;

    fn deref(&self) -> &Study {
        &self.0
    }
}

fn open(sealed: Sealed) -> Kept {
    Kept(sealed.study(), sealed)
}

/// A run whose candidate's token takes `step` ns where the baseline's takes [`STEP`].
fn run(step: u64, own: u32, rounds: u32) -> Kept {
    let mut script = Script::new(paced(STEP, own)).arm("fast", paced(step, own + 4));
    script.rounds = rounds;
    open(script.seal())
}

fn again(original: &Study, rerun: &Study) -> Reproduction {
    super::compare(verify(original, None).unwrap(), original, rerun).unwrap()
}

fn is(found: &Reproduction, part: &str) -> (Recomputed, String) {
    let part = found.parts.iter().find(|p| p.part == part).unwrap();
    (part.is, part.note.clone())
}

#[test]
fn a_run_is_verified_by_its_bundles_alone() {
    let found = verify(&run(STEP / 2, 1, 2), None).unwrap();
    assert_eq!(found.word, Word::Verified);
    assert_eq!(is(&found, "requests").0, Recomputed::Same);
    assert_eq!(is(&found, "plan").0, Recomputed::Same);
    assert_eq!(is(&found, "verdict").0, Recomputed::NotRecomputed);
    assert_eq!(found.word.exit_code(), 0);
}

#[test]
fn scheduled_requests_have_a_schedule_that_is_made_again() {
    let mut script = Script::new(honest(STEP)).arm("fast", honest(STEP));
    script.load = "name = \"c1\"\nopen = { rate = 5.0, arrivals = \"poisson\" }";
    let found = verify(&open(script.seal()), None).unwrap();
    assert_eq!((found.word, is(&found, "schedule").0), (Word::Verified, Recomputed::Same));
}

#[test]
fn prompts_that_the_seed_does_not_draw_are_found_however_well_they_are_sealed() {
    let sealed = Script::new(honest(STEP)).arm("fast", honest(STEP)).seal();
    let measure = &sealed.measure;
    let set = std::fs::read_to_string(measure.join(REQUESTS)).unwrap();
    // Another prompt in the same number of bytes, and everything that names the set by its digest.
    let at = set.find("\"content\":\"").unwrap() + "\"content\":\"".len();
    let mut forged = set.clone();
    forged.replace_range(at..at + 1, if set[at..].starts_with('X') { "Y" } else { "X" });
    let rename = |file: &str, from: lab::Digest, to: lab::Digest| {
        let text = std::fs::read_to_string(measure.join(file)).unwrap();
        assert!(text.contains(&from.to_string()), "{file}");
        std::fs::write(measure.join(file), text.replace(&from.to_string(), &to.to_string())).unwrap();
    };
    let plan = |()| lab::Digest::of(std::fs::read(measure.join(PLAN)).unwrap());
    let before = plan(());
    std::fs::write(measure.join(REQUESTS), &forged).unwrap();
    rename(PLAN, lab::Digest::of(&set), lab::Digest::of(&forged));
    rename(RUN, before, plan(()));
    let mut manifest = Manifest::from_json(&std::fs::read_to_string(measure.join(MANIFEST)).unwrap()).unwrap();
    for file in &mut manifest.files {
        (file.sha256, file.size) = lab::Digest::of_file(&measure.join(&file.path)).unwrap();
    }
    std::fs::write(measure.join(MANIFEST), manifest.to_json()).unwrap();
    let found = verify(&Study::open(std::slice::from_ref(measure)).unwrap(), None).unwrap();
    let (is, note) = is(&found, "requests");
    assert_eq!((found.word, is), (Word::Contradicted, Recomputed::Differs));
    assert!(note.starts_with("first at line 1: `") && note.contains('X'), "{note}");
    assert_eq!(found.word.exit_code(), 40);
    assert!(Bundle::open(measure).unwrap().requests().is_ok());
}

/// The report of a study as somebody published it, changed, and what is said of it.
fn published(change: impl Fn(&mut BTreeMap<String, Vec<u8>>)) -> Reproduction {
    let study = run(STEP / 2, 1, 2);
    let files = report_of(&study, &judge(&study), &BTreeMap::new()).unwrap();
    let mut files: BTreeMap<String, Vec<u8>> = files.into_iter().collect();
    change(&mut files);
    verify(&study, Some(&Published { files: &files, notes: &BTreeMap::new() })).unwrap()
}

fn edited(name: &str, from: &str, to: &str) -> Reproduction {
    published(|files| {
        let text = String::from_utf8(files[name].clone()).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        files.insert(name.to_owned(), text.replacen(from, to, 1).into_bytes());
    })
}

#[test]
fn a_report_as_it_was_published_is_verified_to_the_byte() {
    let found = published(|_| {});
    assert_eq!(
        (found.word, is(&found, "verdict").0, is(&found, "report").0),
        (Word::Verified, Recomputed::Same, Recomputed::Same)
    );
}

#[test]
fn an_edited_verdict_a_lost_page_and_a_page_too_many_are_told() {
    let found = edited("verdicts.json", "\"undecided\"", "\"equivalent\"");
    let (verdict, note) = is(&found, "verdict");
    assert_eq!((found.word, verdict), (Word::Contradicted, Recomputed::Differs));
    assert!(note.contains("undecided") && note.contains("equivalent"), "{note}");
    let found = published(|files| drop(files.remove("index.html")));
    assert_eq!(is(&found, "report"), (Recomputed::Differs, "index.html: missing".into()));
    assert_eq!(is(&found, "verdict").0, Recomputed::Same);
    let found = published(|files| drop(files.insert("more.html".into(), Vec::new())));
    assert_eq!(is(&found, "report"), (Recomputed::Differs, "more.html: no part of this report".into()));
    let found = published(|files| drop(files.remove("verdicts.json")));
    assert_eq!(found.word, Word::Contradicted);
}

#[test]
fn a_report_of_another_method_or_of_other_bundles_is_said_to_be() {
    let found = edited("verdicts.json", METHOD, "0.0.9");
    assert_eq!((found.word, found.word.exit_code()), (Word::NotComparable, 41));
    assert!(found.why.contains("method 0.0.9") && found.why.contains(METHOD), "{}", found.why);
    let id = published(|_| {}).bundles[0].id.to_string();
    let other = lab::Digest::of("another run").to_string();
    let found = edited("verdicts.json", &id, &other);
    let (is, note) = is(&found, "verdict");
    assert!(is == Recomputed::Differs && note.contains("other bundles"), "{note}");
}

#[test]
fn a_run_with_the_same_speed_up_is_reproduced_also_where_the_machine_is_half_as_fast() {
    let original = run(STEP / 2, 1, 6);
    let slower = Script::new(paced(2 * STEP, 2)).arm("fast", paced(STEP, 7)).seal();
    for rerun in [run(STEP / 2, 3, 6), open(slower)] {
        let found = again(&original, &rerun);
        assert_eq!((found.word, found.word.exit_code()), (Word::Reproduced, 0), "{found:?}");
        let ratio = found.candidates[0].speed_up.as_ref().unwrap().ratio.unwrap();
        assert_eq!(ratio.same, Sameness::Same);
    }
}

#[test]
fn another_speed_contradicts() {
    let found = again(&run(STEP / 2, 1, 6), &run(STEP * 3 / 4, 2, 6));
    assert_eq!((found.word, found.word.exit_code()), (Word::Contradicted, 40), "{found:?}");
    assert_eq!(found.why, "1 of 1 candidates: fast");
    let text = crate::report::reproduced(&found, 80);
    assert!(text.starts_with("contradicted: measure\n") && text.contains("fast: CONTRADICTED"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn two_rounds_are_too_few_and_say_so() {
    let found = again(&run(STEP / 2, 1, 2), &run(STEP / 2, 2, 2));
    assert_eq!((found.word, found.word.exit_code()), (Word::Consistent, 42), "{found:?}");
    assert!(found.candidates[0].why.contains("fewer rounds than a claim needs"), "{found:?}");
}

#[test]
fn the_baselines_answers_are_counted_where_they_are_the_same() {
    let rerun = |other: u32| {
        let script = Script::new(move |ask: &Ask| {
            let mut said = honest(STEP)(ask);
            if ask.request % 6 < other {
                said = honest(STEP)(&Ask { request: ask.request + 1_001, load: ask.load.clone(), ..*ask });
            }
            said
        });
        open(script.arm("fast", honest(STEP)).seal())
    };
    let (original, same) = (rerun(0), rerun(0));
    let all = again(&original, &same).baseline_outputs.unwrap();
    assert!(all.compared > 10 && all.same == all.compared, "{all:?}");
    let some = again(&original, &rerun(2)).baseline_outputs.unwrap();
    assert!(some.same < some.compared && some.same > 0, "{some:?}");
}
