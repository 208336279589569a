//! Answering one request for text, streamed or whole.

use std::collections::VecDeque;
use std::time::Instant;

use crate::ask::Kind;
use crate::behaviour::{Behaviour, Head, Job, Place, World};
use crate::choice::{Choice, Piece};
use crate::compose::Composer;
use crate::deliver::{Cut, Delivery};
use crate::dialect::Dialect;
use crate::pace::Pace;
use crate::wire_json::Usage;

/// One part of a streamed reply.
pub(crate) struct Part {
    /// How many times between tokens pass before it.
    pub(crate) steps: usize,
    pub(crate) place: Place,
    pub(crate) tokens: usize,
    pub(crate) bytes: Vec<u8>,
}

/// Answers a request.
pub(crate) async fn answer(
    delivery: &mut Delivery<'_>,
    job: &Job,
    composer: &Composer<'_>,
    mut pace: Pace,
) -> Result<(), Cut> {
    delivery.behaviour.pace(job, &mut pace);
    if job.ask.stream {
        let parts = Parts::new(delivery.world, delivery.behaviour, job, composer);
        streamed(delivery, parts, pace).await
    } else {
        let choices = choices(delivery.world, delivery.behaviour, job);
        whole(delivery, job, composer, pace, choices).await
    }
}

fn choices(world: &World, behaviour: &dyn Behaviour, job: &Job) -> Vec<Choice> {
    let prompt = |index| index / job.ask.count;
    let all = 0..job.ask.prompts.len() * job.ask.count;
    all.map(|index| Choice::new(world, behaviour, job, index, prompt(index))).collect()
}

/// Status and headers of every stream.
pub(crate) fn stream_head() -> Head {
    let kind = ("content-type", "text/event-stream; charset=utf-8".to_owned());
    Head { status: 200, headers: vec![kind], length: None }
}

/// The parts of a streamed reply, composed one after another; a reply may have no end.
pub(crate) struct Parts<'a> {
    world: &'a World,
    behaviour: &'a dyn Behaviour,
    job: &'a Job,
    composer: &'a Composer<'a>,
    choices: Vec<Choice>,
    width: usize,
    then_width: usize,
    number: usize,
    stage: Stage,
    ready: VecDeque<Part>,
}

/// What comes next in a stream.
enum Stage {
    Role,
    Content,
    End,
}

impl<'a> Parts<'a> {
    /// The reply to a request.
    pub(crate) fn new(
        world: &'a World,
        behaviour: &'a dyn Behaviour,
        job: &'a Job,
        composer: &'a Composer<'a>,
    ) -> Self {
        let has_role = job.ask.kind == Kind::Chat && !world.options.speaks(Dialect::NoRole);
        Self {
            world,
            behaviour,
            job,
            composer,
            choices: choices(world, behaviour, job),
            width: 1,
            then_width: world.options.tokens_per_chunk.max(1),
            number: 0,
            stage: if has_role { Stage::Role } else { Stage::Content },
            ready: VecDeque::new(),
        }
    }

    fn roles(&mut self) {
        for choice in &self.choices {
            let usage = usage(self.behaviour, self.job, choice, 0);
            let bytes = self.composer.role(choice, usage);
            self.ready.push_back(Part { steps: 0, place: Place::Role, tokens: 0, bytes });
        }
    }

    /// The next tokens of every choice.
    fn content(&mut self) {
        let mut steps = 0_usize;
        let before = self.ready.len();
        for choice in self.choices.iter_mut().filter(|choice| !choice.over) {
            let Some(piece) = choice.take(self.width) else { continue };
            let tokens = piece.tokens.len();
            steps = steps.max(tokens.min(self.width));
            let usage = usage(self.behaviour, self.job, choice, choice.said);
            let bytes = self.composer.content(choice, piece, usage);
            let place = Place::Content(self.number + self.ready.len() - before);
            self.ready.push_back(Part { steps: 0, place, tokens, bytes });
        }
        // The first token is due already; each further one takes its time.
        let passed = if self.number == 0 { 1 } else { 0 };
        if let Some(first) = self.ready.get_mut(before) {
            first.steps = steps.saturating_sub(passed);
        }
        self.number += self.ready.len() - before;
        self.width = self.then_width;
    }

