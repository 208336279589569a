//! Pieces of answers written as the JSON of the two endpoints.

use serde::Serialize;

use crate::ask::Kind;
use crate::behaviour::{Job, Names};
use crate::choice::{Choice, Piece};
use crate::speech::{Finish, Token};
use crate::tokens::Tokens;
use crate::wire_json::{
    ChatAlternative, ChatChoice, ChatChunkChoice, ChatEntry, ChatLogprobs, ChatReply, Chunk, CompletionChoice,
    CompletionChunkChoice, CompletionLogprobs, CompletionReply, Delta, Message, Nothing, Pairs, StopReason, Usage,
};

/// Writes the replies to one request.
pub(crate) struct Composer<'a> {
    pub(crate) job: &'a Job,
    pub(crate) names: Names,
    pub(crate) id: String,
}

impl<'a> Composer<'a> {
    /// The writer of this request's replies, with the names that they carry.
    pub(crate) fn new(job: &'a Job, names: Names) -> Self {
        let prefix = if job.ask.kind == Kind::Chat { "chatcmpl" } else { "cmpl" };
        Self { job, names, id: format!("{prefix}-{}", job.request_id) }
    }

    fn object(&self) -> &'static str {
        if self.job.ask.kind == Kind::Chat { "chat.completion.chunk" } else { "text_completion" }
    }

    fn chunk<C: Serialize>(&self, choices: Vec<C>, usage: Option<Usage>) -> Chunk<'_, C> {
        Chunk {
            id: &self.id,
            object: self.object(),
            created: self.job.created,
            model: &self.names.in_chunks,
            choices,
            usage,
            prompt_token_ids: None,
            prompt_text: None,
            system_fingerprint: None,
        }
    }

    /// The first chunk of a chat answer.
    pub(crate) fn role(&self, choice: &Choice, usage: Option<Usage>) -> Vec<u8> {
        let delta = Delta { role: Some("assistant"), content: String::new() };
        let first = ChatChunkChoice {
            index: choice.index,
            delta,
            logprobs: None,
            finish_reason: None,
            stop_reason: None,
            token_ids: None,
        };
        let mut chunk = self.chunk(vec![first], usage);
        chunk.model = &self.names.model;
        chunk.prompt_token_ids = Some(self.prompt_ids(choice));
        chunk.prompt_text = Some(None);
        event(&chunk)
    }

    /// A chunk with tokens.
    pub(crate) fn content(&self, choice: &mut Choice, piece: Piece, usage: Option<Usage>) -> Vec<u8> {
        let first = choice.said == piece.tokens.len();
        let last = piece.finish.is_some();
        let (finish_reason, stop_reason) = reasons(piece.finish.as_ref());
        let token_ids = self.ids(&piece.tokens);
        let fingerprint = (last && !self.job.ask.include_usage).then_some(self.names.fingerprint.as_str());
        if self.job.ask.kind == Kind::Chat {
            let content = ChatChunkChoice {
                index: choice.index,
                delta: Delta { role: None, content: piece.text },
                logprobs: self.chat_logprobs(&piece.tokens),
                finish_reason,
                stop_reason: last.then_some(stop_reason),
                token_ids: Some(token_ids),
            };
            let mut chunk = self.chunk(vec![content], usage);
            chunk.system_fingerprint = fingerprint;
            return event(&chunk);
        }
        let echo = first && self.job.ask.echo && !self.job.ask.return_token_ids;
        let prefix = if echo { self.prompt_text(choice) } else { String::new() };
        let content = CompletionChunkChoice {
            index: choice.index,
            text: prefix + &piece.text,
            logprobs: self.completion_logprobs(choice, &piece.tokens),
            finish_reason,
            stop_reason,
            prompt_token_ids: if first { self.prompt_ids(choice) } else { None },
            token_ids,
        };
        let mut chunk = self.chunk(vec![content], usage);
        chunk.system_fingerprint = fingerprint;
        event(&chunk)
    }

    /// The usage chunk.
    pub(crate) fn usage(&self, usage: Usage) -> Vec<u8> {
        let mut chunk = self.chunk(Vec::<ChatChunkChoice>::new(), Some(usage));
        chunk.system_fingerprint = Some(&self.names.fingerprint);
        event(&chunk)
    }

    /// The whole reply to a request that is not streamed.
    pub(crate) fn whole(&self, choices: Vec<(Choice, Piece)>, usage: Usage) -> Vec<u8> {
        let usage = Usage { prompt_tokens_details: Some(Nothing), ..usage };
        if self.job.ask.kind == Kind::Chat {
            return self.whole_chat(choices, usage);
        }
        let reply = CompletionReply {
            id: &self.id,
            object: "text_completion",
            created: self.job.created,
            model: &self.names.model,
            choices: choices.into_iter().map(|(one, piece)| self.completion(one, piece)).collect(),
            service_tier: None,
            system_fingerprint: &self.names.fingerprint,
            usage,
            kv_transfer_params: None,
            metrics: None,
        };
        serde_json::to_vec(&reply).unwrap_or_default()
    }

    fn whole_chat(&self, mut choices: Vec<(Choice, Piece)>, usage: Usage) -> Vec<u8> {
        let prompt_logprobs = choices.first_mut().and_then(|(one, _)| one.prompt_logprobs.take());
        let choice = |(one, piece): (Choice, Piece)| {
            let (finish_reason, stop_reason) = reasons(piece.finish.as_ref());
            ChatChoice {
                index: one.index,
                logprobs: self.chat_logprobs(&piece.tokens),
                finish_reason,
                stop_reason,
                token_ids: self.ids(&piece.tokens),
                message: Message::assistant(piece.text),
                routed_experts: None,
            }
        };
        let ids = self.job.ask.prompts.first().map(Vec::as_slice);
        let reply = ChatReply {
            id: &self.id,
            object: "chat.completion",
            created: self.job.created,
            model: &self.names.model,
            choices: choices.into_iter().map(choice).collect(),
            service_tier: None,
            system_fingerprint: &self.names.fingerprint,
            usage,
            prompt_logprobs,
            prompt_token_ids: ids.filter(|_| self.job.ask.return_token_ids),
            prompt_text: None,
            kv_transfer_params: None,
            metrics: None,
        };
        serde_json::to_vec(&reply).unwrap_or_default()
    }

    fn completion(&self, mut choice: Choice, piece: Piece) -> CompletionChoice<'_> {
        let ask = &self.job.ask;
        let (finish_reason, stop_reason) = reasons(piece.finish.as_ref());
        let prompt_only = ask.echo && ask.max_tokens == 0;
        let mut logprobs = CompletionLogprobs::default();
        if let (true, Some(places)) = (ask.echo, &choice.prompt_logprobs) {
            for (place, entry) in places.iter().enumerate() {
                let id = ask.prompts[choice.prompt][place];
                logprobs.text_offset.push(choice.offset);
                choice.offset += Tokens::shared().text(id).chars().count();
                logprobs.tokens.push(self.label(id, Tokens::shared().text(id)));
                let own = entry.as_ref().and_then(|pairs| pairs.0.first());
                logprobs.token_logprobs.push(own.map(|(_, one)| one.logprob));
                logprobs.top_logprobs.push(entry.as_ref().map(|pairs| {
                    let mut named = Pairs::default();
                    for (id, one) in &pairs.0 {
                        named.add(self.label(*id, &one.decoded_token), one.logprob);
                    }
                    named
                }));
            }
        }
        let said: &[(Token, String)] = if prompt_only { &[] } else { &piece.tokens };
        self.add_completion_logprobs(&mut choice, said, &mut logprobs);
        let echo = ask.echo && !ask.return_token_ids;
        let prefix = if echo { self.prompt_text(&choice) } else { String::new() };
        let text = if prompt_only { "" } else { piece.text.as_str() };
        CompletionChoice {
            index: choice.index,
            text: prefix + text,
            logprobs: ask.logprobs.map(|_| logprobs),
            finish_reason,
            stop_reason,
            token_ids: self.ids(&piece.tokens),
            prompt_token_ids: self.prompt_ids(&choice),
            prompt_logprobs: choice.prompt_logprobs,
            routed_experts: None,
        }
    }

    fn prompt_ids(&self, choice: &Choice) -> Option<&'a [u32]> {
        let job: &'a Job = self.job;
        job.ask.return_token_ids.then(|| job.ask.prompts[choice.prompt].as_slice())
    }

    fn prompt_text(&self, choice: &Choice) -> String {
        Tokens::shared().decode(&self.job.ask.prompts[choice.prompt])
    }

    fn ids(&self, tokens: &[(Token, String)]) -> Option<Vec<u32>> {
        let kept = |token: &Token| !(self.job.ask.silent_end && token.finish == Some(Finish::End));
        let ids = || tokens.iter().map(|(token, _)| token).filter(|token| kept(token)).map(|token| token.id).collect();
        self.job.ask.return_token_ids.then(ids)
    }

    fn label(&self, id: u32, text: &str) -> String {
        if self.job.ask.tokens_as_ids { format!("token_id:{id}") } else { text.to_owned() }
    }

    fn chat_logprobs(&self, tokens: &[(Token, String)]) -> Option<ChatLogprobs> {
        self.job.ask.logprobs?;
        let alternative = |(id, logprob): &(u32, f32)| {
            let token = self.label(*id, Tokens::shared().text(*id));
            let bytes = token.as_bytes().to_vec();
            ChatAlternative { token, logprob: f64::from(*logprob), bytes }
        };
        let entry = |(token, grown): &(Token, String)| {
            let text = shown(token, grown);
            ChatEntry {
                token: self.label(token.id, text),
                logprob: f64::from(token.logprob),
                bytes: text.as_bytes().to_vec(),
                top_logprobs: token.top.iter().map(alternative).collect(),
            }
        };
        Some(ChatLogprobs { content: tokens.iter().map(entry).collect() })
    }

    fn completion_logprobs(&self, choice: &mut Choice, tokens: &[(Token, String)]) -> Option<CompletionLogprobs> {
        self.job.ask.logprobs?;
        let mut logprobs = CompletionLogprobs::default();
        self.add_completion_logprobs(choice, tokens, &mut logprobs);
        Some(logprobs)
    }

    fn add_completion_logprobs(
        &self,
        choice: &mut Choice,
        tokens: &[(Token, String)],
        logprobs: &mut CompletionLogprobs,
    ) {
        for (token, grown) in tokens {
            let text = shown(token, grown);
            logprobs.text_offset.push(choice.offset);
            choice.offset += text.chars().count();
            logprobs.token_logprobs.push(Some(f64::from(token.logprob)));
            logprobs.tokens.push(self.label(token.id, text));
            let mut top = Pairs::default();
            top.add(self.label(token.id, text), f64::from(token.logprob));
            for (id, logprob) in &token.top {
                top.add(self.label(*id, Tokens::shared().text(*id)), f64::from(*logprob));
            }
            logprobs.top_logprobs.push(Some(top));
        }
    }
}

/// The text of a token in a list of logprobs.
fn shown<'a>(token: &Token, grown: &'a str) -> &'a str {
    if grown.is_empty() && Tokens::shared().is_special(token.id) {
        return Tokens::shared().text(token.id);
    }
    grown
}

fn reasons(finish: Option<&Finish>) -> (Option<&'static str>, Option<StopReason>) {
    match finish {
        None => (None, None),
        Some(Finish::Length) => (Some("length"), None),
        Some(Finish::End) => (Some("stop"), None),
        Some(Finish::StopId(id)) => (Some("stop"), Some(StopReason::Id(*id))),
        Some(Finish::StopText(text)) => (Some("stop"), Some(StopReason::Text(text.clone()))),
    }
}

/// One server-sent event.
fn event(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = b"data: ".to_vec();
    // Numbers and texts always have a JSON form, so that nothing can fail here.
    bytes.extend(serde_json::to_vec(value).unwrap_or_default());
    bytes.extend(b"\n\n");
    bytes
}
