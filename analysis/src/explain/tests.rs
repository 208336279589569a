use lab::{Kind, records::ReferenceRow};

use super::*;
use crate::{
    judgement::Verdict,
    report::explanation,
    test_support::{Ask, Said, Script, Sealed, honest},
};

fn explained(sealed: &Sealed, name: &str) -> Result<Explanation> {
    let study = sealed.study();
    explain(&study, &crate::judge(&study), name)
}

/// A candidate whose every third token is far from the reference.
fn far() -> Script {
    Script::new(honest(1_000_000))
        .arm("fast", honest(900_000))
        .margins("fast", |_, position| if position % 3 == 1 { 3.0 + position as f64 / 100.0 } else { 0.0 })
}

#[test]
fn margins_lead_to_the_rows_of_the_grade_that_hold_them() {
    let sealed = far().seal();
    let explanation = explained(&sealed, "fast").unwrap();
    assert_eq!((explanation.verdict, explanation.reasons[0].reason.code), (Verdict::Undecided, "suspect"));
    let tokens = &explanation.reasons[0].tokens;
    assert!(!tokens.is_empty() && tokens.iter().map(|t| t.margin_nats).rev().is_sorted(), "the largest first");
    let study = sealed.study();
    for token in tokens {
        assert_eq!(token.place.bundle, "grade");
        let bytes = std::fs::read(sealed.grade.as_ref().unwrap().join(&token.place.file)).unwrap();
        let rows: Vec<ReferenceRow> = lab::bundle::read_table(&bytes, &token.place.file).unwrap();
        let row = rows.iter().find(|r| (r.request, r.position) == (token.place.request, token.position)).unwrap();
        assert_eq!((row.id, row.rank, row.best_id), (token.emitted.id, token.rank, token.best.id));
        assert_eq!((row.logprob, row.best_logprob), (token.emitted.logprob, token.best.logprob));
        let trial = study.trials.iter().find(|t| t.folder == token.place.trial).unwrap();
        let response = trial.response(token.place.request).unwrap();
        let before: String = response.text.split_inclusive(' ').collect();
        assert!(before.contains(token.before.trim_start_matches('…')), "{}", token.before);
        let requests = study.stages[0].measure.requests().unwrap();
        let prompt = &requests[token.place.request as usize].messages.last().unwrap().content;
        assert!(prompt.ends_with(token.place.prompt_end.trim_start_matches('…')) && !token.place.prompt_end.is_empty());
    }
    let shown_again = explanation.reasons[1..].iter().filter(|r| !r.tokens.is_empty()).count();
    assert_eq!(shown_again, 0, "the same tokens are shown once");
}

#[test]
fn a_structural_check_leads_to_the_requests_that_violate_it() {
    let cut =
        |ask: &Ask| Said { finish: "length", ..honest(1_000_000)(&Ask { max_tokens: 5, load: String::new(), ..*ask }) };
    let explanation = explained(&Script::new(honest(1_000_000)).arm("fast", cut).seal(), "fast").unwrap();
    let reason = &explanation.reasons[0];
    assert_eq!(reason.reason.code, "length-is-full");
    assert_eq!(reason.requests.len(), REQUESTS);
    let request = &reason.requests[0];
    assert_eq!((request.tokens, request.most_tokens, request.ids, request.counted_from), (5, 20, 5, "ids"));
    assert_eq!((request.claimed_output, request.claimed_prompt, request.prompt_tokens), (Some(5), Some(5), Some(5)));
    assert_eq!((request.outcome, request.finish.as_str()), ("complete", "length"));
    let baseline = request.baseline.as_ref().unwrap();
    assert!(baseline.tokens == 20 && baseline.text.starts_with(&request.text), "{baseline:?}");
    assert!(request.place.file.ends_with("/requests.csv") && request.place.bundle == "measure");
}

#[test]
fn a_reason_without_tokens_or_requests_leads_to_the_launches_that_failed() {
    let script = (1..=6).fold(Script::new(honest(1_000)).arm("fast", honest(1_000)), |script, round| {
        script.fails("fast", round, lab::records::Class::Start)
    });
    let explanation = explained(&script.seal(), "fast").unwrap();
    assert_eq!(explanation.reasons[0].reason.code, "no-successful-request");
    assert_eq!(explanation.reasons[0].launches.len(), LAUNCHES);
    assert_eq!(explanation.reasons[0].launches[0].1, "scripted");
}

#[test]
fn an_unknown_candidate_is_told_which_there_are() {
    let problem = explained(&far().seal(), "\u{1b}[2Jslow").unwrap_err();
    assert_eq!(problem.kind, Kind::Input);
    let text = problem.to_string();
    assert!(text.contains("no candidate `\\u{1b}[2Jslow`") && text.contains("fast"), "{text}");
}

#[test]
fn what_a_server_said_is_shown_and_not_obeyed() {
    let hostile = |ask: &Ask| {
        let mut said = honest(1_000)(ask);
        said.parts.iter_mut().for_each(|part| part.text = "\u{1b}[2J\u{202e}\r\n<script>".into());
        said
    };
    let explanation_of = explained(&Script::new(honest(1_000)).arm("fast", hostile).seal(), "fast").unwrap();
    for width in [60, 80, 120] {
        for colours in [false, true] {
            let text = explanation(&explanation_of, width, colours);
            assert!(!text.contains('\u{202e}') && !text.contains('\r'), "{text}");
            assert!(colours || !text.contains('\u{1b}'), "{text}");
            assert!(text.contains("\\u{1b}[2J\\u{202e}"), "{text}");
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            assert!(colours || longest <= width, "{longest} of {width}");
        }
    }
}

#[test]
fn the_words_before_and_after_are_cut_at_characters() {
    assert_eq!(end_of("añb"), "añb");
    let long = "ñ".repeat(CONTEXT + 1);
    assert_eq!(end_of(&long), format!("…{}", "ñ".repeat(CONTEXT)));
    assert_eq!(end_of(&"ñ".repeat(CONTEXT)), "ñ".repeat(CONTEXT));
    assert_eq!(beginning("añb", 2), "añ…");
    assert_eq!(beginning("añb", 3), "añb");
}
