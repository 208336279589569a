//! Repetition, judged beside the baseline's answer to the same prompt: a greedy model may
//! loop honestly, and its baseline then loops too.

use super::{Answer, Asked};

/// Shorter answers have too few 4-grams to compare.
const LEAST: usize = 32;
/// Tokens of one gram.
const GRAM: usize = 4;

/// Violated where the share of distinct 4-grams is below half of the smallest of the
/// neighbouring baselines', or a run of one token is longer than a quarter of the answer and
/// four times the longest of theirs.
pub(super) fn repeats(a: &Asked<'_>) -> Answer {
    let own = a.response.ids();
    if !a.response.complete() || own.len() < LEAST || a.beside.iter().all(|r| r.ids().len() < LEAST) {
        return Answer::NotAsked;
    }
    let theirs: Vec<&[u32]> = a.beside.iter().map(|r| r.ids()).filter(|ids| ids.len() >= LEAST).collect();
    let (distinct, grams) = distinct(own);
    // Their share is at most one.
    let poorer = 2 * distinct < grams
        && theirs.iter().all(|ids| {
            let (their_distinct, their_grams) = self::distinct(ids);
            2 * distinct * their_grams < their_distinct * grams
        });
    let run = longest_run(own);
    let stuck = 4 * run > own.len() && theirs.iter().all(|ids| run > 4 * longest_run(ids));
    if poorer || stuck {
        Answer::Violated(format!("{distinct} distinct of {grams} 4-grams, one token {run} times in a row"))
    } else {
        Answer::Fine
    }
}

/// Distinct 4-grams, and all.
fn distinct(ids: &[u32]) -> (u64, u64) {
    let mut grams: Vec<&[u32]> = ids.windows(GRAM).collect();
    let all = grams.len() as u64;
    grams.sort_unstable();
    grams.dedup();
    (grams.len() as u64, all)
}

fn longest_run(ids: &[u32]) -> usize {
    ids.chunk_by(|x, y| x == y).map(<[u32]>::len).max().unwrap_or(0)
}
