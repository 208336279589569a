//! TTFT, TPOT, ITL and E2EL of recorded streams, against numbers worked out without our code.

use std::collections::BTreeMap;

use lab::Nanos;

use crate::test_support::recorded::{folder, response, tokenizer};

/// A row of `metrics.json`, in ns; tokens and TPOT where they are known without a tokenizer.
#[derive(serde::Deserialize)]
struct Worked {
    tokens: Option<u32>,
    ttft: u64,
    tpot: Option<u64>,
    e2el: u64,
    gaps: Vec<u64>,
}

#[test]
fn latencies_of_recorded_streams_are_those_that_python_works_out() {
    let worked: BTreeMap<String, Worked> =
        serde_json::from_slice(&std::fs::read(folder().join("metrics.json")).unwrap()).unwrap();
    assert_eq!((worked.len(), worked.values().filter(|w| w.tpot.is_some()).count()), (15, 13));
    let tokenizer = tokenizer();
    for (name, expected) in worked {
        let response = response(&name, &tokenizer);
        assert_eq!(response.ttft(), Some(Nanos(expected.ttft)), "{name}");
        assert_eq!(response.e2el(), Nanos(expected.e2el), "{name}");
        assert_eq!(response.gaps().map(|gap| gap.0).collect::<Vec<_>>(), expected.gaps, "{name}");
        if let Some(tokens) = expected.tokens {
            assert_eq!((response.tokens(), response.tpot()), (tokens, expected.tpot.map(Nanos)), "{name}");
        }
    }
}

/// By hand from the files, in ns. vLLM, several tokens a chunk:
///
/// | read returned | what it brought |
/// |---|---|
/// | 5 457 740 | the head |
/// | 88 717 802 | the role; an id that is half of 🎉, without text |
/// | 346 931 124 | 🎉, four ids |
/// | 520 822 922 | 🎊 émigré, four ids |
/// | 560 742 001 | a full stop and the end of turn, two ids; usage; `[DONE]` |
///
/// Eleven ids: TPOT = (560 742 001 − 88 717 802) / 10 = 47 202 419.9.
///
/// llama.cpp, three tokens, the last chunk an end without output:
///
/// | read returned | what it brought |
/// |---|---|
/// | 3 200 113 | the head |
/// | 17 338 130 | the role; `L` |
/// | 31 343 889 | `'` |
/// | 46 060 149 | `É` |
/// | 46 207 919 | finish `length`; usage |
/// | 46 270 212 | `[DONE]` |
///
/// TPOT = (46 270 212 − 17 338 130) / 2 = 14 466 041.
#[test]
fn latencies_of_short_streams_are_those_worked_out_by_hand() {
    let tokenizer = tokenizer();
    let merged = response("vllm-cpu/merged_unicode", &tokenizer);
    assert_eq!((merged.ttft(), merged.e2el()), (Some(Nanos(88_717_802)), Nanos(560_742_001)));
    assert_eq!((merged.tokens(), merged.tpot()), (11, Some(Nanos(47_202_420))));
    assert_eq!(merged.gaps().map(|g| g.0).collect::<Vec<_>>(), [258_213_322, 173_891_798, 39_919_079]);
    let short = response("llama.cpp/length", &tokenizer);
    assert_eq!((short.ttft(), short.e2el()), (Some(Nanos(17_338_130)), Nanos(46_270_212)));
    assert_eq!((short.tokens(), short.tpot()), (3, Some(Nanos(14_466_041))));
    assert_eq!(short.gaps().map(|g| g.0).collect::<Vec<_>>(), [14_005_759, 14_716_260]);
}

#[test]
fn latencies_count_from_the_intended_send_and_gaps_and_tpot_do_not() {
    let tokenizer = tokenizer();
    let prompt = response("llama.cpp/length", &tokenizer);
    let mut late = prompt.clone();
    (late.intended_ns, late.sent_ns) = (Nanos(1_000_000), Nanos(3_000_000));
    assert_eq!((late.ttft(), late.e2el()), (Some(Nanos(16_338_130)), Nanos(45_270_212)));
    assert_eq!(late.tpot(), prompt.tpot());
    assert!(late.gaps().eq(prompt.gaps()));
}
