//! Events that carry OpenAI chat or completion chunks.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

use super::{
    Body, Derived,
    quick::{self, Known},
    sse,
};
use crate::records::Chunk;

#[derive(Deserialize, Default, PartialEq, Debug)]
pub(super) struct Message<'a> {
    #[serde(borrow, default, deserialize_with = "only")]
    pub(super) choices: Option<Choice<'a>>,
    usage: Option<Usage>,
    error: Option<IgnoredAny>,
    #[serde(borrow)]
    pub(super) object: Option<Text<'a>>,
}

#[derive(Deserialize, Default, PartialEq, Debug)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    index: u32,
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    pub(super) token_ids: Option<Vec<u32>>,
    pub(super) finish_reason: Option<String>,
    #[serde(borrow)]
    pub(super) logprobs: Option<Logprobs<'a>>,
}

/// Reasoning, refusals and calls are output as much as content is.
#[derive(Deserialize, Default, PartialEq, Debug)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    reasoning: Option<Text<'a>>,
    #[serde(borrow)]
    reasoning_content: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) content: Option<Text<'a>>,
    #[serde(borrow)]
    refusal: Option<Text<'a>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow)]
    function_call: Option<Function<'a>>,
}

#[derive(Deserialize, PartialEq, Debug)]
pub(super) struct ToolCall<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize, PartialEq, Debug)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    arguments: Option<Text<'a>>,
}

/// Chat servers fill `content`, completion servers the two lists.
#[derive(Deserialize, Default, PartialEq, Debug)]
pub(super) struct Logprobs<'a> {
    #[serde(borrow)]
    pub(super) content: Option<Vec<Entry<'a>>>,
    #[serde(borrow)]
    tokens: Option<Vec<Text<'a>>>,
    token_logprobs: Option<Vec<Option<f64>>>,
}

#[derive(Deserialize, PartialEq, Debug)]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    pub(super) token: Text<'a>,
    pub(super) logprob: Option<f64>,
    pub(super) id: Option<u32>,
}

#[derive(Deserialize, PartialEq, Debug)]
pub(super) struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

/// A string of a message, borrowed from its bytes where nothing in it is escaped.
#[derive(Deserialize, PartialEq, Debug)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A response of more chunks than this is not one that anybody streams.
const MOST_CHUNKS: usize = 1 << 17;

/// As much of an error is told.
const MOST_QUOTED: usize = 500;

/// Reads all complete events into `derived`; says what is wrong with the first that is not what
/// was asked for.
pub(super) fn read(body: &Body, derived: &mut Derived) -> Result<(), String> {
    let mut known = Known::default();
    for (number, event) in (0..).zip(sse::events(&body.bytes)) {
        let read = body.at_read.partition_point(|&after| after < event.end) as u32;
        take(&event, number, read, &mut known, derived)?;
    }
    Ok(())
}

/// Reads one event.
fn take(
    event: &sse::Event<'_>,
    number: u32,
    read: u32,
    known: &mut Known,
    derived: &mut Derived,
) -> Result<(), String> {
    let failed = |data: &[u8]| {
        let quoted = String::from_utf8_lossy(&data[..data.len().min(MOST_QUOTED)]);
        Err(format!("event {number} is an error: {quoted}"))
    };
    if event.name == sse::ERROR {
        return failed(&event.data);
    }
    if derived.done {
        return Err("an event after [DONE]".into());
    }
    if *event.data == *b"[DONE]" {
        derived.done = true;
        return Ok(());
    }
    let data = std::str::from_utf8(&event.data).map_err(|_| format!("event {number} is not UTF-8"))?;
    let message: Message = match quick::message(data, known) {
        Some(message) => message,
        None => serde_json::from_str(data).map_err(|e| format!("event {number} is not a chunk: {e}"))?,
    };
    if message.error.is_some() || message.object.is_some_and(|object| object.0 == "error") {
        return failed(data.as_bytes());
    }
    if let Some(usage) = message.usage {
        derived.claimed.prompt = usage.prompt_tokens;
        derived.claimed.output = usage.completion_tokens;
    }
    let Some(choice) = message.choices else { return Ok(()) };
    if choice.index != 0 {
        return Err(format!("event {number} answers a second choice, which nobody asked for"));
    }
    if derived.chunks.len() == MOST_CHUNKS {
        return Err(format!("event {number} holds more than was asked for"));
    }
    derived.chunks.extend(chunk(choice, number, read));
    Ok(())
}

/// The one choice of a message, if it has any. A second one is refused as soon as it is
/// seen: a list of millions would not fit into memory.
fn only<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Choice<'de>>, D::Error> {
    struct Only;
    impl<'de> Visitor<'de> for Only {
        type Value = Option<Choice<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of choices")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let first = list.next_element()?;
            match list.next_element::<IgnoredAny>()? {
                Some(_) => Err(serde::de::Error::custom("it holds two choices, and one was asked for")),
                None => Ok(first),
            }
        }
    }
    d.deserialize_any(Only)
}

/// `None` for a choice that carries neither output nor an end, such as the role chunk.
fn chunk(choice: Choice<'_>, event: u32, read: u32) -> Option<Chunk> {
    let mut chunk = Chunk {
        event,
        read,
        ids: choice.token_ids.unwrap_or_default(),
        finish: choice.finish_reason.unwrap_or_default(),
        ..Chunk::default()
    };
    let delta = choice.delta.unwrap_or_default();
    // While the field was renamed, vLLM sent the same reasoning under both names.
    let old_name = delta.reasoning_content.filter(|text| Some(text) != delta.reasoning.as_ref());
    let spoken = [delta.reasoning, old_name, delta.content, delta.refusal, choice.text];
    let calls = delta.tool_calls.into_iter().flatten().filter_map(|call| call.function).chain(delta.function_call);
    let called = calls.flat_map(|function| [function.name, function.arguments]);
    for text in spoken.into_iter().chain(called).flatten() {
        chunk.text.push_str(&text.0);
    }
    if let Some(logprobs) = choice.logprobs {
        let content = logprobs.content.unwrap_or_default();
        if chunk.ids.is_empty() && !content.is_empty() {
            chunk.ids = content.iter().map_while(|e| e.id).collect();
        }
        let tokens = content.iter().map(|e| &e.token).chain(logprobs.tokens.iter().flatten());
        for token in tokens {
            chunk.entries += 1;
            chunk.empty_entries += u32::from(token.0.is_empty());
        }
        let listed = logprobs.token_logprobs.unwrap_or_default();
        // All or none: a list with holes could not be matched with the tokens.
        chunk.logprobs = content.iter().map(|e| e.logprob).chain(listed).collect::<Option<_>>().unwrap_or_default();
    }
    let carries = !chunk.text.is_empty() || !chunk.ids.is_empty() || !chunk.finish.is_empty() || chunk.entries > 0;
    carries.then_some(chunk)
}
