use lab::Nanos;

use super::*;
use crate::{
    study::Study,
    test_support::{Ask, Said, Script, answer, honest},
};

/// A millisecond a token, twenty tokens.
const STEP: u64 = 1_000_000;
/// A whole answer takes so long: the end comes 100 ns after the last token.
const ANSWER: u64 = 20 * STEP + 100;

fn study(load: &'static str, more: &'static str, say: impl Fn(&Ask) -> Said + 'static) -> Study {
    let mut script = Script::new(say).arm("fast", honest(STEP));
    (script.rounds, script.load, script.more) = (1, load, more);
    script.seal().study()
}

const OPEN: &str = "name = \"o\"\nopen = { rate = 100.0, arrivals = \"constant\" }";

#[test]
fn a_closed_window_is_from_the_last_clients_first_request_to_the_last_send() {
    let study = study("name = \"c2\"\nclosed = { concurrency = 2 }", "", honest(STEP));
    let trial = &study.trials[0];
    let start = trial.record.stages.phases[0].start_ns.0;
    // Two clients in step, three requests each, 1 µs between them.
    let turn = ANSWER + 1_000;
    let window = steady(trial, "c2").unwrap();
    assert_eq!((window.from.0 - start, window.to.0 - start), (0, 2 * turn));
    assert_eq!(window.tokens, 4 * 20, "the last two requests are sent as it ends");
    assert_eq!(window.throughput(), Some(80.0 * 1e9 / (2 * turn) as f64));
    assert_eq!(phase_time(trial, "c2"), Some(Nanos(2 * turn + ANSWER + 1_000)));
    assert_eq!(request_throughput(trial, "c2"), Some(6e9 / (3 * turn) as f64));
    assert_eq!(output_throughput(trial, "c2"), Some(120e9 / (3 * turn) as f64));
}

#[test]
fn an_open_window_is_from_the_first_to_the_last_intended_send() {
    let study = study(OPEN, "", honest(STEP));
    let window = steady(&study.trials[0], "o").unwrap();
    // Sent at 0, 10, … 50 ms; by 50 ms 20, 20, 20, 20, 10 and 0 tokens have come.
    assert_eq!((window.time().0, window.tokens), (50_000_000, 90));
    assert_eq!(window.throughput(), Some(1_800.0));
}

#[test]
fn a_window_shorter_than_a_tenth_of_its_phase_is_none() {
    // All six clients begin at once, and find no more work.
    let study = study("name = \"c6\"\nclosed = { concurrency = 6 }", "", honest(STEP));
    assert_eq!(steady(&study.trials[0], "c6"), None);
    // The last answer takes a second: 50 ms of more than a second.
    let study = self::study(OPEN, "", |ask| {
        let step = if ask.request == 6 { 50 * STEP } else { STEP };
        Said::ids(&answer(ask.request, ask.max_tokens), step, ask.max_tokens)
    });
    assert_eq!(steady(&study.trials[0], "o"), None);
}

#[test]
fn service_counts_what_was_due_and_met_every_level() {
    // Request 1 is late by 5 ms, 2 fails, 3 is slow from its first token on.
    let say = |ask: &Ask| match ask.request {
        1 => Said { lag_ns: 5_000_000, ..honest(STEP)(ask) },
        2 => Said::error(),
        3 => Said::ids(&answer(3, ask.max_tokens), 2 * STEP, ask.max_tokens),
        _ => honest(STEP)(ask),
    };
    let of = |slo| {
        let study = study(OPEN, slo, say);
        let service = service(&study, &study.trials[0], "o").unwrap();
        (service.due, service.met)
    };
    assert_eq!(of("[slo]\nttft = \"5ms\""), (6, 4), "6 ms from the intended send, and one failed");
    assert_eq!(of("[slo]\nttft = \"6ms\""), (6, 5));
    assert_eq!(of("[slo]\ntpot = \"1100us\""), (6, 4), "waiting is no part of TPOT");
    assert_eq!(of("[slo]\nttft = \"5ms\"\ntpot = \"1100us\""), (6, 3));
    assert_eq!(of("[slo]\ne2el = \"30ms\""), (6, 4));
}

