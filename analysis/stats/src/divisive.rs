//! Where a series changes: E-divisive (Matteson and James, "A nonparametric approach for multiple
//! change point analysis of multivariate data", JASA 109, 2014), in one dimension, with exponent 1.
//!
//! The series is cut in two where the energy statistic Q of the two sides is largest, then its parts,
//! as long as chance alone would rarely reach such a Q. Chance is the series itself in other orders:
//! each value changes places only within the part it is known to be in. No shape of a distribution is
//! assumed, only that values of one part could have come in any order; so a value stands for one run,
//! and repetitions that share a launch are no values of their own.
//!
//! Against the paper: p counts the series' own order too (Phipson and Smyth 2010), (e + 1)/(R + 1)
//! where it has e/(R + 1), which can be 0 and rejects more often than it says.
//!
//! Against apache-otava 0.8.0: the same Q to rounding, with each pair within a side counted once and
//! mn/(m + n) in front. Otava also cuts off single values, leaving out the distances within that side,
//! where the paper's formula divides by a number of pairs that is 0; one stray value then has a Q like
//! that of a step. Here both sides have at least two. Otava's p is e/(R + 1), and its e misses orders
//! that tie where rounding parts them, which of eight values are most of those that count.

use crate::NoAnswer;
use crate::no_answer::{at_least, strictly_a_probability};
use crate::sum::{Total, finite, mean, total};

/// Fewest values in which changes are looked for. Of the 70 ways to part eight values in fours two
/// are as clear as the clearest step, so that its p over all orders is 1/35; of six it would be 1/10.
pub const MIN_VALUES: usize = 8;

/// Fewest values on a side: their distances within are means over pairs.
const SIDE: usize = 2;

/// Orders whose Q are as near as this, as a share of the range of the values, are tied: sums in
/// another order differ by less, and a tie that rounding hid would be a p too small.
const TIE: f64 = 1e-9;

/// Q(x, y) = mn/(m + n) · (2 · mean |xᵢ − yⱼ| − mean |xᵢ − xₖ| − mean |yⱼ − yₖ|), the last two over
/// the pairs of one side, each once (equations 5 and 6 of the paper); in the unit of the values.
///
/// Around 0 if both come from one distribution, also below; the larger the further apart. `None`
/// below two values on a side, for a value that is not finite, or where a sum overflows.
pub fn statistic(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len().min(y.len()) < SIDE {
        return None;
    }
    let between = total(x.iter().flat_map(|a| y.iter().map(move |b| (a - b).abs())))?;
    finite(energy(x.len(), y.len(), between, within(x)?, within(y)?))
}

/// Sum of the distances of all pairs.
fn within(values: &[f64]) -> Option<f64> {
    total(values.iter().enumerate().flat_map(|(i, a)| values[..i].iter().map(move |b| (a - b).abs())))
}

/// Q from the numbers of values and the sums of distances, those within over pairs.
fn energy(m: usize, n: usize, between: f64, within_x: f64, within_y: f64) -> f64 {
    let (m, n) = (m as f64, n as f64);
    2.0 / (m + n) * (between - (n / (m - 1.0) * within_x + m / (n - 1.0) * within_y))
}

/// A part of a series cut in two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Where the second side begins.
    pub index: usize,
    /// Where the values end that it was found with: all before `index` against `index..end`. What
    /// comes later may have changed again.
    pub end: usize,
    /// Q of these two.
    pub q: f64,
}

/// The split with the largest Q over all `index` and `end` (equation 7 of the paper), the first of
/// equal ones. It reads from the left: `end` may leave out what comes last, nothing leaves out what
/// comes first, so that a series read backwards may be cut elsewhere.
///
/// `None` below four values, for a value that is not finite, or where a sum overflows. O(n²).
pub fn best_split(values: &[f64]) -> Option<Split> {
    range(values)?;
    widest(values)
}

/// [`best_split`] of values that were looked at.
fn widest(values: &[f64]) -> Option<Split> {
    let n = values.len();
    // Of the values up to `end`, by where they are cut: sums of distances of pairs. Distances are
    // only ever added, so that nothing cancels and plain sums are good to 2n roundings.
    let mut before = vec![0.0; n + 1];
    let mut between = vec![0.0; n];
    let mut after = vec![0.0; n];
    let mut best: Option<Split> = None;
    for end in 1..=n {
        let (value, known) = (values[end - 1], &values[..end - 1]);
        let mut sum = 0.0;
        for (i, other) in known.iter().enumerate() {
            sum += (value - other).abs();
            between[i + 1] += sum;
        }
        before[end] = before[end - 1] + sum;
        let mut sum = 0.0;
        for (i, other) in known.iter().enumerate().rev() {
            sum += (value - other).abs();
            after[i] += sum;
        }
        for index in SIDE..(end + 1).saturating_sub(SIDE) {
            let q = energy(index, end - index, between[index], before[index], after[index]);
            if best.is_none_or(|best| q > best.q || q == best.q && index < best.index) {
                best = Some(Split { index, end, q });
            }
        }
    }
    best
}

/// A split that was tested against chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The first value after the change, if it is one.
    pub index: usize,
    /// The largest Q of all parts.
    pub q: f64,
    /// (e + 1)/(R + 1) with e of R orders reaching that Q: of "no part changes within itself".
    pub p: f64,
}

