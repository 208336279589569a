//! When requests are sent, as the schedule and the servers see it.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Barrier, atomic::Ordering};

use lab::{Nanos, wire::End, workload};
use runner::load::{Flow, Phase, Unit};
use support::{drive, honest, job, phase, serve};

const NO_RAMP: Nanos = Nanos(0);

fn closed(concurrency: u32) -> Flow {
    Flow::Closed { concurrency, ramp: NO_RAMP }
}

fn every(gap: Nanos, requests: u32) -> Phase {
    let mut open = phase(requests, Flow::Open);
    open.units.iter_mut().zip(0u64..).for_each(|(unit, i)| unit.due = Nanos(gap.0 * i));
    open
}

#[test]
fn an_open_load_sends_when_it_is_due_though_nothing_is_answered() {
    let (port, log) = serve(|_, mut peer| {
        peer.request();
        // Holds the connection until the client gives up.
        peer.request();
    });
    let mut open = every(Nanos::from_millis(20), 6);
    open.request_limit = Nanos::from_millis(500);
    let outcome = drive(port, open);
    for ((seen, ..), i) in outcome.seen.iter().zip(0u64..) {
        assert_eq!(seen.end, End::Deadline);
        assert_eq!(seen.intended.0 - outcome.start.0, 20_000_000 * i, "from the schedule, to the nanosecond");
        assert!(seen.intended <= seen.started && seen.started <= seen.sent, "{seen:?}");
        assert!(seen.ended.0 - seen.intended.0 >= 500_000_000, "the deadline counts from the intended send");
    }
    assert_eq!(log.requests.lock().unwrap().len(), 6);
    assert_eq!(log.busiest.load(Ordering::SeqCst), 6, "all at once");
}

#[test]
fn closed_clients_are_never_more_than_declared_and_go_on_when_they_are_free() {
    let (port, log) = honest();
    let outcome = drive(port, phase(60, closed(3)));
    assert!(outcome.seen.iter().all(|(s, ..)| s.end == End::Complete));
    assert!(log.busiest.load(Ordering::SeqCst) <= 3);
    let mut ends: Vec<Nanos> = outcome.seen.iter().map(|(s, ..)| s.ended).collect();
    ends.sort();
    for (i, (seen, ..)) in outcome.seen.iter().enumerate().skip(3) {
        assert!(seen.intended >= ends[i - 3], "request {i} waited for a free client");
    }
}

#[test]
fn clients_of_a_ramp_begin_one_after_the_other() {
    let all_there = Barrier::new(3);
    let (port, _) = serve(move |_, mut peer| {
        if peer.request().is_some() {
            all_there.wait();
            peer.answer("hi");
        }
    });
    let ramp = Nanos::from_millis(90);
    let outcome = drive(port, phase(3, Flow::Closed { concurrency: 3, ramp }));
    for ((seen, ..), i) in outcome.seen.iter().zip(0u64..) {
        assert!(seen.intended.0 >= outcome.start.0 + 30_000_000 * i, "client {i}");
    }
}

#[test]
fn nothing_is_sent_after_the_declared_time_and_that_is_no_failure() {
    let (port, log) = honest();
    let mut open = every(Nanos::from_millis(30), 10);
    open.time = Some(Nanos::from_millis(100));
    let ends: Vec<End> = drive(port, open).seen.iter().map(|(s, ..)| s.end).collect();
    assert_eq!(ends, [vec![End::Complete; 4], vec![End::TimeUp; 6]].concat());
    assert_eq!(log.requests.lock().unwrap().len(), 4);
}

#[test]
fn nothing_is_sent_after_the_deadline_of_a_phase() {
    let (port, _) = serve(|_, mut peer| while peer.request().is_some() {});
    let mut slow = phase(5, closed(2));
    slow.phase_limit = Nanos::from_millis(200);
    let ends: Vec<End> = drive(port, slow).seen.iter().map(|(s, ..)| s.end).collect();
    assert_eq!(ends, [End::Deadline, End::Deadline, End::NotSent, End::NotSent, End::NotSent]);
}

