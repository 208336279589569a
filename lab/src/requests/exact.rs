//! Text of an exact number of tokens.

use std::{collections::HashMap, sync::Arc, thread};

use super::{length::MOST_TOKENS, prose};
use crate::{seed::Stream, tokenizer::Tokenizer};

/// Shorter texts are words without order, so that enough of them differ.
const SENTENCES: u32 = 24;
/// Texts that are written with a corrected aim, and then longer ones that are cut.
const CORRECTIONS: u32 = 8;
/// Beginnings that are tried.
const BEGINNINGS: u32 = 32;
/// Places beside the wanted one where a cut is tried.
const CUTS: usize = 24;

/// A beginning that a text is written after, with its ids; empty where there is none.
#[derive(Default)]
pub(super) struct Before {
    pub text: String,
    pub ids: Vec<u32>,
}

impl Before {
    /// Whether this beginning and `text` encode to its own ids and exactly `tokens` more.
    fn holds(&self, text: &str, tokens: usize, tokenizer: &Tokenizer) -> Result<(), usize> {
        let ids = if self.text.is_empty() {
            tokenizer.encode(text)
        } else {
            tokenizer.encode(&format!("{}{text}", self.text))
        };
        match ids.len().saturating_sub(self.ids.len()) {
            found if found == tokens && ids.starts_with(&self.ids) => Ok(()),
            found => Err(found),
        }
    }
}

/// Writes texts of exact lengths with one tokenizer.
///
/// Words are drawn from the lists of [`super::prose`]. What a word costs is counted once,
/// after another word; the sum over a text's words is its expected length. The whole text
/// is then encoded: only a text of the right length leaves, whatever the expectation was.
#[derive(Clone)]
pub(super) struct Writer<'a> {
    tokenizer: &'a Tokenizer,
    opening: Costs,
    inner: Costs,
}

/// What words cost at one place of a text.
#[derive(Default, Clone)]
struct Costs {
    known: HashMap<String, u32>,
    /// The lists' own words, the cheapest first.
    words: Vec<(u32, &'static str)>,
}

impl Costs {
    fn of(&mut self, word: &str, count: impl FnOnce() -> u32) -> u32 {
        match self.known.get(word) {
            Some(cost) => *cost,
            None => {
                let cost = count();
                self.known.insert(word.to_owned(), cost);
                cost
            }
        }
    }
}

impl<'a> Writer<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> Self {
        let mut writer = Writer { tokenizer, opening: Costs::default(), inner: Costs::default() };
        let known = |word: &str| !tokenizer.encode(word).into_iter().any(|id| tokenizer.is_special(id));
        for word in prose::words().into_iter().filter(|w| known(w)) {
            let costs = (writer.cost(word, true), writer.cost(word, false));
            writer.opening.words.push((costs.0, word));
            writer.inner.words.push((costs.1, word));
        }
        writer.opening.words.sort_unstable();
        writer.inner.words.sort_unstable();
        writer
    }

    /// A text that, standing after `before`, adds exactly `tokens` tokens to it; `None` if
    /// none was found. A text after something begins with a space.
    pub(super) fn write(&mut self, stream: &mut Stream, before: &Before, tokens: u32) -> Option<String> {
        if !(1..=MOST_TOKENS).contains(&tokens) {
            return None;
        }
        let mut aim = i64::from(tokens);
        for _ in 0..CORRECTIONS {
            let text = self.compose(stream, before.text.is_empty(), u32::try_from(aim.max(1)).ok()?);
            match before.holds(&text, tokens as usize, self.tokenizer) {
                Ok(()) => return Some(text),
                Err(found) => aim += i64::from(tokens) - found as i64,
            }
        }
        (0..CORRECTIONS).find_map(|_| {
            let long = self.compose(stream, before.text.is_empty(), tokens + tokens / 2 + 16);
            cut(self.tokenizer, before, &long, tokens as usize).map(str::to_owned)
        })
    }

    /// A beginning of exactly `tokens` tokens, whose own ids stay what they are when a text
    /// follows.
    pub(super) fn beginning(&mut self, stream: &mut Stream, tokens: u32) -> Option<Before> {
        (0..BEGINNINGS).find_map(|_| {
            let text = self.write(stream, &Before::default(), tokens)?;
            let before = Before { ids: self.tokenizer.encode(&text), text };
            let followed = self.tokenizer.encode(&format!("{} so", before.text));
            followed.starts_with(&before.ids).then_some(before)
        })
    }

    /// Words whose costs sum up to `tokens`, or to less where no word is cheap enough.
    fn compose(&mut self, stream: &mut Stream, opens: bool, tokens: u32) -> String {
        let (mut text, mut left) = (String::new(), tokens);
        if tokens >= SENTENCES {
            let mut sentence = prose::task(stream);
            while sentence.split(' ').all(|word| self.add(&mut text, &mut left, word, opens)) {
                sentence = prose::sentence(stream);
            }
        }
        while left > 0 {
            let words = if opens && text.is_empty() { &self.opening.words } else { &self.inner.words };
            let affordable = words.partition_point(|(cost, _)| *cost <= left);
            if affordable == 0 {
                break;
            }
            let word = words[stream.below(affordable as u64) as usize].1;
            self.add(&mut text, &mut left, word, opens);
        }
        text
    }

    /// Adds a word if enough tokens are left for it.
    fn add(&mut self, text: &mut String, left: &mut u32, word: &str, opens: bool) -> bool {
        let first = opens && text.is_empty();
        let Some(rest) = left.checked_sub(self.cost(word, first)) else { return false };
        if !first {
            text.push(' ');
        }
        text.push_str(word);
        *left = rest;
        true
    }

    /// The tokens that a word adds, at least 1.
    fn cost(&mut self, word: &str, first: bool) -> u32 {
        let count = |text: &str| self.tokenizer.encode(text).len() as u32;
        match first {
            true => self.opening.of(word, || count(word)),
            false => self.inner.of(word, || count(&format!("so {word}")).saturating_sub(count("so"))),
        }
        .max(1)
    }
}

