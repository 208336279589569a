//! The questions, one function each.

use std::collections::BTreeMap;

use super::{Answer, Asked};
use crate::{metrics::stops_early, study::outcome_name};

/// `what` where something is wrong.
fn unless(fine: bool, what: impl FnOnce() -> String) -> Answer {
    if fine { Answer::Fine } else { Answer::Violated(what()) }
}

macro_rules! only_if {
    ($condition:expr) => {
        if !$condition {
            return Answer::NotAsked;
        }
    };
}

pub(super) fn complete(a: &Asked<'_>) -> Answer {
    // Never due, as planned.
    only_if!(!a.response.time_up());
    unless(a.response.complete(), || outcome_name(a.response.outcome).to_owned())
}

pub(super) fn done(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete());
    unless(a.response.done, || "the stream ended without [DONE]".into())
}

pub(super) fn reason(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete());
    unless(!a.response.finish.is_empty(), || "no finish_reason came".into())
}

pub(super) fn within_max_ids(a: &Asked<'_>) -> Answer {
    only_if!(a.has_ids());
    let (tokens, most) = (a.response.tokens(), a.most_tokens);
    unless(tokens <= most, || format!("{tokens} ids, {most} were asked for"))
}

pub(super) fn within_max_text(a: &Asked<'_>) -> Answer {
    only_if!(!a.has_ids());
    let (tokens, most) = (a.response.tokens(), a.most_tokens);
    unless(tokens <= most.saturating_add(1), || format!("{tokens} tokens of text, {most} were asked for"))
}

/// llama.cpp holds back the tokens of an unfinished character: at most three of its four bytes.
const HELD_BACK: u32 = 4;

pub(super) fn length_ids(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && a.has_ids() && a.response.finish == "length");
    let (tokens, most) = (a.response.tokens(), a.most_tokens);
    unless(tokens + HELD_BACK >= most, || format!("finish `length` after {tokens} of {most} ids"))
}

pub(super) fn length_text(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && !a.has_ids() && a.response.finish == "length");
    let (tokens, most) = (a.response.tokens(), a.most_tokens);
    unless(!stops_early(tokens, most), || format!("finish `length` after {tokens} tokens of text of {most}"))
}

pub(super) fn nothing_after_end(a: &Asked<'_>) -> Answer {
    only_if!(a.has_ids() && !a.workload.sampling.ignore_eos && !a.ends.is_empty());
    let end = a.response.received.iter().position(|id| a.ends.contains(id));
    let after = end.map_or(0, |at| a.response.received_count as usize - at - 1);
    unless(after == 0, || format!("{after} ids after the end token"))
}

pub(super) fn stop_has_end(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && a.has_ids() && a.response.finish == "stop" && !a.ends.is_empty());
    let last = a.response.last_received;
    unless(last.is_some_and(|id| a.ends.contains(&id)), || "it stops without the end token".into())
}

pub(super) fn ids_match_text(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && !a.response.received.is_empty());
    unless(a.has_ids(), || {
        let decoded = a.tokenizer.decode(&a.response.received);
        let at = decoded.chars().zip(a.response.text.chars()).take_while(|(x, y)| x == y).count();
        let from = |s: &str| s.chars().skip(at).take(40).collect::<String>();
        format!("from character {at} the ids say `{}`, the text `{}`", from(&decoded), from(&a.response.text))
    })
}

/// Of the fewer, the ids or the text's tokens, so that neither ids that are held back nor text
/// that reads as more tokens hides the rest; only where half as many ids came as the text
/// needs: a server that holds back more says too little, not something else.
pub(super) fn ids_of_this_text(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && !a.response.received.is_empty());
    if a.has_ids() {
        return Answer::Fine;
    }
    let (read, sent) = (&a.response.reading, &a.response.received);
    only_if!(!read.is_empty() && 2 * a.response.received_count as usize >= read.len());
    // Of ids that were not kept nothing can be said.
    let all = a.response.received_count as usize == sent.len();
    let read = if all { read.as_slice() } else { &read[..read.len().min(sent.len())] };
    let mut counts = BTreeMap::<u32, usize>::new();
    sent.iter().for_each(|id| *counts.entry(*id).or_default() += 1);
    let mut take = |id: &u32| match counts.get_mut(id) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    let common = read.iter().filter(|id| take(id)).count();
    unless(2 * common >= read.len().min(sent.len()), || {
        format!("{common} of the text's {} tokens are among its {} ids", read.len(), sent.len())
    })
}

