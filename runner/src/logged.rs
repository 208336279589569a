//! What becomes of runs goes into the log of their folder of results, as it happens.

use std::path::{Path, PathBuf};

use lab::{
    Digest, Kind, Problem, Result,
    bundle::{Bundle, Store},
    log::{Chain, Counts, Event, Head, Log, missing},
    plan::Plan,
};

use crate::clock;

/// The exit code of a program that was told to end.
const INTERRUPTED: u8 = 130;

/// A run that the log knows as begun. Dropped without an end, it was interrupted.
pub(crate) struct Logged {
    /// None outside of a folder of results, which has a log.
    place: Option<(Log, String)>,
    /// Where others measure, the run does not end with this program.
    elsewhere: bool,
}

impl Logged {
    /// Enters that a run begins, or goes on.
    pub(crate) fn begin(run: &Path, plan: &Plan, name: &str, resumed: bool) -> Result<Self> {
        let logged = Logged { place: Log::around(run), elsewhere: false };
        let Some((log, run)) = &logged.place else { return Ok(logged) };
        let (run, name, digest, workload) = (run.clone(), name.to_owned(), plan.digest(), plan.workload);
        let mut held = log.hold()?;
        // Who died before the line was written left a run that has no beginning yet. What is wrong
        // with earlier lines is for a check to say, and keeps nobody from measuring.
        let begun = |event: &Event| matches!(event, Event::Begun { .. } | Event::Stage { .. });
        let known = |chain: Chain| chain.entries.iter().any(|e| begun(&e.event) && e.event.run() == Some(run.as_str()));
        let goes_on = resumed && held.read().map_or(true, known);
        let event = match &plan.stage {
            _ if goes_on => Event::Resumed { run },
            None => Event::Begun { run, plan: digest, workload, name },
            Some(stage) => {
                Event::Stage { run, plan: digest, workload, name, number: stage.number, parent: stage.parent }
            }
        };
        held.append(&clock::utc_now(), event)?;
        Ok(logged)
    }

    /// The run goes on where others measure it, whatever becomes of this program.
    pub(crate) fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// Nothing has come of it yet, and it goes on.
    pub(crate) fn leave(mut self) {
        self.place = None;
    }

    /// Enters its end: the bundle, or what kept it from being sealed.
    pub(crate) fn end(mut self, sealed: Result<(PathBuf, Digest)>) -> Result<PathBuf> {
        let place = self.place.take();
        match sealed {
            Ok((path, id)) => enter(place, sealed_event(&path, id)).map(|()| path),
            Err(problem) => {
                // It is the first problem that a person has to know.
                let _ = enter(place, |run| Ok(ended(run, word(problem.kind), problem.kind.exit_code())));
                Err(problem)
            }
        }
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        if !self.elsewhere && !std::thread::panicking() {
            // A run that has no end in the log is open, which a check says.
            let _ = enter(self.place.take(), |run| Ok(ended(run, "interrupted", INTERRUPTED)));
        }
    }
}

/// Enters that a run was sealed as it stood.
pub(crate) fn sealed(run: &Path, id: Digest) -> Result<()> {
    enter(Log::around(run), sealed_event(run, id))
}

/// Enters that the tasks of a run were taken back.
pub(crate) fn cancelled(run: &Path) -> Result<()> {
    enter(Log::around(run), |run| Ok(ended(run, "interrupted", INTERRUPTED)))
}

/// Enters a sealed grade.
pub(crate) fn graded(grade: &Path, id: Digest, parents: Vec<Digest>) -> Result<()> {
    enter(Log::around(grade), |run| Ok(Event::Graded { run, id, parents }))
}

/// Enters the bundles of a folder of results that its log does not know; what each was called, and
/// the head then.
pub fn adopt(results: &Path) -> Result<(Vec<(String, Digest)>, Head)> {
    let store = Store::below(results);
    if let Some((path, problem)) = store.unreadable().first() {
        let next = "a bundle that nobody can read is not entered: put it right, or move it away";
        return Err(Problem::broken(problem.what.clone()).at(path.display().to_string()).next(next));
    }
    let log = Log::of(results);
    let mut held = log.hold()?;
    let chain = held.read()?;
    let (mut entered, mut head) = (Vec::new(), chain.head());
    for bundle in missing(&chain, &store) {
        let run = bundle.path.strip_prefix(results).unwrap_or(&bundle.path).display().to_string();
        if entered.iter().any(|(_, id)| *id == bundle.id) {
            continue;
        }
        let (kind, parents) = (bundle.manifest.kind, bundle.manifest.parents.clone());
        let trials = if bundle.is_measure() { Some(Counts::of(bundle)?) } else { None };
        head =
            held.append(&clock::utc_now(), Event::Adopted { run: run.clone(), id: bundle.id, kind, parents, trials })?;
        entered.push((run, bundle.id));
    }
    Ok((entered, head))
}

fn sealed_event(path: &Path, id: Digest) -> impl FnOnce(String) -> Result<Event> + '_ {
    move |run| Ok(Event::Sealed { run, id, trials: Counts::of(&Bundle::open(path)?)? })
}

fn ended(run: String, class: &str, exit: u8) -> Event {
    Event::Ended { run, class: class.to_owned(), exit }
}

fn enter(place: Option<(Log, String)>, event: impl FnOnce(String) -> Result<Event>) -> Result<()> {
    match place {
        Some((log, run)) => log.append(&clock::utc_now(), event(run)?).map(drop),
        None => Ok(()),
    }
}

/// Whose failure it was.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Input => "input",
        Kind::Machine => "machine",
        Kind::Image => "image",
        Kind::NothingMeasured => "nothing-measured",
        Kind::Broken => "broken",
        Kind::NotComparable => "not-comparable",
    }
}
