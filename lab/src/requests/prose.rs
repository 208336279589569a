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
    let mut pick = |from: &[&'static str]| from[stream.below(from.len() as u64) as usize];
    let mut text = format!("{} {} {}. {}", pick(TASKS), pick(TOPICS), pick(READERS), pick(MANNERS));
    let mut notes = String::new();
    let mut written = text.split_whitespace().count();
    while written < words as usize {
        let sentence = format!(" The {} {} the {} {}.", pick(THINGS), pick(ACTS), pick(THINGS), pick(CIRCUMSTANCES));
        written += sentence.split_whitespace().count();
        notes.push_str(&sentence);
    }
    if !notes.is_empty() {
        text.push_str(&format!("\n\nNotes:{notes}"));
    }
    text
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