#[test]
fn goodput_is_over_the_phase_and_what_was_never_due_is_no_miss() {
    let timed = "name = \"o\"\ntime = \"25ms\"\nopen = { rate = 100.0, arrivals = \"constant\" }";
    let study = study(timed, "[slo]\nttft = \"5ms\"", honest(STEP));
    let trial = &study.trials[0];
    // Sent at 0, 10 and 20 ms; the last ends at 40 ms.
    assert_eq!(service(&study, trial, "o"), Some(Service { due: 3, met: 3, shorter: 0 }));
    assert_eq!(goodput(&study, trial, "o"), Some(3e9 / (20_000_000 + ANSWER + 1_000) as f64));
}

#[test]
fn a_shorter_answer_in_time_is_neither_good_service_nor_bad() {
    let of = |shorter: u32, late: u32| {
        let mut script = Script::new(honest(STEP)).arm("fast", move |ask: &Ask| {
            let tokens = if ask.request <= shorter { 10 } else { 20 };
            let lag_ns = if ask.request <= late { 9_000_000 } else { 0 };
            Said { lag_ns, ..Said::ids(&answer(ask.request, tokens), STEP, ask.max_tokens) }
        });
        (script.rounds, script.load, script.more) = (1, OPEN, "[slo]\nttft = \"5ms\"");
        let study = script.seal().study();
        let trial = study.completed("fast").next().unwrap();
        service(&study, trial, "o").unwrap()
    };
    assert_eq!(of(2, 0), Service { due: 4, met: 4, shorter: 2 });
    assert_eq!(of(2, 1), Service { due: 5, met: 4, shorter: 1 }, "cutting an answer short hides no lateness");
    assert_eq!(of(4, 0), Service { due: 4, met: 2, shorter: 2 }, "nor does it pay to cut many short");
}

#[test]
fn under_open_loads_service_time_is_without_the_wait_for_a_connection() {
    let study = study(OPEN, "", |ask| Said { lag_ns: 7_000_000, late_ns: 10_000, ..honest(STEP)(ask) });
    let trial = &study.trials[0];
    let median = |metric| median(trial, "o", metric).unwrap().0;
    assert_eq!((median(Metric::Ttft), median(Metric::ServedTtft)), (STEP + 7_010_000, STEP));
    assert_eq!((median(Metric::E2el), median(Metric::ServedE2el)), (ANSWER + 7_010_000, ANSWER));
    assert_eq!((client_lag_p99(trial), send_lag_p99(trial)), (Some(Nanos(10_000)), Some(Nanos(7_010_000))));
    assert_eq!(Metric::of_load(study.load("o").unwrap()).len(), 6);
}

#[test]
fn a_turn_that_the_baselines_came_to_is_due_though_the_turn_before_it_was_held_back() {
    // Two sessions of three turns, 5 ms apart; after 60 ms nothing more is sent.
    let mut script = Script::new(honest(STEP / 4)).arm("fast", |ask: &Ask| {
        let lag_ns = if ask.request == 1 { 70_000_000 } else { 0 };
        Said { lag_ns, ..honest(STEP / 4)(ask) }
    });
    (script.rounds, script.more) = (1, "[slo]\nttft = \"10ms\"");
    script.load = "name = \"s\"\ntime = \"60ms\"\nopen = { rate = 200.0, arrivals = \"constant\" }";
    script.session = |id| (id > 0).then(|| (id - 1) / 3);
    let study = script.seal().study();
    let of = |arm| service(&study, study.completed(arm).next().unwrap(), "s").unwrap();
    assert_eq!(of("baseline"), Service { due: 6, met: 6, shorter: 0 });
    assert_eq!(of("fast"), Service { due: 6, met: 3, shorter: 0 });
}
