//! The fields of a request body, read one by one with the errors of vLLM.

use serde_json::{Map, Value};

use crate::options::Options;
use crate::refusal::Refusal;
use crate::tokens::Tokens;

/// What to continue.
pub(crate) enum Input {
    Chat(Vec<(String, String)>),
    Texts(Vec<String>),
    Ids(Vec<Vec<u32>>),
}

impl Input {
    /// The text to speak about, and the prompts as ids.
    pub(crate) fn prompts(self) -> Result<(String, Vec<Vec<u32>>), Refusal> {
        let tokens = Tokens::shared();
        match self {
            Self::Chat(messages) => {
                let Some((_, topic)) = messages.last().cloned() else {
                    let what = "Cannot apply chat template to an empty conversation. \
                                Provide at least one message.";
                    return Err(Refusal::bad_request(None, what));
                };
                Ok((topic, vec![tokens.chat(&messages, true)]))
            }
            Self::Texts(texts) => {
                let prompts = texts.iter().map(|text| tokens.encode(text)).collect();
                Ok((texts.into_iter().next().unwrap_or_default(), prompts))
            }
            Self::Ids(prompts) => {
                if let Some(id) = prompts.iter().flatten().find(|id| **id as usize >= tokens.size()) {
                    let what = format!("Token id {id} is out of vocabulary");
                    return Err(Refusal::bad_request(None, &what));
                }
                Ok((prompts.first().map(|ids| tokens.decode(ids)).unwrap_or_default(), prompts))
            }
        }
    }
}

/// The refusal of a field that is not what it should be.
pub(crate) fn wrong_type(name: &str, wanted: &str) -> Refusal {
    Refusal::malformed(Some(&format!("body.{name}")), &format!("'{name}': should be {wanted}"))
}

/// A list of ids, if it is one.
pub(crate) fn id_list(value: &Value) -> Option<Vec<u32>> {
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    value.as_array()?.iter().map(id).collect()
}

/// The fields of a JSON object; a null counts as absent.
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    /// A body as an object.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            let place = body.split_inclusive(|byte| *byte == b'\n');
            let before: usize = place.take(error.line().saturating_sub(1)).map(<[u8]>::len).sum();
            let at = before + error.column();
            Refusal::malformed(Some(&format!("body.{at}")), "JSON decode error")
        })?;
        match value {
            Value::Object(mut fields) => {
                fields.retain(|_, value| !value.is_null());
                Ok(Self(fields))
            }
            _ => Err(Refusal::malformed(Some("body"), "Input should be a valid dictionary")),
        }
    }

    fn read_as<T>(&self, name: &str, wanted: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Option<T>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| wrong_type(name, wanted))
    }

    /// A flag; false when absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.read_as(name, "a boolean", Value::as_bool)?.unwrap_or(false))
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.read_as(name, "an integer", Value::as_i64)
    }

    /// A number of things.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let count = |value: &Value| value.as_u64().and_then(|count| usize::try_from(count).ok());
        self.read_as(name, "a whole number not below 0", count)
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        self.read_as(name, "a number", Value::as_f64)
    }

    /// An object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, Refusal> {
        self.read_as(name, "an object", |value| value.as_object().cloned())
    }

    /// A list of ids.
    pub(crate) fn ids(&self, name: &str) -> Result<Vec<u32>, Refusal> {
        Ok(self.read_as(name, "a list of token ids", id_list)?.unwrap_or_default())
    }

    /// One text or several; empty ones do not count.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let read = |value: &Value| match value {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(list) => list.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let texts = self.read_as(name, "a text or a list of texts", read)?.unwrap_or_default();
        Ok(texts.into_iter().filter(|text| !text.is_empty()).collect())
    }

    /// The number of alternatives that a chat request wants, if any logprobs.
    pub(crate) fn chat_logprobs(&self) -> Result<Option<usize>, Refusal> {
        let top = self.count("top_logprobs")?;
        if self.flag("logprobs")? {
            return Ok(Some(top.unwrap_or(0)));
        }
        if top.is_some_and(|top| top > 0) {
            let what = "when using `top_logprobs`, `logprobs` must be set to true.";
            return Err(Refusal::malformed(Some("top_logprobs"), what));
        }
        Ok(None)
    }

    /// Checks the name of the model.
    pub(crate) fn model(&self, options: &Options) -> Result<(), Refusal> {
        match self.read_as("model", "a text", |value| value.as_str().map(str::to_owned))? {
            Some(name) if name != options.model_name => Err(Refusal::no_model(&name)),
            _ => Ok(()),
        }
    }

    /// The conversation as (role, content).
    pub(crate) fn messages(&self) -> Result<Vec<(String, String)>, Refusal> {
        let missing = || Refusal::malformed(Some("body.messages"), "'messages': Field required");
        let wrong = || wrong_type("messages", "a list of objects with a role and a content");
        let list = self.0.get("messages").ok_or_else(missing)?.as_array().ok_or_else(wrong)?;
        list.iter().map(|message| read_message(message).ok_or_else(wrong)).collect()
    }

    /// The prompt of a completion.
    pub(crate) fn prompt(&self) -> Result<Input, Refusal> {
        let missing = || Refusal::malformed(Some("prompt"), "'prompt': Field required");
        let wrong = || wrong_type("prompt", "a text, a list of texts, or token ids");
        let prompt = self.0.get("prompt").ok_or_else(missing)?;
        if let Some(ids) = id_list(prompt).filter(|ids| !ids.is_empty()) {
            return Ok(Input::Ids(vec![ids]));
        }
        let lists = || prompt.as_array()?.iter().map(id_list).collect::<Option<Vec<_>>>();
        if let Some(lists) = lists().filter(|lists| !lists.is_empty()) {
            return Ok(Input::Ids(lists));
        }
        let texts = self.texts("prompt").map_err(|_| wrong())?;
        if texts.is_empty() { Err(wrong()) } else { Ok(Input::Texts(texts)) }
    }
}

fn read_message(message: &Value) -> Option<(String, String)> {
    let role = message.get("role")?.as_str()?.to_owned();
    let content = match message.get("content") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().map(|part| part.get("text")?.as_str()).collect::<Option<String>>()?,
        Some(_) => return None,
    };
    Some((role, content))
}
