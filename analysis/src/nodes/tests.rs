use crate::test_support::{Ask, Said, Script, answer, honest};

/// A millisecond a token, one percent quicker to slower from round to round; the last three
/// rounds `slower` times as long, where another host measures.
fn on_two_hosts(slower: f64) -> Script {
    let baseline = move |ask: &Ask| {
        let around = [990_000.0, 1_000_000.0, 1_010_000.0][(ask.round as usize - 1) % 3];
        let step = if ask.round > 3 { around * slower } else { around };
        Said::ids(&answer(ask.request, ask.max_tokens), step as u64, ask.max_tokens)
    };
    let mut script = Script::new(baseline).arm("fast", honest(900_000));
    script.host = |round| if round > 3 { "n2" } else { "n1" };
    script
}

#[test]
fn a_host_whose_baselines_are_a_tenth_slower_is_named_with_the_hand_worked_interval() {
    let nodes = on_two_hosts(1.1).seal().judge().baseline.nodes;
    assert_eq!(
        nodes.iter().map(|n| (n.host.as_str(), n.blocks, n.slow)).collect::<Vec<_>>(),
        [("n1", 3, false), ("n2", 3, true)]
    );
    // scipy.stats.ttest_ind of ln(.99, 1, 1.01) and of these plus ln 1.1, unequal variances, at
    // 97.5 %: two hosts share the 5 %.
    let slow = &nodes[1];
    let near = |value: Option<f64>, expected: f64| (value.unwrap() - expected).abs() < 1e-5;
    assert!(near(slow.ratio, 1.1) && near(slow.low, 1.069_049) && near(slow.high, 1.131_847), "{slow:?}");
    assert!(near(nodes[0].ratio, 1.0 / 1.1));
    assert!(near(slow.closing_opening, 1.0), "opening and closing baselines are as fast");
}

#[test]
fn hosts_that_differ_by_less_than_their_rounds_are_not_named() {
    let nodes = on_two_hosts(1.005).seal().judge().baseline.nodes;
    assert_eq!(nodes.iter().map(|n| n.slow).collect::<Vec<_>>(), [false, false]);
    assert!(nodes[1].low.unwrap() < 1.0 && nodes[1].high.unwrap() > 1.0);
}

#[test]
fn a_run_on_one_host_has_nothing_to_tell_of_hosts() {
    let mut script = on_two_hosts(1.1);
    script.host = |_| "n1";
    assert_eq!(script.seal().judge().baseline.nodes, []);
}

#[test]
fn a_host_with_one_block_has_no_ratio() {
    let mut script = on_two_hosts(1.1);
    script.host = |round| if round == 6 { "n2" } else { "n1" };
    let nodes = script.seal().judge().baseline.nodes;
    assert_eq!((nodes[1].blocks, nodes[1].ratio, nodes[1].slow), (1, None, false));
}
