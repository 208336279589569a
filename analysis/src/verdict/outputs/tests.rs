use super::*;

const TOLERANCE: Tolerance = Tolerance { cap_nats: 0.5, mean: 0.02, far: 0.2 };

/// Margins with these upper bounds: of the mean over requests and over tokens, and of the far ones.
fn with(upper_x: f64, upper_x_by_tokens: f64, upper_far: f64) -> Equivalence {
    Equivalence {
        requests: 24,
        tokens: 480,
        launches: 6,
        from_ids: 24,
        mean_margin_nats: 0.0,
        max_margin_nats: 0.0,
        not_first: 0,
        mean_x: 0.0,
        upper_x: Some(upper_x),
        mean_x_by_tokens: 0.0,
        upper_x_by_tokens: Some(upper_x_by_tokens),
        far_requests: 0,
        upper_far,
        confidence: 0.95,
        ln_e: 0.0,
        requests_to_suspect: None,
        stages: Vec::new(),
        worst: Vec::new(),
    }
}

fn codes(e: &Equivalence) -> Vec<&'static str> {
    bounds(e, TOLERANCE, "").iter().map(|reason| reason.code).collect()
}

#[test]
fn a_bound_that_equals_its_tolerance_is_not_below_it() {
    let (mean, far) = (TOLERANCE.mean.next_down(), TOLERANCE.far.next_down());
    assert_eq!(codes(&with(mean, mean, far)), [""; 0]);
    assert_eq!(codes(&with(0.02, mean, far)), ["mean-not-below-tolerance"]);
    assert_eq!(codes(&with(mean, 0.02, far)), ["long-answers-not-below-tolerance"]);
    assert_eq!(codes(&with(mean, mean, 0.2)), ["far-not-below-tolerance"]);
}

#[test]
fn long_answers_are_told_only_where_the_mean_over_requests_passes() {
    assert_eq!(codes(&with(0.02, 0.03, 0.1)), ["mean-not-below-tolerance"]);
    assert_eq!(codes(&with(0.03, 0.03, 0.1)), ["mean-not-below-tolerance"]);
}

#[test]
fn without_a_bound_over_launches_the_verdict_is_open() {
    let one = Equivalence { upper_x: None, upper_x_by_tokens: None, launches: 1, ..with(0.0, 0.0, 0.1) };
    assert_eq!(codes(&one), ["one-launch"]);
}

#[test]
fn numbers_are_written_as_people_write_them() {
    assert_eq!([0.02, 0.5, 3.0, 0.000_012].map(short), ["0.02", "0.5", "3", "0.00001"]);
    assert_eq!(
        [7, 999, 1_000, 3_072, 123_456, 1_234_567].map(grouped),
        ["7", "999", "1,000", "3,072", "123,456", "1,234,567"]
    );
}