/// One place where the series changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// The first value after the change, counted from 0.
    pub index: usize,
    /// As of [`Tested`].
    pub p: f64,
    /// Mean of the values from the change before, or the beginning, up to this one.
    pub before: f64,
    /// Mean of the values from this one up to the next change, or the end.
    pub after: f64,
}

/// What was asked of a series, and answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    series: Vec<f64>,
    level: f64,
    tested: Vec<Tested>,
}

impl Changes {
    /// p of "nothing ever changes", the first question: what a family of series is adjusted by.
    pub fn p(&self) -> f64 {
        self.tested[0].p
    }

    /// The splits in the order in which they were tested. The last is above the level, unless no part
    /// could be cut further.
    pub fn tested(&self) -> &[Tested] {
        &self.tested
    }

    /// The change points by index: the tests up to the first whose p is above `level`, which is at
    /// most the level that was tested at. A smaller one is what is left of it among other series
    /// ([`crate::multiple::holm_levels`]).
    pub fn at(&self, level: f64) -> Result<Vec<ChangePoint>, NoAnswer> {
        strictly_a_probability(level, "0 < level < 1")?;
        if level > self.level {
            return Err(NoAnswer::Outside("level ≤ the level that was tested at"));
        }
        let mut points: Vec<Tested> = self.tested.iter().copied().take_while(|t| t.p <= level).collect();
        points.sort_by_key(|t| t.index);
        let bounds = bounds(self.series.len(), points.iter().map(|t| t.index));
        let of = |part: &[usize]| mean(&self.series[part[0]..part[1]]).ok_or(NoAnswer::NotFinite);
        let beside = |(t, three): (&Tested, &[usize])| {
            Ok(ChangePoint { index: t.index, p: t.p, before: of(&three[..2])?, after: of(&three[1..])? })
        };
        points.iter().zip(bounds.windows(3)).map(beside).collect()
    }
}

/// Where `series` changes, with `permutations` orders a test; `shuffle` puts a slice into a random
/// order, and the result is a function of what it does. Each test is of all parts at once, at
/// `level`: a series that never changes is said to with at most that probability, whatever its
/// distribution. O(permutations · n²) for each change point and once more.
///
/// Refused: fewer than [`MIN_VALUES`], a value that is not finite, values that are all equal, a level
/// that so few orders cannot reach.
pub fn change_points(
    series: &[f64],
    level: f64,
    permutations: u32,
    shuffle: &mut dyn FnMut(&mut [f64]),
) -> Result<Changes, NoAnswer> {
    strictly_a_probability(level, "0 < level < 1")?;
    if share(0, permutations) > level {
        return Err(NoAnswer::Outside("1/(permutations + 1) ≤ level"));
    }
    at_least(MIN_VALUES, series.len())?;
    let range = range(series).ok_or(NoAnswer::NotFinite)?;
    if range == 0.0 {
        return Err(NoAnswer::NoSpread);
    }
    let mut tested: Vec<Tested> = Vec::new();
    loop {
        let bounds = bounds(series.len(), tested.iter().map(|t| t.index));
        let Some((index, q)) = widest_of_all(series, &bounds) else { break };
        let mut extreme = 0;
        for _ in 0..permutations {
            let mut other = Vec::from(series);
            bounds.windows(2).for_each(|part| shuffle(&mut other[part[0]..part[1]]));
            let reached = widest_of_all(&other, &bounds).is_some_and(|(_, other)| other >= q - TIE * range);
            extreme += u32::from(reached);
        }
        let p = share(extreme, permutations);
        tested.push(Tested { index, q, p });
        if p > level {
            break;
        }
    }
    Ok(Changes { series: Vec::from(series), level, tested })
}

/// (e + 1)/(R + 1): the series as it came is one of the orders.
fn share(extreme: u32, permutations: u32) -> f64 {
    (f64::from(extreme) + 1.0) / (f64::from(permutations) + 1.0)
}

/// 0, the cuts in ascending order, n: every two neighbours bound a part.
fn bounds(n: usize, cuts: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut bounds: Vec<usize> = [0, n].into_iter().chain(cuts).collect();
    bounds.sort_unstable();
    bounds
}

/// Index in the whole series and Q of the split with the largest Q of all parts, the first of equal ones.
fn widest_of_all(series: &[f64], bounds: &[usize]) -> Option<(usize, f64)> {
    let splits = bounds.windows(2).filter_map(|part| {
        let split = widest(&series[part[0]..part[1]])?;
        Some((part[0] + split.index, split.q))
    });
    splits.reduce(|best, split| if split.1 > best.1 { split } else { best })
}

/// Largest value − smallest. `None` for no values, or if a value, or any sum of distances, is not
/// finite.
fn range(values: &[f64]) -> Option<f64> {
    let mut all = Total::default();
    values.iter().for_each(|x| all.add(x.abs()));
    // Every distance is at most the sum of all |x|, and there are fewer than n² pairs.
    let n = values.len() as f64;
    finite(all.value()? * n * n)?;
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    Some(high - low)
}

#[cfg(test)]
mod tests;
