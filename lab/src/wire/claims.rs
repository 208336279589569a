//! What a server claims of each token that it lists: hostile, and judged by nobody. Only the
//! public gates of old competitions look at it.

use serde::Deserialize;

use super::{framing::Framing, sse};

/// One entry of `logprobs.content`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entry {
    /// The token's text.
    #[serde(default)]
    pub token: String,
    /// What the server says it considered, in its order.
    #[serde(default, rename = "top_logprobs")]
    pub tops: Vec<Considered>,
}

/// A token that a server says it considered.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Considered {
    /// Its text.
    #[serde(default)]
    pub token: String,
    /// Its log probability, in nats.
    pub logprob: f64,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Entry>>,
}

/// More entries than this are not read.
const MOST_ENTRIES: usize = 1 << 17;

/// The entries of a streamed chat response, in order. What is no such chunk is passed over.
pub fn entries(bytes: &[u8]) -> Vec<Entry> {
    let (mut framing, mut body) = (Framing::default(), Vec::with_capacity(bytes.len()));
    framing.feed(bytes, |part| body.extend_from_slice(part));
    let messages = sse::events(&body).filter_map(|event| serde_json::from_slice::<Message>(&event.data).ok());
    let listed = messages.filter_map(|m| m.choices.into_iter().next()?.logprobs?.content);
    listed.flatten().take(MOST_ENTRIES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_from_the_raw_stream_with_what_was_considered() {
        let event = |data: &str| format!("data: {data}\n\n");
        let body = [
            event(r#"{"choices":[{"delta":{"role":"assistant"},"logprobs":null}]}"#),
            event(r#"{"choices":[{"logprobs":{"content":[{"token":" a","top_logprobs":[{"token":" a","logprob":-0.5},{"token":"b","logprob":-1}]},{"token":""}]}}]}"#),
            event("not a chunk"),
            event("[DONE]"),
        ]
        .concat();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let found = entries(format!("{head}{body}").as_bytes());
        let tops = [(" a", -0.5), ("b", -1.0)].map(|(token, logprob)| Considered { token: token.into(), logprob });
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].token.as_str(), &found[0].tops[..]), (" a", &tops[..]));
        assert_eq!((found[1].token.as_str(), found[1].tops.len()), ("", 0));
        assert_eq!(entries(b"nonsense"), []);
    }
}
