//! Repetition, judged beside the baseline's answer to the same prompt: a greedy model may
//! loop honestly, and its baseline then loops too.

use super::{Answer, Asked};

/// Shorter answers have too few 4-grams to compare.
const LEAST: usize = 32;
/// Tokens of one gram.
const GRAM: usize = 4;

/// Violated where an answer repeats itself [`more`] than the neighbouring baselines'.
pub(super) fn repeats(a: &Asked<'_>) -> Answer {
    let own = a.response.ids();
    let theirs: Vec<&[u32]> = a.beside.iter().map(|r| r.ids()).filter(|ids| ids.len() >= LEAST).collect();
    if !a.response.complete() || own.len() < LEAST || theirs.is_empty() {
        return Answer::NotAsked;
    }
    if more(own, &theirs) {
        let ((distinct, grams), run) = (distinct(own), longest_run(own));
        Answer::Violated(format!("{distinct} distinct of {grams} 4-grams, one token {run} times in a row"))
    } else {
        Answer::Fine
    }
}

/// Whether the share of distinct 4-grams is below half of the smallest of theirs, or a run of one
/// token is longer than a quarter of the answer and four times the longest of theirs.
fn more(own: &[u32], theirs: &[&[u32]]) -> bool {
    let ((distinct, grams), run) = (distinct(own), longest_run(own));
    let poorer = theirs.iter().all(|ids| {
        let (their_distinct, their_grams) = self::distinct(ids);
        2 * distinct * their_grams < their_distinct * grams
    });
    poorer || 4 * run > own.len() && theirs.iter().all(|ids| run > 4 * longest_run(ids))
}

/// Distinct 4-grams, and all.
fn distinct(ids: &[u32]) -> (u64, u64) {
    // Four ids as one number: numbers are sorted sooner.
    let mut grams: Vec<u128> =
        ids.windows(GRAM).map(|gram| gram.iter().fold(0, |number, id| number << 32 | u128::from(*id))).collect();
    let all = grams.len() as u64;
    grams.sort_unstable();
    grams.dedup();
    (grams.len() as u64, all)
}

fn longest_run(ids: &[u32]) -> usize {
    ids.chunk_by(|x, y| x == y).map(<[u32]>::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 43 tokens, hence 40 4-grams, of which so many are distinct.
    fn period(distinct: u32) -> Vec<u32> {
        (0..43).map(|i| i % distinct).collect()
    }

    /// 40 tokens, of which the first so many are the same.
    fn run(same: u32) -> Vec<u32> {
        (0..40).map(|i| if i < same { 100 } else { i }).collect()
    }

    #[test]
    fn fewer_than_half_of_the_distinct_grams_of_every_baseline_are_too_few() {
        let more = |own: u32, theirs: &[u32]| {
            let theirs: Vec<Vec<u32>> = theirs.iter().map(|distinct| period(*distinct)).collect();
            more(&period(own), &theirs.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        assert_eq!(distinct(&period(19)), (19, 40));
        assert!(more(19, &[40]) && !more(20, &[40]));
        assert!(more(14, &[30]) && !more(15, &[30]));
        assert!(more(14, &[40, 30]) && !more(16, &[40, 30]), "also of the poorer one");
        // Shares, not counts: 14 of 40 beside 29 of 29, and beside 15 of 29.
        assert!(super::more(&period(14), &[&period(43)[..32]]) && !super::more(&period(14), &[&period(15)[..32]]));
    }

    #[test]
    fn one_token_is_repeated_too_often_beyond_a_quarter_and_four_times_every_baselines() {
        assert_eq!((longest_run(&run(11)), longest_run(&run(1)), longest_run(&[])), (11, 1, 0));
        assert!(more(&run(11), &[&run(2)]) && !more(&run(10), &[&run(2)]), "a quarter is ten");
        assert!(more(&run(13), &[&run(3)]) && !more(&run(12), &[&run(3)]));
        assert!(!more(&run(13), &[&run(2), &run(4)]) && !more(&run(9), &[&run(2)]));
    }
}
