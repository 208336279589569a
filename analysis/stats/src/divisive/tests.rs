use super::*;
use crate::special::{binomial_cdf, binomial_tail};

#[path = "../../tests/generator/mod.rs"]
mod generator;
use generator::Generator;

impl Generator {
    /// Twelve uniform numbers less their mean: variance 1, on a grid on which sums are exact.
    fn noise(&mut self, n: usize) -> Vec<f64> {
        let mut one = || (0..12).map(|_| self.below(1 << 20) as f64 / f64::from(1 << 20) - 0.5).sum();
        (0..n).map(|_| one()).collect()
    }

    fn changes(&mut self, series: &[f64], permutations: u32) -> Changes {
        change_points(series, 0.05, permutations, &mut |part| self.shuffle(part)).unwrap()
    }
}

/// `noise` and a step of `height` after `before` values.
fn stepped(noise: &[f64], before: usize, height: f64) -> Vec<f64> {
    noise.iter().enumerate().map(|(i, x)| if i < before { *x } else { x + height }).collect()
}

/// Whether `k` of n is what a chance of `p` each may bring about: neither tail is below 10⁻⁶.
fn is_by_chance(k: u64, n: u64, p: f64) -> bool {
    binomial_tail(k, n, p).unwrap() > 1e-6 && binomial_cdf(k, n, p).unwrap() > 1e-6
}

const CLEAR: [f64; 8] = [0.0, 1.0, 2.0, 3.0, 14.0, 15.0, 16.0, 17.0];

#[test]
fn the_statistic_by_hand() {
    // Between 2 4 1 3, of mean 2.5; within 1 and 2; 2 · 2/4 = 1 in front.
    assert_eq!(statistic(&[1.0, 2.0], &[3.0, 5.0]), Some(2.0));
    // Between 0 1 1 0, within 1 and 1: two samples that are equal are nearer than chance.
    assert_eq!(statistic(&[0.0, 1.0], &[0.0, 1.0]), Some(-1.0));
    // Between 6 · 3, within 1 2 1 and 0: 6/5 · (2 · 3 − 4/3 − 0).
    assert!((statistic(&[1.0, 2.0, 3.0], &[5.0, 5.0]).unwrap() - 5.6).abs() < 1e-14);
}

#[test]
fn the_statistic_has_no_first_sample_and_no_order_in_it() {
    let (x, y) = ([0.3, 1.7, 0.9, 2.2], [1.1, 4.0, 3.1]);
    let (backwards_x, backwards_y) = ([2.2, 0.9, 1.7, 0.3], [3.1, 4.0, 1.1]);
    let q = statistic(&x, &y).unwrap();
    assert_eq!(statistic(&y, &x), Some(q));
    assert!((statistic(&backwards_y, &backwards_x).unwrap() - q).abs() < 1e-15 * q);
}

#[test]
fn what_returns_is_cut_where_it_begins() {
    // 0 0 | 9 9 against 0 0 left out: 2 · 2/4 · (2 · 9). With them it would be 8/6 · (9 − 6 + 0).
    assert_eq!(best_split(&[0.0, 0.0, 9.0, 9.0, 0.0, 0.0]), Some(Split { index: 2, end: 4, q: 18.0 }));
    // What comes first cannot be left out: 0 0 0 9 9 | 0 0 0 is no better than 0 0 0 | 9 9.
    let three = [0.0, 0.0, 0.0, 9.0, 9.0, 0.0, 0.0, 0.0];
    assert_eq!(best_split(&three).map(|split| (split.index, split.end)), Some((3, 5)));
}

#[test]
fn a_stray_value_among_equal_ones_changes_nothing_wherever_it_is_cut() {
    // Six 0 against 0 9: between 54, within 0 and 9: 2/8 · (54 − 6 · 9) = 0.
    let mut stray = [0.0; 8];
    for place in 0..8 {
        stray[place] = 9.0;
        assert!(best_split(&stray).unwrap().q.abs() < 1e-14);
        let changes = Generator(1).changes(&stray, 19);
        assert_eq!((changes.p(), changes.at(0.05)), (1.0, Ok(vec![])), "place {place}");
        stray[place] = 0.0;
    }
}

