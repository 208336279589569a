//! The evidence behind one verdict, for a terminal.

use std::collections::BTreeSet;

use lab::text::shown;

use super::{
    escape, number,
    table::word,
    terminal::{Paint, wrapped},
};
use crate::judgement::{Explained, ExplainedRequest, ExplainedToken, Explanation, Place, TokenSeen};

/// Sentences keep readable on wide terminals.
const WIDEST: usize = 100;
/// Tokens that are shown of a reason.
const TOKENS: usize = 5;
/// Width of the names before the values.
const NAMES: usize = 11;
/// Characters of an answer.
const ANSWER: usize = 240;

/// The evidence as lines of at most `width` characters (if that is at least 60), with ANSI
/// colours only if `colours`. Whatever a server sent is escaped. Ends in a newline.
pub fn explanation(explanation: &Explanation, width: usize, colours: bool) -> String {
    let (width, paint) = (width.clamp(60, WIDEST), Paint(colours));
    let mut page = Page { out: String::new(), width, paint, shown: BTreeSet::new() };
    let provisional = if explanation.provisional { " provisional" } else { "" };
    let verdict = page.paint.verdict(explanation.verdict, word(explanation.verdict));
    page.out += &format!("{} is {verdict}{provisional}\n", page.paint.bold(&escape::name(&explanation.candidate)));
    for explained in &explanation.reasons {
        page.reason(explained);
    }
    page.out
}

struct Page {
    out: String,
    width: usize,
    paint: Paint,
    /// Requests whose facts stand above: several checks may speak of one.
    shown: BTreeSet<(String, u32)>,
}

impl Page {
    fn reason(&mut self, explained: &Explained) {
        let code = self.paint.bold(explained.reason.code);
        self.out += &format!("\n{code}\n");
        self.lines("  ", &escape::detail(&explained.reason.text));
        for token in explained.tokens.iter().take(TOKENS) {
            self.token(token);
        }
        for request in &explained.requests {
            self.request(request);
        }
        for (trial, seen) in &explained.launches {
            self.title(&format!("{} failed", escape::name(trial)));
            seen.lines().take(6).for_each(|line| self.lines("    ", &escape::detail(line)));
        }
    }

    fn token(&mut self, token: &ExplainedToken) {
        let nats = number::fixed(token.margin_nats, 2);
        let ExplainedToken { place, position, .. } = token;
        self.title(&format!("{}, token {position}: {} nats", of(place), nats.digits()));
        self.prompt(place);
        self.field("before", &quoted(&token.before));
        let rank = if token.rank > 0 { format!(", rank {}", token.rank) } else { String::new() };
        self.field("emitted", &format!("{}{rank}", seen(&token.emitted)));
        self.field("best", &seen(&token.best));
        self.source(place);
    }

    fn request(&mut self, request: &ExplainedRequest) {
        self.title(&format!("{}: {}", of(&request.place), shown(&request.what, ANSWER)));
        if !self.shown.insert((request.place.trial.clone(), request.place.request)) {
            return self.lines("    ", "Its text and counts stand above.");
        }
        self.prompt(&request.place);
        self.field("answer", &quoted(&cut(&request.text)));
        if let Some(baseline) = &request.baseline {
            self.field("baseline", &format!("{}, {} tokens", quoted(&cut(&baseline.text)), baseline.tokens));
        }
        let claimed = |n: Option<u64>| n.map_or_else(|| "nothing".to_owned(), |n| n.to_string());
        self.field(
            "output",
            &format!(
                "{} tokens by its {}, {} asked for; {} ids came, it claims {}; {} logprob entries",
                request.tokens,
                request.counted_from,
                request.most_tokens,
                request.ids,
                claimed(request.claimed_output),
                request.logprob_entries
            ),
        );
        let ours = request.prompt_tokens.map_or_else(|| "not graded".to_owned(), |n| format!("{n} by the reference"));
        self.field("prompt ids", &format!("{ours}, it claims {}", claimed(request.claimed_prompt)));
        let finish = if request.finish.is_empty() { "none".to_owned() } else { quoted(&request.finish) };
        self.field("end", &format!("{}, finish_reason {finish}", request.outcome));
        self.source(&request.place);
    }

    fn prompt(&mut self, place: &Place) {
        self.field("prompt", &quoted(&place.prompt_end));
    }

    fn source(&mut self, place: &Place) {
        self.field("from", &format!("{}/{}", escape::name(&place.bundle), escape::name(&place.file)));
    }

    fn title(&mut self, text: &str) {
        self.out.push('\n');
        self.lines("  ", text);
    }

    /// A name and its value, whose further lines stand beneath it.
    fn field(&mut self, name: &str, value: &str) {
        for (i, line) in wrapped(value, self.width - 4 - NAMES).into_iter().enumerate() {
            let name = self.paint.dim(&format!("{:<NAMES$}", if i == 0 { name } else { "" }));
            self.out += &format!("    {name}{line}\n");
        }
    }

    fn lines(&mut self, margin: &str, text: &str) {
        for line in wrapped(text, self.width - margin.len()) {
            self.out += &format!("{margin}{line}\n");
        }
    }
}

fn of(place: &Place) -> String {
    format!("{}, request {}", escape::name(&place.trial), place.request)
}

fn seen(token: &TokenSeen) -> String {
    format!("{} (id {}), logprob {}", escape::token(&token.text), token.id, number::fixed(token.logprob, 2).digits())
}

/// A server's text, in quotation marks.
fn quoted(text: &str) -> String {
    format!("“{}”", shown(text, ANSWER))
}

/// As much of an answer as fits a few lines.
fn cut(text: &str) -> String {
    text.chars().take(ANSWER + 1).collect()
}
