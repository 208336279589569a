//! Server-sent events (WHATWG HTML, section 9.2) that carry OpenAI chat or completion
//! chunks.

use serde::Deserialize;

use super::Derived;
use crate::records::Chunk;

#[derive(Deserialize)]
struct Event {
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    delta: Option<Delta>,
    text: Option<String>,
    token_ids: Option<Vec<u32>>,
    finish_reason: Option<String>,
    logprobs: Option<Logprobs>,
}

/// Reasoning and tool calls are output as much as content is.
#[derive(Deserialize, Default)]
struct Delta {
    reasoning: Option<String>,
    reasoning_content: Option<String>,
    content: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
}

#[derive(Deserialize)]
struct ToolCall {
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<String>,
}

/// Chat servers fill `content`, completion servers the two lists.
#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Entry>>,
    tokens: Option<Vec<String>>,
    token_logprobs: Option<Vec<Option<f64>>>,
}

#[derive(Deserialize)]
struct Entry {
    token: String,
    logprob: Option<f64>,
    id: Option<u32>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

/// A response of more chunks than this is not one that anybody streams.
const MOST_CHUNKS: usize = 1 << 17;

/// Reads all complete events of `body` into `derived`; says what is wrong with the first
/// that is not what was asked for. `body_at_read[i]` is the body's length after read `i`.
pub(super) fn read(body: &[u8], body_at_read: &[usize], derived: &mut Derived) -> Result<(), String> {
    let (mut data, mut start, mut number) = (Vec::new(), 0, 0);
    while let Some(len) = body[start..].iter().position(|&b| b == b'\n') {
        let line = body[start..start + len].strip_suffix(b"\r").unwrap_or(&body[start..start + len]);
        start += len + 1;
        if let Some(value) = line.strip_prefix(b"data:") {
            if !data.is_empty() {
                data.push(b'\n');
            }
            data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
        } else if line == b"event: error" || line == b"event:error" {
            return Err("the server sent an error event".into());
        } else if line.is_empty() && !data.is_empty() {
            let read = body_at_read.partition_point(|&after| after < start) as u32;
            event(&data, number, read, derived)?;
            number += 1;
            data.clear();
        }
    }
    Ok(())
}

fn event(data: &[u8], number: u32, read: u32, derived: &mut Derived) -> Result<(), String> {
    if derived.done {
        return Err("an event after [DONE]".into());
    }
    if data == b"[DONE]" {
        derived.done = true;
        return Ok(());
    }
    let event: Event = serde_json::from_slice(data).map_err(|e| match std::str::from_utf8(data) {
        Ok(_) => format!("event {number} is not a chunk: {e}"),
        Err(_) => format!("event {number} is not UTF-8"),
    })?;
    if event.error.is_some() {
        return Err(format!("event {number} is an error: {}", String::from_utf8_lossy(&data[..data.len().min(500)])));
    }
    if let Some(usage) = event.usage {
        derived.claimed.prompt = usage.prompt_tokens;
        derived.claimed.output = usage.completion_tokens;
    }
    let choices = event.choices.unwrap_or_default();
    if choices.len() > 1 || derived.chunks.len() == MOST_CHUNKS {
        return Err(format!("event {number} holds more than was asked for"));
    }
    for choice in choices {
        if choice.index != 0 {
            return Err(format!("event {number} answers a second choice, which nobody asked for"));
        }
        derived.chunks.extend(chunk(choice, number, read));
    }
    Ok(())
}

/// `None` for a choice that carries neither output nor an end, such as the role chunk.
fn chunk(choice: Choice, event: u32, read: u32) -> Option<Chunk> {
    let mut chunk = Chunk {
        event,
        read,
        ids: choice.token_ids.unwrap_or_default(),
        finish: choice.finish_reason.unwrap_or_default(),
        ..Chunk::default()
    };
    let delta = choice.delta.unwrap_or_default();
    for part in [delta.reasoning, delta.reasoning_content, delta.content, choice.text].into_iter().flatten() {
        chunk.text.push_str(&part);
    }
    for function in delta.tool_calls.into_iter().flatten().filter_map(|call| call.function) {
        chunk.text.extend(function.name);
        chunk.text.extend(function.arguments);
    }
    if let Some(logprobs) = choice.logprobs {
        let content = logprobs.content.unwrap_or_default();
        if chunk.ids.is_empty() && !content.is_empty() {
            chunk.ids = content.iter().map_while(|e| e.id).collect();
        }
        let tokens =
            content.iter().map(|e| e.token.is_empty()).chain(logprobs.tokens.iter().flatten().map(String::is_empty));
        for empty in tokens {
            chunk.entries += 1;
            chunk.empty_entries += u32::from(empty);
        }
        let listed = logprobs.token_logprobs.unwrap_or_default();
        // All or none: a list with holes could not be matched with the tokens.
        chunk.logprobs = content.iter().map(|e| e.logprob).chain(listed).collect::<Option<_>>().unwrap_or_default();
    }
    let carries = !chunk.text.is_empty() || !chunk.ids.is_empty() || !chunk.finish.is_empty() || chunk.entries > 0;
    carries.then_some(chunk)
}
