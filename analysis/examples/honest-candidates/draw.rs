//! Candidates drawn from real launches, and the verdict on each.

use lab::{Kind, Problem, Result, seed::Stream, workload::Tolerance};
use stats::{
    calibration::{Configuration, MIN_CONFIGURATIONS, calibrate},
    eprocess::EProcess,
    equivalence::{Limits, Seen, bounds, confidence, evidence},
    stages::{CROSSING_LN_E, StageE, Standing, confirmed},
};

use crate::pool::Pool;

/// Candidates drawn of honest configurations.
pub(crate) const HONEST: u64 = 1000;
/// Candidates drawn of each altered one.
pub(crate) const ALTERED: u64 = 1000;
/// Launches of one stage.
pub(crate) const LAUNCHES: usize = 4;
/// Graded requests of one launch.
pub(crate) const REQUESTS: usize = 32;

/// What became of candidates.
#[derive(Default, Clone)]
pub(crate) struct Count {
    pub(crate) altered: u64,
    pub(crate) suspect: u64,
    pub(crate) undecided: u64,
    pub(crate) equivalent: u64,
    /// Requests until suspicion, of those who came under it.
    pub(crate) to_suspect: Vec<u64>,
    /// Requests of the next stage until that was confirmed.
    pub(crate) to_confirm: Vec<u64>,
    /// The largest ln E of a first stage.
    pub(crate) highest_ln: f64,
}

/// One configuration and what became of candidates drawn from it.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) launches: usize,
    pub(crate) requests: usize,
    pub(crate) mean_x: f64,
    /// The tolerance that they were judged by.
    pub(crate) tolerance: Tolerance,
    pub(crate) count: Count,
}

/// Everything for the page.
pub(crate) struct Trials {
    /// Whether tolerances are calibrated, not declared.
    pub(crate) calibrated: bool,
    pub(crate) configurations: usize,
    /// Each honest configuration under the tolerance that the others give.
    pub(crate) unseen: Vec<Row>,
    /// Each honest configuration as one of the calibrated ones.
    pub(crate) seen: Vec<Row>,
    /// Each honest configuration's outputs, every one, as they were: exact ties.
    pub(crate) ties: Vec<Row>,
    /// Each altered configuration.
    pub(crate) altered: Vec<Row>,
}

/// Draws and judges all candidates.
pub(crate) fn trials(pool: &Pool) -> Result<Trials> {
    let all = tolerance(pool, None)?;
    let share =
        |i: usize| HONEST / pool.honest.len() as u64 + u64::from((i as u64) < HONEST % pool.honest.len() as u64);
    let calibrated = pool.honest.len() > MIN_CONFIGURATIONS;
    let mut trials = Trials {
        calibrated,
        configurations: pool.honest.len(),
        unseen: Vec::new(),
        seen: Vec::new(),
        ties: Vec::new(),
        altered: Vec::new(),
    };
    for (i, (name, margins)) in pool.honest.iter().enumerate() {
        let drawn = |what: &str, t: Tolerance| row(pool, what, name, margins, t, share(i));
        if calibrated {
            trials.unseen.push(drawn("unseen", tolerance(pool, Some(name))?)?);
        }
        trials.seen.push(drawn("seen", all)?);
        trials.ties.push(tie(name, margins, all)?);
    }
    for (name, margins) in &pool.altered {
        trials.altered.push(row(pool, "altered", name, margins, all, ALTERED)?);
    }
    Ok(trials)
}

/// The tolerance that the honest configurations but one give; the declared one where they are too
/// few to leave one out.
fn tolerance(pool: &Pool, without: Option<&str>) -> Result<Tolerance> {
    if pool.honest.len() <= MIN_CONFIGURATIONS {
        return pool.declared.ok_or_else(|| {
            Problem::new(Kind::Input, "too few honest configurations, and no workload declares a tolerance")
                .next("name more runs")
        });
    }
    let kept = pool.honest.iter().filter(|(name, _)| Some(name.as_str()) != without);
    let kept: Vec<Configuration> = kept.map(|(_, margins)| margins.clone()).collect();
    let found = calibrate(&kept).map_err(|why| Problem::new(Kind::Input, format!("nothing is calibrated: {why}")))?;
    Ok(Tolerance { cap_nats: found.cap, mean: found.mean.bound, far: found.far.bound })
}

