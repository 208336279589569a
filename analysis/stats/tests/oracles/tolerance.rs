//! Tolerance bounds, and how many observations a bound or a crossing needs.

use super::*;
use stats::proportion;
use stats::tolerance::{Count, factor, upper_of_counts, upper_of_logs};

#[test]
fn tolerance_factors_agree_with_the_integral_to_10_digits() {
    for row in table(PROCEDURES, "tolerance_factor") {
        let [n, coverage, confidence, expected] = numbers(&row).try_into().unwrap();
        relative(&row, factor(n as usize, coverage, confidence).unwrap(), expected, 1e-10);
    }
}

#[test]
fn tolerance_bounds_of_means_agree_with_scipy() {
    for row in table(PROCEDURES, "tolerance_logs") {
        let expected = |key: &str| row[key].as_f64().unwrap();
        let means = numbers(&row["means"]);
        let ours = upper_of_logs(&means, expected("coverage"), expected("confidence")).unwrap();
        relative(&row, ours.bound, expected("bound"), 1e-9);
    }
}

#[test]
fn tolerance_bounds_of_rates_agree_with_partial_fractions() {
    for row in table(PROCEDURES, "modelled_rate") {
        let expected = |key: &str| row[key].as_f64().unwrap();
        let counts = row["counts"].as_array().unwrap().iter().map(|c| {
            let [hits, trials] = numbers(c).try_into().unwrap();
            Count { hits: hits as u64, trials: trials as u64 }
        });
        let counts: Vec<Count> = counts.collect();
        let ours = upper_of_counts(&counts, expected("coverage"), expected("confidence")).unwrap();
        relative(&row, ours.modelled, expected("modelled"), 1e-10);
    }
}

#[test]
fn the_trials_that_a_pass_needs_agree_with_counting_by_scipy() {
    for row in table(PROCEDURES, "trials_needed") {
        let [hits, limit, confidence, expected] = numbers(&row).try_into().unwrap();
        assert_eq!(proportion::trials_needed(hits as u64, limit, confidence), Ok(expected as u64), "{row}");
    }
}
