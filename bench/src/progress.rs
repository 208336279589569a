//! Progress on standard error: one line that changes on a terminal, a line per trial
//! elsewhere.

use std::{
    io::{IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lab::Nanos;
use runner::progress::{Event, Observer};

/// Shows events as they come.
pub(crate) struct Lines {
    live: bool,
    state: Mutex<State>,
}

struct State {
    began: Instant,
    drawn: Option<Instant>,
    finished_here: u32,
    trial: String,
    rate: String,
    eta: String,
}

/// A line that changes faster than this cannot be read.
const CALM: Duration = Duration::from_millis(100);

impl Lines {
    pub(crate) fn new() -> Self {
        let state = State {
            began: Instant::now(),
            drawn: None,
            finished_here: 0,
            trial: String::new(),
            rate: String::new(),
            eta: String::new(),
        };
        Lines { live: std::io::stderr().is_terminal(), state: Mutex::new(state) }
    }

    /// Ends the changing line, so that what follows begins a line of its own.
    pub(crate) fn end(&self) {
        if self.live {
            eprint!("\r\u{1b}[K");
        }
    }

    fn line(&self, state: &mut State, text: &str, now: bool) {
        if !self.live || (!now && state.drawn.is_some_and(|at| at.elapsed() < CALM)) {
            return;
        }
        let width = crate::screen::width();
        let text: String = text.chars().take(width - 1).collect();
        eprint!("\r\u{1b}[K{text}");
        let _ = std::io::stderr().flush();
        state.drawn = Some(Instant::now());
    }

    /// A line that stays.
    fn keep(&self, text: &str) {
        self.end();
        eprintln!("{text}");
    }
}

/// The first line of a failure, and the last of the log that it quotes.
fn in_short(why: &str) -> String {
    let mut lines = why.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lab::text::shown(lines.next().unwrap_or_default(), 200);
    match lines.next_back() {
        Some(last) => format!("{first} {}", lab::text::shown(last, 200)),
        None => first,
    }
}

impl Observer for Lines {
    fn see(&self, event: &Event<'_>) {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *held;
        match event {
            Event::Stage(words) if self.live => self.line(state, words, true),
            Event::Stage(words) => eprintln!("{words}"),
            Event::TrialStarted { trial, of } => {
                let remaining = (*of as u32).saturating_sub(trial.n - 1);
                if state.finished_here > 0 {
                    let left = state.began.elapsed() / state.finished_here * remaining;
                    state.eta = format!(" · {} left", Nanos::from(left));
                }
                state.trial = format!("trial {} of {of} · round {} · {}", trial.n, trial.round, trial.arm);
                let text = format!("{} · starting{}{}", state.trial, state.rate, state.eta);
                self.line(state, &text, true);
            }
            Event::Ready { .. } => {}
            Event::Requests { phase, done, of } => {
                let text = format!("{} · {phase} {done}/{of} requests{}{}", state.trial, state.rate, state.eta);
                self.line(state, &text, done == of);
            }
            Event::TrialEnded { tokens, busy, failure, unanswered, .. } => {
                state.finished_here += 1;
                let rate = *tokens as f64 / busy.as_secs_f64().max(1e-9);
                state.rate = if busy.0 > 0 { format!(" · {rate:.0} tok/s") } else { String::new() };
                let trial = state.trial.clone();
                match failure {
                    Some(why) => {
                        self.keep(&format!("{trial} · failed: {}", in_short(why)));
                    }
                    None if unanswered.count > 0 => {
                        let what = lab::text::shown(&unanswered.first, 200);
                        self.keep(&format!(
                            "{trial} · {} of {} requests failed: {what}",
                            unanswered.count, unanswered.of
                        ));
                    }
                    None if !self.live => eprintln!("{trial} · {tokens} tokens in {busy}{}{}", state.rate, state.eta),
                    None => {}
                }
            }
            Event::Graded { done, of } => {
                let text = format!("grading · {done} of {of} outputs");
                self.line(state, &text, done == of);
                if !self.live && done == of {
                    eprintln!("{text}");
                }
            }
        }
    }
}
