//! A request for text as meant: checked, with its prompts as token ids.

use crate::dialect::Dialect;
use crate::fields::{Fields, Input, id_list, wrong_type};
use crate::options::Options;
use crate::refusal::Refusal;

/// Most answers to one request.
const MAX_ANSWERS: usize = 1024;

/// Which endpoint was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Chat,
    Completion,
}

/// Everything a request for text can ask for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) kind: Kind,
    pub(crate) prompts: Vec<Vec<u32>>,
    /// The text of the last message or of the prompt, as a `/tokenize` call would have it.
    pub(crate) topic: String,
    pub(crate) stream: bool,
    pub(crate) max_tokens: usize,
    pub(crate) min_tokens: usize,
    pub(crate) ignore_eos: bool,
    pub(crate) temperature: f64,
    pub(crate) seed: Option<u64>,
    pub(crate) count: usize,
    pub(crate) stop: Vec<String>,
    pub(crate) include_stop: bool,
    pub(crate) stop_ids: Vec<u32>,
    pub(crate) logprobs: Option<usize>,
    pub(crate) prompt_logprobs: Option<usize>,
    pub(crate) echo: bool,
    pub(crate) include_usage: bool,
    pub(crate) continuous_usage: bool,
    pub(crate) return_token_ids: bool,
    pub(crate) tokens_as_ids: bool,
    /// Whether the end token's id is kept back.
    pub(crate) silent_end: bool,
}

impl Ask {
    /// Whether the request looks like an audit rather than a timed one.
    pub(crate) fn looks_like_audit(&self) -> bool {
        !self.stream || self.logprobs.is_some() || self.prompt_logprobs.is_some()
    }

    /// Reads and checks a request body.
    pub(crate) fn read(kind: Kind, body: &[u8], options: &Options) -> Result<Self, Refusal> {
        let fields = Fields::read(body)?;
        let stream = fields.flag("stream")?;
        let usage = fields.object("stream_options")?;
        let prompt_logprobs = fields.count("prompt_logprobs")?;
        let logprobs = match kind {
            Kind::Chat => fields.chat_logprobs()?,
            Kind::Completion => fields.count("logprobs")?,
        };
        let input = match kind {
            Kind::Chat => Input::Chat(fields.messages()?),
            Kind::Completion => fields.prompt()?,
        };
        if usage.is_some() && !stream {
            let what = "Stream options can only be defined when `stream=True`.";
            return Err(Refusal::malformed(Some("stream_options"), what));
        }
        if stream && prompt_logprobs.is_some() {
            let what = "`prompt_logprobs` are not available when `stream=True`.";
            return Err(Refusal::malformed(Some("prompt_logprobs"), what));
        }
        fields.model(options)?;
        let (topic, prompts) = input.prompts()?;
        let wanted = fields.count("max_completion_tokens")?.or(fields.count("max_tokens")?);
        let max_tokens = room(kind, wanted, &prompts, options.max_model_len)?;
        let temperature = fields.number("temperature")?.unwrap_or(1.0);
        if temperature < 0.0 {
            let what = format!("temperature must be non-negative, got {temperature:?}.");
            return Err(Refusal::bad_request(Some("temperature"), &what));
        }
        for (name, count) in [("logprobs", logprobs), ("prompt_logprobs", prompt_logprobs)] {
            within(name, count, options.max_logprobs)?;
        }
        let count = fields.count("n")?.unwrap_or(1).max(1);
        if count.saturating_mul(prompts.len()) > MAX_ANSWERS {
            return Err(Refusal::bad_request(Some("n"), "n is too large."));
        }
        let usage = Fields(usage.unwrap_or_default());
        let echo = kind == Kind::Completion && fields.flag("echo")?;
        Ok(Self {
            kind,
            prompts,
            topic,
            stream,
            max_tokens,
            min_tokens: fields.count("min_tokens")?.unwrap_or(0),
            ignore_eos: fields.flag("ignore_eos")?,
            temperature,
            seed: fields.integer("seed")?.map(i64::cast_unsigned),
            count,
            stop: fields.texts("stop")?,
            include_stop: fields.flag("include_stop_str_in_output")?,
            stop_ids: fields.ids("stop_token_ids")?,
            logprobs,
            prompt_logprobs: if echo { prompt_logprobs.or(logprobs) } else { prompt_logprobs },
            echo,
            include_usage: usage.flag("include_usage")? && !options.speaks(Dialect::NoUsage),
            continuous_usage: usage.flag("continuous_usage_stats")?,
            return_token_ids: fields.flag("return_token_ids")? && !options.speaks(Dialect::NoIds),
            tokens_as_ids: fields.flag("return_tokens_as_token_ids")?,
            silent_end: options.speaks(Dialect::SilentEnd),
        })
    }
}

/// The ids that `/tokenize` was asked for, and the text they come from.
pub(crate) fn tokenize(body: &[u8], options: &Options) -> Result<(Vec<u32>, String, bool), Refusal> {
    let fields = Fields::read(body)?;
    let input = if fields.0.contains_key("messages") { Input::Chat(fields.messages()?) } else { fields.prompt()? };
    fields.model(options)?;
    let (topic, mut prompts) = input.prompts()?;
    Ok((prompts.pop().unwrap_or_default(), topic, fields.flag("return_token_strs")?))
}

/// The ids that `/detokenize` was given.
pub(crate) fn detokenize(body: &[u8], options: &Options) -> Result<Vec<u32>, Refusal> {
    let fields = Fields::read(body)?;
    let missing = || Refusal::malformed(Some("body.tokens"), "'tokens': Field required");
    let ids = fields.0.get("tokens").ok_or_else(missing)?;
    fields.model(options)?;
    id_list(ids).ok_or_else(|| wrong_type("tokens", "a list of token ids"))
}

/// How many tokens there is room for.
fn room(kind: Kind, wanted: Option<usize>, prompts: &[Vec<u32>], limit: usize) -> Result<usize, Refusal> {
    if let Some(wanted) = wanted.filter(|wanted| *wanted > limit) {
        let what = format!(
            "max_tokens={wanted} cannot be greater than max_model_len=max_total_tokens={limit}. \
             Please request fewer output tokens. (parameter=max_tokens, value={wanted})"
        );
        return Err(Refusal::bad_request(Some("max_tokens"), &what));
    }
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    let least = wanted.unwrap_or(1);
    if longest + least > limit {
        let what = format!(
            "This model's maximum context length is {limit} tokens. However, you requested \
             {least} output tokens and your prompt contains at least {longest} input tokens, for \
             a total of at least {} tokens. Please reduce the length of the input prompt or the \
             number of requested output tokens. (parameter=input_tokens, value={longest})",
            longest + least
        );
        return Err(Refusal::bad_request(Some("input_tokens"), &what));
    }
    let default = if kind == Kind::Chat { limit - longest } else { 16.min(limit - longest) };
    Ok(wanted.unwrap_or(default))
}

fn within(name: &str, count: Option<usize>, limit: usize) -> Result<(), Refusal> {
    let Some(count) = count.filter(|count| *count > limit) else { return Ok(()) };
    let which = if name == "logprobs" { "sample" } else { "prompt" };
    let what = format!(
        "Requested {which} logprobs of {count}, which is greater than max allowed: {limit} \
         (parameter={name}, value={count})"
    );
    Err(Refusal::bad_request(Some(name), &what))
}
