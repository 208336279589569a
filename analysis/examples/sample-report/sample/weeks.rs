//! Thirty made-up weeks of one contest: a rebase, a step of 8 % on the machine, a lead that changes,
//! a candidate that is undecided once and one whose outputs are altered from some week on.

use std::collections::BTreeSet;

use analysis::{
    history::{Board, Entry, Measured, Rival},
    judgement::{Effect, Verdict},
    report::History,
};
use lab::{Digest, Week};

use super::{cell, noise};

/// Owns what a [`History`] borrows.
pub(crate) struct Weeks {
    pub(crate) entries: Vec<Entry>,
    pub(crate) weeks: BTreeSet<Week>,
    pub(crate) commands: Vec<String>,
}

/// From the first of these weeks on, the baseline is another server, and 6 % faster.
const REBASED: u64 = 12;
/// From here on the machine takes 8 % longer for everything.
const STEP: u64 = 21;
/// From here on `fast` is served by an image that is faster than `eager`.
const OVERTAKEN: u64 = 16;

impl Weeks {
    /// All thirty.
    pub(crate) fn new() -> Self {
        Self::of((0..30).map(entry).collect())
    }

    /// The first of them: what a history begins with.
    pub(crate) fn first() -> Self {
        Self::of(vec![entry(0)])
    }

    /// Of these runs.
    pub(crate) fn of(entries: Vec<Entry>) -> Self {
        let weeks: BTreeSet<Week> = entries.iter().map(|entry| entry.week).collect();
        let newest = weeks.last().map(Week::to_string).unwrap_or_default();
        let commands = vec![format!("bench report results --week {newest} --out reports/2026")];
        Weeks { entries, weeks, commands }
    }

    /// What the page is made from.
    pub(crate) fn input(&self) -> History<'_> {
        History {
            title: "Chat on one H100, week by week",
            description: "",
            entries: &self.entries,
            weeks: &self.weeks,
            commands: &self.commands,
            note: "",
        }
    }
}

/// Around 1, by at most so much.
fn wander(by: f64, seed: u64, week: u64) -> f64 {
    1.0 + by * (2.0 * noise(seed, week) - 1.0)
}

/// On Wednesdays, from 2026-W14 on.
fn started(week: u64) -> String {
    const MONTHS: [(u64, u64); 9] =
        [(4, 30), (5, 31), (6, 30), (7, 31), (8, 31), (9, 30), (10, 31), (11, 30), (12, 31)];
    let mut day = 1 + 7 * week;
    for (month, days) in MONTHS {
        if day <= days {
            return format!("2026-{month:02}-{day:02}T09:12:40Z");
        }
        day -= days;
    }
    unreachable!("weeks end with their year")
}

fn effect(speedup: f64, rounds: u64, week: u64) -> Effect {
    let wide = 1.02 + 0.012 * noise(77, week);
    Effect {
        rounds,
        powered: rounds >= 6,
        speedup,
        low: speedup / wide,
        high: speedup * wide,
        confidence: 0.95,
        p: 0.0004,
        adjusted_p: Some(0.0012),
        sign_flip_p: Some(0.0078),
        detectable: Some(1.031),
    }
}

fn rival(name: &str, image: &str, verdict: Verdict, speedup: f64, (rounds, week): (u64, u64)) -> Rival {
    let effect = effect(speedup, rounds, week);
    Rival {
        name: name.into(),
        server: Some(Digest::of(image)),
        verdict,
        provisional: false,
        overall: Some(effect),
        cells: vec![(cell(), effect)],
    }
}

fn rivals(week: u64) -> Vec<Rival> {
    let (rebased, overtaken) = (week >= REBASED, week >= OVERTAKEN);
    // Against a faster baseline everybody is less ahead.
    let over = |speed: f64, seed| if rebased { speed / 1.06 } else { speed } * wander(0.012, seed, week);
    let fast = if overtaken { 1.38 } else { 1.21 };
    let fast_image = if overtaken { "fast, second image" } else { "fast" };
    let mut all = vec![
        rival("eager", "eager", Verdict::Equivalent, over(1.29, 1), (8, week)),
        rival("fast", fast_image, Verdict::Equivalent, over(fast, 2), (8, week)),
    ];
    if week >= 6 {
        let verdict = if week == 19 { Verdict::Undecided } else { Verdict::Equivalent };
        let rounds = if week == 9 { 4 } else { 8 };
        all.push(rival("speculative-draft", "draft", verdict, over(1.12, 3), (rounds, week)));
    }
    if (18..24).contains(&week) {
        let verdict = if week < 20 { Verdict::Undecided } else { Verdict::Altered };
        all.push(rival("int4", "int4", verdict, over(1.74, 4), (8, week)));
    }
    all
}

fn entry(week: u64) -> Entry {
    let started = started(week);
    let of = Week::of(&started).expect("it is a date");
    let number = of.to_string();
    let number = number.split_once('-').map_or("", |(_, number)| number);
    // Below 1 it is faster.
    let time = if week >= REBASED { 1.0 / 1.06 } else { 1.0 } * if week >= STEP { 1.08 } else { 1.0 };
    let candidates = rivals(week);
    let leader = match week {
        4 => None,
        _ if week >= OVERTAKEN => Some("fast"),
        _ => Some("eager"),
    };
    let contract = [
        ("model smollm2-135m", Digest::of("model").to_string()),
        ("requests", "prose of 120 words".into()),
        ("load closed-8", "240 requests, 8 clients in a closed loop".into()),
        ("GPUs", "1 × NVIDIA H100 80GB HBM3".into()),
        ("driver", "580.95.05".into()),
    ];
    let kernel = if week >= STEP { "6.12.61" } else { "6.12.57" };
    Entry {
        week: of,
        run: format!("chat-lab1-{week:04x}"),
        report: format!("{number}/chat-lab1-{week:04x}/"),
        bundles: vec![Digest::of(format!("measure of week {week}")), Digest::of(format!("grade of week {week}"))],
        method: "0.4.1".into(),
        workload: "chat".into(),
        context: [("host", "lab1"), ("kernel", kernel)].map(|(name, is)| (name.into(), is.into())).into(),
        baseline: Some(Digest::of(if week >= REBASED { "vLLM 0.12" } else { "vLLM 0.11" })),
        cells: vec![Measured {
            cell: cell(),
            contract: contract.map(|(name, is)| (name.into(), is)).into(),
            ttft_ns: Some(41.3e6 * time * wander(0.02, 11, week)),
            tpot_ns: Some(10.9e6 * time * wander(0.008, 12, week)),
            tokens_per_s: Some(721.4 / time * wander(0.009, 13, week)),
        }],
        candidates,
        board: leader.map_or_else(
            || Board::Void("the blind control is shown to differ from the baseline".into()),
            |name| Board::Led([name.to_owned()].into()),
        ),
        stays: Vec::new(),
        started,
    }
}