/// A text to be written: from which stream, after what, and how long.
pub(super) struct Order {
    pub stream: Stream,
    pub before: Arc<Before>,
    pub tokens: u32,
}

/// The texts of all orders. Each is a function of its order alone, so the number of
/// processors changes how long it takes and nothing else.
pub(super) fn write_all(writer: &Writer, mut orders: Vec<Order>) -> Vec<Option<String>> {
    let share = orders.len().div_ceil(thread::available_parallelism().map_or(1, usize::from)).max(1);
    thread::scope(|scope| {
        let work = |share: &mut [Order], mut own: Writer| -> Vec<_> {
            share.iter_mut().map(|o| own.write(&mut o.stream, &o.before, o.tokens)).collect()
        };
        let workers: Vec<_> = orders
            .chunks_mut(share)
            .map(|share| (share, writer.clone()))
            .map(|(s, w)| scope.spawn(move || work(s, w)))
            .collect();
        workers.into_iter().flat_map(|w| w.join().expect("a writer does not panic")).collect()
    })
}

/// The beginning of `text` that, standing after `before`, adds exactly `tokens` tokens to
/// it and does not end in white space, which chat templates may remove.
pub(super) fn cut<'t>(tokenizer: &Tokenizer, before: &Before, text: &'t str, tokens: usize) -> Option<&'t str> {
    let whole = format!("{}{text}", before.text);
    let end = *tokenizer.ends(&whole).get((before.ids.len() + tokens).checked_sub(1)?)?;
    let wanted = end.checked_sub(before.text.len())?;
    let from = text.ceil_char_boundary(wanted);
    let later = text[from..].char_indices().map(|(i, _)| from + i).chain([text.len()]);
    let sooner = text[..from].char_indices().rev().map(|(i, _)| i);
    let tries = later.take(CUTS).chain(sooner.take(CUTS));
    tries
        .map(|k| &text[..k])
        .filter(|t| !t.is_empty() && !t.ends_with(char::is_whitespace))
        .find(|t| before.holds(t, tokens, tokenizer).is_ok())
}
