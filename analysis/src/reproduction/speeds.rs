//! R2: each candidate's verdict and speed-up in two independent runs.

use lab::Result;

use super::{Candidate, Word};
use crate::{
    compare::{self, Arms, Contrast, Side},
    judgement::{Sameness, Verdict},
    study::Study,
};

/// The declared margin, and each candidate's word.
///
/// # Errors
/// `NotComparable` where the runs have no contract in common.
pub(super) fn candidates(original: &Study, rerun: &Study) -> Result<(f64, Vec<Candidate>)> {
    let whole = |study| Side { study, arm: None };
    let found = compare::compare(whole(original), whole(rerun))?;
    let of_candidates = found.arms.into_iter().filter(|arms| arms.a != lab::workload::BASELINE);
    Ok((found.same_within, of_candidates.map(candidate).collect()))
}

fn candidate(arms: Arms) -> Candidate {
    let (word, why) = word(&arms);
    Candidate { name: arms.a, word, why, verdicts: arms.verdicts, speed_up: arms.overall }
}

fn word(arms: &Arms) -> (Word, String) {
    let speed = arms.overall.as_ref();
    match arms.verdicts {
        (Some(Verdict::Altered), Some(Verdict::Altered)) => {
            (Word::Reproduced, "altered in both runs; its speed does not count".into())
        }
        (Some(a), Some(b)) if a != b && a != Verdict::Undecided && b != Verdict::Undecided => {
            (Word::Contradicted, "the verdicts on its outputs contradict each other".into())
        }
        (a, b) => {
            let (word, why) = speed.map_or_else(|| (Word::Inconclusive, absent(arms)), |c| of_speed(c, arms));
            match word {
                // What one run left open is no second opinion.
                Word::Reproduced | Word::Consistent if a != b => {
                    (Word::Inconclusive, format!("one run leaves its outputs undecided; {why}"))
                }
                _ => (word, why),
            }
        }
    }
}

fn of_speed(contrast: &Contrast, arms: &Arms) -> (Word, String) {
    let Some(ratio) = contrast.ratio else {
        let why = if contrast.identical { "the same speed-up in every round, to the bit".into() } else { absent(arms) };
        return (if contrast.identical { Word::Reproduced } else { Word::Inconclusive }, why);
    };
    match ratio.same {
        Sameness::Same => (Word::Reproduced, "the speed-ups are the same within the declared margin".into()),
        Sameness::Different => (Word::Contradicted, "the speed-ups differ by more than the declared margin".into()),
        Sameness::Inconclusive => {
            let few = if ratio.powered { "" } else { ", and there are fewer rounds than a claim needs" };
            if ratio.low <= 1.0 && ratio.high >= 1.0 {
                (Word::Consistent, format!("the speed-ups may be equal; the same within the margin is not shown{few}"))
            } else {
                (
                    Word::Inconclusive,
                    format!(
                        "the speed-ups are not equal; neither the same within the margin nor different by it is shown{few}"
                    ),
                )
            }
        }
    }
}

fn absent(arms: &Arms) -> String {
    arms.note.clone().unwrap_or_else(|| "a run has no speed-up with an interval".into())
}

/// The word for all candidates together: the worst of them.
pub(super) fn in_all(candidates: &[Candidate]) -> (Word, String) {
    let of =
        |word: Word| -> Vec<&str> { candidates.iter().filter(|c| c.word == word).map(|c| c.name.as_str()).collect() };
    for word in [Word::Contradicted, Word::Inconclusive, Word::Consistent] {
        if let names @ [_, ..] = of(word).as_slice() {
            let (some, all) = (names.len(), candidates.len());
            return (word, format!("{some} of {all} candidates: {}", names.join(", ")));
        }
    }
    match candidates.len() {
        0 => (Word::Inconclusive, "the run has no candidate, so there is no verdict to reproduce".into()),
        1 => (Word::Reproduced, "its candidate has the same verdict and the same speed-up".into()),
        n => (Word::Reproduced, format!("all {n} candidates have the same verdict and the same speed-up")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Ratio;

    fn arms(a: Verdict, b: Verdict, speed: Option<(f64, f64, Sameness)>) -> Arms {
        let overall = speed.map(|(low, high, same)| {
            let ratio = Ratio {
                ratio: 0.5 * (low + high),
                low,
                high,
                confidence: 0.95,
                p: 0.5,
                adjusted_p: None,
                powered: true,
                same,
            };
            let (a, b) = (Some(1.2), Some(1.2));
            Contrast { metric: "speed-up", unit: "", a, b, rounds: (6, 6), identical: false, ratio: Some(ratio) }
        });
        let name = "c".to_owned();
        Arms { a: name.clone(), b: name, verdicts: (Some(a), Some(b)), overall, note: None, cells: Vec::new() }
    }

    #[test]
    fn the_words_of_the_rule_book() {
        use Verdict::{Altered, Equivalent, Undecided};
        let same = Some((0.99, 1.01, Sameness::Same));
        let different = Some((1.2, 1.3, Sameness::Different));
        let wide = Some((0.9, 1.1, Sameness::Inconclusive));
        let aside = Some((1.01, 1.09, Sameness::Inconclusive));
        let cases = [
            (Equivalent, Equivalent, same, Word::Reproduced),
            (Equivalent, Equivalent, different, Word::Contradicted),
            (Equivalent, Equivalent, wide, Word::Consistent),
            (Equivalent, Equivalent, aside, Word::Inconclusive),
            (Equivalent, Equivalent, None, Word::Inconclusive),
            (Equivalent, Altered, same, Word::Contradicted),
            (Altered, Equivalent, None, Word::Contradicted),
            // The speed of altered outputs counts in no run.
            (Altered, Altered, different, Word::Reproduced),
            (Altered, Altered, None, Word::Reproduced),
            // Undecided is no verdict that anything could contradict, and none that is confirmed.
            (Undecided, Equivalent, same, Word::Inconclusive),
            (Altered, Undecided, wide, Word::Inconclusive),
            (Undecided, Equivalent, different, Word::Contradicted),
            (Undecided, Undecided, same, Word::Reproduced),
        ];
        for (a, b, speed, expected) in cases {
            let (found, why) = word(&arms(a, b, speed));
            assert_eq!(found, expected, "{a:?} {b:?} {speed:?}: {why}");
            assert!(!why.is_empty());
        }
    }

    #[test]
    fn the_word_in_all_is_the_worst_and_names_whose_it_is() {
        let of = |words: &[Word]| {
            let candidates: Vec<Candidate> = words
                .iter()
                .zip(["a", "b", "c"])
                .map(|(word, name)| Candidate {
                    name: name.into(),
                    word: *word,
                    why: String::new(),
                    verdicts: (None, None),
                    speed_up: None,
                })
                .collect();
            in_all(&candidates)
        };
        assert_eq!(of(&[Word::Reproduced, Word::Reproduced]).0, Word::Reproduced);
        assert_eq!(of(&[Word::Reproduced, Word::Consistent]), (Word::Consistent, "1 of 2 candidates: b".into()));
        assert_eq!(of(&[Word::Inconclusive, Word::Consistent]).0, Word::Inconclusive);
        let (word, why) = of(&[Word::Contradicted, Word::Consistent, Word::Contradicted]);
        assert_eq!((word, why.as_str()), (Word::Contradicted, "2 of 3 candidates: a, c"));
        assert_eq!(of(&[]).0, Word::Inconclusive);
    }
}
