use crate::{
    judgement::{LoadFacts, Offered},
    test_support::{Ask, Said, Script, honest},
};

const STEP: u64 = 1_000_000;

fn baseline(gpus: &'static str, more: &'static str, say: impl Fn(&Ask) -> Said + 'static) -> LoadFacts {
    let mut script = Script::new(say);
    (script.rounds, script.matrix, script.more) = (1, gpus, more);
    script.seal().judge().loads.remove(0)
}

#[test]
fn a_million_tokens_cost_the_price_of_the_gpu_hours_they_took() {
    // Six answers of 20 tokens, a millisecond each: 120 tokens in 6 × (20 ms + 100 ns) + 6 µs.
    let facts = baseline("[matrix]\ngpus = [2]\n", "[cost]\ngpu_hour = 3.0", honest(STEP));
    let hours = (6.0 * 20_000_100.0 + 6_000.0) / 3.6e12;
    let expected = 3.0 * 2.0 * hours / 120.0 * 1e6;
    assert!((facts.cost_per_million_tokens.unwrap() - expected).abs() < 1e-9 * expected, "{facts:?}");
    assert_eq!(facts.joules_per_token, None, "nobody looked");
    assert_eq!(facts.offered, Some(Offered { value: 1.0, unit: "clients" }));
}

#[test]
fn there_is_no_cost_without_a_price_gpus_or_tokens() {
    let cost = |gpus, more| baseline(gpus, more, honest(STEP)).cost_per_million_tokens;
    assert_eq!(cost("[matrix]\ngpus = [2]\n", ""), None);
    assert_eq!(cost("[matrix]\ngpus = [0]\n", "[cost]\ngpu_hour = 3.0"), None);
    let failing = baseline("[matrix]\ngpus = [1]\n", "[cost]\ngpu_hour = 3.0", |_| Said::error());
    assert_eq!((failing.cost_per_million_tokens, failing.complete), (None, 0));
}
