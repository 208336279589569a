//! What V1 asked of outputs before it scored them.
//!
//! Tokens are the texts of the entries. The candidate's own claims of probability are what the first
//! two gates rest on, which is why both could be forged.

use crate::sum;

/// One of the tokens that a server says it considered, the likeliest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    /// Its text.
    pub token: String,
    /// Its log probability, in nats.
    pub logprob: f64,
}

/// The share of positions at which two answers have the same token; positions beyond the shorter
/// one differ. 1 for two empty answers.
pub fn match_rate<T: PartialEq>(baseline: &[T], candidate: &[T]) -> f64 {
    let all = baseline.len().max(candidate.len());
    let same = baseline.iter().zip(candidate).filter(|(b, c)| b == c).count();
    if all == 0 { 1.0 } else { same as f64 / all as f64 }
}

/// The gate of 4 May: at least 99 % of positions match, and at each other position that both
/// answers have the baseline's token is one of the candidate's two likeliest, by at most 0.05 nats.
pub fn near_ties(baseline: &[&str], candidate: &[&str], tops: &[Vec<Top>]) -> bool {
    const LEAST_MATCH: f64 = 0.99;
    let differ = (0..baseline.len().min(candidate.len())).filter(|i| baseline[*i] != candidate[*i]);
    match_rate(baseline, candidate) >= LEAST_MATCH && { differ }.all(|i| considered(baseline[i], tops.get(i), 2, 0.05))
}

/// The gate of 8 May: nothing differs, or at the first position that does the candidate's token is
/// its own first choice and the baseline's is one of its five likeliest, by at most 0.5 nats. What
/// follows is not looked at.
pub fn first_divergence(baseline: &[&str], candidate: &[&str], tops: &[Vec<Top>]) -> bool {
    let at = |tokens: &[&'_ str], i: usize| tokens.get(i).map_or(String::new(), |t| (*t).to_owned());
    let all = baseline.len().max(candidate.len());
    let Some(first) = (0..all).find(|i| at(baseline, *i) != at(candidate, *i)) else { return true };
    let chosen = tops.get(first).and_then(|top| top.first());
    chosen.is_some_and(|top| top.token == at(candidate, first))
        && considered(&at(baseline, first), tops.get(first), 5, 0.5)
}

/// Whether a token is among the `most` likeliest, no more than `gap` nats from the first.
fn considered(token: &str, tops: Option<&Vec<Top>>, most: usize, gap: f64) -> bool {
    let Some(tops) = tops else { return false };
    let found = tops.iter().take(most).find(|top| top.token == token);
    found.zip(tops.first()).is_some_and(|(found, first)| (first.logprob - found.logprob).abs() <= gap)
}

/// What a reference says of one answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forced {
    /// Mean log probability of its tokens, in nats.
    pub mean: f64,
    /// The least of them.
    pub least: f64,
}

impl Forced {
    /// The gate from 22 May on: a mean of at least −4, and no token below −12 nats.
    pub fn passes(&self) -> bool {
        self.mean >= -4.0 && self.least >= -12.0
    }
}

/// The reference's log probabilities of an answer's tokens, in nats. `None` for no tokens, or for one
/// that is not finite.
pub fn teacher_forcing(logprobs: &[f64]) -> Option<Forced> {
    let mean = sum::mean(logprobs)?;
    Some(Forced { mean, least: logprobs.iter().copied().fold(f64::INFINITY, f64::min) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(choices: &[(&str, f64)]) -> Vec<Top> {
        choices.iter().map(|(token, logprob)| Top { token: (*token).to_owned(), logprob: *logprob }).collect()
    }

    #[test]
    fn forged_near_ties_passed_253_garbage_tokens_of_256_at_launch() {
        let names: Vec<String> = (0..256).map(|i| format!("t{i}")).collect();
        let honest: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut forged = honest[..3].to_vec();
        forged.resize(256, "garbage");
        let tops: Vec<_> = honest.iter().zip(&forged).map(|(h, f)| top(&[(*f, -0.7), (*h, -0.71)])).collect();
        assert!(first_divergence(&honest, &forged, &tops));
        assert!(!near_ties(&honest, &forged, &tops), "3 of 256 positions match");
        assert_eq!(match_rate(&honest, &forged), 3.0 / 256.0);
    }

    #[test]
    fn the_first_divergence_fails_by_gap_by_rank_by_another_first_choice_and_by_silence() {
        let gate = |choices: &[(&str, f64)]| first_divergence(&["a", "b"], &["a", "x"], &[vec![], top(choices)]);
        assert!(gate(&[("x", -0.5), ("b", -1.0)]));
        assert!(!gate(&[("x", -0.5), ("b", -1.01)]));
        assert!(!gate(&[("b", -0.5), ("x", -0.5)]), "its own first choice is another");
        assert!(!gate(&[("x", -0.5), ("p", -0.5), ("q", -0.5), ("r", -0.5), ("s", -0.5), ("b", -0.5)]));
        assert!(!first_divergence(&["a", "b"], &["a", "x"], &[]));
        assert!(!first_divergence(&["a", "b"], &["a"], &[vec![]]), "a shorter answer diverges at its end");
        assert!(first_divergence(&["a"], &["a"], &[]));
    }

    #[test]
    fn near_ties_are_asked_of_every_mismatch_that_both_have() {
        let names: Vec<String> = (0..200).map(|i| format!("t{i}")).collect();
        let honest: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut other = honest.clone();
        other[150] = "x";
        let with = |choices: &[(&str, f64)]| {
            let mut tops = vec![Vec::new(); 200];
            tops[150] = top(choices);
            near_ties(&honest, &other, &tops)
        };
        assert!(with(&[("x", -0.70), ("t150", -0.74)]));
        assert!(!with(&[("x", -0.70), ("t150", -0.76)]));
        assert!(!with(&[("x", -0.70), ("y", -0.70), ("t150", -0.70)]), "only two are looked at");
        assert!(near_ties(&honest, &honest[..198], &[]) && !near_ties(&honest, &honest[..197], &[]));
    }

    #[test]
    fn a_reference_refuses_a_low_mean_and_a_single_impossible_token() {
        assert!(teacher_forcing(&[-4.0, -4.0]).unwrap().passes());
        assert!(!teacher_forcing(&[-4.0, -4.1]).unwrap().passes());
        assert!(!teacher_forcing(&[-0.1, -12.1]).unwrap().passes());
        assert_eq!((teacher_forcing(&[]), teacher_forcing(&[f64::NEG_INFINITY])), (None, None));
    }
}
