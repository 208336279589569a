//! A run of many candidates in many cells: for sizes and times.

use analysis::{
    judgement::{Entry, LoadFacts, Pair, Unranked},
    report::{Drift, Series},
};

use super::{Sample, noise};

/// Values of each distribution: the gaps of a few requests.
const VALUES: usize = 500;

/// Candidates by place, made of those of the small run, in cells made of its one.
pub(super) fn of(small: Sample, candidates: usize, cells: usize) -> Sample {
    let loads: Vec<String> = (1..=cells).map(|i| format!("closed-{}", 4 * i)).collect();
    let like = |i: usize| i % small.judgement.candidates.len();
    let name = |i: usize| format!("{}-{i:03}", small.judgement.candidates[like(i)].name);
    let arms: Vec<(String, &str)> = std::iter::once(("baseline".to_owned(), "baseline"))
        .chain((0..candidates).map(|i| (name(i), small.judgement.candidates[like(i)].name.as_str())))
        .collect();
    let mut judgement = small.judgement.clone();
    judgement.ladders.clear();
    judgement.baseline.nodes.clear();
    judgement.candidates = (0..candidates)
        .map(|i| {
            let mut candidate = small.judgement.candidates[like(i)].clone();
            candidate.name = name(i);
            let one = candidate.speed[0].clone();
            let in_cell = |load: &String| analysis::judgement::CellSpeed { load: load.clone(), ..one.clone() };
            candidate.speed = loads.iter().map(in_cell).collect();
            candidate
        })
        .collect();
    judgement.candidates.sort_by_key(|c| c.verdict);
    if let Some(board) = &mut judgement.leaderboard {
        let (entry, pair) = (board.entries[0].clone(), board.pairs[0].clone());
        let ranked: Vec<&str> = ["fast", "eager"].into();
        let (ahead, below): (Vec<_>, Vec<_>) =
            arms[1..].iter().map(|(name, like)| (name.clone(), *like)).partition(|(_, like)| ranked.contains(like));
        board.entries =
            (1..).zip(&ahead).map(|(place, (name, _))| Entry { place, name: name.clone(), ..entry.clone() }).collect();
        let pairs = ahead.iter().enumerate().flat_map(|(i, a)| ahead[i + 1..].iter().map(move |b| (a, b)));
        board.pairs =
            pairs.map(|((a, _), (b, _))| Pair { ahead: a.clone(), behind: b.clone(), ..pair.clone() }).collect();
        let why = board.unranked[0].why.clone();
        board.unranked = below.into_iter().map(|(name, _)| Unranked { name, why: why.clone() }).collect();
    }
    judgement.loads = arms
        .iter()
        .flat_map(|(arm, like)| {
            let one = small.judgement.loads.iter().find(|f| f.arm == *like).expect("each arm has its rates");
            loads.iter().map(move |load| LoadFacts { arm: arm.clone(), load: load.clone(), ..one.clone() })
        })
        .collect();
    Sample { series: series(&arms, &loads), drift: drift(&small.drift[0], &arms, &loads), judgement, ..small }
}

fn series(arms: &[(String, &str)], loads: &[String]) -> Vec<Series> {
    let mut all = Vec::new();
    for load in loads {
        for (metric, median) in [("ttft", 41.3e6), ("tpot", 10.9e6), ("itl", 10.7e6), ("e2el", 1.434e9)] {
            for (n, (arm, _)) in arms.iter().enumerate() {
                let value = |i| (median * (0.7 + 0.8 * noise(n as u64, i))) as u64;
                let values = stats::quantile::Sample::new((0..VALUES as u64).map(value).collect());
                let cell = analysis::report::Cell { load: load.clone(), ..super::cell() };
                all.push(Series { arm: arm.clone(), cell, metric, values: values.expect("there are some") });
            }
        }
    }
    all
}

fn drift(small: &Drift, arms: &[(String, &str)], loads: &[String]) -> Vec<Drift> {
    let in_cell = |load: &String| {
        let points = small.points.iter().flat_map(|point| {
            let alike = arms.iter().filter(|(_, like)| *like == point.arm);
            alike.map(|(arm, _)| analysis::report::DriftPoint { arm: arm.clone(), ..point.clone() })
        });
        let mut cell = small.cell.clone();
        cell.load.clone_from(load);
        let mut points: Vec<_> = points.collect();
        (1..).zip(&mut points).for_each(|(trial, point)| point.trial = trial);
        Drift { cell, points, ..small.clone() }
    };
    loads.iter().map(in_cell).collect()
}
