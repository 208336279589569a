//! Who is ahead, and of whom that is shown. Rules: `METHOD.md`, section *Leaderboard*.

mod pairs;

use std::collections::BTreeMap;

use lab::{
    environment,
    workload::{BLIND_CONTROL, ScoreMode},
};

use crate::{
    comparison::Overall,
    judgement::{Candidate, Entry, Leaderboard, Reason, Sameness, SelfSpeed, Unranked, Verdict},
    study::Study,
};

/// What is known of one candidate beside its judgement.
pub struct Standing {
    /// Its speed, round by round.
    pub overall: Overall,
    /// The mode's score; none under `paired`, or where it has none.
    pub score: Option<f64>,
}

/// The leaderboard of a judgement's candidates; none where there is no candidate.
pub fn leaderboard(
    study: &Study,
    candidates: &[Candidate],
    standings: &BTreeMap<String, Standing>,
    selves: &[SelfSpeed],
) -> Option<Leaderboard> {
    if candidates.is_empty() {
        return None;
    }
    let score = study.workload.score;
    let (mut ranked, mut unranked) = (Vec::new(), Vec::new());
    for candidate in candidates {
        match standing(candidate, standings.get(&candidate.name), score.mode) {
            Ok(runner) => ranked.push(runner),
            Err(why) => unranked.push(Unranked { name: candidate.name.clone(), why }),
        }
    }
    ranked.sort_by(|a, b| b.rank_by.total_cmp(&a.rank_by).then_with(|| a.name.cmp(b.name)));
    let pairs = pairs::pairs(&ranked, score.margin);
    let letters = pairs::letters(&ranked, &pairs);
    let entry = |(runner, letters): (&Runner<'_>, String)| {
        let beaten_by =
            |p: &&crate::judgement::Pair| p.faster_with_confidence.is_some() && names(p).contains(&runner.name);
        let lost = |p: &&crate::judgement::Pair| p.faster_with_confidence.as_deref() != Some(runner.name);
        Entry {
            place: 1 + pairs.iter().filter(beaten_by).filter(lost).count() as u64,
            name: runner.name.to_owned(),
            letters,
            score: runner.score,
            overall: runner.effect,
        }
    };
    Some(Leaderboard {
        mode: score.mode.name(),
        void: void(selves),
        margin: score.margin,
        entries: ranked.iter().zip(letters).map(entry).collect(),
        pairs,
        unranked,
        notes: notes(study, selves),
    })
}

fn names(pair: &crate::judgement::Pair) -> [&str; 2] {
    [&pair.ahead, &pair.behind]
}

/// A candidate that is in the leaderboard.
struct Runner<'a> {
    name: &'a str,
    effect: crate::judgement::Effect,
    overall: &'a Overall,
    score: f64,
    rank_by: f64,
}

/// Only equivalent outputs count, and only a speed that supports a claim.
fn standing<'a>(
    candidate: &'a Candidate,
    standing: Option<&'a Standing>,
    mode: ScoreMode,
) -> Result<Runner<'a>, Reason> {
    if candidate.verdict != Verdict::Equivalent {
        let code = if candidate.verdict == Verdict::Altered { "altered" } else { "undecided" };
        let text = candidate.reasons.first().map(|r| r.text.clone()).unwrap_or_default();
        return Err(Reason { code, text });
    }
    let none = || Reason { code: "no-speed", text: "it has no overall speed-up".into() };
    let (Some(effect), Some(standing)) = (candidate.overall.filter(|e| e.powered), standing) else {
        return Err(candidate.overall_note.clone().unwrap_or_else(none));
    };
    let (score, rank_by) = match (mode, standing.score) {
        (ScoreMode::Paired, _) => (effect.speedup - 1.0, effect.low),
        (_, Some(score)) => (score, score),
        (mode, None) => {
            let text = format!("it has no score by {}", mode.name());
            return Err(Reason { code: "no-score", text });
        }
    };
    Ok(Runner { name: &candidate.name, effect, overall: &standing.overall, score, rank_by })
}

/// The name of the blind control among the baseline's comparisons with itself.
pub const CONTROL: &str = "blind-control";
/// The name of the closing against the opening baseline.
pub const CLOSING: &str = "closing-opening";

/// The control stands where candidates stand. If the same server is shown to be faster or slower
/// there by more than the margin, so may any candidate be.
fn void(selves: &[SelfSpeed]) -> Option<Reason> {
    let text = format!(
        "the blind control, which is the baseline, {}; this order settles nothing",
        differs(selves.iter().find(|s| s.of == CONTROL)?)?
    );
    Some(Reason { code: "control-not-the-same", text })
}

/// What is said of a comparison with itself that is shown to differ.
fn differs(it: &SelfSpeed) -> Option<String> {
    let same = it.same.filter(|s| s.word == Sameness::Different)?;
    let (percent, confidence) = (100.0 * same.within, 100.0 * same.confidence);
    Some(format!(
        "is shown to differ from itself by more than {percent:.1} % ({confidence:.0} % interval of the ratio {:.3} to {:.3})",
        same.low, same.high
    ))
}

fn notes(study: &Study, selves: &[SelfSpeed]) -> Vec<Reason> {
    let mut notes = Vec::new();
    for it in selves {
        if let Some(differs) = differs(it).filter(|_| it.of == CLOSING) {
            let text = format!("the closing baseline {differs}: candidates are held against the mean of both");
            notes.push(Reason { code: "baseline-drift", text });
        }
        if it.of == CONTROL && it.same.is_none_or(|s| s.word == Sameness::Inconclusive) {
            let text = "the blind control is neither shown to be as fast as the baseline nor to differ".into();
            notes.push(Reason { code: "control-inconclusive", text });
        }
    }
    let alike = images(study).into_iter().map(|text| Reason { code: "alike", text });
    notes.extend(alike);
    notes
}

/// Who has the same image, or shares layers. The control has the baseline's by its nature. What
/// cannot be read of an environment is `bench verify`'s to say.
fn images(study: &Study) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let hosts = study.stages.iter().flat_map(|stage| stage.measure.environments().unwrap_or_default());
    for mut host in hosts {
        host.images.remove(BLIND_CONTROL);
        for line in environment::alike(&host.images) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests;
