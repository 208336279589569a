//! Most events look alike: one choice with a little text, a token and its logprobs. They are read
//! here in one pass. Whatever looks otherwise is none of ours, and serde_json reads it: what it
//! reads is the truth, and this reads the same or nothing.

use std::{borrow::Cow, ops::Range};

use super::{
    events::{Choice, Delta, Entry, Logprobs, Message, Text},
    json,
};

/// How the last message began, up to its choices: those of a stream mostly begin alike, and what
/// is known is not read again.
#[derive(Default)]
pub(super) struct Known {
    start: String,
    seen: Seen,
    /// Where in it `object` stands.
    object: Option<Range<usize>>,
}

/// The message that the data of an event is; none where serde_json has to say.
pub(super) fn message<'a>(data: &'a str, known: &mut Known) -> Option<Message<'a>> {
    let is_known = !known.start.is_empty() && data.starts_with(&known.start);
    let (mut seen, mut object, at) =
        if is_known { (known.seen, known.object.clone(), known.start.len()) } else { (Seen::default(), None, 0) };
    let mut message = Message::default();
    let each = |key: &str, at| match key {
        "choices" => {
            if !is_known {
                let start = data[..at - key.len() - QUOTES_AND_COLON].to_owned();
                *known = Known { start, seen, object: object.clone() };
            }
            seen.first(0)?;
            let begin = token(data, at, b'[')?;
            let (choice, end) = choice(data, begin)?;
            message.choices = Some(choice);
            token(data, end, b']')
        }
        "object" => {
            seen.first(1)?;
            let end = json::string(data.as_bytes(), at)?;
            object = Some(at..end);
            Some(end)
        }
        "usage" => seen.first(2).and(json::null(data.as_bytes(), at)),
        "error" => seen.first(3).and(json::null(data.as_bytes(), at)),
        _ => json::value(data.as_bytes(), at),
    };
    let end = if is_known { members(data, at, each) } else { self::object(data, at, each) }?;
    if let Some(at) = object {
        message.object = Some(text(data, at.start)?.0);
    }
    (end == data.len()).then_some(message)
}

const QUOTES_AND_COLON: usize = 3;

fn choice(data: &str, at: usize) -> Option<(Choice<'_>, usize)> {
    let (mut choice, mut seen) = (Choice::default(), Seen::default());
    let end = object(data, at, |key, at| match key {
        "index" => {
            seen.first(0)?;
            let end = json::number(data.as_bytes(), at)?;
            (&data[at..end] == "0").then_some(end)
        }
        "delta" => {
            seen.first(1)?;
            let (delta, end) = delta(data, at)?;
            choice.delta = Some(delta);
            Some(end)
        }
        "text" => seen.first(2).and(nullable(data, at, text, &mut choice.text)),
        "token_ids" => seen.first(3).and(nullable(data, at, ids, &mut choice.token_ids)),
        "finish_reason" => {
            seen.first(4)?;
            let mut finish = None;
            let end = nullable(data, at, text, &mut finish)?;
            choice.finish_reason = finish.map(|text| text.0.into_owned());
            Some(end)
        }
        "logprobs" => seen.first(5).and(nullable(data, at, logprobs, &mut choice.logprobs)),
        _ => json::value(data.as_bytes(), at),
    })?;
    Some((choice, end))
}

fn delta(data: &str, at: usize) -> Option<(Delta<'_>, usize)> {
    let (mut delta, mut seen) = (Delta::default(), Seen::default());
    let end = object(data, at, |key, at| match key {
        "content" => seen.first(0).and(nullable(data, at, text, &mut delta.content)),
        "reasoning" => seen.first(1).and(json::null(data.as_bytes(), at)),
        "reasoning_content" => seen.first(2).and(json::null(data.as_bytes(), at)),
        "refusal" => seen.first(3).and(json::null(data.as_bytes(), at)),
        "tool_calls" => seen.first(4).and(json::null(data.as_bytes(), at)),
        "function_call" => seen.first(5).and(json::null(data.as_bytes(), at)),
        _ => json::value(data.as_bytes(), at),
    })?;
    Some((delta, end))
}

fn logprobs(data: &str, at: usize) -> Option<(Logprobs<'_>, usize)> {
    let (mut logprobs, mut seen) = (Logprobs::default(), Seen::default());
    let entries = |data, at| list(data, at, entry);
    let end = object(data, at, |key, at| match key {
        "content" => seen.first(0).and(nullable(data, at, entries, &mut logprobs.content)),
        "tokens" => seen.first(1).and(json::null(data.as_bytes(), at)),
        "token_logprobs" => seen.first(2).and(json::null(data.as_bytes(), at)),
        _ => json::value(data.as_bytes(), at),
    })?;
    Some((logprobs, end))
}