fn row(pool: &Pool, what: &str, name: &str, margins: &Configuration, t: Tolerance, candidates: u64) -> Result<Row> {
    let launches = seen(margins, t);
    let mut count = Count::default();
    for i in 0..candidates {
        let mut stream = Stream::new(&pool.seed.bytes(), &format!("{what} {name} {i}"));
        judge(|| draw(&launches, &mut stream), t, &mut count)?;
    }
    described(name, &launches, t, count)
}

/// A candidate whose outputs are those of the calibration, to the token: each stage the same.
fn tie(name: &str, margins: &Configuration, t: Tolerance) -> Result<Row> {
    let launches = seen(margins, t);
    let mut count = Count::default();
    judge(|| launches.clone(), t, &mut count)?;
    described(name, &launches, t, count)
}

fn described(name: &str, launches: &[Vec<Seen>], tolerance: Tolerance, count: Count) -> Result<Row> {
    let whole = bounds(launches, confidence(1)).map_err(unanswered)?;
    let (launches, requests) = (launches.len(), whole.requests as usize);
    Ok(Row { name: name.to_owned(), launches, requests, mean_x: whole.mean_x, tolerance, count })
}

/// Launches first, then requests within each, both with replacement.
fn draw(launches: &[Vec<Seen>], stream: &mut Stream) -> Vec<Vec<Seen>> {
    let mut any = |n: usize| stream.below(n as u64) as usize;
    let mut launch = || {
        let from = &launches[any(launches.len())];
        (0..REQUESTS).map(|_| from[any(from.len())]).collect()
    };
    (0..LAUNCHES).map(|_| launch()).collect()
}

/// One stage, and a second one unless the first has shown equivalence.
fn judge(mut stage: impl FnMut() -> Vec<Vec<Seen>>, t: Tolerance, count: &mut Count) -> Result<()> {
    let limits = Limits { mean: t.mean, far: t.far };
    let first = stage();
    let course = evidence(&first.concat(), limits).map_err(unanswered)?;
    count.highest_ln = count.highest_ln.max(StageE::from(&course).highest_ln);
    if verdict(&first, &[&course], limits)? == Verdict::Equivalent {
        count.equivalent += 1;
        return Ok(());
    }
    let second = stage();
    let again = evidence(&second.concat(), limits).map_err(unanswered)?;
    let suspect = course.first_crossing(CROSSING_LN_E);
    count.to_suspect.extend(suspect.map(after));
    count.to_confirm.extend(suspect.and(again.first_crossing(CROSSING_LN_E)).map(after));
    match verdict(&[first, second].concat(), &[&course, &again], limits)? {
        Verdict::Altered => count.altered += 1,
        Verdict::Suspect => count.suspect += 1,
        Verdict::Undecided => count.undecided += 1,
        Verdict::Equivalent => count.equivalent += 1,
    }
    Ok(())
}

#[derive(PartialEq)]
enum Verdict {
    Altered,
    Suspect,
    Undecided,
    Equivalent,
}

fn verdict(launches: &[Vec<Seen>], courses: &[&EProcess], limits: Limits) -> Result<Verdict> {
    let stages: Vec<StageE> = courses.iter().map(|course| StageE::from(*course)).collect();
    let bounds = bounds(launches, confidence(stages.len())).map_err(unanswered)?;
    Ok(match confirmed(&stages) {
        Standing::Altered => Verdict::Altered,
        Standing::Suspect => Verdict::Suspect,
        Standing::Clear if bounds.pass(limits) => Verdict::Equivalent,
        Standing::Clear => Verdict::Undecided,
    })
}

fn seen(margins: &Configuration, t: Tolerance) -> Vec<Vec<Seen>> {
    let of = |launch: &Vec<Vec<f64>>| launch.iter().filter_map(|r| Seen::of(r, t.cap_nats)).collect();
    margins.iter().map(of).collect()
}

fn after(index: usize) -> u64 {
    index as u64 + 1
}

fn unanswered(why: stats::NoAnswer) -> Problem {
    Problem::new(Kind::Input, format!("a candidate cannot be judged: {why}"))
}
