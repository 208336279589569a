//! Who leads when.

use std::collections::BTreeSet;

/// A time from which others lead than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead<W> {
    /// When it was first seen.
    pub since: W,
    /// Who leads from then on; several are not shown to differ.
    pub leaders: BTreeSet<String>,
    /// Those of them who did not lead before.
    pub gained: BTreeSet<String>,
    /// Who led before and leads no more.
    pub lost: BTreeSet<String>,
}

/// The changes of the lead, by when: the first to lead at all, then whenever it is not the same
/// candidates. A board that settles nothing (void, or without anybody ranked) is none: it changes
/// nobody's lead, and is not handed in.
pub fn leads<W: Copy + Ord>(boards: &[(W, BTreeSet<String>)]) -> Vec<Lead<W>> {
    let mut boards: Vec<_> = boards.iter().collect();
    boards.sort_by_key(|(when, _)| *when);
    let mut before = &BTreeSet::new();
    let mut leads = Vec::new();
    for (since, leaders) in boards {
        if leaders != before {
            let (gained, lost) = (leaders - before, before - leaders);
            leads.push(Lead { since: *since, leaders: leaders.clone(), gained, lost });
            before = leaders;
        }
    }
    leads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_lead_changes_when_others_lead_and_at_no_other_time() {
        let boards = [(47, names(&["a"])), (45, names(&["a"])), (48, names(&["a", "b"])), (51, names(&["b"]))];
        let lead = |since, leaders: &[&str], gained: &[&str], lost: &[&str]| Lead {
            since,
            leaders: names(leaders),
            gained: names(gained),
            lost: names(lost),
        };
        let told = leads(&boards);
        let expected =
            [lead(45, &["a"], &["a"], &[]), lead(48, &["a", "b"], &["b"], &[]), lead(51, &["b"], &[], &["a"])];
        assert_eq!(told, expected);
    }

    #[test]
    fn without_boards_nobody_ever_led() {
        assert_eq!(leads::<u32>(&[]), []);
    }
}