fn entry(data: &str, at: usize) -> Option<(Entry<'_>, usize)> {
    let (mut token, mut logprob, mut seen) = (None, None, Seen::default());
    let end = object(data, at, |key, at| match key {
        "token" => {
            seen.first(0)?;
            let (text, end) = text(data, at)?;
            token = Some(text);
            Some(end)
        }
        "logprob" => seen.first(1).and(nullable(data, at, float, &mut logprob)),
        "id" => seen.first(2).and(json::null(data.as_bytes(), at)),
        _ => json::value(data.as_bytes(), at),
    })?;
    Some((Entry { token: token?, logprob, id: None }, end))
}

fn ids(data: &str, at: usize) -> Option<(Vec<u32>, usize)> {
    list(data, at, |data, at| {
        let end = json::number(data.as_bytes(), at)?;
        Some((data[at..end].parse().ok()?, end))
    })
}

fn float(data: &str, at: usize) -> Option<(f64, usize)> {
    let end = json::number(data.as_bytes(), at)?;
    Some((serde_json::from_str(&data[at..end]).ok()?, end))
}

fn text(data: &str, at: usize) -> Option<(Text<'_>, usize)> {
    let end = json::string(data.as_bytes(), at)?;
    let inner = &data[at + 1..end - 1];
    let text = match memchr::memchr(b'\\', inner.as_bytes()) {
        None => Cow::Borrowed(inner),
        Some(_) => Cow::Owned(serde_json::from_str(&data[at..end]).ok()?),
    };
    Some((Text(text), end))
}

/// What stands at `at` goes `into` its place, unless it is null; where it ends.
fn nullable<'a, T>(
    data: &'a str,
    at: usize,
    of: impl Fn(&'a str, usize) -> Option<(T, usize)>,
    into: &mut Option<T>,
) -> Option<usize> {
    if *data.as_bytes().get(at)? == b'n' {
        return json::null(data.as_bytes(), at);
    }
    let (value, end) = of(data, at)?;
    *into = Some(value);
    Some(end)
}

/// Where the object at `at` ends; `each` says where the value of a key ends that begins there.
fn object<'a>(data: &'a str, at: usize, each: impl FnMut(&'a str, usize) -> Option<usize>) -> Option<usize> {
    let at = token(data, at, b'{')?;
    token(data, at, b'}').or_else(|| members(data, at, each))
}