#[test]
fn the_split_found_has_the_q_of_its_two_sides_and_no_other_has_a_larger_one() {
    let mut generator = Generator(2);
    for n in [4, 5, 8, 17, 30] {
        let series = generator.noise(n);
        let of = |index: usize, end: usize| statistic(&series[..index], &series[index..end]).unwrap();
        let split = best_split(&series).unwrap();
        assert!((split.q - of(split.index, split.end)).abs() < 1e-13);
        for end in 4..=n {
            assert!((2..=end - 2).all(|index| of(index, end) < split.q + 1e-13), "{n}");
        }
    }
}

#[test]
fn both_sides_have_two_values_at_least() {
    assert_eq!(best_split(&[1.0, 2.0, 3.0]), None);
    assert_eq!(best_split(&[0.0, 0.0, 1.0, 1.0]), Some(Split { index: 2, end: 4, q: 2.0 }));
    for few in [&[][..], &[1.0]] {
        assert_eq!((statistic(few, &[1.0, 2.0]), statistic(&[1.0, 2.0], few)), (None, None));
    }
}

#[test]
fn of_equal_splits_the_first_is_taken() {
    assert_eq!(best_split(&[3.0; 6]), Some(Split { index: 2, end: 4, q: 0.0 }));
    // 0 1 4 | 8 8 is found first and has 2/5 · (38 − 8) = 12; 0 1 | 4 8 8 4 8 has 2/7 · (59 − 5 − 12).
    let tied = [0.0, 1.0, 4.0, 8.0, 8.0, 4.0, 8.0];
    assert_eq!(best_split(&tied), Some(Split { index: 2, end: 7, q: 12.0 }));
    // 0 0 | 1 1 is as far apart as 5 5 | 6 6.
    let parts = [0.0, 0.0, 1.0, 1.0, 5.0, 5.0, 6.0, 6.0];
    assert_eq!(widest_of_all(&parts, &[0, 4, 8]), Some((2, 2.0)));
    assert_eq!(widest_of_all(&parts, &[0, 4, 7, 8]), Some((2, 2.0)), "parts of three and of one have no split");
    assert_eq!(widest_of_all(&parts, &[0, 3, 8]).map(|(index, _)| index), Some(6));
}

#[test]
fn p_counts_the_orders_that_reach_as_far_and_the_series_own() {
    let with = |shuffle: &mut dyn FnMut(&mut [f64])| change_points(&CLEAR, 0.05, 19, shuffle).unwrap().p();
    assert_eq!(with(&mut |_| ()), 1.0, "every order is the series' own");
    assert_eq!(with(&mut |part| part.reverse()), 1.0, "and backwards it is as clear");
    let mixed = |part: &mut [f64]| {
        if let Ok(whole) = <&mut [f64; 8]>::try_from(part) {
            *whole = [0.0, 14.0, 1.0, 15.0, 2.0, 16.0, 3.0, 17.0];
        }
    };
    assert_eq!(with(&mut { mixed }), 1.0 / 20.0, "none of them is");
    let mut asked = 0;
    let every_fourth = &mut |part: &mut [f64]| {
        asked += 1;
        if asked % 4 != 0 {
            mixed(part);
        }
    };
    assert_eq!(with(every_fourth), 5.0 / 20.0, "4 of 19 and its own");
}

#[test]
fn an_order_that_ties_is_counted_even_where_floats_would_miss_it() {
    let series = [0.1, 0.2, 0.3, 0.15, 0.7, 0.11, 5.13, 5.27, 5.31, 5.9, 5.71];
    let backwards: Vec<f64> = series.iter().rev().copied().collect();
    let (q, other) = (best_split(&series).unwrap().q, best_split(&backwards).unwrap().q);
    assert!(other < q && other > q - 1e-12, "of no use here: {q} and {other}");
    let changes = change_points(&series, 0.05, 19, &mut |part| part.reverse()).unwrap();
    assert_eq!(changes.p(), 1.0);
}

