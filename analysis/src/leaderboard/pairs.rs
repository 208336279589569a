//! Every two candidates against each other, round by round.

use stats::{multiple, paired};

use super::Runner;
use crate::judgement::{Pair, PairRatio};

/// Two candidates with what is tested of them.
struct Duel {
    /// The per-round difference of their log speed-ups.
    logs: Vec<f64>,
    /// The level of the claim that both reach.
    alpha: f64,
    test: Option<paired::PairedT>,
}

/// Every two of those ranked, the higher one first. Paired t tests on the rounds that both
/// claims cover, at the level of the claim; Holm over all pairs.
pub(super) fn pairs(ranked: &[Runner<'_>], margin: f64) -> Vec<Pair> {
    let both: Vec<(&Runner<'_>, &Runner<'_>)> =
        ranked.iter().enumerate().flat_map(|(i, a)| ranked[i + 1..].iter().map(move |b| (a, b))).collect();
    let duels: Vec<Duel> = both.iter().map(|(a, b)| duel(a, b)).collect();
    let raw: Vec<f64> = duels.iter().filter_map(|d| d.test).map(|t| t.p).collect();
    // One family, one level: the smallest that any of its claims has.
    let alpha = duels.iter().map(|d| d.alpha).fold(1.0, f64::min);
    let adjusted = multiple::holm(&raw).unwrap_or_default();
    let levels = multiple::holm_levels(&raw, alpha).unwrap_or_default();
    let mut family = adjusted.into_iter().zip(levels);
    both.into_iter()
        .zip(duels)
        .map(|((a, b), duel)| {
            let ratio = duel.test.and_then(|_| family.next()).and_then(|family| ratio(&duel.logs, family));
            let faster = ratio.and_then(|r| match r {
                r if r.low > 1.0 => Some(a.name),
                r if r.high < 1.0 => Some(b.name),
                _ => None,
            });
            let exceeds = [(a, b), (b, a)].into_iter().find(|(c, l)| exceeds(c.score, l.score, margin));
            Pair {
                ahead: a.name.to_owned(),
                behind: b.name.to_owned(),
                rounds: duel.logs.len() as u64,
                ratio,
                faster_with_confidence: faster.map(str::to_owned),
                exceeds_by_margin: exceeds.map(|(challenger, _)| challenger.name.to_owned()),
            }
        })
        .collect()
}

fn duel(a: &Runner<'_>, b: &Runner<'_>) -> Duel {
    // Who has more rounds is compared at the look that both reach.
    let claim = if a.overall.claim.rounds <= b.overall.claim.rounds { a.overall.claim } else { b.overall.claim };
    let of = |round: u32| b.overall.logs.iter().find(|(r, _)| *r == round).map(|(_, log)| log);
    let rounds = a.overall.logs.iter().filter(|(round, _)| claim.covers(*round));
    let logs: Vec<f64> = rounds.filter_map(|(round, log)| Some(log - of(*round)?)).collect();
    let test = paired::paired_t(&logs, claim.confidence()).ok().filter(|t| paired::powered(t.n));
    Duel { logs, alpha: claim.alpha, test }
}

fn ratio(logs: &[f64], (adjusted_p, level): (f64, f64)) -> Option<PairRatio> {
    let t = paired::paired_t(logs, 1.0 - level).ok()?;
    Some(PairRatio {
        ratio: t.ratio(),
        low: t.low_ratio(),
        high: t.high_ratio(),
        confidence: t.confidence,
        p: t.p,
        adjusted_p,
    })
}

/// V1's rule: more than leader · (1 + margin), a share of the score. Its scores never fell
/// below 0, so those below count as 0 here.
fn exceeds(challenger: f64, leader: f64, margin: f64) -> bool {
    challenger.max(0.0) > leader.max(0.0) * (1.0 + margin)
}

/// The letters of each; empty texts where there are too many to tell.
pub(super) fn letters(ranked: &[Runner<'_>], pairs: &[Pair]) -> Vec<String> {
    let at = |name: &str| ranked.iter().position(|r| r.name == name);
    let shown = pairs.iter().filter(|p| p.faster_with_confidence.is_some());
    let different: Vec<(usize, usize)> = shown.filter_map(|p| Some((at(&p.ahead)?, at(&p.behind)?))).collect();
    let letters = stats::letters::letters(ranked.len(), &different);
    let text = |own: Vec<usize>| own.into_iter().map(letter).collect::<String>();
    letters.map_or_else(|_| vec![String::new(); ranked.len()], |all| all.into_iter().map(text).collect())
}

/// `a` to `z`, then `a2`, `b2` and so on.
fn letter(n: usize) -> String {
    let letter = char::from(b'a' + (n % 26) as u8);
    if n < 26 { letter.into() } else { format!("{letter}{}", n / 26 + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v1_asks_for_a_share_of_the_score_and_not_of_the_speed() {
        assert!(exceeds(0.203, 0.2, 0.01) && !exceeds(0.202, 0.2, 0.01));
        // Nobody exceeds a leader by being less slow than it.
        assert!(!exceeds(-0.01, -0.5, 0.01) && exceeds(0.001, -0.5, 0.01));
    }

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!([0, 25, 26, 53].map(letter), ["a", "z", "a2", "b3"]);
    }
}