pub(super) fn claimed_ids(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && a.has_ids() && a.response.claimed_output.is_some());
    let claimed = a.response.claimed_output.unwrap_or(0);
    let tokens = u64::from(a.response.tokens());
    // llama.cpp counts the end token but never sends its id.
    let silent = a.response.finish == "stop" && !a.response.ends_special;
    let fine = claimed == tokens || silent && claimed == tokens + 1;
    unless(fine, || format!("claims {claimed} output tokens, {tokens} ids came"))
}

pub(super) fn claimed_text(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && !a.has_ids() && a.response.claimed_output.is_some());
    let (claimed, tokens) = (a.response.claimed_output.unwrap_or(0), u64::from(a.response.tokens()));
    unless(claimed.abs_diff(tokens) <= 1, || format!("claims {claimed} output tokens, its text has {tokens}"))
}

pub(super) fn claimed_text_near(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && !a.has_ids() && a.response.claimed_output.is_some());
    let (claimed, tokens) = (a.response.claimed_output.unwrap_or(0), u64::from(a.response.tokens()));
    let fine = claimed.abs_diff(tokens) <= 1.max(tokens / 10);
    unless(fine, || format!("claims {claimed} output tokens, its text has {tokens}"))
}

pub(super) fn claimed_prompt(a: &Asked<'_>) -> Answer {
    let (Some(claimed), Some(ours)) = (a.response.claimed_prompt, a.prompt) else { return Answer::NotAsked };
    unless(claimed == ours, || format!("claims {claimed} prompt tokens, the prompt has {ours}"))
}

pub(super) fn entries_ids(a: &Asked<'_>) -> Answer {
    only_if!(a.has_ids() && a.response.entries > 0);
    let (entries, tokens) = (a.response.entries, a.response.tokens());
    unless(entries <= tokens, || format!("{entries} logprob entries for {tokens} ids"))
}

pub(super) fn entries_text(a: &Asked<'_>) -> Answer {
    only_if!(!a.has_ids() && a.response.entries > 0);
    let (entries, tokens) = (a.response.entries, a.response.tokens());
    let most = u64::from(tokens) + u64::from(tokens / 10).max(1);
    unless(u64::from(entries) <= most, || format!("{entries} logprob entries for {tokens} tokens of text"))
}

pub(super) fn special_text(a: &Asked<'_>) -> Answer {
    only_if!(!a.response.text.is_empty());
    let found = if a.response.reading.is_empty() {
        a.tokenizer.special_in(&a.response.text)
    } else {
        a.response.reading.iter().copied().find(|id| a.tokenizer.is_special(*id))
    };
    unless(found.is_none(), || format!("special token {} stands in the text", found.unwrap_or(0)))
}

/// A burst shorter than this says nothing.
const BURST: u32 = 8;

pub(super) fn coalesced(a: &Asked<'_>) -> Answer {
    let tokens = a.response.tokens();
    only_if!(a.response.complete() && tokens > BURST);
    let Some(last) = a.response.steps.iter().rev().find(|s| s.output) else { return Answer::NotAsked };
    let before = a.response.steps.iter().take_while(|s| s.read < last.read).last().map_or(0, |s| s.tokens);
    let burst = tokens.saturating_sub(before);
    unless(2 * u64::from(burst) <= u64::from(tokens), || format!("{burst} of {tokens} tokens came with the last read"))
}

pub(super) fn early_stop(a: &Asked<'_>) -> Answer {
    only_if!(a.response.complete() && a.workload.sampling.temperature == 0.0);
    let Some(shortest) = a.beside.iter().map(|r| r.shown_tokens()).min() else { return Answer::NotAsked };
    let tokens = a.response.shown_tokens();
    unless(!stops_early(tokens, shortest), || format!("{tokens} tokens, the baseline's answer has {shortest}"))
}
