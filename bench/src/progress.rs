//! Progress on standard error: a few lines that change on a terminal, a line per trial
//! elsewhere, and one now and then while a long phase goes on.

use std::{
    io::{IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lab::Nanos;
use runner::{
    live::Glimpse,
    progress::{Event, Observer},
    slurm::status,
};

/// Shows events as they come.
pub(crate) struct Lines {
    live: bool,
    state: Mutex<State>,
}

struct State {
    began: Instant,
    /// When the changing lines were last drawn, and how many they are.
    drawn: Option<Instant>,
    height: usize,
    /// When a long phase was last told of, where nothing can change.
    told: Instant,
    finished_here: u32,
    trial: String,
    /// When the last trial should be over.
    ends: Option<Instant>,
}

impl State {
    /// How long it will take, as far as the trials so far tell.
    fn left(&self) -> String {
        let left = self.ends.map(|at| at.saturating_duration_since(Instant::now()));
        left.filter(|left| left.as_secs() > 0).map(|left| format!(" · {} left", Nanos::from(left))).unwrap_or_default()
    }
}

/// Lines that change faster than this cannot be read.
const CALM: Duration = Duration::from_millis(200);
/// Where lines stay, a long phase says this often how it goes.
const TELL: Duration = Duration::from_secs(15);

impl Lines {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let state =
            State { began: now, drawn: None, height: 0, told: now, finished_here: 0, trial: String::new(), ends: None };
        Lines { live: std::io::stderr().is_terminal(), state: Mutex::new(state) }
    }

    /// Removes the changing lines, so that what follows begins where they stood.
    pub(crate) fn end(&self) {
        self.wipe(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How many of how many bundles are read.
    pub(crate) fn read(&self, done: usize, of: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.draw(&mut state, &[format!("bundle {done} of {of}")], false);
    }

    fn wipe(&self, state: &mut State) {
        if self.live && state.height > 0 {
            eprint!("{}", back(state.height));
            state.height = 0;
        }
    }

    fn draw(&self, state: &mut State, lines: &[String], now: bool) {
        if !self.live || (!now && state.drawn.is_some_and(|at| at.elapsed() < CALM)) {
            return;
        }
        let width = crate::screen::width() - 1;
        let lines: Vec<String> = lines.iter().map(|line| line.chars().take(width).collect()).collect();
        eprint!("{}{}", back(state.height), lines.join("\n"));
        let _ = std::io::stderr().flush();
        (state.drawn, state.height) = (Some(Instant::now()), lines.len());
    }

    /// A line that stays.
    fn keep(&self, state: &mut State, text: &str) {
        self.wipe(state);
        eprintln!("{text}");
    }

    /// A stage in a few words: on a terminal until the next one comes.
    fn stage(&self, state: &mut State, words: &str) {
        if self.live {
            self.draw(state, &[words.to_owned()], true);
        } else {
            eprintln!("{words}");
        }
    }
}

/// Back to the first of so many lines, with nothing below.
fn back(height: usize) -> String {
    let up = height.saturating_sub(1);
    let up = if up > 0 { format!("\u{1b}[{up}A") } else { String::new() };
    format!("\r{up}\u{1b}[J")
}

/// A load phase that goes on, in two lines.
struct LoadView<'a> {
    phase: &'a str,
    of: u32,
    time: Nanos,
    seen: &'a Glimpse,
}

impl LoadView<'_> {
    fn counts(&self) -> String {
        let Glimpse { ended, failed, chunks, .. } = self.seen;
        let per_second = |n: u64| n as f64 / self.time.as_secs_f64().max(0.001);
        let failed = if *failed > 0 { format!(" · {failed} failed") } else { String::new() };
        format!(
            "  {} · {ended}/{} requests · {} in flight · {:.1} req/s · {:.0} chunks/s{failed}",
            self.phase,
            self.of,
            self.seen.in_flight(),
            per_second(*ended),
            per_second(*chunks)
        )
    }

    fn latencies(&self) -> String {
        let pair = |name: &str, of: Option<[Nanos; 2]>| match of {
            Some([p50, p99]) => format!("{name} p50 {p50} p99 {p99}"),
            None => format!("{name} –"),
        };
        format!("  {} · {}", pair("first output", self.seen.ttft), pair("between chunks", self.seen.gap))
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
            Event::Stage(words) => self.stage(state, words),
            Event::TrialStarted { trial, at, of } => {
                let remaining = (*of + 1).saturating_sub(*at) as u32;
                if state.finished_here > 0 {
                    let left = state.began.elapsed() / state.finished_here * remaining;
                    state.ends = Some(Instant::now() + left);
                }
                state.trial = format!("trial {at} of {of} · round {} · {}", trial.round, trial.arm);
                state.told = Instant::now();
                let text = format!("{} · starting{}", state.trial, state.left());
                self.draw(state, &[text], true);
            }
            Event::Ready { .. } => {}
            Event::Pull { arm, done, of } => {
                let mib = |bytes: &u64| bytes >> 20;
                self.draw(state, &[format!("image of {arm} · {} of {} MiB", mib(done), mib(of))], done == of);
            }
            Event::Again { why } => {
                let subject = if state.trial.is_empty() { String::new() } else { format!("{} · ", state.trial) };
                self.keep(state, &format!("{subject}once more: {}", in_short(why)));
            }
            Event::Load { phase, of, time, seen } => {
                let view = LoadView { phase, of: *of, time: *time, seen };
                let over = seen.ended == u64::from(*of);
                let lines = [format!("{}{}", state.trial, state.left()), view.counts(), view.latencies()];
                self.draw(state, &lines, over);
                if !self.live && state.told.elapsed() >= TELL {
                    eprintln!("{} ·{} ·{}", state.trial, view.counts().trim_start(), view.latencies().trim_start());
                    state.told = Instant::now();
                }
            }
            Event::Writing => {
                let text = format!("{} · writing evidence{}", state.trial, state.left());
                self.draw(state, &[text], false);
            }
            Event::TrialEnded { tokens, busy, failure, unanswered, .. } => {
                state.finished_here += 1;
                let trial = state.trial.clone();
                match failure {
                    Some(why) => self.keep(state, &format!("{trial} · failed: {}", in_short(why))),
                    None if unanswered.count > 0 => {
                        let what = lab::text::shown(&unanswered.first, 200);
                        let line =
                            format!("{trial} · {} of {} requests failed: {what}", unanswered.count, unanswered.of);
                        self.keep(state, &line);
                    }
                    None if !self.live => {
                        let rate = *tokens as f64 / busy.as_secs_f64().max(1e-9);
                        eprintln!("{trial} · {tokens} tokens in {busy} · {rate:.0} tok/s{}", state.left());
                    }
                    None => {}
                }
            }
            Event::Blocks(run) => {
                let text = crate::verbs::status::in_words(run);
                if self.live {
                    let running = run.blocks.iter().filter(|block| block.state == status::State::Running).take(8);
                    let running =
                        running.map(|b| format!("  block {} on {}", b.block, lab::text::shown(&b.detail, 60)));
                    let lines: Vec<String> = std::iter::once(text).chain(running).collect();
                    self.draw(state, &lines, false);
                } else if state.trial != text {
                    eprintln!("{text}");
                    state.trial = text;
                }
            }
            Event::Graded { done, of } => {
                let text = format!("grading · {done} of {of} outputs");
                if !self.live && done == of {
                    eprintln!("{text}");
                }
                self.draw(state, &[text], done == of);
            }
        }
    }
}
