//! Against other instruments: MLPerf LoadGen and HdrHistogram as they ran (`oracles/make_tools.py`),
//! and R, whose algorithms are not scipy's (`oracles/make_r.R`).

use super::*;
use stats::tolerance;

const TOOLS: &str = include_str!("../../oracles/tools.json");
const R: &str = include_str!("../../oracles/r.json");

fn level(per_ten_thousand: f64) -> Level {
    Level::per_ten_thousand(per_ten_thousand as u16).unwrap()
}

fn integers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect()
}

#[test]
fn a_percentile_is_printed_from_as_many_as_loadgen_asks_for() {
    for row in table(TOOLS, "loadgen_needed") {
        let [p, expected] = numbers(&row).try_into().unwrap();
        assert_eq!(quantile::needed_to_print(level(p)), expected as u64, "{row}");
    }
}

#[test]
fn the_upper_limit_at_99_percent_is_one_rank_below_loadgens() {
    // LoadGen tolerates t above the percentile if P(Bin(n, 1 - p) <= t) <= 0.01, and then discards
    // only the t - 1 slowest; the order statistic's limit by the same t discards t.
    for row in table(TOOLS, "loadgen_discarded") {
        let [p, n, discarded] = numbers(&row).try_into().unwrap();
        let (_, upper) = quantile::limit_ranks(n as u64, level(p), 0.98).unwrap();
        assert_eq!(upper, Some((n - discarded) as u64 - 1), "{row}");
    }
}

#[test]
fn quantiles_are_hdrhistograms_to_five_digits_where_it_takes_the_same_rank() {
    let mut compared = 0;
    for row in table(TOOLS, "hdrhistogram") {
        let sample = Sample::new(integers(&row["values"])).unwrap();
        let parts = row["per_ten_thousand"].as_u64().unwrap();
        let expected = row["value"].as_f64().unwrap();
        let theirs = ((sample.count() * parts + 5_000) / 10_000).max(1);
        relative(&row, sample.sorted_ns()[theirs as usize - 1] as f64, expected, 1e-5);
        if level(parts as f64).rank(sample.count()) == theirs {
            relative(&row, sample.quantile_ns(level(parts as f64)) as f64, expected, 1e-5);
            compared += 1;
        }
    }
    assert!(compared >= 20, "only {compared} of the rows take the same rank");
}

#[test]
fn tolerance_factors_are_rs_to_nine_digits() {
    for row in table(R, "tolerance_factor") {
        let [n, coverage, confidence, expected] = numbers(&row).try_into().unwrap();
        relative(&row, tolerance::factor(n as usize, coverage, confidence).unwrap(), expected, 1e-9);
    }
}

#[test]
fn the_t_test_and_its_one_sided_bound_are_rs() {
    for row in table(R, "t_test") {
        let (x, expected) = (numbers(&row["x"]), |key: &str| row[key].as_f64().unwrap());
        let t = paired::paired_t(&x, 0.95).unwrap();
        relative(&row, t.t, expected("t"), 1e-12);
        relative(&row, t.p, expected("p"), 1e-10);
        relative(&row, t.low_log, expected("low"), 1e-10);
        relative(&row, t.high_log, expected("high"), 1e-10);
        relative(&row, clustered::upper_bound(&x, 0.95).unwrap().upper, expected("upper95"), 1e-10);
    }
}

#[test]
fn clopper_pearson_is_rs() {
    for row in table(R, "clopper_pearson") {
        let [k, n, confidence, low, high, one_sided] = numbers(&row).try_into().unwrap();
        let both = proportion::clopper_pearson(k as u64, n as u64, confidence).unwrap();
        relative(&row, both.low, low, 1e-10);
        relative(&row, both.high, high, 1e-10);
        relative(&row, proportion::upper_bound(k as u64, n as u64, confidence).unwrap(), one_sided, 1e-10);
    }
}

#[test]
fn adjusted_p_values_are_rs() {
    for row in table(R, "adjusted") {
        let p = numbers(&row["p"]);
        for (name, ours) in [("holm", multiple::holm(&p)), ("bh", multiple::benjamini_hochberg(&p))] {
            for (ours, expected) in ours.unwrap().iter().zip(numbers(&row[name])) {
                relative((name, &p), *ours, expected, 1e-14);
            }
        }
    }
}

#[test]
fn quantiles_are_rs_type_1() {
    for row in table(R, "quantile") {
        let sample = Sample::new(integers(&row["values"])).unwrap();
        let parts = row["per_ten_thousand"].as_f64().unwrap();
        assert_eq!(sample.quantile_ns(level(parts)), row["quantile"].as_u64().unwrap(), "{row}");
    }
}

#[test]
fn power_is_rs_to_nine_decimals() {
    for row in table(R, "power") {
        let [n, shift, alpha, expected] = numbers(&row).try_into().unwrap();
        absolute(&row, paired::power(n as usize, shift, alpha).unwrap(), expected, 1e-9);
    }
}
