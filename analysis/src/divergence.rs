//! Where free-running texts part: information for the reader, and no part of a verdict, since
//! honest servers diverge. Rules: `METHOD.md`, section *Divergence*.

use lab::{plan::Role, workload::BASELINE};

use crate::{
    judgement::Divergence,
    study::{Response, Study, Trial},
};

/// An arm's texts beside those of the opening baseline of the same block, over requests that
/// both completed; for the baseline, the closing one's. None without such a request.
pub(crate) fn of(study: &Study, arm: &str) -> Option<Divergence> {
    let role = if arm == BASELINE { Role::Closing } else { Role::Candidate };
    let own = study.completed(arm).filter(|t| t.plan.role == role);
    let shared: Vec<Option<u64>> = own.flat_map(|trial| pairs(study, trial)).map(|(a, b)| first(a, b)).collect();
    let mut parted: Vec<u64> = shared.iter().copied().flatten().collect();
    parted.sort_unstable();
    (!shared.is_empty()).then(|| Divergence {
        requests: shared.len() as u64,
        identical: (shared.len() - parted.len()) as u64,
        median_shared_characters: parted.get(parted.len().div_ceil(2).saturating_sub(1)).copied(),
    })
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