#[test]
fn each_test_begins_with_the_series_and_keeps_every_value_in_its_part() {
    let series = [0.0, 1.0, 0.5, 1.5, 30.0, 31.0, 30.5, 31.5, 0.0, 1.0, 0.5, 1.5];
    let mut seen: Vec<Vec<f64>> = Vec::new();
    let mut generator = Generator(3);
    let changes = change_points(&series, 0.05, 99, &mut |part| {
        seen.push(part.to_vec());
        generator.shuffle(part);
    });
    let cuts: Vec<usize> = changes.unwrap().tested().iter().map(|t| t.index).collect();
    assert_eq!(cuts[..2], [4, 8]);
    assert!(seen[..99].iter().all(|part| part[..] == series));
    assert!(seen[99..297].chunks(2).all(|parts| parts[0] == series[..4] && parts[1] == series[4..]));
    assert!(
        seen[297..]
            .chunks(3)
            .all(|parts| { parts[0] == series[..4] && parts[1] == series[4..8] && parts[2] == series[8..] })
    );
    assert_eq!(seen.len(), 99 * (1 + 2 + 3));
}

#[test]
fn a_change_stands_between_the_means_of_its_neighbours() {
    let series = [0.0, 1.0, 0.5, 0.5, 10.0, 11.0, 10.5, 10.5, 0.0, 1.0, 0.5, 0.5];
    let changes = Generator(4).changes(&series, 199);
    let points = changes.at(0.05).unwrap();
    let told: Vec<_> = points.iter().map(|point| (point.index, point.before, point.after)).collect();
    assert_eq!(told, [(4, 0.5, 10.5), (8, 10.5, 0.5)]);
    // At what is left of the level among many series only the first tests count.
    let [first, second, third] = changes.tested() else { panic!("{changes:?}") };
    assert!(first.p <= 0.05 && second.p <= 0.05 && third.p > 0.05);
    let least = first.p.min(second.p);
    assert!(changes.at(least * 0.99).unwrap().is_empty());
    assert!(changes.at(0.06).is_err() && changes.at(0.0).is_err());
}

#[test]
fn the_first_test_above_the_level_ends_the_series_at_that_level() {
    let test = |index, p| Tested { index, q: 1.0, p };
    let tested = vec![test(6, 0.001), test(3, 0.02), test(9, 0.004), test(11, 0.3)];
    let series = vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 4.0, 4.0, 4.0];
    let changes = Changes { series, level: 0.05, tested };
    let told = |level| -> Vec<_> {
        changes.at(level).unwrap().iter().map(|point| (point.index, point.p, point.before, point.after)).collect()
    };
    assert_eq!(told(0.05), [(3, 0.02, 0.0, 1.0), (6, 0.001, 1.0, 2.0), (9, 0.004, 2.0, 4.0)]);
    assert_eq!(told(0.01), [(6, 0.001, 0.5, 3.0)], "the third test asked of parts that the second had made");
    assert_eq!(told(0.001), [(6, 0.001, 0.5, 3.0)], "a p that equals the level is enough");
    assert_eq!(told(0.0009), []);
    assert_eq!(changes.p(), 0.001);
}

#[test]
fn a_shift_and_a_scale_move_no_change_and_no_p() {
    let mut generator = Generator(5);
    let series = stepped(&generator.noise(24), 13, 2.5);
    let plain = Generator(6).changes(&series, 99);
    // On the grid all of this is exact.
    let told = |scale: f64, shift: f64| {
        let moved: Vec<f64> = series.iter().map(|x| scale * x + shift).collect();
        let changes = Generator(6).changes(&moved, 99);
        changes.tested().iter().map(|t| (t.index, t.q / scale.abs(), t.p)).collect::<Vec<_>>()
    };
    let expected: Vec<_> = plain.tested().iter().map(|t| (t.index, t.q, t.p)).collect();
    for (scale, shift) in [(1.0, 7.0), (4.0, 0.0), (-1.0, 0.0), (-0.25, 100.0), (1024.0, -3.0)] {
        assert_eq!(told(scale, shift), expected, "{scale} {shift}");
    }
    assert_eq!(plain.at(0.05).unwrap().len(), 1);
}

