//! When each request is due: materialised before a run, the same for all arms of a round.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Digest, Nanos,
    requests::Request,
    seed::Stream,
    trace::Arrival,
    workload::{Arrivals, Load, Shape, Think, Workload},
};

/// A row of `schedule.csv`: a request that does not simply follow when its client is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// Repetition, from 1.
    pub round: u32,
    /// The load's name.
    pub load: String,
    /// Id in the request set.
    pub request: u32,
    /// When it is due, from the start of its phase; none where it follows another request.
    pub due_ns: Option<Nanos>,
    /// The pause between the end of the turn before it and its own send.
    pub think_ns: Nanos,
}

impl Due {
    /// The columns of `schedule.csv`.
    pub const HEADER: &[&str] = &["round", "load", "request", "due_ns", "think_ns"];
}

/// The schedule of a workload; none where every request follows when its client is free.
/// `traces` holds the arrivals of each trace load, by the load's name.
pub fn of(workload: &Workload, requests: &[Request], traces: &BTreeMap<String, Vec<Arrival>>) -> Option<Vec<Due>> {
    let before = workload.stage.as_ref().map_or(0, |stage| stage.after.rounds);
    let mut rows = Vec::new();
    for round in 1..=workload.rounds {
        let mut first = (round - 1) * workload.requests_per_round() + workload.warmup_requests();
        for load in &workload.loads {
            let ids = first..first + load.requests;
            first = ids.end;
            let key = [workload.seed.to_be_bytes(), u64::from(round).to_be_bytes()].concat();
            let turns = turns(&requests[ids.start as usize..ids.end as usize]);
            let mut starts = starts(load, turns.iter().filter(|t| **t == 0).count(), &key, traces).into_iter();
            let mut thinking = Stream::new(&key, &format!("think {}", load.name));
            for (request, turn) in ids.zip(turns) {
                let due_ns = if turn == 0 { starts.next() } else { None };
                let think_ns = if turn == 0 { Nanos(0) } else { think(load, &mut thinking) };
                if due_ns.is_some() || !think_ns.is_zero() {
                    rows.push(Due { round: before + round, load: load.name.clone(), request, due_ns, think_ns });
                }
            }
        }
    }
    (!rows.is_empty()).then_some(rows)
}

/// `schedule.csv`.
pub fn to_csv(rows: &[Due]) -> Vec<u8> {
    crate::bundle::write_table(rows, Due::HEADER, crate::bundle::SCHEDULE)
}

/// The digest of `schedule.csv`, where there is one.
pub fn digest(rows: Option<&Vec<Due>>) -> Option<Digest> {
    rows.map(|rows| Digest::of(to_csv(rows)))
}

/// Each request's turn in its session, from 0; consecutive requests of one session are its
/// turns.
pub fn turns(requests: &[Request]) -> Vec<u32> {
    let mut turns: Vec<u32> = Vec::with_capacity(requests.len());
    for (i, request) in requests.iter().enumerate() {
        let follows = i > 0 && request.session.is_some() && requests[i - 1].session == request.session;
        turns.push(if follows { turns[i - 1] + 1 } else { 0 });
    }
    turns
}

/// The offsets at which `count` sessions or single requests start; none for a closed load.
fn starts(load: &Load, count: usize, key: &[u8], traces: &BTreeMap<String, Vec<Arrival>>) -> Vec<Nanos> {
    match load.shape {
        Shape::Closed { .. } => Vec::new(),
        Shape::Trace { speed_thousandths, .. } => {
            let arrivals = traces.get(&load.name).map_or(&[][..], Vec::as_slice);
            let scaled = |at: Nanos| Nanos((u128::from(at.0) * 1_000 / u128::from(speed_thousandths.max(1))) as u64);
            arrivals.iter().take(count).map(|a| scaled(a.at)).collect()
        }
        Shape::Open { gap_ns, arrivals } => {
            let mut stream = Stream::new(key, &format!("arrivals {}", load.name));
            let gaps: Vec<f64> = (1..count)
                .map(|_| match arrivals {
                    Arrivals::Constant => 1.0,
                    Arrivals::Poisson => stream.exponential(),
                    Arrivals::Gamma { burstiness_thousandths } => {
                        stream.gamma(f64::from(burstiness_thousandths) / 1_000.0)
                    }
                })
                .collect();
            spread(&gaps, gap_ns)
        }
    }
}