#[test]
fn a_turn_follows_the_end_of_the_one_before_after_its_user_has_thought() {
    let (port, log) = honest();
    let think = Nanos::from_millis(15);
    let mut open = every(Nanos::from_millis(10), 2);
    for (unit, s) in open.units.iter_mut().zip([0, 3]) {
        unit.turns = vec![job(s, NO_RAMP), job(s + 1, think), job(s + 2, think)];
    }
    let outcome = drive(port, open);
    for session in outcome.seen.chunks(3) {
        for turns in session.windows(2) {
            assert_eq!(turns[1].0.intended.0, turns[0].0.ended.0 + think.0);
            assert!(turns[1].0.sent >= turns[1].0.intended);
        }
    }
    assert_eq!(log.requests.lock().unwrap().len(), 6);
}

#[test]
fn kept_connections_are_opened_before_the_first_request_and_used_again() {
    let (port, log) = honest();
    let mut kept = phase(40, closed(4));
    kept.client.keep = true;
    let outcome = drive(port, kept);
    assert!(outcome.seen.iter().all(|(s, ..)| s.end == End::Complete));
    assert_eq!(log.connections.load(Ordering::SeqCst), 4);
}

#[test]
fn without_keeping_each_request_has_a_connection_of_its_own() {
    let (port, log) = honest();
    drive(port, phase(12, closed(4)));
    assert_eq!(log.connections.load(Ordering::SeqCst), 12);
}

#[test]
fn a_kept_connection_that_the_server_closed_between_requests_is_opened_again() {
    // Says keep-alive and hangs up, as llama.cpp does.
    let (port, log) = serve(|_, mut peer| {
        if peer.request().is_some() {
            peer.answer("bye");
        }
    });
    let mut kept = every(Nanos::from_millis(100), 4);
    kept.client.keep = true;
    let outcome = drive(port, kept);
    assert!(outcome.seen.iter().all(|(s, ..)| s.end == End::Complete));
    assert_eq!(log.connections.load(Ordering::SeqCst), 4);
}

#[test]
fn an_answer_that_begins_before_the_request_is_named_and_nothing_is_sent() {
    let (port, log) = serve(|_, mut peer| {
        peer.log.busy.fetch_add(1, Ordering::SeqCst);
        peer.answer("early");
        peer.request();
    });
    let mut open = every(Nanos::from_millis(1), 1);
    open.client = workload::Client { keep: true, connections: 1, ..open.client };
    open.units[0].due = Nanos::from_millis(300);
    assert_eq!(drive(port, open).seen[0].0.end, End::Early);
    assert_eq!(log.requests.lock().unwrap().len(), 0);
}

#[test]
fn every_request_is_sent_once_whatever_the_number_of_threads() {
    for flow in [closed(5), Flow::Open] {
        let (port, log) = honest();
        let mut wide = phase(200, flow);
        wide.client.threads = 3;
        let outcome = drive(port, wide);
        let ids: Vec<u32> = outcome.seen.iter().map(|(s, ..)| s.request).collect();
        assert_eq!(ids, (0..200).collect::<Vec<_>>());
        let mut bodies: Vec<u32> =
            log.requests.lock().unwrap().iter().map(|r| r.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        bodies.sort();
        assert_eq!(bodies, ids);
    }
}

#[test]
fn bytes_are_stamped_when_they_arrive_and_not_when_they_are_read() {
    let (port, _) = honest();
    for (seen, reads, bytes) in drive(port, phase(20, closed(2))).seen {
        assert_eq!(reads.iter().map(|r| r.len).sum::<usize>(), bytes.len());
        assert!(reads.iter().all(|r| r.behind > Nanos(0) && r.arrived() >= seen.sent), "{reads:?}");
        assert_eq!(seen.ended, reads.last().unwrap().arrived());
    }
}

#[test]
fn a_phase_without_requests_is_over_at_once() {
    let (port, _) = honest();
    let mut empty = phase(0, closed(4));
    empty.units = Vec::<Unit>::new();
    assert!(drive(port, empty).seen.is_empty());
}
