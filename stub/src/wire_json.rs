//! The JSON of replies: the keys, their order and their nulls are those of
//! vLLM 0.25.1.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Why the answer stopped, beside `finish_reason`.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum StopReason {
    Text(String),
    Id(u32),
}

/// A null that is present.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Nothing;

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: usize,
    pub(crate) total_tokens: usize,
    pub(crate) completion_tokens: usize,
    /// Present and null in whole replies, absent in chunks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_tokens_details: Option<Nothing>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChatEntry {
    pub(crate) token: String,
    pub(crate) logprob: f64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) top_logprobs: Vec<ChatAlternative>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChatAlternative {
    pub(crate) token: String,
    pub(crate) logprob: f64,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChatLogprobs {
    pub(crate) content: Vec<ChatEntry>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct CompletionLogprobs {
    pub(crate) text_offset: Vec<usize>,
    pub(crate) token_logprobs: Vec<Option<f64>>,
    pub(crate) tokens: Vec<String>,
    pub(crate) top_logprobs: Vec<Option<Pairs<String, f64>>>,
}

/// A JSON object whose members keep their order; a repeated key is left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs<K, V>(pub(crate) Vec<(K, V)>);

impl<K: PartialEq, V> Pairs<K, V> {
    pub(crate) fn add(&mut self, key: K, value: V) {
        if !self.0.iter().any(|(known, _)| *known == key) {
            self.0.push((key, value));
        }
    }
}

impl<K: Serialize, V: Serialize> Serialize for Pairs<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PromptEntry {
    pub(crate) logprob: f64,
    pub(crate) rank: usize,
    pub(crate) decoded_token: String,
}

/// For each prompt token but the first: the token itself, then the likeliest.
pub(crate) type PromptLogprobs = Vec<Option<Pairs<u32, PromptEntry>>>;

#[derive(Debug, Serialize)]
pub(crate) struct Chunk<'a, C> {
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    pub(crate) created: u64,
    pub(crate) model: &'a str,
    pub(crate) choices: Vec<C>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_token_ids: Option<Option<&'a [u32]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_text: Option<Option<()>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system_fingerprint: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChatChunkChoice {
    pub(crate) index: usize,
    pub(crate) delta: Delta,
    pub(crate) logprobs: Option<ChatLogprobs>,
    pub(crate) finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_reason: Option<Option<StopReason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_ids: Option<Option<Vec<u32>>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<&'static str>,
    pub(crate) content: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct CompletionChunkChoice<'a> {
    pub(crate) index: usize,
    pub(crate) text: String,
    pub(crate) logprobs: Option<CompletionLogprobs>,
    pub(crate) finish_reason: Option<&'static str>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) prompt_token_ids: Option<&'a [u32]>,
    pub(crate) token_ids: Option<Vec<u32>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChatReply<'a> {
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    pub(crate) created: u64,
    pub(crate) model: &'a str,
    pub(crate) choices: Vec<ChatChoice>,
    pub(crate) service_tier: Option<()>,
    pub(crate) system_fingerprint: &'a str,
    pub(crate) usage: Usage,
    pub(crate) prompt_logprobs: Option<PromptLogprobs>,
    pub(crate) prompt_token_ids: Option<&'a [u32]>,
    pub(crate) prompt_text: Option<()>,
    pub(crate) kv_transfer_params: Option<()>,
    pub(crate) metrics: Option<()>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChatChoice {
    pub(crate) index: usize,
    pub(crate) message: Message,
    pub(crate) logprobs: Option<ChatLogprobs>,
    pub(crate) finish_reason: Option<&'static str>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) token_ids: Option<Vec<u32>>,
    pub(crate) routed_experts: Option<()>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Message {
    pub(crate) role: &'static str,
    pub(crate) content: String,
    pub(crate) refusal: Option<()>,
    pub(crate) annotations: Option<()>,
    pub(crate) audio: Option<()>,
    pub(crate) function_call: Option<()>,
    pub(crate) reasoning: Option<()>,
}

impl Message {
    pub(crate) fn assistant(content: String) -> Self {
        Self {
            role: "assistant",
            content,
            refusal: None,
            annotations: None,
            audio: None,
            function_call: None,
            reasoning: None,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct CompletionReply<'a> {
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    pub(crate) created: u64,
    pub(crate) model: &'a str,
    pub(crate) choices: Vec<CompletionChoice<'a>>,
    pub(crate) service_tier: Option<()>,
    pub(crate) system_fingerprint: &'a str,
    pub(crate) usage: Usage,
    pub(crate) kv_transfer_params: Option<()>,
    pub(crate) metrics: Option<()>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CompletionChoice<'a> {
    pub(crate) index: usize,
    pub(crate) text: String,
    pub(crate) logprobs: Option<CompletionLogprobs>,
    pub(crate) finish_reason: Option<&'static str>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) token_ids: Option<Vec<u32>>,
    pub(crate) prompt_logprobs: Option<PromptLogprobs>,
    pub(crate) prompt_token_ids: Option<&'a [u32]>,
    pub(crate) routed_experts: Option<()>,
}
