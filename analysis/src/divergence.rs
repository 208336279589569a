//! Where free-running texts part: information for the reader, and no part of a verdict, since
//! honest servers diverge. Rules: `METHOD.md`, section *Divergence*.

use lab::{plan::Role, workload::BASELINE};

use crate::{
    judgement::{Divergence, Parting},
    study::{Response, Study, Trial},
};

/// Examples that are kept.
const EXAMPLES: usize = 5;
/// Characters that are kept before and after two texts part.
const AROUND: usize = 48;

/// An arm's texts beside those of the opening baseline of the same block, over requests that
/// both completed; for the baseline, the closing one's. None without such a request.
pub(crate) fn of(study: &Study, arm: &str) -> Option<Divergence> {
    let role = if arm == BASELINE { Role::Closing } else { Role::Candidate };
    let (mut requests, mut parted, mut examples) = (0, Vec::new(), Vec::new());
    for trial in study.completed(arm).filter(|t| t.plan.role == role) {
        let pairs = pairs(study, trial);
        requests += pairs.len() as u64;
        let parting: Vec<(u64, _, _)> = pairs.into_iter().filter_map(|(a, b)| Some((first(a, b)?, a, b))).collect();
        parted.extend(parting.iter().map(|(shared, ..)| *shared));
        let earliest = parting.into_iter().min_by_key(|(shared, own, _)| (*shared, own.request));
        examples.extend(earliest.map(|(shared, own, other)| example(trial, shared, own, other)));
    }
    parted.sort_unstable();
    examples.sort_by_key(|example: &Parting| example.shared_characters);
    examples.truncate(EXAMPLES);
    (requests > 0).then(|| Divergence {
        requests,
        identical: requests - parted.len() as u64,
        median_shared_characters: parted.get(parted.len().div_ceil(2).saturating_sub(1)).copied(),
        examples,
    })
}

/// What two texts share, as much of it as helps, and how each goes on.
fn example(trial: &Trial, shared: u64, own: &Response, other: &Response) -> Parting {
    let shared = shared as usize;
    let after = |text: &str| text.chars().skip(shared).take(AROUND).collect();
    Parting {
        trial: trial.folder.clone(),
        request: own.request,
        shared_characters: shared as u64,
        shared: own.text.chars().take(shared).skip(shared.saturating_sub(AROUND)).collect(),
        own: after(&own.text),
        baseline: after(&other.text),
    }
}

fn pairs<'a>(study: &'a Study, trial: &'a Trial) -> Vec<(&'a Response, &'a Response)> {
    let Some(opening) = study.baselines_beside(trial).find(|t| t.plan.role == Role::Opening) else { return Vec::new() };
    let both = trial.responses.iter().filter_map(|own| Some((own, opening.response(own.request)?)));
    both.filter(|(own, other)| own.complete() && other.complete()).collect()
}

/// Characters before the first that differs; none where the texts are equal.
fn first(a: &Response, b: &Response) -> Option<u64> {
    let same = a.text.chars().zip(b.text.chars()).take_while(|(a, b)| a == b).count() as u64;
    (a.text != b.text).then_some(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Ask, Said, Script, answer, honest, text_of};

    #[test]
    fn equal_texts_are_identical_and_others_part_at_a_character() {
        let odd = |ask: &Ask| {
            let mut ids = answer(ask.request, ask.max_tokens);
            if ask.request.is_multiple_of(2) {
                ids[3] = if ids[3] == 11 { 12 } else { 11 };
            }
            Said::ids(&ids, 1_000_000, ask.max_tokens)
        };
        let mut script = Script::new(honest(1_000_000)).arm("odd", odd);
        (script.rounds, script.requests) = (1, 3);
        let study = script.seal().study();
        let found = of(&study, "odd").unwrap();
        // Requests 1 to 3 of the round; the second parts at its fourth token.
        assert_eq!((found.requests, found.identical), (3, 2));
        let own = &study.completed("odd").next().unwrap().response(2).unwrap().text;
        let other = &study.completed(BASELINE).next().unwrap().response(2).unwrap().text;
        let shared = own.chars().zip(other.chars()).take_while(|(a, b)| a == b).count() as u64;
        assert_eq!(found.median_shared_characters, Some(shared));
        let three: usize = answer(2, 3).iter().map(|id| text_of(*id).chars().count()).sum();
        assert!(shared >= three as u64 && own != other);
        let [example] = found.examples.as_slice() else { panic!("{found:?}") };
        assert_eq!((example.request, example.shared_characters), (2, shared));
        let tail = |text: &str| text.chars().rev().take(48).collect::<Vec<_>>().into_iter().rev().collect::<String>();
        assert_eq!(example.shared, tail(&own.chars().take(shared as usize).collect::<String>()));
        let after = |text: &str| text.chars().skip(shared as usize).take(48).collect::<String>();
        assert_eq!((&example.own, &example.baseline), (&after(own), &after(other)));
        let itself = of(&study, BASELINE).unwrap();
        assert_eq!((itself.requests, itself.identical, itself.median_shared_characters), (3, 3, None));
    }

    #[test]
    fn nothing_complete_is_nothing_to_compare() {
        let mut script = Script::new(honest(1_000_000)).arm("dead", |_: &Ask| Said::error());
        script.rounds = 1;
        assert_eq!(of(&script.seal().study(), "dead"), None);
    }
}
