//! The JSON of ShareGPT: an array of conversations, each an array of who said what.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess},
};

use crate::{Problem, Result};

/// A conversation as questions and answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Conversation {
    /// What the system said before the first question.
    pub system: Option<String>,
    /// Each question with the answer right after it, from the first answered question to
    /// the first break in the alternation.
    pub pairs: Vec<(String, String)>,
}

/// Reads every conversation; the error names an entry's place, from 0.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Conversation>> {
    let Entries(entries) = serde_json::from_slice(bytes).map_err(|e| {
        Problem::input(format!("not a ShareGPT file: {e}")).next(
            "write [{\"conversations\":[{\"from\":\"human\",\"value\":\"…\"},{\"from\":\"gpt\",\"value\":\"…\"}]}]",
        )
    })?;
    entries.into_iter().enumerate().map(|(i, entry)| conversation(i, entry)).collect()
}

fn conversation(index: usize, entry: Entry) -> Result<Conversation> {
    let mut said = Vec::with_capacity(entry.conversations.len());
    for line in entry.conversations {
        let speaker = Speaker::named(&line.from).ok_or_else(|| {
            let from = crate::text::shown(&line.from, 40);
            Problem::input(format!("entry {index} has an unknown speaker `{from}`")).next(
                "write one of human, user, gpt, assistant, chatgpt, bing, bard and system, or leave the entry out",
            )
        })?;
        said.push((speaker, line.value));
    }
    let mut found = Conversation::default();
    let mut question: Option<String> = None;
    for (speaker, value) in said {
        match (speaker, question.take()) {
            (Speaker::Person, None) => question = Some(value),
            (Speaker::Model, Some(asked)) => found.pairs.push((asked, value)),
            (Speaker::System, None) if found.pairs.is_empty() => found.system = Some(value),
            // Before the first answered question all may be skipped; after it the session ends.
            (Speaker::Person, Some(_)) if found.pairs.is_empty() => question = Some(value),
            _ if found.pairs.is_empty() => {}
            _ => break,
        }
    }
    Ok(found)
}

#[derive(Clone, Copy)]
enum Speaker {
    System,
    Person,
    Model,
}

impl Speaker {
    fn named(from: &str) -> Option<Self> {
        match from {
            "system" => Some(Speaker::System),
            "human" | "user" => Some(Speaker::Person),
            "gpt" | "assistant" | "chatgpt" | "bing" | "bard" => Some(Speaker::Model),
            _ => None,
        }
    }
}

/// What else an entry holds is of no use here.
#[derive(Deserialize)]
struct Entry {
    conversations: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    from: String,
    value: String,
}

/// The array, read so that an error names the entry's index.
struct Entries(Vec<Entry>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        struct All;
        impl<'de> de::Visitor<'de> for All {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an array of conversations")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> std::result::Result<Entries, A::Error> {
                let mut entries = Vec::new();
                let wrong = |i: usize, e: A::Error| de::Error::custom(format!("entry {i}: {e}"));
                while let Some(entry) = array.next_element().map_err(|e| wrong(entries.len(), e))? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        d.deserialize_seq(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(lines: &str) -> Conversation {
        let lines: Vec<_> = lines.split_whitespace().map(|l| l.split_once(':').unwrap()).collect();
        let lines: Vec<_> = lines.iter().map(|(f, v)| serde_json::json!({"from": f, "value": v, "x": 1})).collect();
        let bytes = serde_json::json!([{"id": "a", "conversations": lines}]).to_string();
        read(bytes.as_bytes()).unwrap().remove(0)
    }

    fn of(system: Option<&str>, pairs: &[(&str, &str)]) -> Conversation {
        let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        Conversation { system: system.map(str::to_owned), pairs: pairs.iter().map(owned).collect() }
    }

    #[test]
    fn questions_are_paired_with_the_answers_right_after_them() {
        assert_eq!(pairs("human:a gpt:b human:c gpt:d"), of(None, &[("a", "b"), ("c", "d")]));
        assert_eq!(pairs("system:s user:a assistant:b"), of(Some("s"), &[("a", "b")]));
        assert_eq!(pairs("gpt:x human:a chatgpt:b"), of(None, &[("a", "b")]), "an answer to nothing is skipped");
        assert_eq!(pairs("human:x human:a gpt:b"), of(None, &[("a", "b")]), "so is a question without an answer");
        assert_eq!(pairs("human:a gpt:b gpt:c human:d gpt:e"), of(None, &[("a", "b")]), "a break ends the session");
        assert_eq!(pairs("human:a"), of(None, &[]));
        assert_eq!(pairs(""), of(None, &[]));
    }

    #[test]
    fn a_malformed_entry_is_named_by_its_index() {
        let what = |bytes: &[u8]| read(bytes).unwrap_err().what;
        let second = |entry: &str| what(format!("[{{\"conversations\":[]}},{entry}]").as_bytes());
        assert!(second("{}").contains("entry 1: missing field `conversations`"));
        assert!(
            second(r#"{"conversations":[{"from":"gpt","value":7}]}"#).contains("entry 1: invalid type: integer `7`")
        );
        assert!(
            second(r#"{"conversations":[{"from":"cat","value":""}]}"#).contains("entry 1 has an unknown speaker `cat`")
        );
        assert!(second("").contains("entry 1"), "the array ends early");
        assert!(what(b"{}").contains("an array of conversations"));
    }
}
