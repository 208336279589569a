//! Whether ids are those of the text that came.

use super::*;

#[test]
fn ids_that_are_not_the_texts() {
    let typo = |ask: &Ask| {
        let mut said = full(ask);
        said.parts[3].text = text_of(word(1));
        said
    };
    assert_eq!(of(typo), ["ids-match-text"]);
    let other = |ask: &Ask| {
        let mut said = full(ask);
        (0..).zip(&mut said.parts).for_each(|(i, p)| p.text = text_of(word(3 * i + 1)));
        said
    };
    assert_eq!(of(other), ["ids-match-text", "ids-of-another-text"]);
}

#[test]
fn the_first_character_that_differs_is_told() {
    let typo = |ask: &Ask| {
        let mut said = full(ask);
        said.parts[3].text = " xyz".into();
        said
    };
    // Three words of five characters and a space; no word has an x.
    let example = &checks(full, typo)["ids-match-text"].examples[0];
    assert!(example.contains("from character 16 the ids say `") && example.contains("the text `xyz "), "{example}");
}

/// Words that are not among those of an answer.
fn others(ids: &[u32]) -> impl Iterator<Item = u32> {
    (0..1_000).map(word).filter(|id| !ids.contains(id))
}

#[test]
fn half_of_the_tokens_in_common_are_enough_and_fewer_are_not() {
    let common = |n: usize| {
        move |ask: &Ask| {
            let mut said = full(ask);
            let ids: Vec<u32> = said.parts.iter().flat_map(|p| p.ids.clone()).collect();
            said.parts.iter_mut().skip(n).zip(others(&ids)).for_each(|(part, other)| part.text = text_of(other));
            said
        }
    };
    assert_eq!(of(common(10)), ["ids-match-text"]);
    assert_eq!(of(common(9)), ["ids-match-text", "ids-of-another-text"]);
}

#[test]
fn one_id_is_not_in_common_with_every_repetition_of_it() {
    let again = |ask: &Ask| {
        let mut said = full(ask);
        let first = said.parts[0].text.clone();
        said.parts.iter_mut().for_each(|p| p.text.clone_from(&first));
        said
    };
    assert_eq!(of(again), ["ids-match-text", "ids-of-another-text"]);
}

#[test]
fn of_text_that_is_longer_than_its_ids_all_tokens_count_where_all_ids_were_kept() {
    // Eighteen ids for twenty tokens of text: ten others first, then ten of the ids.
    let longer = |ask: &Ask| {
        let mut said = full(ask);
        said.parts[..2].iter_mut().for_each(|p| p.ids.clear());
        let ids: Vec<u32> = said.parts.iter().flat_map(|p| p.ids.clone()).collect();
        said.parts.iter_mut().zip(others(&ids)).take(10).for_each(|(part, other)| part.text = text_of(other));
        said
    };
    assert_eq!(of(longer), ["ids-match-text"]);
}

#[test]
fn text_of_more_tokens_than_ids_is_of_the_ids_where_half_of_them_are_in_it() {
    // Twelve ids for twenty tokens of text, of which the first `n` ids' words and others.
    let longer = |n: usize| {
        move |ask: &Ask| {
            let mut said = full(ask);
            let ids: Vec<u32> = said.parts.iter().flat_map(|p| p.ids.clone()).collect();
            said.parts[12..].iter_mut().for_each(|p| p.ids.clear());
            said.parts.iter_mut().skip(n).zip(others(&ids)).for_each(|(part, other)| part.text = text_of(other));
            said
        }
    };
    assert_eq!(of(longer(6)), ["ids-match-text"]);
    assert_eq!(of(longer(5)), ["ids-match-text", "ids-of-another-text"]);
}

#[test]
fn of_ids_for_less_than_half_of_the_text_nothing_is_said() {
    let with_ids = |n: usize| {
        move |ask: &Ask| {
            let mut said = full(ask);
            let ids: Vec<u32> = said.parts.iter().flat_map(|p| p.ids.clone()).collect();
            said.parts[n..].iter_mut().for_each(|p| p.ids.clear());
            said.parts.iter_mut().zip(others(&ids)).for_each(|(part, other)| part.text = text_of(other));
            said
        }
    };
    assert_eq!(of(with_ids(10)), ["ids-match-text", "ids-of-another-text"]);
    assert_eq!(of(with_ids(9)), ["ids-match-text"]);
}

#[test]
fn only_what_ends_the_baselines_own_turns_is_an_end_token() {
    // The special token 1 ends turns of the candidate, and answers of the baseline that are cut off.
    let turn = |ask: &Ask| match ask.request % 3 {
        0 => Said::ids(&[answer(ask.request, 19), vec![1]].concat(), STEP, ask.max_tokens),
        _ => eight(ask),
    };
    let odd = move |ask: &Ask| match ask.request % 3 {
        1 => {
            let mut said = Said::ids(&[answer(ask.request, 8), vec![1]].concat(), STEP, ask.max_tokens);
            said.parts.pop();
            Said { claimed_output: Some(9), ..said }
        }
        2 => Said::ids(&[answer(ask.request, 4), vec![1], answer(ask.request, 4)].concat(), STEP, ask.max_tokens),
        _ => turn(ask),
    };
    assert_eq!(holding(&checks(turn, odd)), ["stop-has-end-token"]);
}

#[test]
fn ids_that_a_server_holds_back_are_not_of_another_text() {
    let sparse = |ask: &Ask| {
        let mut said = full(ask);
        said.parts.iter_mut().step_by(2).for_each(|p| p.ids.clear());
        said
    };
    assert_eq!(of(sparse), ["ids-match-text"]);
}

#[test]
fn text_that_is_held_back_and_cut_characters_still_match() {
    let held = |ask: &Ask| {
        let mut said = full(ask);
        let first = std::mem::take(&mut said.parts[0].text);
        said.parts[1].text.insert_str(0, &first);
        // The first two of three bytes of a character.
        said.parts[19] =
            crate::test_support::Part { ids: vec![3 + 0xe4], text: String::new(), ..said.parts[19].clone() };
        said
    };
    assert_eq!(of(held), [""; 0]);
}
