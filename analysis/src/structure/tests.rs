use std::collections::BTreeMap;

use super::{From, Rule, conclude, empty};
use crate::{
    judgement::{Check, Consequence},
    test_support::{Ask, END, Said, Script, answer, honest, text_of, word},
};

const STEP: u64 = 1_000_000;

/// The checks of a candidate beside an honest baseline that answers with as many tokens.
fn checks(
    baseline: impl Fn(&Ask) -> Said + 'static,
    candidate: impl Fn(&Ask) -> Said + 'static,
) -> BTreeMap<&'static str, Check> {
    checks_of(Script::new(baseline).arm("odd", candidate))
}

fn checks_of(mut script: Script) -> BTreeMap<&'static str, Check> {
    script.rounds = 2;
    let candidate = script.seal().judge().candidates.remove(0);
    candidate.structure.into_iter().map(|c| (c.code, c)).collect()
}

/// Codes of the checks that hold, in order of name.
fn holding(checks: &BTreeMap<&'static str, Check>) -> Vec<&'static str> {
    checks.values().filter(|c| c.holds).map(|c| c.code).collect()
}

fn full(ask: &Ask) -> Said {
    honest(STEP)(ask)
}

fn eight(ask: &Ask) -> Said {
    Said::ids(&answer(ask.request, 8), STEP, ask.max_tokens)
}

/// What the checks say of a candidate, next to an honest baseline of full answers.
fn of(candidate: impl Fn(&Ask) -> Said + 'static) -> Vec<&'static str> {
    holding(&checks(full, candidate))
}

#[test]
fn an_honest_server_trips_nothing() {
    assert_eq!(of(full), [""; 0]);
    assert_eq!(of(|ask| full(ask).text_only()), [""; 0]);
    assert_eq!(holding(&checks(eight, eight)), [""; 0]);
    assert_eq!(holding(&checks(eight, |ask| eight(ask).text_only())), [""; 0]);
}

#[test]
fn every_check_is_asked_of_somebody() {
    let ids = checks(eight, eight);
    let more = checks(full, |ask| {
        let mut said = Said::ids(&answer(ask.request, ask.max_tokens), STEP, ask.max_tokens);
        said.parts.iter_mut().for_each(|p| p.entries = vec!["x".into()]);
        if ask.request.is_multiple_of(2) { said.text_only() } else { said }
    });
    let mut long = Script::new(full).arm("odd", full);
    long.max_tokens = 40;
    let long = checks_of(long);
    for rule in super::CHECKS {
        let asked = [&ids, &more, &long].iter().any(|c| c[rule.code].asked > 0);
        assert!(asked, "{} is asked of nobody", rule.code);
    }
}

/// Whether so many violations of so many requests hold beside the baseline's, and with which consequence.
fn concluded(from: From, seen: (u64, u64), baseline: Option<(u64, u64)>) -> (bool, Consequence) {
    let rule = Rule { code: "", asks: "", consequence: Consequence::Altered, from, ask: super::checks::done };
    let outcome = |(violations, asked)| {
        let mut outcome = empty(&rule);
        (outcome.check.violations, outcome.check.asked) = (violations, asked);
        outcome
    };
    let (mut own, baseline) = (outcome(seen), baseline.map(outcome));
    conclude(&rule, &mut own, baseline.as_ref().map(|o| &o.check));
    (own.check.holds, own.check.consequence)
}

#[test]
fn a_check_holds_from_the_violations_on_that_its_rule_names() {
    let holds = |from, seen, baseline| concluded(from, seen, baseline).0;
    assert!(!holds(From::Any, (0, 100), None) && holds(From::Any, (1, 100), None));
    // Surely more than a tenth (of SciPy's binom.isf(0.01, n, 0.1) the next), and more than twice
    // the share of the baselines.
    let above = |seen, baseline| holds(From::AbovePercent(10), seen, baseline);
    for (enough, asked) in [(3, 3), (5, 12), (11, 48), (19, 100), (38, 256), (224, 1920)] {
        assert!(above((enough, asked), None) && !above((enough - 1, asked), None), "{enough} of {asked}");
    }
    assert!(!above((1, 1), None) && !above((0, 0), None));
    assert!(above((19, 100), Some((9, 100))) && !above((19, 100), Some((10, 100))));
    assert!(!above((19, 100), Some((19, 200))) && above((19, 100), Some((19, 201))));
    assert!(above((30, 100), Some((0, 0))) && !above((9, 100), Some((0, 100))));
    let beside = |seen, baseline| holds(From::AboveBaseline, seen, baseline);
    assert!(!beside((0, 10), None) && beside((1, 10), None));
    assert!(!beside((2, 10), Some((2, 10))) && !beside((2, 10), Some((1, 5))) && beside((2, 9), Some((2, 10))));
}

#[test]
fn what_the_baseline_violates_once_alters_nobody() {
    assert_eq!(concluded(From::Any, (3, 10), Some((0, 10))).1, Consequence::Altered);
    assert_eq!(concluded(From::Any, (3, 10), Some((1, 10))).1, Consequence::NotEquivalent);
    assert_eq!(concluded(From::Any, (3, 10), None).1, Consequence::Altered);
}

#[test]
fn a_single_violation_with_a_consequence_stands_for_good_and_a_share_does_not() {
    let codes = ["done-seen", "early-stop", "early-stop-often", "failed-requests", "suspect"];
    assert_eq!(codes.map(super::stands_for_good), [true, false, false, false, false]);
}

#[test]
fn failed_requests_count_beside_the_baselines() {
    assert_eq!(of(|ask| if ask.request.is_multiple_of(3) { Said::error() } else { full(ask) }), ["failed-requests"]);
    let both = |ask: &Ask| if ask.request.is_multiple_of(3) { Said::error() } else { full(ask) };
    assert_eq!(holding(&checks(both, both)), [""; 0]);
}

#[test]
fn a_stream_without_done() {
    let checks = checks(full, |ask| Said { done: false, ..full(ask) });
    assert_eq!(holding(&checks), ["done-seen"]);
    let check = &checks["done-seen"];
    assert_eq!((check.asked, check.violations, check.examples.len()), (12, 12, 5), "five examples are kept");
}

#[test]
fn more_ids_than_were_asked_for() {
    let spam = |ask: &Ask| Said::ids(&answer(ask.request, ask.max_tokens + 1), STEP, ask.max_tokens);
    assert_eq!(of(spam), ["within-max-tokens"]);
    let spam = |ask: &Ask| Said::ids(&answer(ask.request, ask.max_tokens + 2), STEP, ask.max_tokens).text_only();
    assert_eq!(of(spam), ["within-max-tokens-text"]);
}

#[test]
fn a_request_that_asks_for_its_own_number_of_tokens_gets_no_more() {
    let run = |candidate: fn(&Ask) -> Said| {
        let mut script = Script::new(full).arm("odd", candidate);
        script.most = |id| id.is_multiple_of(2).then_some(9);
        holding(&checks_of(script))
    };
    assert_eq!(run(full), [""; 0]);
    assert_eq!(run(|ask| Said::ids(&answer(ask.request, 20), STEP, ask.max_tokens)), ["within-max-tokens"]);
}

#[test]
fn length_that_is_none() {
    let cut = |ask: &Ask| Said { finish: "length", ..eight(ask) };
    assert_eq!(holding(&checks(eight, cut)), ["length-is-full"]);
    let cut = |ask: &Ask| Said { finish: "length", ..eight(ask) }.text_only();
    assert_eq!(holding(&checks(eight, cut)), ["length-is-full-text"]);
}

#[test]
fn tokens_after_the_end_token() {
    let on = |ask: &Ask| {
        let ids = [answer(ask.request, 7), vec![END], answer(ask.request, 2)].concat();
        Said::ids(&ids, STEP, ask.max_tokens)
    };
    assert_eq!(holding(&checks(eight, on)), ["stops-at-end-token"]);
    let mut script = Script::new(eight).arm("odd", on);
    script.sampling = "ignore_eos = true";
    assert_eq!(holding(&checks_of(script)), [""; 0]);
}

#[test]
fn what_the_baseline_does_too_alters_nothing() {
    let cut = |ask: &Ask| Said { finish: "length", ..eight(ask) };
    let check = &checks(cut, cut)["length-is-full"];
    assert_eq!((check.consequence, check.holds), (Consequence::NotEquivalent, true));
}

#[test]
fn claims_that_differ_from_what_came() {
    let claims = |n: u64| move |ask: &Ask| Said { claimed_output: Some(n), ..full(ask) };
    assert_eq!(of(claims(22)), ["claimed-output"]);
    assert_eq!(of(claims(21)), ["claimed-output"], "no end token was left out of a full answer");
    let ended = |ask: &Ask| Said { claimed_output: Some(10), ..eight(ask) };
    assert_eq!(holding(&checks(eight, ended)), ["claimed-output"], "nor of one that ends with it");
    assert_eq!(of(move |ask| claims(21)(ask).text_only()), [""; 0]);
    assert_eq!(of(move |ask| claims(22)(ask).text_only()), ["claimed-output-text"]);
    assert_eq!(of(move |ask| claims(23)(ask).text_only()), ["claimed-output-text", "claimed-output-text-far"]);
    assert_eq!(of(|ask| Said { claimed_prompt: Some(4), ..full(ask) }), ["claimed-prompt"]);
    assert_eq!(of(|ask| Said { claimed_prompt: None, claimed_output: None, ..full(ask) }), [""; 0]);
}

#[test]
fn an_end_token_that_is_counted_but_not_sent_is_honest() {
    let silent = |ask: &Ask| {
        let mut said = eight(ask);
        said.parts.pop();
        said
    };
    let outcomes = checks(eight, silent);
    assert_eq!(holding(&outcomes), ["stop-has-end-token"]);
    assert_eq!(outcomes["stop-has-end-token"].consequence, Consequence::Information);
}

#[test]
fn stuffed_logprob_entries() {
    let stuffed = |ask: &Ask| {
        let mut said = full(ask);
        said.parts[4].entries = vec![String::new(); 367];
        said
    };
    assert_eq!(of(stuffed), ["entries-are-tokens"]);
    assert_eq!(of(move |ask| stuffed(ask).text_only()), ["entries-are-tokens-text"]);
    let entries = |n: usize| {
        move |ask: &Ask| {
            let mut said = full(ask);
            said.parts[4].entries = vec![String::new(); n];
            said
        }
    };
    assert_eq!(of(entries(20)), [""; 0]);
    assert_eq!(of(entries(21)), ["entries-are-tokens"]);
    assert_eq!(of(move |ask| entries(22)(ask).text_only()), [""; 0], "of 20 tokens a tenth is allowed");
    assert_eq!(of(move |ask| entries(23)(ask).text_only()), ["entries-are-tokens-text"]);
    let unicode = |ask: &Ask| {
        let mut said = full(ask);
        said.parts.iter_mut().for_each(|p| p.entries = vec![String::new()]);
        said
    };
    assert_eq!(of(unicode), [""; 0], "an entry is empty where its token is part of a character");
}

#[test]
fn special_tokens_spelled_out() {
    let literal = |ask: &Ask| {
        let mut said = full(ask);
        said.parts[5].text = "<|im_end|>".into();
        said
    };
    let found = of(literal);
    assert!(found.contains(&"no-special-text") && !found.contains(&"ids-of-another-text"), "{found:?}");
}

#[test]
fn a_burst_is_told_and_holds_nothing_against_anybody() {
    let burst = |ask: &Ask| {
        let mut said = full(ask);
        said.parts.iter_mut().skip(2).for_each(|p| p.at_ns = 20 * STEP);
        said
    };
    let checks = checks(full, burst);
    assert_eq!(holding(&checks), ["coalesced"]);
    assert_eq!(checks["coalesced"].consequence, Consequence::Information);
}

#[test]
fn one_early_stop_is_information_and_many_are_not() {
    let stops = |every: u32| {
        move |ask: &Ask| {
            let tokens = if ask.request.is_multiple_of(every) { 10 } else { ask.max_tokens };
            Said::ids(&answer(ask.request, tokens), STEP, ask.max_tokens)
        }
    };
    assert_eq!(of(stops(13)), ["early-stop"]);
    assert_eq!(of(stops(2)), ["early-stop", "early-stop-often"]);
}

#[test]
fn repetition_is_asked_of_answers_of_32_tokens_beside_such_an_answer() {
    let asked = |most: u32, baseline: fn(&Ask) -> Said, candidate: fn(&Ask) -> Said| {
        let mut script = Script::new(baseline).arm("odd", candidate);
        script.max_tokens = most;
        checks_of(script)["degenerate"].asked
    };
    assert_eq!((asked(32, full, full), asked(31, full, full)), (12, 0));
    assert_eq!((asked(40, full, eight), asked(40, eight, full)), (0, 0));
}

#[test]
fn repetition_counts_beside_the_baselines() {
    let run = |baseline: fn(&Ask) -> Said, candidate: fn(&Ask) -> Said| {
        let mut script = Script::new(baseline).arm("odd", candidate);
        script.max_tokens = 40;
        holding(&checks_of(script))
    };
    let stuck = |ask: &Ask| Said::ids(&vec![word(7); ask.max_tokens as usize], STEP, ask.max_tokens);
    let looping = |ask: &Ask| {
        let ids: Vec<u32> = (0..u64::from(ask.max_tokens)).map(|i| word(i % 5)).collect();
        Said::ids(&ids, STEP, ask.max_tokens)
    };
    assert_eq!(run(full, stuck), ["degenerate", "degenerate-often"]);
    assert_eq!(run(full, looping), ["degenerate", "degenerate-often"]);
    assert_eq!(run(stuck, stuck), [""; 0], "an honest model may loop");
}

mod recorded;
mod texts;
