//! What the GPUs of a trial took and whether they were held back, from the rows of
//! `telemetry.csv`. No verdict rests on it.

use std::collections::BTreeSet;

use lab::{Nanos, records::TelemetryRow};

/// Clock event reasons that hold nothing back that would run: 1, nothing runs; 2, the clock
/// that somebody set.
const NOT_HELD_BACK: u64 = 1 | 2;

/// Energy that all GPUs of the rows took between two offsets, in millijoules, by their
/// counters; between two samples a counter grows evenly. None where an offset is not between
/// two samples of each GPU, or a counter goes back.
pub fn energy_mj(rows: &[TelemetryRow], from: Nanos, to: Nanos) -> Option<f64> {
    let gpus: BTreeSet<&str> = rows.iter().map(|row| row.gpu.as_str()).collect();
    let each = gpus.iter().map(|gpu| {
        let taken = counter_at(rows, gpu, to)? - counter_at(rows, gpu, from)?;
        (from <= to && taken >= 0.0).then_some(taken)
    });
    each.sum::<Option<f64>>().filter(|_| !gpus.is_empty())
}

/// A GPU's counter at an offset: on the line between the samples before and after it.
fn counter_at(rows: &[TelemetryRow], gpu: &str, at: Nanos) -> Option<f64> {
    let samples = || rows.iter().filter(|r| r.gpu == gpu).filter_map(|r| Some((r.offset_ns, r.energy_mj?)));
    let (before, low) = samples().filter(|(offset, _)| *offset <= at).max()?;
    let (after, high) = samples().filter(|(offset, _)| *offset >= at).min()?;
    let grown = high.checked_sub(low).or((before == after).then_some(0))?;
    let share = if before == after { 0.0 } else { (at.0 - before.0) as f64 / (after.0 - before.0) as f64 };
    Some(low as f64 + grown as f64 * share)
}

/// The share of samples between two offsets, both included, in which a GPU's clocks were held
/// back by anything but idleness and set clocks; none where no sample says.
pub fn throttled_share(rows: &[TelemetryRow], from: Nanos, to: Nanos) -> Option<f64> {
    let inside = rows.iter().filter(|row| (from..=to).contains(&row.offset_ns));
    let reasons: Vec<u64> = inside.filter_map(|row| row.throttle).collect();
    let held_back = reasons.iter().filter(|mask| *mask & !NOT_HELD_BACK != 0).count();
    (!reasons.is_empty()).then(|| held_back as f64 / reasons.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(gpu: &str, offset: u64, energy_mj: Option<u64>, throttle: Option<u64>) -> TelemetryRow {
        TelemetryRow { offset_ns: Nanos(offset), gpu: gpu.into(), energy_mj, throttle, ..TelemetryRow::default() }
    }

    fn energy(rows: &[TelemetryRow], from: u64, to: u64) -> Option<f64> {
        energy_mj(rows, Nanos(from), Nanos(to))
    }

    #[test]
    fn energy_is_the_counters_difference_on_the_lines_between_samples() {
        // 100 mJ in the first 10 ns, 300 mJ in the next 10.
        let one = [("a", 10, 1_000), ("a", 20, 1_100), ("a", 30, 1_400)];
        let mut rows: Vec<_> = one.iter().map(|(gpu, at, mj)| row(gpu, *at, Some(*mj), None)).collect();
        assert_eq!(energy(&rows, 10, 30), Some(400.0));
        assert_eq!(energy(&rows, 15, 25), Some(50.0 + 150.0));
        assert_eq!(energy(&rows, 22, 27), Some(150.0));
        assert_eq!(energy(&rows, 20, 20), Some(0.0));
        // A second GPU, 10 mJ a ns, sampled a little later; one sample of it says nothing.
        rows.extend([row("b", 11, Some(0), None), row("b", 20, None, None), row("b", 31, Some(200), None)]);
        assert_eq!(energy(&rows, 15, 25), Some(200.0 + 100.0));
        assert_eq!(energy(&rows, 10, 25), None, "nothing is known of the second before 11");
        assert_eq!(energy(&rows, 15, 31), None, "nor of the first after 30");
    }

    #[test]
    fn energy_that_cannot_be_known_is_none_and_no_number_panics() {
        assert_eq!(energy(&[], 0, 1), None);
        let silent = [row("a", 0, None, None), row("a", 9, None, None)];
        assert_eq!(energy(&silent, 0, 9), None);
        let back = [row("a", 0, Some(9), None), row("a", 9, Some(5), None)];
        assert_eq!(energy(&back, 1, 8), None);
        let whole = [row("a", 0, Some(0), None), row("a", u64::MAX, Some(u64::MAX), None)];
        assert_eq!(energy(&whole, 8, 1), None, "from after to");
        assert!(energy(&whole, 1, u64::MAX).is_some());
        let twice = [row("a", 5, Some(7), None), row("a", 5, Some(3), None)];
        assert!(energy(&twice, 5, 5).is_some());
    }

    #[test]
    fn samples_are_throttled_by_anything_but_idleness_and_set_clocks() {
        let masks = [(1, Some(0)), (2, Some(1)), (3, Some(2 | 1)), (4, Some(4)), (5, None), (6, Some(1 | 64))];
        let rows: Vec<_> = masks.iter().map(|(at, mask)| row("a", *at, None, *mask)).collect();
        let share = |from, to| throttled_share(&rows, Nanos(from), Nanos(to));
        assert_eq!(share(1, 6), Some(2.0 / 5.0));
        assert_eq!(share(1, 3), Some(0.0));
        assert_eq!(share(4, 6), Some(1.0));
        assert_eq!(share(5, 5), None);
        assert_eq!(share(7, 1), None);
        assert_eq!(throttled_share(&[row("a", 0, None, Some(1 << 63))], Nanos(0), Nanos(0)), Some(1.0));
    }
}
