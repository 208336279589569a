//! The public scores of Cacheon V1 (May and June 2026), exactly as its validators computed them,
//! so that published rounds can be held beside ours. Information: they decide nothing here.
//!
//! A prompt's **entries** are what V1 counted as tokens: every element of `logprobs.content`, also
//! an empty one; where a server sends none, every piece of content. All offsets count from the send.
//! The score of no prompts has no answer (V1 said 0).

mod gates;
mod similarity;

pub use gates::{Forced, Top, first_divergence, match_rate, near_ties, teacher_forcing};
pub use similarity::similarity;

/// One server's answer to one prompt, in nanoseconds from the send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream<'a> {
    /// When the first content that is not empty came: TTFT of `v1-launch`.
    pub first_content_ns: u64,
    /// When the last content that is not empty came.
    pub last_content_ns: u64,
    /// When each counted entry came, in order; at least one.
    pub entries_ns: &'a [u64],
}

/// Both answers to one prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The baseline's.
    pub baseline: Stream<'a>,
    /// The candidate's.
    pub candidate: Stream<'a>,
}

impl Stream<'_> {
    fn count(&self) -> usize {
        self.entries_ns.len()
    }

    /// When entry `k` (from 1) came, in ns; none where fewer came.
    fn entry(&self, k: usize) -> Option<f64> {
        self.entries_ns.get(k.checked_sub(1)?).map(|ns| *ns as f64)
    }

    /// Entries over the time from the first to the last content; 0 for one entry, or where that
    /// time is 0. A burst makes it as large as it likes.
    fn launch_rate(&self) -> f64 {
        let time = self.last_content_ns.saturating_sub(self.first_content_ns);
        if time > 0 && self.count() > 1 { self.count() as f64 / time as f64 } else { 0.0 }
    }

    /// N / (t_N − t_1) for the baseline's count N of two or more; 0 where the answer is shorter.
    fn aligned_rate(&self, count: usize) -> f64 {
        let time = self.entry(count).zip(self.entry(1)).map_or(0.0, |(last, first)| last - first);
        if time > 0.0 { count as f64 / time } else { 0.0 }
    }
}

