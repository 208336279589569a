//! Every public number against scipy, statsmodels or 60-digit mpmath (`oracles/make_fixtures.py`);
//! in `tools` and `history`, against other instruments. The bounds written here are the accuracy that
//! the crate promises.
#![allow(clippy::unwrap_used)]

mod history;
mod tolerance;
mod tools;

use serde_json::Value;
use stats::quantile::{Level, Sample};
use stats::special::*;
use stats::{clustered, eprocess, multiple, paired, proportion, quantile, welch};

const SPECIAL: &str = include_str!("../../oracles/special.json");
const PROCEDURES: &str = include_str!("../../oracles/procedures.json");

/// The rows of one table.
fn table(file: &str, name: &str) -> Vec<Value> {
    let tables: Value = serde_json::from_str(file).unwrap();
    tables[name].as_array().unwrap_or_else(|| panic!("no table {name}")).clone()
}

/// A JSON array of numbers.
fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The rows of one table of `special.json`, inputs first, expected values last.
fn special<const N: usize>(name: &str) -> Vec<[f64; N]> {
    let rows: Vec<_> = table(SPECIAL, name).iter().map(numbers).collect();
    assert!(rows.len() >= 10, "{name} has become thin");
    rows.into_iter().map(|row| row.try_into().unwrap()).collect()
}

