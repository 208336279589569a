//! Which rounds a claim about speed rests on, and at which level: declared before anything was
//! measured, so that nobody can go on until a number is good.

use std::collections::BTreeSet;

use lab::workload::{ALPHA, Look};

use crate::study::Study;

/// What an arm's claim about speed rests on: its rounds 1 to `rounds`, whatever came after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// The last round that is part of it.
    pub rounds: u32,
    /// The error rate that is spent on it; intervals have confidence 1 − alpha.
    pub alpha: f64,
    /// Which of the declared looks this is, from 1; none where the workload declares no look, or
    /// before the first one.
    pub look: Option<u32>,
    /// The rounds of the first look, where its number of rounds is not reached yet: nothing is
    /// claimed.
    pub waits_for: Option<u32>,
}

impl Claim {
    /// The last look that the arm's planned rounds reach; without looks, the declared number of
    /// rounds. A void round inside stays void: fewer values, the same level.
    pub fn of(study: &Study, arm: &str) -> Self {
        let planned: BTreeSet<u32> = study.planned().filter(|t| t.arm == arm).map(|t| t.round).collect();
        let reached = (1..).take_while(|round| planned.contains(round)).last().unwrap_or(0);
        Self::at(&study.workload.looks, study.workload.rounds, reached)
    }

    fn at(looks: &[Look], declared: u32, reached: u32) -> Self {
        let Some(first) = looks.first() else {
            return Claim { rounds: declared, alpha: ALPHA, look: None, waits_for: None };
        };
        match looks.iter().zip(1..).take_while(|(look, _)| look.rounds <= reached).last() {
            Some((look, n)) => Claim { rounds: look.rounds, alpha: look.alpha, look: Some(n), waits_for: None },
            None => Claim { rounds: reached, alpha: first.alpha, look: None, waits_for: Some(first.rounds) },
        }
    }

    /// Whether a round is part of it.
    pub fn covers(&self, round: u32) -> bool {
        round <= self.rounds
    }

    /// Two-sided confidence of its intervals.
    pub fn confidence(&self) -> f64 {
        1.0 - self.alpha
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOKS: [Look; 3] =
        [Look { rounds: 12, alpha: 0.02 }, Look { rounds: 24, alpha: 0.02 }, Look { rounds: 36, alpha: 0.01 }];

    #[test]
    fn a_claim_rests_on_the_last_look_that_is_reached_and_on_no_round_more() {
        let at = |reached| Claim::at(&LOOKS, 12, reached);
        let seen =
            [12, 23, 24, 35, 36, 50].map(|reached| (at(reached).look, at(reached).rounds, at(reached).confidence()));
        let expected = [
            (Some(1), 12, 0.98),
            (Some(1), 12, 0.98),
            (Some(2), 24, 0.98),
            (Some(2), 24, 0.98),
            (Some(3), 36, 0.99),
            (Some(3), 36, 0.99),
        ];
        assert_eq!(seen, expected);
        assert!(at(23).covers(12) && !at(23).covers(13));
    }

    #[test]
    fn before_the_first_look_nothing_is_claimed() {
        let claim = Claim::at(&LOOKS, 12, 11);
        assert_eq!((claim.look, claim.waits_for, claim.rounds), (None, Some(12), 11));
    }

    #[test]
    fn without_looks_a_claim_rests_on_the_declared_rounds_whatever_came_after() {
        let claim = Claim::at(&[], 10, 20);
        assert_eq!((claim.rounds, claim.confidence(), claim.look, claim.waits_for), (10, 0.95, None, None));
    }
}
