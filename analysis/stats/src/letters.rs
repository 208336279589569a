//! Compact letter display: who of several is not shown to differ from whom.
//!
//! Items that share a letter are not shown different, items that share none are (Piepho, "An
//! algorithm for a letter-based representation of all-pairwise comparisons", J. Comput. Graph.
//! Stat. 13 (2004)): insert, absorb, sweep.

use std::collections::BTreeSet;

use crate::NoAnswer;

/// More letters than this help nobody.
const MOST_LETTERS: usize = 1000;

/// The letters of each of `items` items, from 0, each item's ascending; letters are numbered by
/// the first item that has them. `different` holds the pairs that are shown different, each pair
/// in any order.
pub fn letters(items: usize, different: &[(usize, usize)]) -> Result<Vec<Vec<usize>>, NoAnswer> {
    if different.iter().any(|&(i, j)| i == j || i.max(j) >= items) {
        return Err(NoAnswer::Outside("two different items of those there are"));
    }
    let mut groups = alike(items, different, MOST_LETTERS)?;
    sweep(&mut groups);
    groups.retain(|group| !group.is_empty());
    groups.sort();
    let of = |item| (0..groups.len()).filter(|&g| groups[g].contains(&item)).collect();
    Ok((0..items).map(of).collect())
}

/// The largest groups within which no two are different, `most` at the most.
fn alike(items: usize, different: &[(usize, usize)], most: usize) -> Result<Vec<BTreeSet<usize>>, NoAnswer> {
    let mut groups = vec![(0..items).collect()];
    for &(i, j) in different {
        groups = absorbed(split(groups, i, j));
        if groups.len() > most {
            return Err(NoAnswer::Unresolved);
        }
    }
    Ok(groups)
}

/// Each group that holds both becomes two: one without each.
fn split(groups: Vec<BTreeSet<usize>>, i: usize, j: usize) -> Vec<BTreeSet<usize>> {
    let without = |group: &BTreeSet<usize>, item| group.iter().copied().filter(|k| *k != item).collect();
    let both = |group: &BTreeSet<usize>| group.contains(&i) && group.contains(&j);
    groups.into_iter().flat_map(|g| if both(&g) { vec![without(&g, j), without(&g, i)] } else { vec![g] }).collect()
}

/// Without groups that lie in another. No two are equal: none lay in another before one split, and of two
/// that become equal by it one did.
fn absorbed(groups: Vec<BTreeSet<usize>>) -> Vec<BTreeSet<usize>> {
    let lies_in_another = |at: usize| groups.iter().enumerate().any(|(k, g)| k != at && groups[at].is_subset(g));
    (0..groups.len()).filter(|&at| !lies_in_another(at)).map(|at| groups[at].clone()).collect()
}