/// `v1-launch`, from 8 May: half the improvement of the median TTFT, to the first content, and half
/// that of the median rate, entries / (t_last − t_first) of content:
/// ½ · max(0, (bTTFT − mTTFT)/bTTFT) + ½ · max(0, (mTPS − bTPS)/bTPS). No upper limit.
pub fn v1_launch(pairs: &[Pair<'_>]) -> Option<f64> {
    composite(pairs, |stream| Some(stream.first_content_ns as f64), |stream, _| stream.launch_rate())
}

/// `v1-aligned-tps`, from 22 May: as `v1-launch`, with TTFT to the first entry and the rate over the
/// baseline's number of entries N, N / (t_N − t_1); an answer with fewer has the rate 0.
pub fn v1_aligned_tps(pairs: &[Pair<'_>]) -> Option<f64> {
    composite(pairs, |stream| stream.entry(1), |stream, baseline| stream.aligned_rate(baseline))
}

/// `v1-e2e`, from 30 May and final: with k the smaller number of entries, the median over prompts of
/// max(0, (b − m)/b), where b and m are the times to entry k; 0 for a prompt whose k is below
/// max(2, ⌈0.9 · N⌉) of the baseline's N entries (below 1 where N is 1).
pub fn v1_e2e(pairs: &[Pair<'_>]) -> Option<f64> {
    median(pairs.iter().map(|pair| e2e_gain(pair).unwrap_or(0.0)).collect())
}

fn e2e_gain(pair: &Pair<'_>) -> Option<f64> {
    let (all, own) = (pair.baseline.count(), pair.candidate.count());
    let k = all.min(own);
    // Two of two, and one of one: V1's least of 2 changes nothing.
    let least = (9 * all).div_ceil(10);
    let times = pair.baseline.entry(k).zip(pair.candidate.entry(k)).filter(|_| k >= least)?;
    Some(gain(times.0, times.1))
}

/// Half the gain in the median TTFT, half that in the median rate, each at least 0.
fn composite(
    pairs: &[Pair<'_>],
    ttft: impl Fn(&Stream<'_>) -> Option<f64>,
    rate: impl Fn(&Stream<'_>, usize) -> f64,
) -> Option<f64> {
    let of = |value: &dyn Fn(&Pair<'_>) -> Option<f64>| median(pairs.iter().map(value).collect::<Option<_>>()?);
    let first = [of(&|p| ttft(&p.baseline))?, of(&|p| ttft(&p.candidate))?];
    let count = |pair: &Pair<'_>| pair.baseline.count();
    let rates = [of(&|p| Some(rate(&p.baseline, count(p))))?, of(&|p| Some(rate(&p.candidate, count(p))))?];
    let faster = if rates[0] > 0.0 { ((rates[1] - rates[0]) / rates[0]).max(0.0) } else { 0.0 };
    crate::sum::finite(0.5 * gain(first[0], first[1]) + 0.5 * faster)
}

/// max(0, (baseline − candidate) / baseline); 0 where the baseline is 0.
fn gain(baseline: f64, candidate: f64) -> f64 {
    if candidate < baseline { (baseline - candidate) / baseline } else { 0.0 }
}

/// The middle value, or the mean of the two middle ones, as Python's `statistics.median`; scores are
/// no latencies, whose quantiles are observed values. `None` for no values, or one that is not finite.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let upper = *values.get(half)?;
    let middle = if values.len() % 2 == 1 { upper } else { (values[half - 1] + upper) / 2.0 };
    values.iter().all(|v| v.is_finite()).then_some(middle).and_then(crate::sum::finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(tokens: u64, step: u64) -> Vec<u64> {
        (1..=tokens).map(|i| i * step).collect()
    }

    fn stream(entries_ns: &[u64]) -> Stream<'_> {
        Stream { first_content_ns: entries_ns[0], last_content_ns: *entries_ns.last().unwrap(), entries_ns }
    }

    fn pair<'a>(baseline: &'a [u64], candidate: &'a [u64]) -> [Pair<'a>; 1] {
        [Pair { baseline: stream(baseline), candidate: stream(candidate) }]
    }

    #[test]
    fn who_takes_half_the_time_scores_half_end_to_end_and_three_quarters_at_launch() {
        let (slow, quick) = (steady(100, 20), steady(100, 10));
        let pairs = pair(&slow, &quick);
        assert_eq!(v1_e2e(&pairs), Some(0.5));
        // TTFT 10 instead of 20, and twice the rate: ½ · ½ + ½ · 1.
        assert_eq!((v1_launch(&pairs), v1_aligned_tps(&pairs)), (Some(0.75), Some(0.75)));
        let reversed = pair(&quick, &slow);
        assert_eq!((v1_e2e(&reversed), v1_launch(&reversed)), (Some(0.0), Some(0.0)), "noise below 0 became 0");
    }

    #[test]
    fn a_buffered_burst_scored_2549_at_launch_and_nothing_end_to_end() {
        // 256 tokens, 20 ms each; the burst holds all until the end and lets them go within 1 ms.
        let honest = steady(256, 20_000_000);
        let burst: Vec<u64> = (0..256).map(|i| 5_120_000_000 + i * 1_000_000 / 255).collect();
        let pairs = pair(&honest, &burst);
        assert_eq!(v1_launch(&pairs), Some(2_549.5));
        assert_eq!(v1_e2e(&pairs), Some(0.0));
    }

    #[test]
    fn stuffed_empty_entries_scored_0_70_under_the_final_rules() {
        // 145 words at the honest pace, then 367 empty entries in one chunk.
        let honest: Vec<u64> = (0..512).map(|i| 600 + i * 25).collect();
        let mut stuffed = honest[..145].to_vec();
        stuffed.resize(512, honest[144]);
        let score = v1_e2e(&pair(&honest, &stuffed)).unwrap();
        assert!((score - 0.685).abs() < 0.001, "{score}");
    }

    #[test]
    fn an_answer_below_nine_tenths_scores_nothing_and_a_shorter_one_has_no_aligned_rate() {
        let (whole, most, fewer) = (steady(10, 20), steady(9, 10), steady(8, 10));
        assert_eq!(v1_e2e(&pair(&whole, &most)), Some(0.5));
        assert_eq!(v1_e2e(&pair(&whole, &fewer)), Some(0.0));
        assert_eq!(v1_e2e(&pair(&[20, 40], &[10])), Some(0.0));
        assert_eq!(v1_e2e(&pair(&[20, 40], &[10, 20])), Some(0.5));
        assert_eq!(v1_aligned_tps(&pair(&whole, &most)), Some(0.25), "what is left is the gain in TTFT");
    }

    #[test]
    fn one_entry_has_no_rate_and_no_prompt_has_no_score() {
        assert_eq!(v1_launch(&pair(&[20], &[10])), Some(0.25));
        assert_eq!(v1_e2e(&pair(&[20], &[10])), Some(0.5));
        assert_eq!((v1_launch(&[]), v1_aligned_tps(&[]), v1_e2e(&[])), (None, None, None));
        let silent = [Pair { baseline: stream(&[20]), candidate: Stream { entries_ns: &[], ..stream(&[10]) } }];
        assert_eq!((v1_e2e(&silent), v1_aligned_tps(&silent)), (Some(0.0), None));
        assert_eq!(v1_launch(&pair(&[0, 0], &[0, 0])), Some(0.0));
        assert_eq!(v1_launch(&pair(&[20], &[10, 15])), Some(0.25), "beside no rate, any is no gain");
        // One entry, though its content went on for a moment: would be ten times the baseline's rate.
        let moment = Stream { first_content_ns: 10, last_content_ns: 11, entries_ns: &[10] };
        let pairs = [Pair { baseline: stream(&[20, 40]), candidate: moment }];
        assert_eq!(v1_launch(&pairs), Some(0.25));
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_middle_ones() {
        assert_eq!(median(vec![4.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!((median(vec![]), median(vec![f64::NAN, 1.0])), (None, None));
    }
}
