//! Instructions and notes of our own wording.

use std::collections::HashSet;

use super::{Message, Request, Role};
use crate::seed::Stream;

/// `count` distinct instructions about everyday topics, each followed by notes of about
/// `words` words in all. Wording and combinations are ours; the same seed gives the same set.
pub fn prose(seed: u64, words: u32, count: u32) -> Vec<Request> {
    let mut seen = HashSet::new();
    (0..count)
        .map(|id| {
            let content = (0..)
                .map(|attempt| {
                    instruction(&mut Stream::new(&seed.to_be_bytes(), &format!("prose {id} {attempt}")), words)
                })
                .find(|text| seen.insert(text.clone()))
                .expect("an endless search");
            Request { id, messages: vec![Message { role: Role::User, content }], max_tokens: None, session: None }
        })
        .collect()
}

fn instruction(stream: &mut Stream, words: u32) -> String {
    let mut text = task(stream);
    let mut notes = String::new();
    let mut written = text.split_whitespace().count();
    while written < words as usize {
        let sentence = sentence(stream);
        written += sentence.split_whitespace().count();
        notes.push(' ');
        notes.push_str(&sentence);
    }
    if !notes.is_empty() {
        text.push_str(&format!("\n\nNotes:{notes}"));
    }
    text
}

/// What to write about, for whom and how.
pub(super) fn task(stream: &mut Stream) -> String {
    let mut pick = |from| pick(stream, from);
    format!("{} {} {}. {}", pick(TASKS), pick(TOPICS), pick(READERS), pick(MANNERS))
}

/// One plain sentence.
pub(super) fn sentence(stream: &mut Stream) -> String {
    let mut pick = |from| pick(stream, from);
    format!("The {} {} the {} {}.", pick(THINGS), pick(ACTS), pick(THINGS), pick(CIRCUMSTANCES))
}

/// Every word of the lists, without punctuation, sorted and once.
pub(super) fn words() -> Vec<&'static str> {
    let lists = [TASKS, TOPICS, READERS, MANNERS, THINGS, ACTS, CIRCUMSTANCES];
    let phrases = lists.into_iter().flatten().chain(&["The"]);
    let mut words: Vec<_> = phrases.flat_map(|p| p.split(' ')).map(|w| w.trim_end_matches('.')).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn pick(stream: &mut Stream, from: &[&'static str]) -> &'static str {
    from[stream.below(from.len() as u64) as usize]
}

const TASKS: &[&str] = &[
    "Explain",
    "Write a short essay about",
    "Compare two views on",
    "List five facts about",
    "Describe the history of",
    "Give practical advice on",
    "Write a dialogue about",
    "Summarise what is known about",
    "Tell a story that involves",
    "Argue for and against",
    "Outline a lesson on",
    "Answer common questions about",
];
const TOPICS: &[&str] = &[
    "growing tomatoes",
    "how tides work",
    "the printing press",
    "keeping bees",
    "why bread rises",
    "learning to swim",
    "the life of a glacier",
    "repairing a bicycle",
    "the rules of chess",
    "how vaccines work",
    "planning a small garden",
    "rivers and trade",
    "the invention of the telescope",
    "sleep and memory",
    "building a bridge",
    "the migration of birds",
    "saving energy at home",
    "how money began",
    "teaching a dog to sit",
    "the colours of autumn leaves",
    "volcanoes and farming",
    "the first railways",
    "making cheese",
    "how a radio works",
    "reading old maps",
    "the water cycle",
    "choosing a telescope",
    "music and mathematics",
    "the planets",
    "city buses",
];
const READERS: &[&str] = &[
    "for a curious child",
    "for a busy teacher",
    "for a new neighbour",
    "for a class of engineers",
    "for somebody who doubts it",
    "for a local newspaper",
    "for a visitor from abroad",
    "for a retired sailor",
    "for students before an exam",
    "for a shop owner",
    "for a friend who is ill",
    "for a town council",
];
const MANNERS: &[&str] = &[
    "Use plain words and short sentences.",
    "Begin with a surprising fact.",
    "End with a question.",
    "Give one example from daily life.",
    "Mention at least one number.",
    "Keep a friendly tone.",
    "Explain every technical term.",
    "Write in the present tense.",
    "Name one common mistake.",
    "Say what is still unknown.",
];
const THINGS: &[&str] = &[
    "farmer",
    "harbour",
    "teacher",
    "old mill",
    "engine",
    "library",
    "baker",
    "river",
    "market",
    "lamp",
    "doctor",
    "bridge",
    "forest",
    "clock",
    "letter",
    "painter",
    "school",
    "ship",
    "garden",
    "window",
    "train",
    "village",
    "child",
    "museum",
    "road",
    "storm",
    "table",
    "carpenter",
    "mountain",
    "song",
];
const ACTS: &[&str] = &[
    "visited",
    "repaired",
    "forgot",
    "measured",
    "described",
    "crossed",
    "painted",
    "moved",
    "answered",
    "carried",
    "watched",
    "sold",
    "found",
    "followed",
    "built",
    "waited for",
    "changed",
    "lit",
];
const CIRCUMSTANCES: &[&str] = &[
    "in early spring",
    "before noon",
    "without a word",
    "for the third time",
    "near the coast",
    "after the rain",
    "with great care",
    "at low cost",
    "in the north",
    "by mistake",
    "during the night",
    "under a grey sky",
    "in two days",
    "with borrowed tools",
    "as planned",
    "long ago",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::{from_jsonl, to_jsonl};

    #[test]
    fn a_generated_set_is_distinct_and_repeats_for_the_same_seed() {
        let set = prose(7, 40, 2_000);
        assert_eq!(set, prose(7, 40, 2_000));
        assert_ne!(set[0], prose(8, 40, 1)[0]);
        assert_eq!(from_jsonl(&to_jsonl(&set), "x.jsonl").unwrap(), set, "no prompt stands twice");
    }

    #[test]
    fn a_longer_set_begins_with_the_shorter_one() {
        assert_eq!(prose(7, 12, 10), prose(7, 12, 500)[..10]);
    }

    #[test]
    fn the_words_of_a_seed_never_change() {
        let digest = crate::Digest::of(to_jsonl(&prose(7, 40, 100)));
        assert_eq!(digest.short(), "8a2be570c3bd");
    }
}