#[test]
fn clear_steps_are_the_same_backwards() {
    let mut generator = Generator(7);
    let noise = generator.noise(36);
    let series = stepped(&stepped(&noise, 12, 12.0), 22, -20.0);
    let backwards: Vec<f64> = series.iter().rev().copied().collect();
    let indices = |series: &[f64]| -> Vec<usize> {
        Generator(8).changes(series, 99).at(0.05).unwrap().iter().map(|point| point.index).collect()
    };
    assert_eq!(indices(&series), [12, 22]);
    assert_eq!(indices(&backwards), [36 - 22, 36 - 12]);
}

#[test]
fn noise_is_said_to_change_as_often_as_the_level_says() {
    for n in [12, 30] {
        let mut generator = Generator(n);
        let alarms = (0..1_000).filter(|_| {
            let series = generator.noise(n as usize);
            generator.changes(&series, 39).p() <= 0.05
        });
        let alarms = alarms.count() as u64;
        assert!(is_by_chance(alarms, 1_000, 0.05), "{alarms} of 1,000 series of {n}");
    }
}

#[test]
fn after_a_change_is_found_the_rest_is_said_to_change_no_more_often() {
    let mut generator = Generator(9);
    let further = (0..1_000).filter(|_| {
        let series = stepped(&generator.noise(20), 9, 40.0);
        let points = generator.changes(&series, 39).at(0.05).unwrap();
        assert!(points.iter().any(|point| point.index == 9), "{points:?}");
        points.len() > 1
    });
    let further = further.count() as u64;
    assert!(is_by_chance(further, 1_000, 0.05), "{further} of 1,000");
}

/// The shares that the rule book names.
#[test]
fn a_step_of_three_sd_in_twenty_values_is_found_where_it_is_or_beside_it() {
    let mut generator = Generator(10);
    for (after, share) in [(10, 0.97), (4, 0.89), (3, 0.74), (2, 0.44)] {
        let found = (0..200).filter(|_| {
            let series = stepped(&generator.noise(20), 20 - after, 3.0);
            let points = generator.changes(&series, 99).at(0.05).unwrap();
            points.iter().any(|point| point.index.abs_diff(20 - after) <= 1)
        });
        let found = found.count() as u64;
        assert!(is_by_chance(found, 200, share), "{found} of 200 with {after} values after it");
    }
}

#[test]
fn what_has_no_answer_is_refused() {
    let ask = |series: &[f64], level, times| change_points(series, level, times, &mut |_| ()).map(|_| ());
    assert_eq!(ask(&CLEAR[..7], 0.05, 99), Err(NoAnswer::TooFew { have: 7, need: 8 }));
    assert_eq!(ask(&CLEAR, 0.05, 19), Ok(()));
    assert_eq!(ask(&CLEAR, 0.05, 18), Err(NoAnswer::Outside("1/(permutations + 1) ≤ level")));
    assert!(ask(&CLEAR, 0.0, 99).is_err() && ask(&CLEAR, 1.0, 99).is_err());
    assert_eq!(ask(&[0.1; 8], 0.05, 99), Err(NoAnswer::NoSpread));
    for bad in [f64::NAN, f64::INFINITY, f64::MAX, -1e307] {
        let mut series = CLEAR;
        series[3] = bad;
        assert_eq!(ask(&series, 0.05, 99), Err(NoAnswer::NotFinite), "{bad}");
        assert_eq!(best_split(&series), None, "{bad}");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
        assert_eq!(statistic(&[-bad, 1.0], &[bad, 2.0]), None, "{bad}");
    }
}
