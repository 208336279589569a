//! Change points against apache-otava, exact fractions and every order of eight values
//! (`oracles/make_history.py`).

use super::*;
use stats::divisive::{Changes, best_split, change_points, statistic};

const HISTORY: &str = include_str!("../../oracles/history.json");

#[path = "../generator/mod.rs"]
mod generator;
use generator::Generator;

fn changes(series: &[f64], level: f64, permutations: u32, seed: u64) -> Changes {
    let mut generator = Generator(seed);
    change_points(series, level, permutations, &mut |part| generator.shuffle(part)).unwrap()
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn indices_at(changes: &Changes, level: f64) -> Vec<usize> {
    changes.at(level).unwrap().iter().map(|point| point.index).collect()
}

#[test]
fn the_statistic_is_the_published_one_and_otavas() {
    let rows = table(HISTORY, "statistic");
    assert_eq!(rows.len(), 9);
    for row in rows {
        let q = statistic(&numbers(&row["x"]), &numbers(&row["y"])).unwrap();
        relative(&row, q, row["q"].as_f64().unwrap(), 1e-12);
    }
}

#[test]
fn the_best_split_is_otavas_among_those_with_two_values_on_each_side() {
    let (mut the_same, mut single) = (0, 0);
    for row in table(HISTORY, "best_split") {
        let series = numbers(&row["series"]);
        let split = best_split(&series).unwrap();
        assert_eq!(
            (split.index as u64, split.end as u64),
            (row["index"].as_u64().unwrap(), row["end"].as_u64().unwrap())
        );
        relative(&row["series"], split.q, row["q"].as_f64().unwrap(), 1e-12);
        // Otava also cuts off single values, and of those Q is often the largest.
        let otava = row["otava_q"].as_f64().unwrap();
        if (otava - split.q).abs() <= 1e-12 * otava {
            assert_eq!(split.index as u64, row["otava_index"].as_u64().unwrap());
            the_same += 1;
        } else {
            assert!(otava > split.q, "{row}");
            single += 1;
        }
    }
    assert_eq!((the_same, single), (11, 6));
}

#[test]
fn with_the_same_orders_the_procedure_is_otavas_but_for_the_series_own_order_in_p() {
    let rows = table(HISTORY, "procedure");
    assert_eq!(rows.len(), 7);
    let mut missed = 0.0;
    for row in rows {
        let (level, permutations) = (row["level"].as_f64().unwrap(), row["permutations"].as_u64().unwrap() as u32);
        let ours = changes(&numbers(&row["series"]), level, permutations, row["seed"].as_u64().unwrap());
        let theirs = row["tested"].as_array().unwrap();
        assert_eq!(ours.tested().len(), theirs.len(), "{row}");
        for (ours, theirs) in ours.tested().iter().zip(theirs) {
            let [index, q, extreme, by_floats] = numbers(theirs).try_into().unwrap();
            assert_eq!(ours.index, index as usize, "{row}");
            relative(&row, ours.q, q, 1e-12);
            assert_eq!(ours.p, (extreme + 1.0) / (f64::from(permutations) + 1.0), "{row}");
            // Theirs is by_floats / (permutations + 1): it misses ties that are rounded in another order.
            assert!(by_floats <= extreme, "{row}");
            missed += extreme - by_floats;
        }
        assert_eq!(indices_at(&ours, level), indices(&row["points"]), "{row}");
    }
    assert_eq!(missed, 3.0, "of the eight values in one row");
}

#[test]
fn clear_steps_are_found_where_otava_and_hunter_find_them() {
    let rows = table(HISTORY, "clear");
    assert_eq!(rows.len(), 6);
    for row in rows {
        // Otava takes 100 orders; none reaches a clear step, of which it says p = 0 and we 1/101.
        let ours = changes(&numbers(&row["series"]), 0.01, 100, 1);
        let points = indices(&row["points"]);
        assert_eq!(indices_at(&ours, 0.01), points, "{row}");
        assert_eq!(indices(&row["hunter"]), points, "{row}");
        assert!(numbers(&row["p"]).iter().all(|p| *p == 0.0), "{row}");
        assert!(ours.tested()[..points.len()].iter().all(|t| t.p == 1.0 / 101.0), "{row}");
    }
}

#[test]
fn over_every_order_of_eight_values_p_is_the_share_of_those_that_reach_as_far() {
    for row in table(HISTORY, "exact") {
        let series = numbers(&row["series"]);
        let (extreme, of) = (row["extreme"].as_f64().unwrap(), row["of"].as_u64().unwrap() as u32);
        // The orders after the series' own; later tests, of parts, are not asked about.
        let mut order: Vec<usize> = (0..8).collect();
        let every_order = &mut |part: &mut [f64]| {
            if part.len() == 8 {
                next_order(&mut order);
                part.copy_from_slice(&order.iter().map(|i| series[*i]).collect::<Vec<_>>());
            }
        };
        let p = change_points(&series, 0.01, of - 1, every_order).unwrap().p();
        assert_eq!(p, extreme / f64::from(of), "{row}");
    }
}

/// The next of all orders, as in a dictionary.
fn next_order(order: &mut [usize]) {
    let falls = (1..order.len()).rev().find(|i| order[i - 1] < order[*i]).unwrap();
    let larger = (falls..order.len()).rev().find(|i| order[*i] > order[falls - 1]).unwrap();
    order.swap(falls - 1, larger);
    order[falls..].reverse();
}