/// Where an object ends of which a key begins at `at`.
fn members<'a>(data: &'a str, mut at: usize, mut each: impl FnMut(&'a str, usize) -> Option<usize>) -> Option<usize> {
    loop {
        let end = json::string(data.as_bytes(), at)?;
        let key = &data[at + 1..end - 1];
        if key.contains('\\') {
            return None;
        }
        at = each(key, token(data, end, b':')?)?;
        match *data.as_bytes().get(at)? {
            b',' => at += 1,
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// The parts of the list at `at`, and where it ends.
fn list<'a, T>(
    data: &'a str,
    at: usize,
    part: impl Fn(&'a str, usize) -> Option<(T, usize)>,
) -> Option<(Vec<T>, usize)> {
    let (mut all, mut at) = (Vec::new(), token(data, at, b'[')?);
    if let Some(end) = token(data, at, b']') {
        return Some((all, end));
    }
    loop {
        let (value, end) = part(data, at)?;
        all.push(value);
        match *data.as_bytes().get(end)? {
            b',' => at = end + 1,
            b']' => return Some((all, end + 1)),
            _ => return None,
        }
    }
}

/// Past the character that has to stand at `at`.
fn token(data: &str, at: usize, wanted: u8) -> Option<usize> {
    (*data.as_bytes().get(at)? == wanted).then_some(at + 1)
}

/// The keys of an object that were there: serde_json takes none twice.
#[derive(Default, Clone, Copy)]
struct Seen(u8);

impl Seen {
    fn first(&mut self, key: u8) -> Option<()> {
        let before = self.0;
        self.0 |= 1 << key;
        (before != self.0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The message with nothing known.
    fn message(data: &str) -> Option<Message<'_>> {
        super::message(data, &mut Known::default())
    }

    /// Where the choices of an event begin, a prefix is known and the rest is read.
    #[test]
    fn a_message_that_begins_like_the_last_one_is_read_from_its_choices_on() {
        let mut known = Known::default();
        let begun = r#"{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","#;
        assert!(super::message(EVENTS[0], &mut known).is_some());
        assert_eq!((known.start.as_str(), known.object.clone()), (begun, Some(19..42)));
        let next = format!(r#"{begun}"choices":[{{"delta":{{"content":"a"}}}}],"object":"error"}}"#);
        assert!(super::message(&next, &mut known).is_none(), "there are two objects");
        let next = next.replace(r#","object":"error""#, "");
        assert_eq!(super::message(&next, &mut known), message(&next));
        assert_eq!(message(&next).unwrap().object.unwrap().0, "chat.completion.chunk");
    }

    const EVENTS: [&str; 5] = [
        r#"{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":" how\n\"\u00e9\ud83c\udf89"},"logprobs":{"content":[{"token":" how","logprob":-0.041288022,"bytes":[32,104],"top_logprobs":[{"token":"a","logprob":-1e-05,"bytes":null}]},{"token":"","logprob":null}]},"finish_reason":"stop","token_ids":[319,0]}]}"#,
        r#"{"choices":[{"text":"a","delta":{"content":null,"reasoning":null,"tool_calls":null},"token_ids":null,"logprobs":{"content":null,"tokens":null}}],"error":null}"#,
        r#"{"choices":[{"index":0,"delta":{"reasoning":"b","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"logprobs":{"content":[{"token":"a","id":5}]}}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}"#,
    ];

    #[test]
    fn events_as_servers_send_them_are_read_here_and_rare_ones_are_not() {
        let read = EVENTS.map(|data| message(data).is_some());
        assert_eq!(read, [true, true, true, false, false]);
        let choice = message(EVENTS[1]).unwrap().choices.unwrap();
        assert_eq!(choice.delta.unwrap().content.unwrap().0, " how\n\"é🎉");
        assert_eq!((choice.token_ids, choice.finish_reason), (Some(vec![319, 0]), Some("stop".into())));
        assert_eq!(choice.logprobs.unwrap().content.unwrap()[0].logprob, Some(-0.041288022));
    }

    #[test]
    fn what_serde_json_refuses_is_not_read_here() {
        for data in [
            r#"{"choices":[{"index":0}],"choices":[{"index":0}]}"#,
            r#"{"usage":null,"usage":null}"#,
            r#"{"choices":[{"token_ids":[4294967296]}]}"#,
            r#"{"choices":[{"token_ids":[-1]}]}"#,
            r#"{"choices":[{"token_ids":[1.0]}]}"#,
            r#"{"choices":[{"delta":{"content":"\ud800"}}]}"#,
            r#"{"choices":[{"logprobs":{"content":[{"logprob":-1}]}}]}"#,
            r#"{"choices":[{"logprobs":{"content":[{"token":"a","logprob":1e999}]}}]}"#,
            r#"{"choices":[{},{}]}"#,
            r#"{"choices":[{"index":null}]}"#,
            r#"{}x"#,
        ] {
            assert!(serde_json::from_str::<Message>(data).is_err(), "{data}");
            assert!(message(data).is_none(), "{data}");
        }
    }

    proptest! {
        /// Events with parts put in, taken out and put elsewhere.
        #[test]
        fn what_is_read_is_what_serde_json_reads(
            event in 0..EVENTS.len(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..24usize, any::<prop::sample::Index>()), 0..4),
        ) {
            const PARTS: [&str; 17] = [
                "", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-1.5e3", "null", " ", "\"index\":0,", "\"usage\":null,", "\"content\":\"a\",", "é",
            ];
            let mut data = EVENTS[event].to_owned();
            for (at, cut, part) in edits {
                let places: Vec<usize> = data.char_indices().map(|(i, _)| i).chain([data.len()]).collect();
                let from = at.index(places.len());
                let to = (from + cut).min(places.len() - 1);
                data.replace_range(places[from]..places[to], PARTS[part.index(PARTS.len())]);
            }
            let mut known = Known::default();
            super::message(EVENTS[event], &mut known);
            prop_assert_eq!(super::message(&data, &mut known), message(&data), "{}", data);
            if let Some(message) = message(&data) {
                prop_assert_eq!(serde_json::from_str::<Message>(&data).ok(), Some(message), "{}", data);
            }
        }
    }
}
