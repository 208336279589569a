//! Answering one request for text, streamed or whole.

use std::time::Instant;

use crate::ask::Kind;
use crate::behaviour::{Head, Job, Place};
use crate::choice::{Choice, Piece};
use crate::compose::Composer;
use crate::deliver::{Cut, Delivery};
use crate::pace::Pace;
use crate::wire_json::Usage;

/// One part of a streamed reply that is ready to go.
struct Part {
    due: Instant,
    place: Place,
    tokens: usize,
    bytes: Vec<u8>,
}

/// Answers a request.
pub(crate) async fn answer(
    delivery: &mut Delivery<'_>,
    job: &Job,
    composer: &Composer<'_>,
    mut pace: Pace,
) -> Result<(), Cut> {
    delivery.behaviour.pace(job, &mut pace);
    let choices = (0..job.ask.prompts.len() * job.ask.count)
        .map(|index| {
            let prompt = index / job.ask.count;
            Choice::new(delivery.world, delivery.behaviour, job, index, prompt)
        })
        .collect();
    if job.ask.stream {
        streamed(delivery, job, composer, pace, choices).await
    } else {
        whole(delivery, job, composer, pace, choices).await
    }
}

async fn streamed(
    delivery: &mut Delivery<'_>,
    job: &Job,
    composer: &Composer<'_>,
    mut pace: Pace,
    mut choices: Vec<Choice>,
) -> Result<(), Cut> {
    let kind = ("content-type", "text/event-stream; charset=utf-8".to_owned());
    delivery.head(Head { status: 200, headers: vec![kind], length: None }).await?;
    let usage = |delivery: &Delivery<'_>, prompt, said| {
        let usage = || delivery.behaviour.usage(count(prompt, said));
        job.ask.continuous_usage.then(usage)
    };
    let mut held: Vec<Part> = Vec::new();
    let mut width = 1;
    let mut number = 0;
    let mut due = pace.next();
    if job.ask.kind == Kind::Chat {
        let due = pace.role_due.unwrap_or(due);
        let role = |choice: &Choice| {
            let bytes = composer.role(choice, usage(delivery, prompt_len(job, choice), 0));
            Part { due, place: Place::Role, tokens: 0, bytes }
        };
        let roles: Vec<Part> = choices.iter().map(role).collect();
        for part in roles {
            hold(delivery, pace.burst, &mut held, part).await?;
        }
    }
    while choices.iter().any(|choice| !choice.over) {
        let mut parts = Vec::new();
        let mut steps = 0;
        for choice in choices.iter_mut().filter(|choice| !choice.over) {
            let Some(piece) = choice.take(width) else { continue };
            let tokens = piece.tokens.len();
            steps = steps.max(tokens.min(width));
            let usage = usage(delivery, prompt_len(job, choice), choice.said);
            parts.push((tokens, composer.content(choice, piece, usage)));
        }
        // The first token is due already; each further one takes its time.
        let passed = if number == 0 { 1 } else { 0 };
        (passed..steps).for_each(|_| due = pace.next());
        for (tokens, bytes) in parts {
            let part = Part { due, place: Place::Content(number), tokens, bytes };
            hold(delivery, pace.burst, &mut held, part).await?;
            number += 1;
        }
        width = delivery.world.options.tokens_per_chunk.max(1);
    }
    if job.ask.include_usage {
        let usage = delivery.behaviour.usage(totals(job, &choices));
        let bytes = composer.usage(usage);
        let part = Part { due, place: Place::Usage, tokens: 0, bytes };
        hold(delivery, pace.burst, &mut held, part).await?;
    }
    let done = Part { due, place: Place::Done, tokens: 0, bytes: b"data: [DONE]\n\n".to_vec() };
    hold(delivery, pace.burst, &mut held, done).await?;
    for part in held {
        send(delivery, Part { due, ..part }).await?;
    }
    delivery.end().await
}

/// Sends a part at its time, or keeps it where all wait for the last.
async fn hold(delivery: &mut Delivery<'_>, burst: bool, held: &mut Vec<Part>, part: Part) -> Result<(), Cut> {
    if burst {
        held.push(part);
        return Ok(());
    }
    send(delivery, part).await
}

async fn send(delivery: &mut Delivery<'_>, part: Part) -> Result<(), Cut> {
    delivery.until(part.due).await?;
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

fn prompt_len(job: &Job, choice: &Choice) -> usize {
    job.ask.prompts[choice.prompt].len()
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