/// Offsets from the first arrival at 0. The gaps are scaled so that their mean is exactly
/// the declared one, as vLLM's benchmark does: a short phase has the rate that it says.
fn spread(gaps: &[f64], mean: Nanos) -> Vec<Nanos> {
    let total: f64 = gaps.iter().sum();
    let scale = if total > 0.0 { mean.0 as f64 * gaps.len() as f64 / total } else { 0.0 };
    let mut so_far = 0.0;
    let mut offsets = vec![Nanos(0)];
    for gap in gaps {
        so_far += gap;
        offsets.push(Nanos(libm::round(so_far * scale) as u64));
    }
    offsets
}

fn think(load: &Load, stream: &mut Stream) -> Nanos {
    match load.think {
        None => Nanos(0),
        Some(Think::Constant(time)) => time,
        Some(Think::Exponential(mean)) => Nanos(libm::round(stream.exponential() * mean.0 as f64) as u64),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::requests::prose;

    fn workload(load: &str) -> Workload {
        let source = format!(
            "name = \"x\"\n[models.m]\npath = \"m\"\n[baseline]\ncommand = [\"s\", \"{{port}}\"]\n[requests.prose]\nseed = 1\nwords = 9\n[sampling]\nmax_tokens = 4\n[rounds]\ncount = 2\nseed = 5\n[warmup]\nrequests = 1\n[[load]]\nname = \"l\"\n{load}\n"
        );
        crate::workload::parse(&source, Path::new("x.toml")).unwrap()
    }

    fn rows(load: &str, sessions: impl Fn(u32) -> Option<u32>) -> Option<Vec<Due>> {
        let workload = workload(load);
        let mut requests = prose(1, 9, workload.requests_in_all());
        requests.iter_mut().for_each(|r| r.session = sessions(r.id));
        of(&workload, &requests, &BTreeMap::new())
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced() {
        let rows = rows("requests = 4\nopen = { rate = 4.0, arrivals = \"constant\" }", |_| None).unwrap();
        let due: Vec<_> = rows.iter().map(|r| (r.round, r.request, r.due_ns.unwrap().0 / 1_000_000)).collect();
        let of_round = |round, first| (0..4u32).map(move |i| (round, first + i, 250 * u64::from(i)));
        assert_eq!(due, of_round(1, 1).chain(of_round(2, 6)).collect::<Vec<_>>());
    }

    #[test]
    fn random_arrivals_have_the_declared_mean_gap_and_their_own_spread() {
        // Coefficient of variation of gamma gaps: 1 / sqrt(shape).
        for (arrivals, variation) in [("\"poisson\"", 1.0), ("\"gamma\", burstiness = 0.25", 2.0)] {
            let load = format!("requests = 20001\nopen = {{ rate = 100.0, arrivals = {arrivals} }}");
            let rows = rows(&load, |_| None).unwrap();
            let due: Vec<u64> = rows.iter().filter(|r| r.round == 1).map(|r| r.due_ns.unwrap().0).collect();
            assert_eq!((due[0], due[20_000]), (0, 200_000_000_000), "{arrivals}");
            let gaps: Vec<f64> = due.windows(2).map(|w| (w[1] - w[0]) as f64 / 1e7).collect();
            let variance = gaps.iter().map(|g| (g - 1.0).powi(2)).sum::<f64>() / 20_000.0;
            assert!((variance.sqrt() / variation - 1.0).abs() < 0.05, "{arrivals}: {}", variance.sqrt());
        }
    }

    #[test]
    fn rounds_have_schedules_of_their_own() {
        let rows = rows("requests = 9\nopen = { rate = 4.0 }", |_| None).unwrap();
        let of = |round| rows.iter().filter(|r| r.round == round).map(|r| r.due_ns).collect::<Vec<_>>();
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn only_first_turns_are_due_and_only_later_turns_think() {
        let load = "requests = 6\nthink = \"2s\"\nopen = { rate = 1.0, arrivals = \"constant\" }";
        let rows = rows(load, |id| Some(id / 3)).unwrap();
        // Ids 1 to 6: session 0 has 1 and 2, session 1 has 3, 4 and 5, session 2 has 6.
        let seen: Vec<_> =
            rows[..6].iter().map(|r| (r.request, r.due_ns.map(|d| d.0 / 1_000_000_000), r.think_ns.0)).collect();
        let pause = 2_000_000_000;
        assert_eq!(
            seen,
            [(1, Some(0), 0), (2, None, pause), (3, Some(1), 0), (4, None, pause), (5, None, pause), (6, Some(2), 0)]
        );
    }

    #[test]
    fn a_closed_load_without_pauses_needs_no_schedule() {
        assert_eq!(rows("requests = 4\nclosed = { concurrency = 2 }", |_| None), None);
    }
}