    fn end(&mut self) {
        if self.job.ask.include_usage {
            let bytes = self.composer.usage(self.behaviour.usage(totals(self.job, &self.choices)));
            self.ready.push_back(Part { steps: 0, place: Place::Usage, tokens: 0, bytes });
        }
        let bytes = b"data: [DONE]\n\n".to_vec();
        self.ready.push_back(Part { steps: 0, place: Place::Done, tokens: 0, bytes });
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        while self.ready.is_empty() {
            match self.stage {
                Stage::Role => {
                    self.stage = Stage::Content;
                    self.roles();
                }
                Stage::Content if self.choices.iter().any(|choice| !choice.over) => self.content(),
                Stage::Content => {
                    self.stage = Stage::End;
                    self.end();
                }
                Stage::End => return None,
            }
        }
        let part = self.ready.pop_front()?;
        Some(Part { bytes: self.world.options.framed(part.bytes), ..part })
    }
}

async fn streamed(delivery: &mut Delivery<'_>, parts: Parts<'_>, mut pace: Pace) -> Result<(), Cut> {
    delivery.head(stream_head()).await?;
    let mut due = pace.next();
    let mut held = Vec::new();
    for part in parts {
        (0..part.steps).for_each(|_| due = pace.next());
        if pace.burst {
            held.push(part);
            continue;
        }
        let due = pace.role_due.filter(|_| part.place == Place::Role).unwrap_or(due);
        send(delivery, due, part).await?;
    }
    for part in held {
        send(delivery, due, part).await?;
    }
    delivery.end().await
}

async fn send(delivery: &mut Delivery<'_>, due: Instant, part: Part) -> Result<(), Cut> {
    delivery.until(due).await?;
    delivery.part(part.place, part.tokens, part.bytes).await
}

async fn whole(
    delivery: &mut Delivery<'_>,
    job: &Job,
    composer: &Composer<'_>,
    mut pace: Pace,
    mut choices: Vec<Choice>,
) -> Result<(), Cut> {
    let pieces: Vec<Piece> = choices
        .iter_mut()
        .map(|choice| {
            let empty = Piece { tokens: Vec::new(), text: String::new(), finish: None };
            choice.take(usize::MAX).unwrap_or(empty)
        })
        .collect();
    let steps = pieces.iter().map(|piece| piece.tokens.len()).max().unwrap_or(0);
    let usage = delivery.behaviour.usage(totals(job, &choices));
    let said = usage.completion_tokens;
    // The offsets of a whole reply start at its first token, which `take` has not moved.
    let bytes = composer.whole(choices.into_iter().zip(pieces).collect(), usage);
    let due = (0..steps.max(1)).fold(pace.origin, |_, _| pace.next());
    delivery.until(due).await?;
    let kind = ("content-type", "application/json".to_owned());
    let length = Some(bytes.len() as u64);
    delivery.head(Head { status: 200, headers: vec![kind], length }).await?;
    delivery.part(Place::Whole, said, bytes).await?;
    delivery.end().await
}

/// The usage so far, where every chunk is to have it.
fn usage(behaviour: &dyn Behaviour, job: &Job, choice: &Choice, said: usize) -> Option<Usage> {
    let prompt = job.ask.prompts[choice.prompt].len();
    job.ask.continuous_usage.then(|| behaviour.usage(count(prompt, said)))
}

fn count(prompt_tokens: usize, completion_tokens: usize) -> Usage {
    Usage {
        prompt_tokens,
        total_tokens: prompt_tokens + completion_tokens,
        completion_tokens,
        prompt_tokens_details: None,
    }
}

fn totals(job: &Job, choices: &[Choice]) -> Usage {
    let prompts = job.ask.prompts.iter().map(Vec::len).sum();
    count(prompts, choices.iter().map(|choice| choice.said).sum())
}