/// Takes a letter from an item where every pair that it joins is joined by another letter too.
fn sweep(groups: &mut [BTreeSet<usize>]) {
    for at in 0..groups.len() {
        for item in groups[at].clone() {
            let elsewhere = |j: &usize| {
                let mut others = groups.iter().enumerate().filter(|(k, _)| *k != at);
                others.any(|(_, g)| g.contains(&item) && g.contains(j))
            };
            // Its own pair with itself: an item keeps its last letter.
            if groups[at].iter().all(elsewhere) {
                groups[at].remove(&item);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(items: usize) -> Vec<(usize, usize)> {
        (0..items).flat_map(|i| (i + 1..items).map(move |j| (i, j))).collect()
    }

    #[test]
    fn every_pattern_of_up_to_five_items_is_told_exactly() {
        for items in 0..=5 {
            let pairs = pairs(items);
            for pattern in 0_u32..1 << pairs.len() {
                let different: Vec<_> =
                    pairs.iter().enumerate().filter(|(k, _)| pattern >> k & 1 == 1).map(|(_, pair)| *pair).collect();
                let letters = letters(items, &different).unwrap();
                assert!(letters.iter().all(|own| !own.is_empty()));
                for &(i, j) in &pairs {
                    let share = letters[i].iter().any(|letter| letters[j].contains(letter));
                    assert_eq!(share, !different.contains(&(i, j)), "{different:?} {letters:?}");
                }
            }
        }
    }

    #[test]
    fn a_chain_of_neighbours_has_a_letter_for_each_pair() {
        // Only neighbours are not shown different: a, ab, bc, c.
        let letters = letters(4, &[(0, 2), (3, 1), (0, 3)]).unwrap();
        assert_eq!(letters, [vec![0], vec![0, 1], vec![1, 2], vec![2]]);
    }

    #[test]
    fn all_alike_share_one_letter_and_all_different_share_none() {
        assert_eq!(letters(3, &[]).unwrap(), [[0], [0], [0]]);
        assert_eq!(letters(3, &pairs(3)).unwrap(), [[0], [1], [2]]);
    }

    #[test]
    fn the_order_of_the_pairs_does_not_matter_for_what_is_told() {
        let mut different = vec![(0, 4), (1, 4), (0, 3), (2, 4)];
        let one = letters(5, &different).unwrap();
        different.reverse();
        let shared = |l: &[Vec<usize>], i: usize, j: usize| l[i].iter().any(|x| l[j].contains(x));
        let other = letters(5, &different).unwrap();
        assert!(pairs(5).into_iter().all(|(i, j)| shared(&one, i, j) == shared(&other, i, j)));
    }

    #[test]
    fn a_swept_letter_joins_nobody_who_is_not_joined_without_it() {
        // No letter can be taken away whole.
        for pattern in 0_u32..1 << 10 {
            let pairs = pairs(5);
            let different: Vec<_> =
                pairs.iter().enumerate().filter(|(k, _)| pattern >> k & 1 == 1).map(|(_, pair)| *pair).collect();
            let letters = letters(5, &different).unwrap();
            let most = letters.iter().flatten().max().unwrap() + 1;
            for gone in 0..most {
                let left = |i: usize| letters[i].iter().filter(move |l| **l != gone);
                let joined = |&(i, j): &(usize, usize)| left(i).any(|l| letters[j].contains(l));
                let whole = (0..5).all(|i| left(i).count() > 0)
                    && pairs.iter().filter(|pair| !different.contains(pair)).all(joined);
                assert!(!whole, "{different:?} {letters:?} without {gone}");
            }
        }
    }

    #[test]
    fn the_letter_of_a_triangle_whose_every_side_has_another_letter_is_swept() {
        // 0, 1 and 2 are alike, 3 is like 0 and 1, 4 like 1 and 2, 5 like 0 and 2: four largest groups of
        // which three say it all.
        let alike = [(0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (1, 4), (2, 4), (0, 5), (2, 5)];
        let different: Vec<_> = pairs(6).into_iter().filter(|pair| !alike.contains(pair)).collect();
        let letters = letters(6, &different).unwrap();
        assert_eq!(letters, [vec![0, 1], vec![0, 2], vec![1, 2], vec![0], vec![2], vec![1]]);
    }

    #[test]
    fn as_many_groups_as_may_be_are_told_and_one_more_is_refused() {
        // Two triples, different within: 3^2 ways to choose one of each.
        let different: Vec<_> = pairs(6).into_iter().filter(|(i, j)| i / 3 == j / 3).collect();
        assert_eq!(alike(6, &different, 9).unwrap().len(), 9);
        assert_eq!(alike(6, &different, 8), Err(NoAnswer::Unresolved));
    }

    #[test]
    fn who_is_not_there_cannot_differ_and_a_tangle_is_refused() {
        assert!(letters(2, &[(0, 2)]).is_err() && letters(2, &[(1, 1)]).is_err());
        // Triples of which each is different within: 3^7 ways to choose one of each.
        let tangle: Vec<_> = pairs(21).into_iter().filter(|(i, j)| i / 3 == j / 3).collect();
        assert_eq!(letters(21, &tangle), Err(NoAnswer::Unresolved));
    }
}
