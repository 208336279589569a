//! One timed request as we read it: our token count, and when each token was there.

use lab::{
    Nanos,
    records::{Chunk, Exchange, MOST_SPARE_IDS, Outcome, RequestRow},
    tokenizer::Tokenizer,
};

use super::visible::is_visible;

/// One request of a load phase, with our reading of what came back. Offsets count from the
/// trial's clock start.
#[derive(Debug, Clone)]
pub struct Response {
    /// Id in the request set.
    pub request: u32,
    /// The load's name.
    pub load: String,
    /// What became of it.
    pub outcome: Outcome,
    /// When the schedule wanted it sent.
    pub intended_ns: Nanos,
    /// When its client turned to it, before it needed anything of the server; none in old
    /// bundles.
    pub started_ns: Option<Nanos>,
    /// When it was sent.
    pub sent_ns: Nanos,
    /// When the response's head was complete.
    pub head_ns: Option<Nanos>,
    /// When the first output came: text that shows, or ids that are not all special tokens.
    pub first_ns: Option<Nanos>,
    /// When the last output came.
    pub last_ns: Option<Nanos>,
    /// When reading ended.
    pub end_ns: Nanos,
    /// Token ids that the server sent, in order; of more than were asked for only the first
    /// ([`MOST_SPARE_IDS`]).
    pub received: Vec<u32>,
    /// How many it sent.
    pub received_count: u32,
    /// The last of them.
    pub last_received: Option<u32>,
    /// Our tokenizer's reading of the text; empty where the received ids are counted.
    pub reading: Vec<u32>,
    /// What our token count rests on.
    pub counted_from: CountedFrom,
    /// Whether the last received id is a special token: an end of turn, which text cannot show.
    pub ends_special: bool,
    /// The whole output text; hostile.
    pub text: String,
    /// Each chunk with how many tokens had come by then.
    pub steps: Vec<Step>,
    /// Entries in its lists of logprobs.
    pub entries: u32,
    /// `finish_reason`, or empty; hostile.
    pub finish: String,
    /// Whether `[DONE]` came.
    pub done: bool,
    /// Prompt tokens, as the server claims.
    pub claimed_prompt: Option<u64>,
    /// Output tokens, as the server claims.
    pub claimed_output: Option<u64>,
    /// The longest that bytes of it had been at this host before the client read them.
    pub behind_ns: Nanos,
}

/// Bytes of text that our tokenizer reads, at most: more is no answer to anything, and a
/// tokenizer takes long over nonsense.
const MOST_READ: usize = 1 << 20;

/// What a token count rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedFrom {
    /// The ids that the server sent; they decode to its text.
    Ids,
    /// Our tokenizer's reading of the text.
    Text,
}

/// One chunk of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Position among the response's events.
    pub event: u32,
    /// The read that completed it.
    pub read: u32,
    /// When the bytes of that read were at this host.
    pub offset_ns: Nanos,
    /// Output tokens that had come by then.
    pub tokens: u32,
    /// Whether it carried output: text that shows, or ids that are not all special tokens.
    pub output: bool,
    /// Whether it carried any text.
    pub text: bool,
    /// Entries in its list of logprobs.
    pub entries: u32,
}

impl Response {
    /// Reads one request, which asked for at most so many tokens, from what was derived of its
    /// bytes.
    pub(crate) fn read(
        exchange: &Exchange,
        row: &RequestRow,
        chunks: &[Chunk],
        tokenizer: &Tokenizer,
        most_tokens: u32,
    ) -> Self {
        let mut received = chunks.iter().map(|c| c.ids.as_slice()).collect::<Vec<_>>().concat();
        let text = chunks.iter().map(|c| c.text.as_str()).collect::<Vec<_>>().concat();
        let covered = !received.is_empty() && same_text(&tokenizer.decode(&received), &text);
        let counted_from = if covered { CountedFrom::Ids } else { CountedFrom::Text };
        let (received_count, last_received) = (received.len() as u32, received.last().copied());
        let received_end = last_received.is_some_and(|id| tokenizer.is_special(id));
        received.truncate((most_tokens.saturating_add(MOST_SPARE_IDS)) as usize);
        received.shrink_to_fit();
        let unread = covered || row.outcome != Outcome::Complete;
        let reading = if unread { Vec::new() } else { tokenizer.encode(lab::text::cut(&text, MOST_READ)) };
        let (all, bytes) = (reading.len() as u128, text.len().max(1) as u128);
        let (mut ids_so_far, mut bytes_so_far) = (0u32, 0u128);
        let steps: Vec<Step> = chunks
            .iter()
            .map(|c| {
                ids_so_far += c.ids.len() as u32;
                bytes_so_far += c.text.len() as u128;
                let share = (all * bytes_so_far / bytes) as u32;
                Step {
                    event: c.event,
                    read: c.read,
                    offset_ns: exchange.stamp(c.read),
                    tokens: if covered { ids_so_far } else { share },
                    output: is_visible(&c.text) || c.ids.iter().any(|id| !tokenizer.is_special(*id)),
                    text: !c.text.is_empty(),
                    entries: c.entries,
                }
            })
            .collect();
        Response {
            request: row.request,
            load: row.phase.clone(),
            outcome: row.outcome,
            intended_ns: row.intended_ns,
            started_ns: row.started_ns,
            sent_ns: row.sent_ns,
            head_ns: row.head_ns,
            first_ns: steps.iter().find(|s| s.output).map(|s| s.offset_ns),
            last_ns: steps.iter().rev().find(|s| s.output).map(|s| s.offset_ns),
            end_ns: row.end_ns,
            received,
            received_count,
            last_received,
            reading,
            counted_from,
            ends_special: covered && received_end,
            text,
            steps,
            entries: chunks.iter().fold(0, |sum, c| sum.saturating_add(c.entries)),
            finish: row.finish.clone(),
            done: row.done,
            claimed_prompt: row.claimed_prompt,
            claimed_output: row.claimed_output,
            behind_ns: row.behind_ns,
        }
    }

