//! How alike two texts are, as Python's `difflib` says.

use std::collections::BTreeMap;

/// Comparisons of characters after which two texts are too long to compare.
const MOST_STEPS: u64 = 50_000_000;

/// The gate's number from 12 June: `difflib.SequenceMatcher(None, baseline, candidate,
/// autojunk=False).ratio()` of two texts without white space at their ends, 1 for two empty ones:
/// 2 M / T, where T is the number of characters of both and M that of the longest common block, and
/// so on left and right of it (Ratcliff and Obershelp). V1 asked for a mean of at least 0.40 over
/// prompts. An honest prefix of the share f has 2 f / (1 + f), so that 26 % of an answer passes.
///
/// The order matters. `None` where the texts are too long: the time grows with their product.
pub fn similarity(baseline: &str, candidate: &str) -> Option<f64> {
    let of = |text: &str| text.trim_matches(is_space).chars().collect::<Vec<char>>();
    let (a, b) = (of(baseline), of(candidate));
    if a.is_empty() && b.is_empty() {
        return Some(1.0);
    }
    Some(2.0 * matching(&a, &b, MOST_STEPS)? as f64 / (a.len() + b.len()) as f64)
}

/// What Python strips: also the four separators that Unicode does not call white space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// A common block: where it begins in both texts, and its length.
type Block = (usize, usize, usize);

/// Characters in matching blocks. `None` once so many steps are used up.
fn matching(a: &[char], b: &[char], most: u64) -> Option<usize> {
    if a == b {
        return Some(a.len());
    }
    let mut places = BTreeMap::<char, Vec<usize>>::new();
    b.iter().enumerate().for_each(|(j, c)| places.entry(*c).or_default().push(j));
    let (mut left_over, mut found) = (most, 0);
    let mut open = vec![(0..a.len(), 0..b.len())];
    while let Some((left, right)) = open.pop() {
        let (i, j, size) = longest(a, &places, left.clone(), right.clone(), &mut left_over)?;
        if size > 0 {
            found += size;
            open.push((left.start..i, right.start..j));
            open.push((i + size..left.end, j + size..right.end));
        }
    }
    Some(found)
}

/// The longest common block of two ranges; of equal ones that which begins first in `a`, then in
/// `b`. `None` where it takes more steps than are left.
fn longest(
    a: &[char],
    places: &BTreeMap<char, Vec<usize>>,
    left: std::ops::Range<usize>,
    right: std::ops::Range<usize>,
    steps: &mut u64,
) -> Option<Block> {
    let mut best = (left.start, right.start, 0);
    // The length of the common block that ends at the character before this one and at each j.
    let mut ends = Vec::<(usize, usize)>::new();
    for i in left {
        let all = places.get(&a[i]).map_or(&[][..], Vec::as_slice);
        let inside = &all[all.partition_point(|j| *j < right.start)..all.partition_point(|j| *j < right.end)];
        *steps = steps.checked_sub(1 + inside.len() as u64)?;
        let mut before = ends.iter().copied().peekable();
        let mut now = Vec::with_capacity(inside.len());
        for &j in inside {
            while before.next_if(|(end, _)| end + 1 < j).is_some() {}
            let size = 1 + before.next_if(|(end, _)| end + 1 == j).map_or(0, |(_, size)| size);
            if size > best.2 {
                best = (i + 1 - size, j + 1 - size, size);
            }
            now.push((j, size));
        }
        ends = now;
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_own_example_is_0_75() {
        // docs.python.org, difflib: SequenceMatcher(None, "abcd", "bcde").ratio()
        assert_eq!(similarity("abcd", "bcde"), Some(0.75));
        // …and: the order matters.
        assert_eq!(similarity("tide", "diet"), Some(0.25));
        assert_eq!(similarity("diet", "tide"), Some(0.5));
    }

    #[test]
    fn an_honest_prefix_of_26_percent_passed_the_gate_of_0_40() {
        let text: String = (0..1_000).map(|i| char::from(b'a' + (i * i % 23) as u8)).collect();
        let of = |share: usize| similarity(&text, &text[..share * 10]).unwrap();
        assert_eq!(of(26), 2.0 * 260.0 / 1_260.0);
        assert!(of(26) >= 0.40 && of(24) < 0.40);
    }

    #[test]
    fn ends_are_stripped_and_two_empty_texts_are_the_same() {
        assert_eq!(similarity(" \n", "\u{1c}"), Some(1.0));
        assert_eq!(similarity("\u{1f} ab\n", "ab"), Some(1.0));
        assert_eq!(similarity("", "ab"), Some(0.0));
    }

    #[test]
    fn as_many_steps_as_there_may_be_are_taken_and_no_more() {
        // `a` is compared with nothing, `b` with one character; then `a` once more, left of the block.
        let (a, b) = (['a', 'b'], ['b']);
        assert_eq!((matching(&a, &b, 4), matching(&a, &b, 3)), (Some(1), None));
    }

    #[test]
    fn texts_that_would_take_hours_have_no_answer() {
        let long = "ab".repeat(60_000);
        assert_eq!(similarity(&long, &"ba".repeat(60_000)), None);
        assert_eq!(similarity(&long, &long), Some(1.0));
    }
}
