//! Requests that are never timed: health, tokenize, scoring.

use std::{collections::BTreeMap, time::Duration};

use lab::{Nanos, Problem, Result, records::ReferenceRow, requests::Request};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;

use crate::target::{self, Target};

/// The longest reply that is read.
const LARGEST: usize = 256 << 20;

/// A client of one server's untimed routes.
pub struct Control {
    client: reqwest::Client,
    base: String,
}

impl Control {
    /// For a target's server. No proxy, no redirect.
    pub fn new(target: &Target, timeout: Nanos) -> Result<Self> {
        let failed = |e: &dyn std::fmt::Display| Problem::machine(format!("the control client cannot be made: {e}"));
        let tls = match &target.tls {
            Some((tls, _)) => tls.as_ref().clone(),
            None => target::no_tls()?,
        };
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let mut client = client.timeout(timeout.into()).tls_backend_preconfigured(tls);
        if let Some(key) = &target.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose())).map_err(|e| failed(&e))?;
            value.set_sensitive(true);
            client = client.default_headers([(AUTHORIZATION, value)].into_iter().collect());
        }
        let client = client.build().map_err(|e| failed(&e))?;
        Ok(Control { client, base: target.url.to_string() })
    }

    /// Whether `/health` answers 200 within a second or so.
    pub async fn is_healthy(&self) -> bool {
        self.answers("/health").await
    }

    /// Whether `/v1/models` does; services without `/health` have it.
    pub async fn lists_models(&self) -> bool {
        self.answers("/v1/models").await
    }

    async fn answers(&self, route: &str) -> bool {
        let reply = self.client.get(format!("{}{route}", self.base)).timeout(Duration::from_secs(2)).send().await;
        reply.is_ok_and(|r| r.status() == reqwest::StatusCode::OK)
    }

    /// The token ids of a conversation after the server's chat template.
    pub async fn tokenize(&self, served_name: &str, request: &Request) -> std::result::Result<Vec<u32>, String> {
        #[derive(Deserialize)]
        struct Reply {
            tokens: Vec<u32>,
        }
        let body =
            serde_json::json!({"model": served_name, "messages": request.messages, "add_generation_prompt": true});
        self.post::<Reply>("/tokenize", &body).await.map(|reply| reply.tokens)
    }

    /// What the server thinks of `output` after `prompt`, token by token.
    pub async fn score(
        &self,
        served_name: &str,
        request: u32,
        prompt: &[u32],
        output: &[u32],
    ) -> std::result::Result<Vec<ReferenceRow>, String> {
        let ids = [prompt, output].concat();
        let body = serde_json::json!({"model": served_name, "prompt": ids, "max_tokens": 1, "temperature": 0, "prompt_logprobs": 1});
        let reply: Scored = self.post("/v1/completions", &body).await?;
        let seen = reply
            .choices
            .into_iter()
            .next()
            .and_then(|c| c.prompt_logprobs)
            .ok_or("the reference gave no prompt_logprobs")?;
        if seen.len() != ids.len() {
            return Err(format!("the reference scored {} tokens of {}", seen.len(), ids.len()));
        }
        let rows = seen.into_iter().skip(prompt.len()).zip(output).enumerate();
        rows.map(|(position, (entry, &id))| row(request, position as u32, id, &entry.unwrap_or_default())).collect()
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        route: &str,
        body: &serde_json::Value,
    ) -> std::result::Result<T, String> {
        let mut reply = self
            .client
            .post(format!("{}{route}", self.base))
            .json(body)
            .send()
            .await
            .map_err(|e| format!("{route}: {e}"))?;
        let status = reply.status();
        let mut bytes = Vec::new();
        while let Some(part) = reply.chunk().await.map_err(|e| format!("{route}: {e}"))? {
            bytes.extend_from_slice(&part);
            if bytes.len() > LARGEST {
                return Err(format!("{route}: the reply is longer than 256 MiB"));
            }
        }
        if !status.is_success() {
            return Err(format!("{route}: {status}: {}", lab::text::shown(&String::from_utf8_lossy(&bytes), 300)));
        }
        serde_json::from_slice(&bytes).map_err(|e| format!("{route}: {e}"))
    }
}

#[derive(Deserialize)]
struct Scored {
    choices: Vec<ScoredChoice>,
}

#[derive(Deserialize)]
struct ScoredChoice {
    prompt_logprobs: Option<Vec<Option<BTreeMap<String, Seen>>>>,
}

#[derive(Deserialize)]
struct Seen {
    logprob: f64,
    rank: Option<u32>,
}

/// One position: the emitted token and the reference's first choice. Where two tokens tie
/// for the first place, the emitted one is the first choice if it is among them.
fn row(
    request: u32,
    position: u32,
    id: u32,
    seen: &BTreeMap<String, Seen>,
) -> std::result::Result<ReferenceRow, String> {
    let emitted = seen
        .get(&id.to_string())
        .ok_or_else(|| format!("position {position}: the reference left the emitted token out"))?;
    let best = seen.iter().filter_map(|(key, s)| Some((key.parse::<u32>().ok()?, s)));
    let (best_id, best) =
        best.fold((id, emitted), |held, next| if next.1.logprob > held.1.logprob { next } else { held });
    if !emitted.logprob.is_finite() || !best.logprob.is_finite() {
        return Err(format!("position {position}: a logprob is not a number"));
    }
    if best.logprob > 1e-3 {
        return Err(format!("position {position}: a logprob of {} is above 0", best.logprob));
    }
    Ok(ReferenceRow {
        request,
        position,
        id,
        logprob: emitted.logprob,
        rank: emitted.rank.unwrap_or(0),
        best_id,
        best_logprob: best.logprob,
    })
}
