//! A request set: prompts in order, one JSON object a line, with a digest.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{Digest, Problem, Result, seed::Stream};

/// One prompt of a request set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Position in the set, from 0.
    pub id: u32,
    /// The conversation, ending with the user's turn.
    pub messages: Vec<Message>,
    /// Most output tokens of this request; the workload's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The session that it is a turn of; consecutive requests of one session are its turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u32>,
}

/// A place in a request set, and what the workload wants to stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The slot whose lengths it has: its own id, or that of the timed request which a
    /// warm-up request imitates.
    pub like: u32,
    /// Whether a load (or its warm-up) begins here, so that no session reaches across.
    pub opens: bool,
    /// Input and output tokens, where a trace declares them.
    pub lengths: Option<(u32, u32)>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: Role,
    /// What was said.
    pub content: String,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The instructions before a conversation.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// The set as the bytes of `requests.jsonl`.
pub fn to_jsonl(requests: &[Request]) -> String {
    requests.iter().map(|r| serde_json::to_string(r).expect("strings and integers serialise") + "\n").collect()
}

/// Reads `requests.jsonl`: ids count from 0, no prompt twice.
pub fn from_jsonl(text: &str, place: &str) -> Result<Vec<Request>> {
    let mut seen = HashSet::new();
    let mut requests = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let here = format!("{place}:{}", i + 1);
        let request: Request = serde_json::from_str(line).map_err(|e| {
            Problem::input(format!("not a request: {e}"))
                .at(&here)
                .next("write {\"id\":0,\"messages\":[{\"role\":\"user\",\"content\":\"…\"}]}")
        })?;
        if request.id as usize != i {
            return Err(Problem::input(format!("id is {}, the line's place is {i}", request.id))
                .at(here)
                .next("number the requests from 0 without gaps"));
        }
        if request.messages.last().is_none_or(|m| m.role != Role::User) {
            return Err(Problem::input("a conversation must end with the user's turn").at(here));
        }
        if !seen.insert(Digest::of(line.split_once(',').map_or(line, |(_, rest)| rest))) {
            return Err(Problem::input("this prompt stands twice in the set, so an answer could come from a cache")
                .at(here)
                .next("remove one of the two"));
        }
        requests.push(request);
    }
    Ok(requests)
}

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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_repeated_prompt_names_its_line() {
        let line = |id| format!("{{\"id\":{id},\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}\n");
        let problem = from_jsonl(&(line(0) + &line(1)), "x.jsonl").unwrap_err();
        assert_eq!(problem.place.as_deref(), Some("x.jsonl:2"));
    }
}