#[track_caller]
fn relative(what: impl std::fmt::Debug, ours: f64, expected: f64, bound: f64) {
    let error = (ours - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
    assert!(ours == expected || error <= bound, "{what:?}: {ours:e}, not {expected:e} ({error:.1e})");
}

#[track_caller]
fn absolute(what: impl std::fmt::Debug, ours: f64, expected: f64, bound: f64) {
    assert!((ours - expected).abs() <= bound, "{what:?}: {ours}, not {expected}");
}

#[test]
fn ln_gamma_agrees_to_14_digits() {
    for [x, expected] in special("ln_gamma") {
        relative(x, ln_gamma(x).unwrap(), expected, 1e-14);
    }
}

#[test]
fn both_tails_of_the_incomplete_beta_agree_to_11_digits_or_more() {
    for [a, b, x, lower, upper] in special("beta_inc") {
        // The public function promises the lower tail; its mirror is the upper.
        if lower < 0.9 {
            relative((a, b, x), beta_inc(a, b, x).unwrap(), lower, 1e-12);
        }
        if upper < 0.9 && x >= 0.25 {
            relative((a, b, x), beta_inc(b, a, 1.0 - x).unwrap(), upper, 1e-11);
        }
        absolute((a, b, x), beta_inc(a, b, x).unwrap(), lower, 1e-12);
    }
}

#[test]
fn the_normal_agrees_to_12_digits_and_its_inverse_to_13() {
    for [x, expected] in special("normal_cdf") {
        relative(x, normal_cdf(x).unwrap(), expected, 1e-12);
    }
    for [p, expected] in special("normal_quantile") {
        relative(p, normal_quantile(p).unwrap(), expected, 1e-13);
    }
}

#[test]
fn student_agrees_to_12_digits_in_both_directions() {
    for [t, df, expected] in special("student_tail") {
        relative((t, df), student_t_tail(t, df).unwrap(), expected, 1e-12);
        relative((t, df), student_t_cdf(-t, df).unwrap(), expected, 1e-12);
        relative((t, df), student_t_cdf(t, df).unwrap(), 1.0 - expected, 1e-14);
    }
    for [p, df, expected] in special("student_quantile") {
        relative((p, df), student_t_quantile(p, df).unwrap(), expected, 1e-12);
    }
}

#[test]
fn the_noncentral_t_agrees_to_12_decimals() {
    for [t, df, delta, expected] in special("noncentral_t_cdf") {
        absolute((t, df, delta), noncentral_t_cdf(t, df, delta).unwrap(), expected, 1e-12);
    }
}

#[test]
fn binomial_tails_agree_to_11_digits() {
    for [k, n, p, expected] in special("binomial") {
        let (count, trials) = (k as u64, n as u64);
        let cdf = binomial_cdf(count, trials, p).unwrap();
        relative((k, n, p), cdf, expected, 1e-11);
        absolute((k, n, p), binomial_tail(count + 1, trials, p).unwrap(), 1.0 - expected, 1e-12);
    }
}

#[test]
fn paired_t_tost_and_sign_flips_agree_with_scipy_and_statsmodels() {
    for row in table(PROCEDURES, "paired") {
        let x = numbers(&row["x"]);
        let expected = |key: &str| row[key].as_f64().unwrap();
        let t = paired::paired_t(&x, 0.95).unwrap();
        relative(&x, t.mean_log, expected("mean"), 1e-12);
        relative(&x, t.sd_log, expected("sd"), 1e-12);
        relative(&x, t.t, expected("t"), 1e-12);
        relative(&x, t.p, expected("p"), 1e-10);
        relative(&x, t.low_log, expected("low"), 1e-10);
        relative(&x, t.high_log, expected("high"), 1e-10);
        let tost = paired::tost(&x, 0.05, 0.05).unwrap();
        relative(&x, tost.interval.low_log, expected("low90"), 1e-10);
        relative(&x, tost.interval.high_log, expected("high90"), 1e-10);
        relative(&x, tost.p, expected("tost_p"), 1e-10);
        relative(&x, paired::sign_flip_p(&x).unwrap(), expected("flip_p"), 1e-14);
    }
}

#[test]
fn the_detectable_effect_agrees_with_statsmodels() {
    for row in table(PROCEDURES, "detectable") {
        let [n, sd, alpha, power, expected] = numbers(&row).try_into().unwrap();
        let log = paired::detectable_log(n as usize, sd, alpha, power).unwrap();
        relative(&row, log, expected, 1e-5); // no further: see the power table below
        let reached = paired::power(n as usize, log / sd, alpha).unwrap();
        absolute(&row, reached, power, 1e-12);
    }
}

#[test]
fn power_agrees_with_the_integral_to_12_decimals() {
    for row in table(PROCEDURES, "power") {
        let [n, shift, alpha, expected] = numbers(&row).try_into().unwrap();
        absolute(&row, paired::power(n as usize, shift, alpha).unwrap(), expected, 1e-12);
    }
}

#[test]
fn clopper_pearson_agrees_with_its_defining_equations() {
    for row in table(PROCEDURES, "clopper_pearson") {
        let [k, n, confidence, low, high] = numbers(&row).try_into().unwrap();
        let ours = proportion::clopper_pearson(k as u64, n as u64, confidence).unwrap();
        relative(&row, ours.low, low, 1e-10);
        relative(&row, ours.high, high, 1e-10);
        let one_sided = 0.5 * (1.0 + confidence);
        let upper = proportion::upper_bound(k as u64, n as u64, one_sided).unwrap();
        let lower = proportion::lower_bound(k as u64, n as u64, one_sided).unwrap();
        relative(&row, upper, high, 1e-10);
        relative(&row, lower, low, 1e-10);
    }
}

#[test]
fn adjusted_p_values_agree_with_statsmodels() {
    for row in table(PROCEDURES, "multiple") {
        let p = numbers(&row["p"]);
        let both = [("holm", multiple::holm(&p)), ("bh", multiple::benjamini_hochberg(&p))];
        for (name, ours) in both {
            for (ours, expected) in ours.unwrap().iter().zip(numbers(&row[name])) {
                relative((name, &p), *ours, expected, 1e-14);
            }
        }
    }
}

#[test]
fn e_bh_agrees_with_the_procedure_as_published() {
    for row in table(PROCEDURES, "e_bh") {
        let ln_e = numbers(&row["ln_e"]);
        let ours = multiple::e_benjamini_hochberg(&ln_e).unwrap();
        for (ours, expected) in ours.iter().zip(numbers(&row["adjusted"])) {
            absolute(&ln_e, *ours, expected, 1e-13);
        }
    }
}

#[test]
fn welch_agrees_with_scipy() {
    let rows = table(PROCEDURES, "welch");
    assert_eq!(rows.len(), 10);
    for row in rows {
        let (x, y) = (numbers(&row["x"]), numbers(&row["y"]));
        let expected = |key: &str| row[key].as_f64().unwrap();
        let ours = welch::welch(&x, &y, 0.95).unwrap();
        relative(&row, ours.t, expected("t"), 1e-11);
        relative(&row, ours.df, expected("df"), 1e-12);
        relative(&row, ours.p, expected("p"), 1e-10);
        relative(&row, ours.low, expected("low"), 1e-10);
        relative(&row, ours.high, expected("high"), 1e-10);
        let (_, interval) = welch::tost(&x, &y, 0.05, 0.05).unwrap();
        relative(&row, interval.low, expected("low90"), 1e-10);
        relative(&row, interval.high, expected("high90"), 1e-10);
    }
}

#[test]
fn the_upper_bound_over_launches_agrees_with_scipy() {
    for row in table(PROCEDURES, "upper_bound") {
        let confidence = row["confidence"].as_f64().unwrap();
        let ours = clustered::upper_bound(&numbers(&row["means"]), confidence).unwrap();
        relative(&row, ours.upper, row["upper"].as_f64().unwrap(), 1e-10);
    }
}

#[test]
fn quantiles_are_numpys_inverted_cdf() {
    for row in table(PROCEDURES, "quantile") {
        let values = row["values"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap());
        let level = row["per_ten_thousand"].as_u64().unwrap() as u16;
        let level = Level::per_ten_thousand(level).unwrap();
        let ours = Sample::new(values.collect()).unwrap().quantile_ns(level);
        assert_eq!(ours, row["quantile"].as_u64().unwrap(), "{row}");
    }
}

#[test]
fn order_statistic_limits_agree_with_plain_counting() {
    for row in table(PROCEDURES, "limit_ranks") {
        let [n, level, confidence, lower, upper] = numbers(&row).try_into().unwrap();
        let level = Level::per_ten_thousand(level as u16).unwrap();
        let ours = quantile::limit_ranks(n as u64, level, confidence).unwrap();
        let rank = |r: f64| (r > 0.0).then_some(r as u64);
        assert_eq!(ours, (rank(lower), rank(upper)), "{row}");
    }
}

#[test]
fn the_printing_minimum_agrees_with_scipy() {
    for row in table(PROCEDURES, "needed_to_print") {
        let [level, expected] = numbers(&row).try_into().unwrap();
        let level = Level::per_ten_thousand(level as u16).unwrap();
        assert_eq!(quantile::needed_to_print(level), expected as u64, "{row}");
    }
}

#[test]
fn the_e_process_agrees_with_its_definition() {
    for row in table(PROCEDURES, "eprocess") {
        let (delta, grid) = (row["delta"].as_f64().unwrap(), row["grid"].as_u64().unwrap());
        let ours = eprocess::bet(&numbers(&row["x"]), delta, grid as usize).unwrap();
        let expected = numbers(&row["running_ln"]);
        assert_eq!(ours.running_ln.len(), expected.len());
        for (ours, expected) in ours.running_ln.iter().zip(expected) {
            absolute((delta, grid), *ours, expected, 1e-12);
        }
    }
}

/// The bits themselves, so that another machine, compiler or `libm` that differs is caught.
#[test]
fn the_bits_are_the_same_on_every_machine() {
    let logs = [0.051, 0.043, 0.060, 0.038, 0.055, 0.047];
    let t = paired::paired_t(&logs, 0.95).unwrap();
    let bits = [
        t.ratio(),
        t.low_ratio(),
        t.high_ratio(),
        t.p,
        paired::detectable_log(10, 0.04, 0.05, 0.8).unwrap(),
        proportion::upper_bound(7, 662, 0.95).unwrap(),
        eprocess::bet(&logs, 0.02, eprocess::GRID).unwrap().final_ln(),
    ]
    .map(f64::to_bits);
    let expected = [
        0x3ff0_cdb3_dac0_5a66,
        0x3ff0_a9a0_8a97_c7e4,
        0x3ff0_f215_45dc_93ca,
        0x3ef9_5ca0_78db_26e5,
        0x3fa4_65ea_695f_b034,
        0x3f94_3e55_c70c_8115,
        0x4004_b7a7_9855_786b,
    ];
    assert_eq!(bits, expected, "{bits:#018x?}");
}