    /// The tokens of the output, as we count them; of more than were asked for only the first.
    pub fn ids(&self) -> &[u32] {
        match self.counted_from {
            CountedFrom::Ids => &self.received,
            CountedFrom::Text => &self.reading,
        }
    }

    /// How many there were.
    pub fn tokens(&self) -> u32 {
        match self.counted_from {
            CountedFrom::Ids => self.received_count,
            CountedFrom::Text => self.reading.len() as u32,
        }
    }

    /// How many of them text can show: without the end token, so that counts from ids and counts
    /// from text can be compared.
    pub fn shown_tokens(&self) -> u32 {
        self.tokens() - u32::from(self.ends_special)
    }

    /// Whether a whole response came.
    pub fn complete(&self) -> bool {
        self.outcome == Outcome::Complete
    }

    /// Whether it was sent, or at least tried.
    pub fn was_sent(&self) -> bool {
        !matches!(self.outcome, Outcome::NotSent | Outcome::TimeUp)
    }

    /// Whether it was never due: the phase's declared time was over before its turn.
    pub fn time_up(&self) -> bool {
        self.outcome == Outcome::TimeUp
    }

    /// TTFT from the actual send: what the server took, without the wait for a connection.
    pub fn served_ttft(&self) -> Option<Nanos> {
        self.first_ns.map(|at| since(at, self.sent_ns))
    }

    /// E2EL from the actual send.
    pub fn served_e2el(&self) -> Nanos {
        since(self.end_ns, self.sent_ns)
    }

    /// Time from the intended send to the first output: a server that lets nobody connect
    /// makes its users wait.
    pub fn ttft(&self) -> Option<Nanos> {
        self.first_ns.map(|at| since(at, self.intended_ns))
    }

    /// Time from the intended send to the end.
    pub fn e2el(&self) -> Nanos {
        since(self.end_ns, self.intended_ns)
    }

    /// (E2EL − TTFT) / (tokens − 1), halves rounded up.
    pub fn tpot(&self) -> Option<Nanos> {
        let gaps = u64::from(self.tokens()).checked_sub(1).filter(|n| *n > 0)?;
        let rest = u128::from(self.e2el().0.saturating_sub(self.ttft()?.0));
        let gaps = u128::from(gaps);
        Some(Nanos(((2 * rest + gaps) / (2 * gaps)) as u64))
    }

    /// Gaps between chunks that carry output.
    pub fn gaps(&self) -> impl Iterator<Item = Nanos> {
        let at: Vec<Nanos> = self.steps.iter().filter(|s| s.output).map(|s| s.offset_ns).collect();
        (1..at.len()).map(move |i| since(at[i], at[i - 1]))
    }

    /// Time from the intended send to the chunk that brought token `k` (from 1).
    pub fn reach(&self, k: u32) -> Option<Nanos> {
        self.steps.iter().find(|s| s.tokens >= k).map(|s| since(s.offset_ns, self.intended_ns))
    }
}

fn since(at: Nanos, from: Nanos) -> Nanos {
    Nanos(at.0.saturating_sub(from.0))
}

/// White space at the ends that a server may add.
const MOST_SPACE: usize = 4;

/// Whether ids that decode to `decoded` are those of `text`: equal but for a little white
/// space at the ends, and for U+FFFD, which stands where bytes are no character (yet); of
/// those the text may hold one more.
pub(crate) fn same_text(decoded: &str, text: &str) -> bool {
    if decoded == text {
        return true;
    }
    let plain = |s: &str| s.replace('\u{fffd}', "").trim().to_owned();
    let marks = |s: &str| s.matches('\u{fffd}').count();
    let space = |s: &str| s.chars().count() - s.trim().chars().count();
    plain(decoded) == plain(text) && marks(text) <= marks(decoded) + 1 && space(text) <= space(decoded) + MOST_SPACE
}
