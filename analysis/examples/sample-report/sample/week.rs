//! A made-up week: two comparisons, one of them for the first time, a run of controls, and a bundle
//! that cannot be read.

use std::collections::BTreeMap;

use analysis::{
    history::{Board, Entry, Measured, Rival, Stay},
    judgement::Judgement,
    week::{FORMAT, Input, Published, Run, Unjudged},
};
use lab::{Digest, Week};

use super::{Sample, cell};

/// Owns what an [`Input`] borrows.
pub(crate) struct OneWeek {
    pub(crate) week: Week,
    pub(crate) runs: Vec<Run>,
    pub(crate) unjudged: Vec<Unjudged>,
    pub(crate) before: Vec<Published>,
    pub(crate) notes: BTreeMap<String, String>,
}

impl OneWeek {
    /// As it says above, after a week in which another candidate led.
    pub(crate) fn new() -> Self {
        let week = |text: &str| text.parse().expect("it is a week");
        let mut first = Sample::new().judgement;
        first.workload = "chat-70b".into();
        let before = run(Sample::new().judgement, "chat-lab1-51c2", "2026-11-11T08:15:00Z").entry;
        let runs = vec![
            run(Sample::controls().judgement, "controls-lab1-02aa", "2026-11-17T22:00:10Z"),
            run(Sample::new().judgement, "chat-lab1-7f3a", "2026-11-18T09:12:40Z"),
            run(first, "chat-70b-lab1-9d01", "2026-11-19T10:00:00Z"),
        ];
        let problem = "manifest.json: it is no JSON".to_owned();
        OneWeek {
            week: week("2026-W47"),
            runs,
            unjudged: vec![Unjudged { place: "2026-11-18/chat-lab1-broken".into(), problem }],
            before: vec![published(week("2026-W46"), changed(before))],
            notes: BTreeMap::new(),
        }
    }

    /// What the page is made from.
    pub(crate) fn input(&self) -> Input<'_> {
        Input { week: self.week, runs: &self.runs, unjudged: &self.unjudged, before: &self.before, notes: &self.notes }
    }
}

/// A week of one run.
pub(crate) fn published(week: Week, entry: Entry) -> Published {
    let (method, runs) = (analysis::METHOD.to_owned(), vec![entry]);
    Published { format: FORMAT, week, method, runs, changes: Vec::new(), unjudged: Vec::new() }
}

/// With everything in it that can be another later.
fn changed(mut entry: Entry) -> Entry {
    entry.method = "0.4.1".into();
    entry.board = Board::Led(["eager".to_owned()].into());
    entry.candidates[0].name = "retired".into();
    if let Some(effect) = &mut entry.candidates[1].overall {
        (effect.speedup, effect.low, effect.high) = (0.5, 0.49, 0.51);
    }
    let verdict = entry.candidates[0].verdict;
    entry.candidates[4].verdict = verdict;
    entry
}

fn measured() -> Measured {
    let contract = vec![("sampling".into(), "max_tokens = 128".into()), ("driver".into(), "580.95.05".into())];
    Measured { cell: cell(), contract, ttft_ns: Some(41.3e6), tpot_ns: Some(10.9e6), tokens_per_s: Some(721.4) }
}

pub(crate) fn run(judgement: Judgement, name: &str, started: &str) -> Run {
    let judged = judgement.candidates.iter().filter(|candidate| candidate.control.is_none());
    let candidates: Vec<Rival> = judged
        .map(|candidate| Rival {
            name: candidate.name.clone(),
            server: Some(Digest::of(&candidate.name)),
            verdict: candidate.verdict,
            provisional: candidate.provisional,
            overall: candidate.overall,
            cells: Vec::new(),
        })
        .collect();
    let first = judgement.leaderboard.iter().flat_map(|board| &board.entries).filter(|entry| entry.place == 1);
    let week = Week::of(started).expect("it is a time");
    let entry = Entry {
        started: started.into(),
        week,
        run: name.into(),
        report: format!("{}/{name}/", week.in_year()),
        bundles: vec![Digest::of(name), Digest::of(format!("grade of {name}"))],
        method: judgement.method.to_owned(),
        workload: judgement.workload.clone(),
        context: vec![("kernel".into(), "6.12.57".into())],
        baseline: Some(Digest::of("baseline")),
        cells: vec![measured()],
        stays: vec![Stay {
            gpu: "GPU-5b0f1c3e".into(),
            from: started.into(),
            to: format!("{}T23:00:00Z", &started[..10]),
        }],
        board: if candidates.is_empty() { Board::None } else { Board::Led(first.map(|e| e.name.clone()).collect()) },
        candidates,
    };
    Run { entry, judgement, description: "Chat on one H100.".into() }
}
